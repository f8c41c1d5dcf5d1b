#ifndef CIDN2_SHIM_H
#define CIDN2_SHIM_H

#include <idn2.h>

/* A name in UTF-8 to its A-label form (IDNA2008 over UTS #46, transitional: sharp s becomes ss, as IDNA2003 did).
   Zero on success; the result belongs to the caller and goes back through cidn2_free. */
static inline int cidn2_to_ascii(const char *name, char **result) {
    return idn2_to_ascii_8z(name, result, IDN2_NFC_INPUT | IDN2_TRANSITIONAL);
}

static inline void cidn2_free(char *result) {
    idn2_free(result);
}

#endif
