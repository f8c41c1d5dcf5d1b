#ifndef INTELMQ_CARCHIVE_SHIM_H
#define INTELMQ_CARCHIVE_SHIM_H

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* inflateInit2 is a macro; 31 = largest window, gzip header and trailer. */
static inline int carchive_inflate_init_gzip(z_stream *stream) {
    return inflateInit2(stream, 31);
}

/* libarchive converts member names with the thread's locale; without UTF-8 there it loses them.
   Returns the locale to hand to carchive_locale_leave, which restores the previous one. */
typedef struct {
    locale_t own;
    locale_t previous;
} carchive_locale;

static inline carchive_locale carchive_locale_enter(void) {
    carchive_locale state = {newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), (locale_t)0};
    if (state.own) state.previous = uselocale(state.own);
    return state;
}

static inline void carchive_locale_leave(carchive_locale state) {
    if (!state.own) return;
    uselocale(state.previous);
    freelocale(state.own);
}

#endif
