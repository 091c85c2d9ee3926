/* SPDX-License-Identifier: MIT */
#include "winsock/event_select.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "winsock/channel.h"
#include "winsock/error.h"
#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/reactor.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/state.h"
#include "winsock/usermem.h"
#include "winsock2.h"

/* TCP's states after the peer's end, in tcp_info. */
#define TIME_WAIT 6
#define CLOSED 7
#define CLOSE_WAIT 8
#define LAST_ACK 9
#define CLOSING 11

struct selection {
	int fd;
	uint32_t generation;
	HANDLE event;
	long asked;
	long recorded; /* since the last WSAEnumNetworkEvents */
	long off;      /* until they are enabled again */
	int code[FD_MAX_EVENTS];
	bool stream;
	bool listens;
	bool connected;
	bool write_due; /* FD_WRITE, once a send is possible */
	bool closed;	/* FD_CLOSE, which is the last */
};

static void ready(uint64_t tag, uint32_t events);
static struct reactor reactor = REACTOR(ready, true);

static void
record(struct selection *selection, int bit, int code)
{
	long event = 1l << bit;

	if (!(selection->asked & event) || selection->off & event)
		return;
	selection->recorded |= event;
	selection->off |= event;
	selection->code[bit] = code;
	handle_signal(selection->event);
}

static bool
has_peer(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

/* The outcome is the socket's, for those too that ask for FD_CONNECT later. */
static void
tell_connect(struct selection *selection, int code)
{
	if (!(selection->asked & FD_CONNECT))
		return;
	state_change(selection->fd, 0, STATE_CONNECT_UNTOLD);
	/* An outcome that is untold is of a new attempt. */
	selection->off &= ~(long)FD_CONNECT;
	record(selection, FD_CONNECT_BIT, code);
}

static void
tell_failure(struct selection *selection)
{
	int err = 0;
	socklen_t size = sizeof(err);

	if (!(selection->asked & FD_CONNECT))
		return;
	getsockopt(selection->fd, SOL_SOCKET, SO_ERROR, &err, &size);
	/* The program may well have asked for the error itself. */
	tell_connect(selection, wsa_code(err ? err : ECONNABORTED));
}

/* -1: it is not of TCP. */
static int
tcp_state(int fd)
{
	struct tcp_info info = {0};
	socklen_t room = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &room) < 0
		       ? -1
		       : info.tcpi_state;
}

/* An answer of poll() may be of before the attempt. */
static bool
has_failed(int fd, short is)
{
	int state = tcp_state(fd);

	return state == CLOSED ||
	       (state < 0 && is & (POLLOUT | POLLERR | POLLHUP));
}

static void
look_at_connect(struct selection *selection, short is)
{
	int fd = selection->fd;
	bool untold = state_flags(fd, STATE_CONNECT_UNTOLD);

	if (selection->stream && !selection->connected && has_peer(fd))
		selection->connected = selection->write_due = true;
	if (untold && (selection->connected || !selection->stream))
		tell_connect(selection, 0);
	else if (untold && state_flags(fd, STATE_ATTEMPT) && has_failed(fd, is))
		tell_failure(selection);
}

/* poll() tells of the end also when the program itself has shut the socket
 * down. */
static bool
peer_has_ended(int fd, short is)
{
	switch (tcp_state(fd)) {
	case CLOSED:
	case TIME_WAIT:
	case CLOSE_WAIT:
	case LAST_ACK:
	case CLOSING:
		return true;
	case -1:
		return is & POLLRDHUP && !state_flags(fd, STATE_RECEIVE_SHUT);
	default:
		return false;
	}
}

/*
 * Is there anything that a receiving call would return, but the end? FIONREAD
 * is 0 in front of an urgent byte. With an error pending nobody may look, it
 * would be taken from the program's call.
 */
