/* SPDX-License-Identifier: MIT */
/*
 * WSASend, WSARecv and their kin. Without a structure, or on a socket that is
 * not overlapped, they are done when they return; else they are requests.
 */
#include "winsock/transfer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "mswsock.h"
#include "winsock/address.h"
#include "winsock/error.h"
#include "winsock/message.h"
#include "winsock/monitor.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"

#define FEW 256 /* buffers that are looked at in one go */

struct transfer *
transfer_make(int fd, enum direction direction, size_t pieces)
{
	struct transfer *transfer = calloc(
		1, sizeof(*transfer) + (pieces + 1) * sizeof(struct iovec));

	if (!transfer)
		return NULL;
	transfer->io.fd = fd;
	transfer->io.direction = direction;
	transfer->io.attempt = transfer_attempt;
	transfer->pieces = pieces;
	return transfer;
}

static long
take(const struct transfer *transfer, struct msghdr *head, int flags)
{
	int all = transfer->flags | flags;

	return flags & MSG_DONTWAIT
		       ? message_receive(transfer->io.fd, head, all)
		       : message_call(transfer->io.fd, READING, head, all);
}

/* Reads the program's array. */
static int
read_buffers(struct transfer *transfer, const WSABUF *buffers)
{
	WSABUF some[FEW];

	for (size_t at = 0; at < transfer->pieces;) {
		size_t n = transfer->pieces - at;

		n = n < FEW ? n : FEW;
		if (usermem_get(some, buffers + at, n * sizeof(*some)) < 0)
			return WSAEFAULT;
		for (size_t i = 0; i < n; i++, at++) {
			transfer->vector[at] =
				(struct iovec){some[i].buf, some[i].len};
			transfer->sum += some[i].len;
		}
	}
	return 0;
}

static void
advance(struct transfer *transfer, size_t n)
{
	transfer->done += n;
	while (transfer->piece < transfer->pieces &&
	       n >= transfer->vector[transfer->piece].iov_len)
		n -= transfer->vector[transfer->piece++].iov_len;
	if (transfer->piece < transfer->pieces) {
		struct iovec *at = &transfer->vector[transfer->piece];

		at->iov_base = (char *)at->iov_base + n;
		at->iov_len -= n;
	}
}

static struct msghdr
head_of(struct transfer *transfer)
{
	return (struct msghdr){
		.msg_iov = &transfer->vector[transfer->piece],
		.msg_iovlen = transfer->pieces - transfer->piece,
		.msg_control = transfer->control,
		.msg_controllen = transfer->control_size,
	};
}

static long
send_some(struct transfer *transfer, int flags)
{
	struct msghdr head = head_of(transfer);
	int all;

	if (transfer->to_size) {
		head.msg_name = &transfer->to;
		head.msg_namelen = transfer->to_size;
	}
	all = transfer->flags | flags;
	return flags & MSG_DONTWAIT
		       ? message_send(transfer->io.fd, &head, all)
		       : message_call(transfer->io.fd, WRITING, &head, all);
}

static void
tell_message(const struct transfer *transfer, const struct msghdr *head)
{
	WSAMSG *message = transfer->message;

	message->dwFlags =
		(ULONG)head->msg_flags & (MSG_TRUNC | MSG_CTRUNC | MSG_OOB);
	message->Control.len = (ULONG)head->msg_controllen;
	if (transfer->from)
		message->namelen = (INT)head->msg_namelen;
}

static long
receive_some(struct transfer *transfer, int flags)
{
	struct msghdr head = head_of(transfer);
	long n;

	if (transfer->from) {
		head.msg_name = transfer->from;
		head.msg_namelen = (socklen_t)*transfer->from_size;
	}
	n = take(transfer, &head, flags);
	if (n < 0 && errno != EMSGSIZE)
		return n;
	if (transfer->from && head.msg_namelen)
		*transfer->from_size = (INT)head.msg_namelen;
	if (transfer->message)
		tell_message(transfer, &head);
	if (transfer->head) {
		transfer->head->msg_flags = head.msg_flags;
		transfer->head->msg_controllen = head.msg_controllen;
	}
	return n;
}

