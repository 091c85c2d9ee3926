/* SPDX-License-Identifier: MIT */
/*
 * Calls that both systems have and that differ, a part of winsock2.h: the name
 * stays, what it calls is ours. docs/winsock.md says what is different about
 * each.
 */
#ifndef PORTRES_CALLS_H
#define PORTRES_CALLS_H

#include "winsock2.h"

#ifndef PORTRES_ITSELF
#ifdef __cplusplus
extern "C" {
#endif

extern int accept(int fd, __SOCKADDR_ARG address, socklen_t *__restrict size)
	PORTRES_NAME(accept);
extern int bind(int fd, __CONST_SOCKADDR_ARG address,
		socklen_t size) PORTRES_NOTHROW PORTRES_NAME(bind);
extern int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
	PORTRES_NAME(connect);
extern struct hostent *gethostbyaddr(const void *address, socklen_t size,
				     int family) PORTRES_NAME(gethostbyaddr);
extern struct hostent *gethostbyname(const char *name)
	PORTRES_NAME(gethostbyname);
extern int getpeername(int fd, __SOCKADDR_ARG address,
		       socklen_t *__restrict size) PORTRES_NOTHROW
	PORTRES_NAME(getpeername);
extern struct protoent *getprotobyname(const char *name)
	PORTRES_NAME(getprotobyname);
extern struct protoent *getprotobynumber(int number)
	PORTRES_NAME(getprotobynumber);
extern struct servent *getservbyname(const char *name, const char *protocol)
	PORTRES_NAME(getservbyname);
extern struct servent *getservbyport(int port, const char *protocol)
	PORTRES_NAME(getservbyport);
extern int getsockname(int fd, __SOCKADDR_ARG address,
		       socklen_t *__restrict size) PORTRES_NOTHROW
	PORTRES_NAME(getsockname);
extern int getsockopt(int fd, int level, int name, void *__restrict value,
		      socklen_t *__restrict size) PORTRES_NOTHROW
	PORTRES_NAME(getsockopt);
extern in_addr_t inet_addr(const char *text) PORTRES_NOTHROW
	PORTRES_NAME(inet_addr);
extern int listen(int fd, int backlog) PORTRES_NOTHROW PORTRES_NAME(listen);
extern ssize_t recv(int fd, void *buffer, size_t n, int flags)
	PORTRES_NAME(recv);
extern ssize_t recvfrom(int fd, void *__restrict buffer, size_t n, int flags,
			__SOCKADDR_ARG address, socklen_t *__restrict size)
	PORTRES_NAME(recvfrom);
extern int select(int n, portres_linux_fd_set *__restrict readable,
		  portres_linux_fd_set *__restrict writable,
		  portres_linux_fd_set *__restrict exceptional,
		  struct timeval *__restrict timeout) PORTRES_NAME(select);
extern ssize_t send(int fd, const void *buffer, size_t n, int flags)
	PORTRES_NAME(send);
extern ssize_t sendto(int fd, const void *buffer, size_t n, int flags,
		      __CONST_SOCKADDR_ARG address, socklen_t size)
	PORTRES_NAME(sendto);
extern int setsockopt(int fd, int level, int name, const void *value,
		      socklen_t size) PORTRES_NOTHROW PORTRES_NAME(setsockopt);
extern int shutdown(int fd, int how) PORTRES_NOTHROW PORTRES_NAME(shutdown);
extern int socket(int family, int type, int protocol) PORTRES_NOTHROW
	PORTRES_NAME(socket);
/* A macro, because <unistd.h> may yet come and has another way to rename. */
#define gethostname portres_gethostname
extern int gethostname(char *name, size_t size) PORTRES_NOTHROW;

#ifdef __cplusplus
}
#endif
#endif

/*
 * Lengths of addresses and options are int in Winsock and unsigned in POSIX.
 * Both kinds of pointer are taken: by overloads in C++, and in C by looking at
 * the type of the argument. These macros expand to the function they are named
 * after, so a member of that name stays what it was.
 */
#ifdef __cplusplus
extern "C++" {

inline SOCKET
accept(SOCKET s, struct sockaddr *addr, int *addrlen)
{
	return static_cast<SOCKET>(
		::accept(static_cast<int>(s), addr,
			 reinterpret_cast<socklen_t *>(addrlen)));
}

inline int
ioctlsocket(SOCKET s, long cmd, ULONG *argp)
{
	return portres_ioctlsocket32(s, cmd, argp);
}

inline int
getsockname(SOCKET s, struct sockaddr *name, int *namelen)
{
	return ::getsockname(static_cast<int>(s), name,
			     reinterpret_cast<socklen_t *>(namelen));
}

inline int
getpeername(SOCKET s, struct sockaddr *name, int *namelen)
{
	return ::getpeername(static_cast<int>(s), name,
			     reinterpret_cast<socklen_t *>(namelen));
}

inline int
getsockopt(SOCKET s, int level, int optname, void *optval, int *optlen)
{
	return ::getsockopt(static_cast<int>(s), level, optname, optval,
			    reinterpret_cast<socklen_t *>(optlen));
}

#ifndef PORTRES_ITSELF
inline int
select(int n, portres_fd_set *readable, portres_fd_set *writable,
       portres_fd_set *exceptional, const struct timeval *timeout)
{
	return ::select(n, reinterpret_cast<portres_linux_fd_set *>(readable),
			reinterpret_cast<portres_linux_fd_set *>(writable),
			reinterpret_cast<portres_linux_fd_set *>(exceptional),
			const_cast<struct timeval *>(timeout));
}
#endif

inline int
recvfrom(SOCKET s, void *buf, size_t len, int flags, struct sockaddr *from,
	 int *fromlen)
{
	return static_cast<int>(
		::recvfrom(static_cast<int>(s), buf, len, flags, from,
			   reinterpret_cast<socklen_t *>(fromlen)));
}
}
#else
#define PORTRES_LENGTH(p)                                                      \
	_Generic((p), int * : (socklen_t *)(void *)(p), default : (p))

#define ioctlsocket(s, cmd, argp)                                              \
	_Generic((argp), unsigned int *: portres_ioctlsocket32,                \
		 int *: portres_ioctlsocket32, unsigned long *: ioctlsocket,   \
		 long *: ioctlsocket,                                          \
		 void *: ioctlsocket)((s), (cmd), (void *)(argp))

#define accept(s, addr, addrlen) accept((s), (addr), PORTRES_LENGTH(addrlen))
#define getsockname(s, name, namelen)                                          \
	getsockname((s), (name), PORTRES_LENGTH(namelen))
#define getpeername(s, name, namelen)                                          \
	getpeername((s), (name), PORTRES_LENGTH(namelen))
#define getsockopt(s, level, optname, optval, optlen)                          \
	getsockopt((s), (level), (optname), (optval), PORTRES_LENGTH(optlen))
#ifndef PORTRES_ITSELF
#define select(n, readable, writable, exceptional, timeout)                    \
	select((n), (portres_linux_fd_set *)(void *)(readable),                \
	       (portres_linux_fd_set *)(void *)(writable),                     \
	       (portres_linux_fd_set *)(void *)(exceptional),                  \
	       (struct timeval *)(void *)(timeout))
#endif
#define recvfrom(s, buf, len, flags, from, fromlen)                            \
	recvfrom((s), (buf), (len), (flags), (from), PORTRES_LENGTH(fromlen))
#endif

#endif
