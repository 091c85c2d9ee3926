/* SPDX-License-Identifier: MIT */
/* System calls on sockets, and on sets of them. */
#ifndef PORTRES_CORE_SYS_SOCKET_H
#define PORTRES_CORE_SYS_SOCKET_H

#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/sys_call.h"

static inline int
sys_socket(const struct sys_ops *sys, int domain, int type, int protocol)
{
	return (int)SYS_CALL(sys, SYS_socket, domain, type, protocol);
}

static inline int
sys_bind(const struct sys_ops *sys, int fd, const void *address, socklen_t size)
{
	return (int)SYS_CALL(sys, SYS_bind, fd, SYS_ARG_(address), size);
}

static inline int
sys_getsockname(const struct sys_ops *sys, int fd, void *to, socklen_t *size)
{
	return (int)SYS_CALL(sys, SYS_getsockname, fd, SYS_ARG_(to),
			     SYS_ARG_(size));
}

static inline int
sys_getsockopt(const struct sys_ops *sys, int fd, int level, int name, void *to,
	       socklen_t *size)
{
	return (int)SYS_CALL(sys, SYS_getsockopt, fd, level, name, SYS_ARG_(to),
			     SYS_ARG_(size));
}

static inline int
sys_setsockopt(const struct sys_ops *sys, int fd, int level, int name,
	       const void *from, socklen_t size)
{
	return (int)SYS_CALL(sys, SYS_setsockopt, fd, level, name,
			     SYS_ARG_(from), size);
}

static inline long
sys_sendto(const struct sys_ops *sys, int fd, const void *from, size_t n,
	   const void *address, socklen_t size)
{
	return SYS_CALL(sys, SYS_sendto, fd, SYS_ARG_(from), SYS_ARG_(n), 0,
			SYS_ARG_(address), size);
}

static inline int
sys_epoll_create(const struct sys_ops *sys)
{
	return (int)SYS_CALL(sys, SYS_epoll_create1, EPOLL_CLOEXEC);
}

static inline int
sys_epoll_add(const struct sys_ops *sys, int epoll, int fd,
	      struct epoll_event *event)
{
	return (int)SYS_CALL(sys, SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd,
			     SYS_ARG_(event));
}

#endif
