// Gives Swift what of libmicrohttpd is variadic or a macro.
#ifndef CMICROHTTPD_SHIM_H
#define CMICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <stddef.h>

// Swift sees some of these enums as sets, others as enums: these names keep it out of the way.
static const enum MHD_Result mhd_yes = MHD_YES;
static const enum MHD_Result mhd_no = MHD_NO;
static const enum MHD_ValueKind mhd_headers = MHD_HEADER_KIND;
static const enum MHD_ValueKind mhd_query = MHD_GET_ARGUMENT_KIND;
static const enum MHD_ConnectionNotificationCode mhd_opened = MHD_CONNECTION_NOTIFY_STARTED;
static const enum MHD_ResponseMemoryMode mhd_copy = MHD_RESPMEM_MUST_COPY;

// How a daemon is started; every member is required.
struct mhd_plan {
    int listen_socket;
    unsigned int threads;
    unsigned int connection_limit;
    unsigned int timeout_seconds;
    size_t memory_limit;
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection;
    size_t (*unescape)(void *, struct MHD_Connection *, char *);
    void *context;
};

static inline struct MHD_Daemon *mhd_start(const struct mhd_plan *plan) {
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, plan->access, plan->context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)plan->listen_socket,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, plan->memory_limit,
        MHD_OPTION_CONNECTION_LIMIT, plan->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, plan->timeout_seconds,
        MHD_OPTION_NOTIFY_COMPLETED, plan->completed, plan->context,
        MHD_OPTION_NOTIFY_CONNECTION, plan->connection, plan->context,
        MHD_OPTION_UNESCAPE_CALLBACK, plan->unescape, plan->context,
        MHD_OPTION_STRICT_FOR_CLIENT, (int)1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, (int)1,
        plan->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, plan->threads,
        MHD_OPTION_END);
}

static inline void *mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static inline int mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

#endif
