// Gives Swift what of libmicrohttpd is variadic or a macro.
#ifndef CMICROHTTPD_SHIM_H
#define CMICROHTTPD_SHIM_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stddef.h>

// Swift sees some of these enums as sets, others as enums: these names keep it out of the way.
static const enum MHD_Result mhd_yes = MHD_YES;
static const enum MHD_Result mhd_no = MHD_NO;
static const enum MHD_ValueKind mhd_headers = MHD_HEADER_KIND;
static const enum MHD_ValueKind mhd_query = MHD_GET_ARGUMENT_KIND;
static const enum MHD_ConnectionNotificationCode mhd_opened = MHD_CONNECTION_NOTIFY_STARTED;
static const enum MHD_ResponseMemoryMode mhd_copy = MHD_RESPMEM_MUST_COPY;
static const uint64_t mhd_stream_size = MHD_SIZE_UNKNOWN;
static const ssize_t mhd_stream_end = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t mhd_stream_broken = MHD_CONTENT_READER_END_WITH_ERROR;

// How a daemon is started; every member is required.
struct mhd_plan {
    int listen_socket;
    unsigned int threads;
    unsigned int connection_limit;
    unsigned int timeout_seconds;
    size_t memory_limit;
    int tls;
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection;
    size_t (*unescape)(void *, struct MHD_Connection *, char *);
    void *context;
};

// Every connection is given its credentials when it opens; one that was not finds no certificate here, and fails.
static inline int mhd_no_certificate(
    gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count, const gnutls_pk_algorithm_t *algorithms,
    int algorithm_count, gnutls_pcert_st **certificates, unsigned int *certificate_count, gnutls_privkey_t *key) {
    return -1;
}

// With TLS the library waits with poll: under epoll 0.9.75 spins while a handshake is unfinished, and its turbo mode neither
// says goodbye nor ever frees a connection that times out in its handshake.
static inline struct MHD_Daemon *mhd_start(const struct mhd_plan *plan) {
    unsigned int flags = plan->tls ? MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS : MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE"},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)mhd_no_certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(
        flags | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, plan->access, plan->context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)plan->listen_socket,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, plan->memory_limit,
        MHD_OPTION_CONNECTION_LIMIT, plan->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, plan->timeout_seconds,
        MHD_OPTION_NOTIFY_COMPLETED, plan->completed, plan->context,
        MHD_OPTION_NOTIFY_CONNECTION, plan->connection, plan->context,
        MHD_OPTION_UNESCAPE_CALLBACK, plan->unescape, plan->context,
        MHD_OPTION_STRICT_FOR_CLIENT, (int)1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, (int)1,
        MHD_OPTION_ARRAY, plan->tls ? tls : none,
        plan->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, plan->threads,
        MHD_OPTION_END);
}

// Has a body of unknown length end with the connection, as with HTTP/1.0.
static inline void mhd_unchunk(struct MHD_Response *response) {
    MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
}

static inline void *mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static inline int mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static inline gnutls_session_t mhd_tls_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? (gnutls_session_t)info->tls_session : NULL;
}

#endif