static bool
has_data(const struct selection *selection, short is)
{
	char byte;

	if (!selection->stream)
		return is & POLLIN ||
		       (is & POLLERR &&
			!state_flags(selection->fd, STATE_NO_RESETS));
	if (!(is & POLLIN) || is & POLLERR ||
	    state_flags(selection->fd, STATE_RECEIVE_SHUT))
		return false;
	return !(is & POLLRDHUP) ||
	       recv(selection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* The end of the peer's data is told after the data. */
static void
look_at_end(struct selection *selection, short is, bool data)
{
	if (!selection->stream || selection->closed || data ||
	    (!(is & POLLERR) && !peer_has_ended(selection->fd, is)))
		return;
	selection->closed = true;
	/* To ask for the error itself would take it from recv(). */
	record(selection, FD_CLOSE_BIT, is & POLLERR ? WSAECONNRESET : 0);
}

/* Records what there is. */
static void
look(struct selection *selection)
{
	struct pollfd poll_it = {.fd = selection->fd,
				 .events = POLLIN | POLLOUT | POLLPRI |
					   POLLRDHUP};
	bool data;
	short is;

	if (poll(&poll_it, 1, 0) < 0)
		return;
	is = poll_it.revents;
	if (selection->listens) {
		if (is & POLLIN)
			record(selection, FD_ACCEPT_BIT, 0);
		return;
	}
	look_at_connect(selection, is);
	if (selection->stream && !selection->connected)
		return;
	data = has_data(selection, is);
	if (is & POLLPRI)
		record(selection, FD_OOB_BIT, 0);
	if (is & POLLOUT && selection->write_due) {
		selection->write_due = false;
		selection->off &= ~(long)FD_WRITE;
		record(selection, FD_WRITE_BIT, 0);
	}
	if (data)
		record(selection, FD_READ_BIT, 0);
	look_at_end(selection, is, data);
}

/* The changes that the kernel is to tell of. */
static uint32_t
interest(long asked)
{
	uint32_t events = EPOLLET;

	if (asked & (FD_READ | FD_ACCEPT))
		events |= EPOLLIN;
	if (asked & FD_OOB)
		events |= EPOLLPRI;
	if (asked & (FD_WRITE | FD_CONNECT))
		events |= EPOLLOUT;
	if (asked & FD_CLOSE)
		events |= EPOLLRDHUP;
	return events;
}

static void
look_again(struct selection *selection)
{
	int before = errno;

	look(selection);
	errno = before;
}

static struct selection *
find(int fd)
{
	struct selection **at = channel_selection(fd, false);

	return at ? *at : NULL;
}

static void
ready(uint64_t tag, uint32_t events)
{
	struct selection *selection = find((int)(uint32_t)tag);

	(void)events;
	if (selection && selection->generation == tag >> 32)
		look_again(selection);
}

/* poll() tells of the end of a socket that has no connection any more, and
 * not of one that never had. */
static bool
was_connected(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLRDHUP};

	return poll(&look, 1, 0) > 0 && look.revents & POLLRDHUP &&
	       tcp_state(fd) == CLOSED && !state_flags(fd, STATE_ATTEMPT);
}

static void
read_state(struct selection *selection)
{
	int fd = selection->fd;

	selection->stream = socket_type(fd) == SOCK_STREAM;
	selection->listens = socket_listens(fd);
	selection->connected =
		has_peer(fd) || (selection->stream && was_connected(fd));
	selection->write_due = selection->connected || !selection->stream;
}

static int
watch(const struct selection *selection)
{
	return reactor_watch(&reactor, EPOLL_CTL_ADD, selection->fd,
			     interest(selection->asked),
			     (uint64_t)selection->generation << 32 |
				     (uint32_t)selection->fd);
}

static void
end(int fd)
{
	struct selection **at = channel_selection(fd, false);

	if (!at)
		return;
	reactor_watch(&reactor, EPOLL_CTL_DEL, fd, 0, 0);
	free(*at);
	*at = NULL;
}

static int
begin(int fd, HANDLE event, long asked)
{
	static uint32_t generations;
	struct selection **at = channel_selection(fd, true);
	int before = errno;

	if (!at || !reactor_open(&reactor))
		return WSAENOBUFS;
	*at = calloc(1, sizeof(**at));
	if (!*at)
		return WSAENOBUFS;
	(*at)->fd = fd;
	(*at)->generation = ++generations;
	(*at)->event = event;
	(*at)->asked = asked;
	read_state(*at);
	/* A change between the two is told, and looked at again. */
	if (watch(*at) < 0) {
		free(*at);
		*at = NULL;
		errno = before;
		return WSAENOBUFS;
	}
	look(*at);
	errno = before;
	return 0;
}

void
event_select_again(int fd, long events)
{
	struct selection *selection;

	if (!state_channel(fd))
		return;
	monitor_enter();
	selection = find(fd);
	if (selection) {
		selection->off &= ~(events & ~(long)FD_WRITE);
		if (events & FD_WRITE)
			selection->write_due = true;
		look_again(selection);
	}
	monitor_leave();
}

void
event_select_listening(int fd)
{
	struct selection *selection;

	if (!state_channel(fd))
		return;
	monitor_enter();
	selection = find(fd);
	if (selection) {
		selection->listens = true;
		look_again(selection);
	}
	monitor_leave();
}

void
event_select_connecting(int fd)
{
	struct selection *selection;

	if (!state_channel(fd))
		return;
	monitor_enter();
	selection = find(fd);
	if (selection)
		look_again(selection);
	monitor_leave();
}

void
event_select_accepted(int listener, int made)
{
	struct selection *selection;
	int before = errno;

	if (!state_channel(listener))
		return;
	monitor_enter();
	selection = find(listener);
	if (selection) {
		fcntl(made, F_SETFL, fcntl(made, F_GETFL) | O_NONBLOCK);
		begin(made, selection->event, selection->asked);
	}
	monitor_leave();
	errno = before;
}

void
event_select_replaced(int fd)
{
	struct selection *selection = state_channel(fd) ? find(fd) : NULL;

	if (!selection)
		return;
	selection->off = 0;
	selection->closed = false;
	read_state(selection);
	watch(selection);
	look_again(selection);
}

bool
event_select_active(int fd)
{
	bool active;

	if (!state_channel(fd))
		return false;
	monitor_enter();
	active = find(fd) != NULL;
	monitor_leave();
	return active;
}

void
event_select_end(int fd)
{
	if (!state_channel(fd))
		return;
	monitor_enter();
	end(fd);
	monitor_leave();
}

static int
select_events(SOCKET s, HANDLE event, long asked)
{
	int fd = socket_of(s);
	int code = 0;

	if (!wsa_started())
		return WSANOTINITIALISED;
	if (fd < 0)
		return wsa_code(-fd);
	if (asked & ~(long)FD_ALL_EVENTS)
		return WSAEINVAL;
	monitor_enter();
	if (asked && !handle_find(event, HANDLE_EVENT))
		code = WSAEINVAL;
	else
		end(fd);
	if (code == 0 && asked) {
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		code = begin(fd, event, asked);
	}
	monitor_leave();
	return code;
}

int WSAAPI
WSAEventSelect(SOCKET s, WSAEVENT hEventObject, long lNetworkEvents)
{
	int before = errno;

	return wsa_end(select_events(s, hEventObject, lNetworkEvents), before);
}

/* Copies the record, clears it and resets the event, all at once. */
static int
enumerate(int fd, HANDLE event, LPWSANETWORKEVENTS ret)
{
	struct selection *selection = find(fd);
	struct handle *handle = event ? handle_find(event, HANDLE_EVENT) : NULL;
	WSANETWORKEVENTS found;

	if (event && !handle)
		return WSAEINVAL;
	if (usermem_read(&found, ret, sizeof(found)) < 0)
		return WSAEFAULT;
	found.lNetworkEvents = selection ? selection->recorded : 0;
	/* The others stay as the program has them. */
	for (int bit = 0; bit < FD_MAX_EVENTS; bit++)
		if (found.lNetworkEvents & 1l << bit)
			found.iErrorCode[bit] = selection->code[bit];
	if (usermem_write(ret, &found, sizeof(found)) < 0)
		return WSAEFAULT;
	if (selection)
		selection->recorded = 0;
	if (handle)
		handle->set = false;
	return 0;
}

int WSAAPI
WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject,
		     LPWSANETWORKEVENTS lpNetworkEvents)
{
	int before = errno;
	int fd = socket_of(s);
	int code;

	if (!wsa_started())
		return wsa_end(WSANOTINITIALISED, before);
	if (fd < 0)
		return wsa_end(wsa_code(-fd), before);
	monitor_enter();
	code = enumerate(fd, hEventObject, lpNetworkEvents);
	monitor_leave();
	return wsa_end(code, before);
}
