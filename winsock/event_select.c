/* SPDX-License-Identifier: MIT */
#include "winsock/event_select.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

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

#define SYN_SENT 2 /* TCP's state, in tcp_info */

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
	bool connecting; /* and the end was not told */
	bool connected;
	bool write_due; /* FD_WRITE, once a send is possible */
	bool closed;	/* FD_CLOSE, which is the last */
	bool watched;
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

static void
look_at_connect(struct selection *selection, short is)
{
	int err = 0;
	socklen_t size = sizeof(err);

	if (!(is & (POLLOUT | POLLERR | POLLHUP)))
		return;
	getsockopt(selection->fd, SOL_SOCKET, SO_ERROR, &err, &size);
	selection->connecting = false;
	selection->connected = err == 0;
	selection->write_due = err == 0;
	record(selection, FD_CONNECT_BIT, err ? wsa_code(err) : 0);
}

/* The end of the peer's data is told after the data, to those who want both. */
static void
look_at_end(struct selection *selection, short is, int unread)
{
	if (!selection->stream || selection->closed ||
	    !(is & (POLLRDHUP | POLLHUP | POLLERR)) ||
	    (selection->asked & FD_READ && unread > 0 && !(is & POLLERR)))
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
	int unread = 0;
	short is;

	if (poll(&poll_it, 1, 0) < 0)
		return;
	is = poll_it.revents;
	if (selection->listens) {
		if (is & POLLIN)
			record(selection, FD_ACCEPT_BIT, 0);
		return;
	}
	if (selection->connecting)
		look_at_connect(selection, is);
	if (selection->stream && !selection->connected)
		return;
	ioctl(selection->fd, FIONREAD, &unread);
	if (is & POLLPRI)
		record(selection, FD_OOB_BIT, 0);
	if (is & POLLOUT && selection->write_due) {
		selection->write_due = false;
		selection->off &= ~(long)FD_WRITE;
		record(selection, FD_WRITE_BIT, 0);
	}
	if (is & POLLIN && (!selection->stream || unread > 0))
		record(selection, FD_READ_BIT, 0);
	look_at_end(selection, is, unread);
}

/* What the kernel is to tell. */
static uint32_t
interest(const struct selection *selection)
{
	long on = selection->asked & ~selection->off;
	uint32_t events = 0;

	if (selection->closed)
		return 0;
	if (selection->listens)
		return on & FD_ACCEPT ? EPOLLIN : 0;
	if (selection->connecting)
		return EPOLLOUT;
	if (selection->stream && !selection->connected)
		return 0;
	if (on & FD_READ)
		events |= EPOLLIN;
	if (on & FD_OOB)
		events |= EPOLLPRI;
	if (selection->asked & FD_WRITE && selection->write_due)
		events |= EPOLLOUT;
	/* As long as data is unread the end is not told: the next read asks. */
	if (on & FD_CLOSE && !(selection->off & selection->asked & FD_READ))
		events |= EPOLLRDHUP;
	return events;
}

static void
watch(struct selection *selection)
{
	uint32_t events = interest(selection);
	uint64_t tag =
		(uint64_t)selection->generation << 32 | (uint32_t)selection->fd;
	int operation = !events		     ? EPOLL_CTL_DEL
			: selection->watched ? EPOLL_CTL_MOD
					     : EPOLL_CTL_ADD;

	/* Without any the kernel would still tell of an error, for ever. */
	if (!events && !selection->watched)
		return;
	if (reactor_watch(&reactor, operation, selection->fd,
			  events | EPOLLONESHOT, tag) == 0)
		selection->watched = events != 0;
}

static void
look_and_watch(struct selection *selection)
{
	int before = errno;

	look(selection);
	watch(selection);
	errno = before;
}

static struct selection *
find(int fd)
{
	struct selection **at =
		state_channel(fd) ? channel_selection(fd, false) : NULL;

	return at ? *at : NULL;
}

static void
ready(uint64_t tag, uint32_t events)
{
	struct selection *selection = find((int)(uint32_t)tag);

	(void)events;
	if (selection && selection->generation == tag >> 32)
		look_and_watch(selection);
}

static void
read_state(struct selection *selection)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	struct tcp_info info = {0};
	socklen_t room = sizeof(info);

	selection->stream = socket_type(selection->fd) == SOCK_STREAM;
	selection->listens = socket_listens(selection->fd);
	selection->connected =
		getpeername(selection->fd, (struct sockaddr *)&peer, &size) ==
		0;
	selection->connecting = selection->stream &&
				getsockopt(selection->fd, IPPROTO_TCP, TCP_INFO,
					   &info, &room) == 0 &&
				info.tcpi_state == SYN_SENT;
	selection->write_due = selection->connected || !selection->stream;
}

static void
end(int fd)
{
	struct selection **at = channel_selection(fd, false);

	if (!at || !*at)
		return;
	if ((*at)->watched)
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
	errno = before;
	look_and_watch(*at);
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
		look_and_watch(selection);
	}
	monitor_leave();
}

/* The socket has become another kind of. */
static void
change(int fd, bool listens)
{
	struct selection *selection;

	if (!state_channel(fd))
		return;
	monitor_enter();
	selection = find(fd);
	if (selection) {
		selection->listens = listens;
		selection->connecting = !listens && selection->stream;
		selection->connected = !listens && !selection->stream;
		look_and_watch(selection);
	}
	monitor_leave();
}

void
event_select_listening(int fd)
{
	change(fd, true);
}

void
event_select_connecting(int fd)
{
	change(fd, false);
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
