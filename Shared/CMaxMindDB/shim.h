// libmaxminddb for Swift: its look-up of values is variadic, which Swift cannot call.
#ifndef CMAXMINDDB_SHIM_H
#define CMAXMINDDB_SHIM_H

#include <maxminddb.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The value under one key of a map; the status of MMDB_get_value.
static inline int cmaxminddb_value(MMDB_entry_s *entry, MMDB_entry_data_s *data, const char *key) {
    return MMDB_get_value(entry, data, key, (const char *)0);
}

/// An anonymous file in memory, closed on exec; -1 where the kernel refuses.
static inline int cmaxminddb_memory_file(const char *name) {
    const unsigned int close_on_exec = 1;
    return (int)syscall(SYS_memfd_create, name, close_on_exec);
}

#endif
