/* SPDX-License-Identifier: MIT */
/*
 * AcceptEx, ConnectEx, DisconnectEx. Linux makes a new descriptor of each
 * connection, and a socket that was connected is never new again: so a new
 * socket takes the number that the program has, by dup3().
 */
#include "winsock/extension.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mswsock.h"
#include "winsock/address.h"
#include "winsock/attempt.h"
#include "winsock/error.h"
#include "winsock/event_select.h"
#include "winsock/monitor.h"
#include "winsock/ported.h"
#include "winsock/restart.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/state.h"
#include "winsock/transfer.h"
#include "winsock/usermem.h"
#include "winsock/waiting.h"

#define BESIDE 16 /* bytes that the interface wants beside an address */

/* Puts the socket in the place of the number's, which is as the cookie says;
 * closes it. False if that socket is gone. Inside the monitor. */
static bool
take_place(int made, int number, uint64_t cookie)
{
	int before = errno;
	bool there =
		socket_cookie(number) == cookie && !waiting_is_closing(number);
	int flags = there ? fcntl(number, F_GETFD) : 0;

	if (there) {
		fcntl(made, F_SETFL, fcntl(number, F_GETFL));
		there = dup3(made, number,
			     flags & FD_CLOEXEC ? O_CLOEXEC : 0) >= 0;
	}
	close(made);
	if (there) {
		channel_replaced(number);
		event_select_replaced(number);
	}
	errno = before;
	return there;
}

/* The request on the listening socket; then the one that receives. */
struct accepting {
	struct io io; /* first */
	struct transfer *receiving;
	int made;
	int number; /* of the socket that the program made */
	uint64_t cookie;
	char *local;
	char *remote;
};

/* A size, which Windows keeps in the bytes beside the address, and it. */
static void
write_address(char *to, int (*ask)(int, struct sockaddr *, socklen_t *), int fd)
{
	struct sockaddr_in6 address = {0};
	socklen_t size = sizeof(address);
	int length;

	if (ask(fd, (struct sockaddr *)&address, &size) < 0)
		size = 0;
	windows_address((struct sockaddr *)&address, size);
	length = (int)size;
	memcpy(to, &length, sizeof(length));
	memcpy(to + sizeof(length), &address, size);
}

static int
ask_own(int fd, struct sockaddr *address, socklen_t *size)
{
	return getsockname(fd, address, size);
}

static int
ask_peer(int fd, struct sockaddr *address, socklen_t *size)
{
	return getpeername(fd, address, size);
}

static int
attempt_accept(struct io *io, DWORD *ret_bytes, bool *ret_more)
{
	struct accepting *accepting = (struct accepting *)io;
	int made = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)ret_bytes;
	if (made < 0 && errno == EAGAIN)
		return IO_AGAIN;
	event_select_again(io->fd, FD_ACCEPT);
	*ret_more = true;
	/* One that was there and has gone. */
	if (made < 0)
		return errno == ECONNABORTED ? WSAECONNRESET : wsa_code(errno);
	write_address(accepting->local, ask_own, made);
	write_address(accepting->remote, ask_peer, made);
	accepting->made = made;
	return IO_MOVED;
}

static void
free_accepting(struct completion *completion)
{
	free(((struct accepting *)completion)->receiving);
	free(completion);
}

static void
free_whole(struct completion *completion)
{
	free(completion);
}

/* The one goes on as the other, or ends. */
static void
move_accepted(struct io *io)
{
	struct accepting *accepting = (struct accepting *)io;
	struct transfer *receiving = accepting->receiving;

	if (!take_place(accepting->made, accepting->number,
			accepting->cookie)) {
		channel_end(io, WSA_OPERATION_ABORTED, 0);
	} else if (!receiving) {
		channel_end(io, 0, 0);
	} else {
		/* It tells whom the accepting one would have told. */
		receiving->io.completion = io->completion;
		receiving->io.origin = io->origin;
		receiving->io.aborted = io->aborted;
		receiving->io.in_line = true;
		receiving->io.completion.destroy = free_whole;
		free(accepting);
		channel_go_on(&receiving->io);
	}
}

