#ifndef CPCRE2_SHIM_H
#define CPCRE2_SHIM_H

/* PCRE2 over bytes: its functions end in _8. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Of the C library, which shows it to programs only that define _GNU_SOURCE, as Swift's module of it does not. */
extern void *memmem(const void *text, size_t text_length, const void *part, size_t part_length);

#endif