/* Programs ask for no bytes to hear of some: the kernel would not wait. */
static long
wait_for_some(struct transfer *transfer, int flags)
{
	char byte;
	struct iovec one = {&byte, 1};
	struct msghdr head = {.msg_iov = &one, .msg_iovlen = 1};
	long n = take(transfer, &head, flags | MSG_PEEK);

	return n < 0 ? n : 0;
}

static long
receive(struct transfer *transfer, int flags)
{
	if (transfer->sum == 0 && transfer->io.stream)
		return wait_for_some(transfer, flags);
	return receive_some(transfer, flags);
}

int
transfer_attempt(struct io *io, DWORD *ret_bytes, bool *ret_more)
{
	struct transfer *transfer = (struct transfer *)io;
	bool sends = io->direction == WRITING;
	long n;

	do {
		n = sends ? send_some(transfer, MSG_DONTWAIT)
			  : receive(transfer, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return IO_AGAIN;
		if (n < 0 && errno == EMSGSIZE && !sends) {
			*ret_bytes = (DWORD)transfer->sum;
			*ret_more = true;
			return WSAEMSGSIZE;
		}
		if (n < 0)
			return WSAGetLastError();
		advance(transfer, (size_t)n);
	} while (transfer->done < transfer->sum && n > 0 &&
		 (sends || transfer->flags & MSG_WAITALL));
	*ret_bytes = (DWORD)transfer->done;
	/* A stream that has filled the buffers may have more; of one that has
	 * not, the kernel tells when it has. A message says nothing. */
	*ret_more = sends || transfer->done >= transfer->sum || !io->stream;
	return 0;
}

static uint64_t
limit_of(const struct io *io)
{
	struct timeval limit = {0};
	socklen_t size = sizeof(limit);

	getsockopt(io->fd, SOL_SOCKET,
		   io->direction == WRITING ? SO_SNDTIMEO : SO_RCVTIMEO, &limit,
		   &size);
	if (limit.tv_sec == 0 && limit.tv_usec == 0)
		return MONITOR_FOR_EVER;
	return monitor_clock() + (uint64_t)limit.tv_sec * 1000000000 +
	       (uint64_t)limit.tv_usec * 1000;
}

/* False: the time has come before. */
static bool
wait_until(const OVERLAPPED *over, uint64_t until)
{
	bool time = true;

	monitor_enter();
	while (over->Internal == STATUS_PENDING && time) {
		completion_wait(until);
		time = until == MONITOR_FOR_EVER || monitor_clock() < until;
	}
	monitor_leave();
	return over->Internal != STATUS_PENDING;
}

/* Owns the request. Its structure is on our stack: we stay until it ends. */
static int
wait_behind(struct transfer *transfer, DWORD *ret_bytes)
{
	OVERLAPPED over = {0};
	const struct overlapped_party party = {.overlapped = &over,
					       .no_packet = true};
	uint64_t until = limit_of(&transfer->io);
	int fd = transfer->io.fd;
	bool late = false;
	int code;

	transfer->io.in_line = true;
	code = channel_request(&transfer->io, &party, ret_bytes);
	if (code != WSA_IO_PENDING)
		return code;
	if (!wait_until(&over, until)) {
		late = true;
		channel_cancel(fd, &over, false);
		wait_until(&over, MONITOR_FOR_EVER);
	}
	code = (int)over.Internal;
	*ret_bytes = (DWORD)over.InternalHigh;
	if (code == WSA_OPERATION_ABORTED)
		code = late ? WSAETIMEDOUT : WSAEINTR;
	return code;
}

static long
transfer_behind(int fd, enum direction direction, struct msghdr *message,
		int flags)
{
	/* musl's member is an int. */
	size_t pieces = (size_t)message->msg_iovlen;
	struct transfer *transfer = transfer_make(fd, direction, pieces);
	int size = (int)message->msg_namelen;
	int before = errno;
	DWORD bytes = 0;
	int code;

	if (!transfer)
		return wsa_refuse(WSAENOBUFS);
	transfer->flags = flags;
	for (size_t i = 0; i < pieces; i++) {
		transfer->vector[i] = message->msg_iov[i];
		transfer->sum += message->msg_iov[i].iov_len;
	}
	transfer->control = message->msg_control;
	transfer->control_size = message->msg_controllen;
	transfer->head = direction == READING ? message : NULL;
	if (direction == WRITING && message->msg_name) {
		memcpy(&transfer->to, message->msg_name, message->msg_namelen);
		transfer->to_size = message->msg_namelen;
	} else if (message->msg_name) {
		transfer->from = message->msg_name;
		transfer->from_size = &size;
	}
	code = wait_behind(transfer, &bytes);
	if (direction == READING)
		message->msg_namelen = (socklen_t)size;
	if (wsa_end(code, before) < 0)
		return -1;
	return (long)bytes;
}

/* The program's flags are told of what is done at once: later they may well be
 * gone from its stack. */
static void
tell_flags(LPDWORD flags, int code)
{
	const DWORD told = code == WSAEMSGSIZE ? MSG_PARTIAL : 0;

	if (flags && (code == 0 || code == WSAEMSGSIZE))
		usermem_put(flags, &told, sizeof(told));
}

long
transfer_call(int fd, enum direction direction, struct msghdr *message,
	      int flags)
{
	return message_stands_in_line(fd, direction, flags)
		       ? transfer_behind(fd, direction, message, flags)
		       : message_call(fd, direction, message, flags);
}

/* Done when it returns. Owns the transfer. */
static int
transfer_now(struct transfer *transfer, DWORD *ret_bytes)
{
	enum direction d = transfer->io.direction;
	int code = 0;
	long n;

	if (message_stands_in_line(transfer->io.fd, d, transfer->flags))
		return wait_behind(transfer, ret_bytes);
	if (transfer->sum == 0)
		transfer->io.stream =
			socket_type(transfer->io.fd) == SOCK_STREAM;
	n = d == WRITING ? send_some(transfer, 0) : receive(transfer, 0);
	if (n < 0)
		code = WSAGetLastError();
	else
		*ret_bytes = (DWORD)n;
	free(transfer);
	return code;
}

/* Makes it, now or later. Owns it. The count may be NULL for a request. */
static int
perform(struct transfer *transfer, struct overlapped_party *party,
	LPDWORD ret_bytes)
{
	LPDWORD ret_flags = transfer->ret_flags;
	int fd = transfer->io.fd;
	DWORD bytes = 0;
	int code;

	transfer->io.in_line = true;
	if (party->overlapped && socket_overlapped(fd)) {
		code = completion_check(party);
		if (code == 0)
			code = channel_request(&transfer->io, party, &bytes);
		else
			free(transfer);
	} else if (!ret_bytes) {
		code = WSAEFAULT;
		free(transfer);
	} else {
		code = transfer_now(transfer, &bytes);
	}
	tell_flags(ret_flags, code);
	if (code == 0 && ret_bytes &&
	    usermem_put(ret_bytes, &bytes, sizeof(bytes)) < 0)
		code = WSAEFAULT;
	return code;
}

/* One with these buffers, or NULL and the code. */
static struct transfer *
prepare(SOCKET s, enum direction direction, const WSABUF *buffers, DWORD count,
	int *ret_code)
{
	struct transfer *transfer = NULL;

	if (!wsa_started())
		*ret_code = WSANOTINITIALISED;
	else if (s > INT_MAX)
		*ret_code = WSAENOTSOCK;
	else if (!buffers)
		*ret_code = WSAEFAULT;
	else if (count == 0 || count > IOV_MAX)
		*ret_code = WSAEINVAL;
	else {
		transfer = transfer_make((int)s, direction, count);
		*ret_code =
			transfer ? read_buffers(transfer, buffers) : WSAENOBUFS;
	}
	if (*ret_code == 0)
		return transfer;
	free(transfer);
	return NULL;
}

static int
send_to(struct transfer *transfer, const struct sockaddr *to, int size)
{
	struct sockaddr_storage room;
	const struct sockaddr *address;

	if (!to || socket_type(transfer->io.fd) == SOCK_STREAM)
		return 0;
	if (size > (int)sizeof(room) || address_is_short(to, (socklen_t)size))
		return WSAEFAULT;
	address = linux_address(to, (socklen_t)size, &room);
	memcpy(&transfer->to, address, (size_t)size);
	transfer->to_size = (socklen_t)size;
	return 0;
}

static int
end(struct transfer *transfer, int code, struct overlapped_party *party,
    LPDWORD ret_bytes, int before)
{
	if (code == 0)
		code = perform(transfer, party, ret_bytes);
	else
		free(transfer);
	return wsa_end(code, before);
}

static int
send_buffers(SOCKET s, const WSABUF *buffers, DWORD count, LPDWORD ret_bytes,
	     DWORD flags, const struct sockaddr *to, int size,
	     struct overlapped_party *party)
{
	int before = errno;
	int code;
	struct transfer *transfer = prepare(s, WRITING, buffers, count, &code);

	if (transfer) {
		transfer->flags = (int)flags;
		code = send_to(transfer, to, size);
	}
	return end(transfer, code, party, ret_bytes, before);
}

int WSAAPI
WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct overlapped_party party = {lpOverlapped, lpCompletionRoutine,
					 NULL, NULL, false};

	return send_buffers(s, lpBuffers, dwBufferCount, lpNumberOfBytesSent,
			    dwFlags, NULL, 0, &party);
}