static int
accept_into(SOCKET listener, SOCKET number, char *out, DWORD data, DWORD local,
	    struct overlapped_party *party)
{
	struct accepting *accepting = calloc(1, sizeof(*accepting));
	DWORD bytes;
	int fd = (int)listener;

	if (accepting && data) {
		accepting->receiving = transfer_make((int)number, READING, 1);
		if (!accepting->receiving) {
			free(accepting);
			accepting = NULL;
		}
	}
	if (!accepting)
		return WSAENOBUFS;
	if (data) {
		accepting->receiving->vector[0] = (struct iovec){out, data};
		accepting->receiving->sum = data;
	}
	accepting->io.completion.destroy = free_accepting;
	accepting->io.fd = fd;
	accepting->io.direction = READING;
	accepting->io.attempt = attempt_accept;
	accepting->io.move = move_accepted;
	accepting->number = (int)number;
	accepting->cookie = socket_cookie((int)number);
	accepting->local = out + data;
	accepting->remote = out + data + local;
	if (!(fcntl(fd, F_GETFL) & O_NONBLOCK)) {
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		state_change(fd, STATE_QUIET_NONBLOCK, 0);
	}
	return channel_request(&accepting->io, party, &bytes);
}

static int
check_accept(SOCKET listener, SOCKET number, PVOID out, DWORD local,
	     DWORD remote, const struct overlapped_party *party)
{
	size_t needed;

	if (!wsa_started())
		return WSANOTINITIALISED;
	if (listener > INT_MAX || number > INT_MAX ||
	    socket_type((int)listener) < 0 || socket_type((int)number) < 0)
		return WSAENOTSOCK;
	needed = BESIDE + (socket_family((int)listener) == AF_INET
				   ? sizeof(struct sockaddr_in)
				   : sizeof(struct sockaddr_in6));
	if (!party->overlapped)
		return WSA_INVALID_PARAMETER;
	if (!socket_listens((int)listener) || socket_bound((int)number))
		return WSAEINVAL;
	if (!out || local < needed || remote < needed)
		return WSAEFAULT;
	return 0;
}

static BOOL
ended(int code, int before)
{
	return wsa_end(code, before) == 0;
}

BOOL PASCAL
AcceptEx(SOCKET sListenSocket, SOCKET sAcceptSocket, PVOID lpOutputBuffer,
	 DWORD dwReceiveDataLength, DWORD dwLocalAddressLength,
	 DWORD dwRemoteAddressLength, LPDWORD lpdwBytesReceived,
	 LPOVERLAPPED lpOverlapped)
{
	struct overlapped_party party = {.overlapped = lpOverlapped};
	const DWORD none = 0;
	int before = errno;
	int code = check_accept(sListenSocket, sAcceptSocket, lpOutputBuffer,
				dwLocalAddressLength, dwRemoteAddressLength,
				&party);

	if (code == 0)
		code = completion_check(&party);
	if (code == 0)
		code = accept_into(sListenSocket, sAcceptSocket, lpOutputBuffer,
				   dwReceiveDataLength, dwLocalAddressLength,
				   &party);
	if (code == 0 && lpdwBytesReceived)
		usermem_write(lpdwBytesReceived, &none, sizeof(none));
	return ended(code, before);
}

static void
read_address(char *from, struct sockaddr **address, LPINT size)
{
	memcpy(size, from, sizeof(*size));
	*address = (struct sockaddr *)(void *)(from + sizeof(*size));
}

VOID PASCAL
GetAcceptExSockaddrs(PVOID lpOutputBuffer, DWORD dwReceiveDataLength,
		     DWORD dwLocalAddressLength, DWORD dwRemoteAddressLength,
		     struct sockaddr **LocalSockaddr, LPINT LocalSockaddrLength,
		     struct sockaddr **RemoteSockaddr,
		     LPINT RemoteSockaddrLength)
{
	char *local = (char *)lpOutputBuffer + dwReceiveDataLength;

	(void)dwRemoteAddressLength;
	read_address(local, LocalSockaddr, LocalSockaddrLength);
	read_address(local + dwLocalAddressLength, RemoteSockaddr,
		     RemoteSockaddrLength);
}

