#ifndef INTELMQ_CYAML_SHIM_H
#define INTELMQ_CYAML_SHIM_H

#include <yaml.h>

#endif