int WSAAPI
WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	  LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
	  const struct sockaddr *lpTo, int iTolen, LPWSAOVERLAPPED lpOverlapped,
	  LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct overlapped_party party = {lpOverlapped, lpCompletionRoutine,
					 NULL, NULL, false};

	return send_buffers(s, lpBuffers, dwBufferCount, lpNumberOfBytesSent,
			    dwFlags, lpTo, iTolen, &party);
}

/* The address to send from has a place of its own here. */
static int
read_control(const WSABUF *control)
{
	struct msghdr head = {.msg_control = control->buf,
			      .msg_controllen = control->len};
	struct in_pktinfo *info;
	struct cmsghdr *at;
	char last;

	if (usermem_get(&last, control->buf, 1) < 0 ||
	    usermem_get(&last, control->buf + control->len - 1, 1) < 0)
		return WSAEFAULT;
	at = CMSG_FIRSTHDR(&head);

	for (; at; at = CMSG_NXTHDR(&head, at)) {
		if (at->cmsg_level != IPPROTO_IP ||
		    at->cmsg_type != IP_PKTINFO ||
		    at->cmsg_len < CMSG_LEN(sizeof(*info)))
			continue;
		info = (struct in_pktinfo *)(void *)CMSG_DATA(at);
		if (info->ipi_addr.s_addr)
			info->ipi_spec_dst = info->ipi_addr;
	}
	return 0;
}