enum stage { BEGIN, UNDER_WAY, OVER };

/* Without waiting, whatever the socket is told to do. */
static int
begin_connect(int fd, const struct transfer *transfer)
{
	int flags = fcntl(fd, F_GETFL);
	int code = attempt_prepare(fd);

	if (code)
		return wsa_code(code);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	channel_connecting(fd);
	if (wsa_answer(connect(fd, (const struct sockaddr *)&transfer->to,
			       transfer->to_size)) < 0)
		code = errno == EINPROGRESS ? IO_AGAIN : WSAGetLastError();
	fcntl(fd, F_SETFL, flags);
	if (code == 0 || code == IO_AGAIN)
		restart_connected(fd);
	return code;
}

static int
how_connected(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLOUT};
	int err = 0;
	socklen_t size = sizeof(err);

	if (poll(&look, 1, 0) == 0)
		return IO_AGAIN;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	if (!err)
		return 0;
	attempt_forget(fd);
	/* A port that the kernel chose it has taken back, and chooses anew. */
	state_change(fd, STATE_WAS_BOUND, 0);
	return wsa_code(err);
}

static int
attempt_connect(struct io *io, DWORD *ret_bytes, bool *ret_more)
{
	struct transfer *transfer = (struct transfer *)io;
	int code = 0;

	if (transfer->stage == BEGIN) {
		code = begin_connect(io->fd, transfer);
		transfer->stage = UNDER_WAY;
	} else if (transfer->stage == UNDER_WAY) {
		code = how_connected(io->fd);
	}
	if (code)
		return code;
	transfer->stage = OVER;
	transfer->to_size = 0;
	*ret_more = true;
	return transfer->sum ? transfer_attempt(io, ret_bytes, ret_more) : 0;
}

static int
connect_and_send(int fd, const struct sockaddr *name, int size, PVOID data,
		 DWORD n, DWORD *ret_bytes, struct overlapped_party *party)
{
	struct sockaddr_storage room;
	struct transfer *transfer;

	if (size > (int)sizeof(room) || address_is_short(name, (socklen_t)size))
		return WSAEFAULT;
	transfer = transfer_make(fd, WRITING, 1);
	if (!transfer)
		return WSAENOBUFS;
	memcpy(&transfer->to, linux_address(name, (socklen_t)size, &room),
	       (size_t)size);
	transfer->to_size = (socklen_t)size;
	transfer->vector[0] = (struct iovec){data, n};
	transfer->sum = data ? n : 0;
	transfer->io.attempt = attempt_connect;
	return channel_request(&transfer->io, party, ret_bytes);
}

BOOL PASCAL
ConnectEx(SOCKET s, const struct sockaddr *name, int namelen,
	  PVOID lpSendBuffer, DWORD dwSendDataLength, LPDWORD lpdwBytesSent,
	  LPOVERLAPPED lpOverlapped)
{
	struct overlapped_party party = {.overlapped = lpOverlapped};
	int before = errno;
	DWORD bytes = 0;
	int code = 0;

	if (!wsa_started())
		code = WSANOTINITIALISED;
	else if (s > INT_MAX || socket_type((int)s) < 0)
		code = WSAENOTSOCK;
	else if (!lpOverlapped)
		code = WSA_INVALID_PARAMETER;
	else if (!socket_bound((int)s) && !state_flags((int)s, STATE_WAS_BOUND))
		code = WSAEINVAL;
	else
		code = completion_check(&party);
	if (code == 0)
		code = connect_and_send((int)s, name, namelen, lpSendBuffer,
					dwSendDataLength, &bytes, &party);
	if (code == 0 && lpdwBytesSent)
		usermem_write(lpdwBytesSent, &bytes, sizeof(bytes));
	return ended(code, before);
}

