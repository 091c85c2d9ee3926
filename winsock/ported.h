/* SPDX-License-Identifier: MIT */
/*
 * Calls that Linux has under Winsock's name and with another meaning. Our
 * headers rename a program's calls to these; ordinary programs keep libc's.
 */
#ifndef PORTRES_WINSOCK_PORTED_H
#define PORTRES_WINSOCK_PORTED_H

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#define PORTED __attribute__((visibility("default")))

PORTED int portres_socket(int family, int type, int protocol);
PORTED int portres_accept(int fd, struct sockaddr *address, socklen_t *size);
PORTED int portres_bind(int fd, const struct sockaddr *address, socklen_t size);
PORTED int portres_listen(int fd, int backlog);
PORTED int portres_connect(int fd, const struct sockaddr *address,
			   socklen_t size);
PORTED int portres_shutdown(int fd, int how);
PORTED int portres_getsockname(int fd, struct sockaddr *address,
			       socklen_t *size);
PORTED int portres_getpeername(int fd, struct sockaddr *address,
			       socklen_t *size);
PORTED int portres_gethostname(char *name, size_t size);

struct windows_fd_set;
PORTED int portres_select(int unused, struct windows_fd_set *readable,
			  struct windows_fd_set *writable,
			  struct windows_fd_set *exceptional,
			  const struct timeval *timeout);

PORTED ssize_t portres_send(int fd, const void *buffer, size_t n, int flags);
PORTED ssize_t portres_sendto(int fd, const void *buffer, size_t n, int flags,
			      const struct sockaddr *address, socklen_t size);
PORTED ssize_t portres_recv(int fd, void *buffer, size_t n, int flags);
PORTED ssize_t portres_recvfrom(int fd, void *buffer, size_t n, int flags,
				struct sockaddr *address, socklen_t *size);

PORTED int portres_getsockopt(int fd, int level, int name, void *value,
			      socklen_t *size);
PORTED int portres_setsockopt(int fd, int level, int name, const void *value,
			      socklen_t size);

PORTED int portres_getaddrinfo(const char *node, const char *service,
			       const struct addrinfo *hints,
			       struct addrinfo **ret);
PORTED int portres_getnameinfo(const struct sockaddr *address, socklen_t size,
			       char *node, socklen_t node_size, char *service,
			       socklen_t service_size, int flags);
PORTED struct hostent *portres_gethostbyname(const char *name);
PORTED struct hostent *portres_gethostbyaddr(const void *address,
					     socklen_t size, int family);
PORTED struct servent *portres_getservbyname(const char *name,
					     const char *protocol);
PORTED struct servent *portres_getservbyport(int port, const char *protocol);
PORTED struct protoent *portres_getprotobyname(const char *name);
PORTED struct protoent *portres_getprotobynumber(int number);
PORTED const char *portres_gai_strerror(int code);
PORTED int portres_inet_pton(int family, const char *text, void *ret);
PORTED unsigned int portres_inet_addr(const char *text);
PORTED const char *portres_inet_ntop(int family, const void *address,
				     char *text, socklen_t size);

#endif