int WSAAPI
WSASendMsg(SOCKET Handle, LPWSAMSG lpMsg, DWORD dwFlags,
	   LPDWORD lpNumberOfBytesSent, LPWSAOVERLAPPED lpOverlapped,
	   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct overlapped_party party = {lpOverlapped, lpCompletionRoutine,
					 NULL, NULL, false};
	int before = errno;
	struct transfer *transfer;
	WSAMSG message;
	int code;

	if (usermem_get(&message, lpMsg, sizeof(message)) < 0)
		return wsa_end(wsa_started() ? WSAEFAULT : WSANOTINITIALISED,
			       before);
	transfer = prepare(Handle, WRITING, message.lpBuffers,
			   message.dwBufferCount, &code);
	if (transfer) {
		transfer->flags = (int)dwFlags;
		/* The program keeps what it points to until the end. */
		transfer->control = message.Control.buf;
		transfer->control_size = message.Control.len;
		if (message.Control.len)
			code = read_control(&message.Control);
		if (code == 0)
			code = socket_type((int)Handle) == SOCK_STREAM
				       ? WSAEINVAL
				       : send_to(transfer, message.name,
						 message.namelen);
	}
	return end(transfer, code, &party, lpNumberOfBytesSent, before);
}

/* Reads a call's flags; the answer's go to the same place. */
static int
read_flags(struct transfer *transfer, LPDWORD flags)
{
	DWORD wanted;

	if (usermem_get(&wanted, flags, sizeof(wanted)) < 0)
		return WSAEFAULT;
	transfer->flags = (int)(wanted & ~(DWORD)MSG_PARTIAL);
	transfer->ret_flags = flags;
	return 0;
}