static bool
peer_is_done(int fd, int ms)
{
	struct pollfd look = {.fd = fd, .events = POLLRDHUP};
	int n;

	do
		n = poll(&look, 1, ms);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

/* A new socket of the same kind, or -1. */
static int
another(int fd)
{
	return socket_make(socket_family(fd), socket_type(fd) | SOCK_CLOEXEC, 0,
			   true);
}

static int
attempt_disconnect(struct io *io, DWORD *ret_bytes, bool *ret_more)
{
	struct transfer *transfer = (struct transfer *)io;

	(void)ret_bytes;
	(void)ret_more;
	/* The peer may have ended its direction long ago. */
	if (channel_is_to_be_shut(io->fd) || !peer_is_done(io->fd, 0))
		return IO_AGAIN;
	return transfer->flags & TF_REUSE_SOCKET ? IO_MOVED : 0;
}

static int
renew(int fd)
{
	int made = another(fd);

	if (made < 0)
		return WSAENOBUFS;
	return take_place(made, fd, socket_cookie(fd)) ? 0
						       : WSA_OPERATION_ABORTED;
}

static void
move_disconnected(struct io *io)
{
	channel_end(io, renew(io->fd), 0);
}

static void
cancelled(void *waiting)
{
	waiting_end(waiting);
}

static int
disconnect_now(int fd, DWORD flags)
{
	struct waiting waiting;
	volatile int code = WSAEINTR; /* over a setjmp() */

	pthread_cleanup_push(cancelled, &waiting);
	if (waiting_begin(&waiting, fd, WAITING_TO_HEAR))
		code = channel_wait_shut(fd);
	if (code == 0)
		peer_is_done(fd, -1);
	pthread_cleanup_pop(0);
	if (!waiting_end(&waiting))
		code = WSAEINTR;
	if (code == 0 && flags & TF_REUSE_SOCKET) {
		monitor_enter();
		code = renew(fd);
		monitor_leave();
	}
	return code;
}

static int
disconnect(int fd, DWORD flags, struct overlapped_party *party)
{
	struct transfer *transfer;
	DWORD bytes;
	int code;

	if (party->overlapped) {
		code = completion_check(party);
		if (code)
			return code;
	}
	if (portres_shutdown(fd, SHUT_WR) < 0)
		return WSAGetLastError();
	if (!party->overlapped)
		return disconnect_now(fd, flags);
	transfer = transfer_make(fd, READING, 0);
	if (!transfer)
		return WSAENOBUFS;
	transfer->flags = (int)flags;
	transfer->io.attempt = attempt_disconnect;
	transfer->io.move = move_disconnected;
	return channel_request(&transfer->io, party, &bytes);
}

BOOL PASCAL
DisconnectEx(SOCKET s, LPOVERLAPPED lpOverlapped, DWORD dwFlags,
	     DWORD dwReserved)
{
	struct overlapped_party party = {.overlapped = lpOverlapped};
	int before = errno;
	int code;

	if (!wsa_started())
		code = WSANOTINITIALISED;
	else if (s > INT_MAX || socket_type((int)s) < 0)
		code = WSAENOTSOCK;
	else if (dwReserved || dwFlags & ~(DWORD)TF_REUSE_SOCKET)
		code = WSAEINVAL;
	else
		code = disconnect((int)s, dwFlags, &party);
	return ended(code, before);
}

static const struct {
	GUID which;
	extension_function *function;
} functions[] = {
	{WSAID_ACCEPTEX, (extension_function *)AcceptEx},
	{WSAID_GETACCEPTEXSOCKADDRS,
	 (extension_function *)GetAcceptExSockaddrs},
	{WSAID_CONNECTEX, (extension_function *)ConnectEx},
	{WSAID_DISCONNECTEX, (extension_function *)DisconnectEx},
	{WSAID_WSARECVMSG, (extension_function *)WSARecvMsg},
	{WSAID_WSASENDMSG, (extension_function *)WSASendMsg},
};

extension_function *
extension_find(const GUID *which)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (memcmp(&functions[i].which, which, sizeof(*which)) == 0)
			return functions[i].function;
	return NULL;
}
