#ifndef INTELMQ_CSQLITE_SHIM_H
#define INTELMQ_CSQLITE_SHIM_H

#include <sqlite3.h>

/* Extended codes are expressions, which Swift does not import. */
static const int csqlite_ioerr_shmsize = SQLITE_IOERR_SHMSIZE;

/* SQLITE_TRANSIENT and SQLITE_STATIC are casts of integers to function pointers, which Swift does not import. */
static inline int csqlite_bind_text(sqlite3_stmt *statement, int position, const char *bytes, sqlite3_uint64 count, int copy) {
    return sqlite3_bind_text64(statement, position, bytes, count, copy ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int position, const void *bytes, sqlite3_uint64 count, int copy) {
    return sqlite3_bind_blob64(statement, position, bytes, count, copy ? SQLITE_TRANSIENT : SQLITE_STATIC);
}

/* sqlite3_config takes what depends on the option. Before the first connection. */
static inline int csqlite_disable_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* sqlite3_file_control takes void *, whose meaning depends on the operation: only the integer one is used here. */
static inline int csqlite_persist_wal(sqlite3 *database, int on) {
    int value = on;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_PERSIST_WAL, &value);
}

#endif