static int
receive_from(struct transfer *transfer, struct sockaddr *from, LPINT size)
{
	/* A stream leaves what the program has there. */
	if (!from || socket_type(transfer->io.fd) == SOCK_STREAM)
		return 0;
	if (!address_fits(transfer->io.fd, from, (const socklen_t *)size))
		return WSAEFAULT;
	transfer->from = from;
	transfer->from_size = size;
	return 0;
}

int WSAAPI
WSARecvFrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	    LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
	    struct sockaddr *lpFrom, LPINT lpFromlen,
	    LPWSAOVERLAPPED lpOverlapped,
	    LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct overlapped_party party = {lpOverlapped, lpCompletionRoutine,
					 NULL, NULL, false};
	int before = errno;
	int code;
	struct transfer *transfer =
		prepare(s, READING, lpBuffers, dwBufferCount, &code);

	if (transfer)
		code = read_flags(transfer, lpFlags);
	if (code == 0)
		code = receive_from(transfer, lpFrom, lpFromlen);
	return end(transfer, code, &party, lpNumberOfBytesRecvd, before);
}

int WSAAPI
WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	return WSARecvFrom(s, lpBuffers, dwBufferCount, lpNumberOfBytesRecvd,
			   lpFlags, NULL, NULL, lpOverlapped,
			   lpCompletionRoutine);
}

int WSAAPI
WSARecvMsg(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
	   LPWSAOVERLAPPED lpOverlapped,
	   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct overlapped_party party = {lpOverlapped, lpCompletionRoutine,
					 NULL, NULL, false};
	int before = errno;
	struct transfer *transfer;
	WSAMSG message;
	int code;

	if (usermem_get(&message, lpMsg, sizeof(message)) < 0)
		return wsa_end(wsa_started() ? WSAEFAULT : WSANOTINITIALISED,
			       before);
	transfer = prepare(s, READING, message.lpBuffers, message.dwBufferCount,
			   &code);
	if (transfer) {
		transfer->flags = (int)message.dwFlags;
		transfer->control = message.Control.buf;
		transfer->control_size = message.Control.len;
		transfer->message = lpMsg;
		code = socket_type((int)s) == SOCK_STREAM
			       ? WSAEINVAL
			       : receive_from(transfer, message.name,
					      message.name ? &lpMsg->namelen
							   : NULL);
	}
	return end(transfer, code, &party, lpdwNumberOfBytesRecvd, before);
}

int
WSARecvEx(SOCKET s, char *buf, int len, int *flags)
{
	WSABUF one = {(ULONG)len, buf};
	DWORD their = flags ? (DWORD)*flags : 0;
	DWORD bytes = 0;

	/* A message that is longer is no error of this one. */
	if (WSARecv(s, &one, 1, &bytes, &their, NULL, NULL) < 0) {
		if (WSAGetLastError() != WSAEMSGSIZE)
			return SOCKET_ERROR;
		bytes = (DWORD)len;
	}
	if (flags)
		*flags = (int)their;
	return (int)bytes;
}
