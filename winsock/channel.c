/* SPDX-License-Identifier: MIT */
#include "winsock/channel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "winsock/error.h"
#include "winsock/monitor.h"
#include "winsock/socket.h"
#include "winsock/state.h"
#include "winsock/waiting.h"

#define EVERYTHING (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET)
#define READABLE (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define WRITABLE (EPOLLOUT | EPOLLHUP | EPOLLERR)
#define ENDED (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

struct channel {
	int fd;
	uint32_t generation; /* tells it from others with that number */
	uint64_t cookie;
	bool stream;
	struct io *queue[DIRECTIONS];
	bool busy[DIRECTIONS]; /* an attempt is being made */
	bool ready[DIRECTIONS];
	bool ended;   /* nothing will change any more */
	bool closing; /* somebody waits for the end of an attempt */
	bool waited;  /* or of what is in line */
	bool shut;    /* sends no more after what is in line */
	uint64_t order[DIRECTIONS];
	struct io *trying[DIRECTIONS];	  /* that is in no queue yet */
	unsigned int callers[DIRECTIONS]; /* calls that have stood in line */
	bool moves;		 /* its requests may be at other sockets */
	struct reactor *reactor; /* that watches it */
	struct port *port;
	ULONG_PTR key;
	struct selection *selection;
};

static struct reactor without_port = REACTOR(channel_ready, true);

static uint64_t
tag_of(const struct channel *channel)
{
	return (uint64_t)channel->generation << 32 | (uint32_t)channel->fd;
}

static void
pend(struct channel *channel, int change)
{
	struct reactor *reactor = channel->reactor;

	if (!reactor)
		return;
	reactor->pending += (unsigned int)change;
	if (change > 0)
		reactor_unled(reactor);
}

static int
requests(const struct channel *channel)
{
	int n = 0;

	for (int d = 0; d < DIRECTIONS; d++)
		for (struct io *io = channel->queue[d]; io; io = io->next)
			n++;
	return n;
}

/* Its requests wait there from now on; NULL for nowhere. */
static void
set_reactor(struct channel *channel, struct reactor *reactor)
{
	pend(channel, -requests(channel));
	channel->reactor = reactor;
	pend(channel, requests(channel));
}

void
channel_end(struct io *io, int code, DWORD bytes)
{
	completion_store(io->completion.party.overlapped, code, bytes);
	completion_end(&io->completion, code, bytes, false, io->fd);
}

/* Is there what a call has to wait for that came then? */
static bool
in_line(const struct channel *channel, enum direction d, uint64_t order)
{
	const struct io *io = channel->trying[d];

	if (io && io->in_line && io->order < order)
		return true;
	for (io = channel->queue[d]; io; io = io->next)
		if (io->in_line && io->order < order)
			return true;
	return false;
}

static bool
anything(const struct channel *channel, enum direction d)
{
	return channel->callers[d] || in_line(channel, d, UINT64_MAX);
}

/* For calls, which ask without the monitor. */
static void
tell_line(const struct channel *channel)
{
	struct state_waiting *told = state_waiting(channel->fd, false);

	if (!told)
		return;
	for (int d = 0; d < DIRECTIONS; d++)
		atomic_store(&told->line[d], anything(channel, d));
}

static void run_queue(struct channel *channel, enum direction d);

/* The socket may be another's by now, whose program has closed ours. */
static void
shut_down(struct channel *channel)
{
	int fd = channel->fd;

	channel->shut = false;
	if (channel->cookie != socket_cookie(fd))
		return;
	state_change(fd, STATE_SEND_SHUT, 0);
	if (shutdown(fd, SHUT_WR) < 0)
		state_change(fd, 0, STATE_SEND_SHUT);
	/* A DisconnectEx may have waited for that. */
	channel->ready[READING] = true;
	run_queue(channel, READING);
}

/* A request has ended, or a call has been made. */
static void
line_moves(struct channel *channel)
{
	tell_line(channel);
	if (channel->shut && !anything(channel, WRITING))
		shut_down(channel);
	if (channel->waited)
		monitor_wake();
	channel->waited = false;
}

struct wanted {
	LPOVERLAPPED overlapped; /* NULL: any */
	bool own;
	uint32_t origin; /* 0: any */
	unsigned int count;
};

static bool
matches(const struct io *io, const struct wanted *wanted)
{
	return (!wanted->overlapped ||
		io->completion.party.overlapped == wanted->overlapped) &&
	       (!wanted->own || thread_is_self(io->completion.issuer)) &&
	       (!wanted->origin || io->origin == wanted->origin);
}

/* One that is just being tried ends when the attempt does. */
static void
abort_matching(struct channel *channel, struct wanted *wanted)
{

	for (int d = 0; d < DIRECTIONS; d++) {
		struct io **at = &channel->queue[d];

		while (*at) {
			struct io *io = *at;
			bool being_tried =
				channel->busy[d] && io == channel->queue[d];

			if (!matches(io, wanted) || io->aborted) {
				at = &io->next;
				continue;
			}
			wanted->count++;
			if (being_tried) {
				io->aborted = true;
				at = &io->next;
				continue;
			}
			*at = io->next;
			pend(channel, -1);
			channel_end(io, WSA_OPERATION_ABORTED, 0);
		}
	}
	line_moves(channel);
}

static void
abort_each(struct channel *channel, void *wanted)
{
	abort_matching(channel, wanted);
}

/* Those as well that have gone on at other sockets. */
static unsigned int
abort_of(struct channel *channel, LPOVERLAPPED overlapped, bool own)
{
	struct wanted wanted = {.overlapped = overlapped, .own = own};

	abort_matching(channel, &wanted);
	if (channel->moves) {
		wanted.origin = channel->generation;
		state_each_channel(abort_each, &wanted);
	}
	return wanted.count;
}

/* Nobody makes an attempt. */
static void
destroy(struct channel *channel)
{
	state_set_channel(channel->fd, NULL);
	channel->shut = false;
	abort_of(channel, NULL, false);
	memset(channel->callers, 0, sizeof(channel->callers));
	tell_line(channel);
	if (channel->port)
		port_let_go(channel->port);
	free(channel->selection);
	free(channel);
}

/* In the child of a fork all requests are the parent's. */
static void
forget_one(struct channel *channel, void *unused)
{
	(void)unused;
	for (int d = 0; d < DIRECTIONS; d++) {
		while (channel->queue[d]) {
			struct io *io = channel->queue[d];

			channel->queue[d] = io->next;
			io->completion.destroy(&io->completion);
		}
	}
	state_set_channel(channel->fd, NULL);
	free(channel->selection);
	free(channel);
}

static void
forget(void)
{
	state_each_channel(forget_one, NULL);
}

/* NULL: there is none. One that was another socket's goes. */
static struct channel *
find(int fd)
{
	struct channel *channel = state_channel(fd);

	if (!channel || channel->cookie == socket_cookie(fd))
		return channel;
	if (!channel->busy[READING] && !channel->busy[WRITING])
		destroy(channel);
	return NULL;
}

/* NULL: no memory, or no socket. */
static struct channel *
find_or_make(int fd)
{
	static uint32_t generations;
	struct channel *channel = find(fd);
	uint64_t cookie;

	if (channel)
		return channel;
	cookie = socket_cookie(fd);
	channel = cookie ? calloc(1, sizeof(*channel)) : NULL;
	if (!channel || state_channel(fd) || !state_set_channel(fd, channel)) {
		free(channel);
		return NULL;
	}
	monitor_in_child(forget);
	channel->fd = fd;
	channel->cookie = cookie;
	channel->stream = socket_type(fd) == SOCK_STREAM;
	channel->generation = ++generations;
	channel->ready[READING] = channel->ready[WRITING] = true;
	return channel;
}

/* From now on the kernel tells its changes: what it was before is not known. */
static bool
watch(struct channel *channel)
{
	struct reactor *reactor =
		channel->port ? port_reactor(channel->port) : &without_port;

	if (channel->reactor)
		return true;
	if (!reactor_open(reactor) ||
	    reactor_watch(reactor, EPOLL_CTL_ADD, channel->fd, EVERYTHING,
			  tag_of(channel)) < 0)
		return false;
	set_reactor(channel, reactor);
	channel->ready[READING] = channel->ready[WRITING] = true;
	return true;
}

/* Tries the request, which is the first of its queue, or alone. */
static int
attempt(struct channel *channel, struct io *io, DWORD *ret_bytes)
{
	enum direction d = io->direction;
	struct wsa_last last = wsa_keep();
	bool more = false;
	int code;

	channel->busy[d] = true;
	channel->ready[d] = false;
	monitor_go_out();
	code = io->attempt(io, ret_bytes, &more);
	monitor_come_back();
	wsa_put_back(&last);
	channel->busy[d] = false;
	/* An error has used nothing up. */
	if (code != IO_AGAIN && (code || more || channel->ended))
		channel->ready[d] = true;
	if (channel->closing)
		monitor_wake();
	return code;
}

/* The request goes to another socket's channel, while this one stays. */
static void
move(struct channel *channel, struct io *io)
{
	enum direction d = io->direction;

	channel->busy[d] = true;
	channel->moves = true;
	io->move(io);
	channel->busy[d] = false;
	if (channel->closing)
		monitor_wake();
}

/* Tries what waits, as long as the kernel has more. */
static void
run_queue(struct channel *channel, enum direction d)
{
	while (channel->queue[d] && channel->ready[d] && !channel->busy[d]) {
		struct io *io = channel->queue[d];
		DWORD bytes = 0;
		int code = attempt(channel, io, &bytes);

		/* It was a socket when this was asked for. */
		if (code == WSAENOTSOCK || (code == IO_AGAIN && io->aborted))
			code = WSA_OPERATION_ABORTED;
		if (code == IO_AGAIN)
			continue;
		channel->queue[d] = io->next;
		io->next = NULL;
		pend(channel, -1);
		if (code == IO_MOVED)
			move(channel, io);
		else
			channel_end(io, code,
				    code && code != WSAEMSGSIZE ? 0 : bytes);
		line_moves(channel);
	}
}

void
channel_ready(uint64_t tag, uint32_t events)
{
	struct channel *channel = state_channel((int)(uint32_t)tag);

	if (!channel || tag_of(channel) != tag)
		return;
	if (events & ENDED)
		channel->ended = true;
	if (events & READABLE)
		channel->ready[READING] = true;
	if (events & WRITABLE)
		channel->ready[WRITING] = true;
	run_queue(channel, READING);
	run_queue(channel, WRITING);
}

static void
append(struct channel *channel, struct io *io)
{
	struct io **last = &channel->queue[io->direction];

	while (*last)
		last = &(*last)->next;
	io->next = NULL;
	*last = io;
	pend(channel, 1);
}

/* 0, IO_AGAIN, IO_MOVED or a code. */
static int
try_at_once(struct channel *channel, struct io *io, DWORD *ret_bytes)
{
	int code = IO_AGAIN;

	channel->trying[io->direction] = io;
	tell_line(channel);
	while (code == IO_AGAIN && channel->ready[io->direction] &&
	       !channel->busy[io->direction] && !channel->queue[io->direction])
		code = attempt(channel, io, ret_bytes);
	channel->trying[io->direction] = NULL;
	return code;
}

static void
free_io(struct completion *completion)
{
	free(completion);
}

static int
request(struct io *io, const struct overlapped_party *party, DWORD *ret_bytes)
{
	struct channel *channel = find_or_make(io->fd);
	int code;

	if (waiting_is_closing(io->fd))
		return WSAENOTSOCK;
	if (!channel || !watch(channel))
		return socket_cookie(io->fd) ? WSAENOBUFS : WSAENOTSOCK;
	io->order = ++channel->order[io->direction];
	if (io->in_line && io->direction == WRITING && channel->shut)
		return WSAESHUTDOWN;
	io->stream = channel->stream;
	io->origin = channel->generation;
	code = completion_begin(&io->completion, party, channel->port,
				channel->key);
	if (code)
		return code;
	completion_store(party->overlapped, STATUS_PENDING, 0);
	code = try_at_once(channel, io, ret_bytes);
	if (code == IO_MOVED) {
		move(channel, io);
		code = WSA_IO_PENDING;
	} else if (code == IO_AGAIN) {
		append(channel, io);
		code = WSA_IO_PENDING;
	} else if (code == 0) {
		completion_store(party->overlapped, 0, *ret_bytes);
		completion_end(&io->completion, 0, *ret_bytes, true, io->fd);
	}
	return code;
}

int
channel_request(struct io *io, const struct overlapped_party *party,
		DWORD *ret_bytes)
{
	int code;

	int fd = io->fd;
	enum direction d = io->direction;
	struct channel *channel;

	if (!io->completion.destroy)
		io->completion.destroy = free_io;
	monitor_enter();
	code = request(io, party, ret_bytes);
	if (code && code != WSA_IO_PENDING) {
		completion_store(party->overlapped, code, 0);
		completion_drop(&io->completion);
	}
	/* Also what others have queued while this one was tried. */
	channel = state_channel(fd);
	if (channel) {
		run_queue(channel, d);
		line_moves(channel);
	}
	monitor_leave();
	return code;
}

void
channel_go_on(struct io *io)
{
	struct channel *channel = find_or_make(io->fd);

	if (io->aborted || waiting_is_closing(io->fd)) {
		channel_end(io, WSA_OPERATION_ABORTED, 0);
		return;
	}
	if (!channel || !watch(channel)) {
		channel_end(io, WSAENOBUFS, 0);
		return;
	}
	io->order = ++channel->order[io->direction];
	io->stream = channel->stream;
	append(channel, io);
	run_queue(channel, io->direction);
}

unsigned int
channel_cancel(int fd, LPOVERLAPPED overlapped, bool own)
{
	struct channel *channel;
	unsigned int count = 0;

	if (!state_channel(fd))
		return 0;
	monitor_enter();
	channel = find(fd);
	if (channel)
		count = abort_of(channel, overlapped, own);
	monitor_leave();
	return count;
}

static uint64_t
limit_of(int fd, enum direction d)
{
	struct timeval limit = {0};
	socklen_t size = sizeof(limit);

	getsockopt(fd, SOL_SOCKET, d == WRITING ? SO_SNDTIMEO : SO_RCVTIMEO,
		   &limit, &size);
	if (limit.tv_sec == 0 && limit.tv_usec == 0)
		return MONITOR_FOR_EVER;
	return monitor_clock() + (uint64_t)limit.tv_sec * 1000000000 +
	       (uint64_t)limit.tv_usec * 1000;
}

/* The next look finds out what has changed meanwhile. */
static int
wait_in_line(struct channel *channel, uint64_t until)
{
	int fd = channel->fd;

	channel->waited = true;
	if (!monitor_wait(until))
		return WSAETIMEDOUT;
	return waiting_is_closing(fd) ? WSAEINTR : 0;
}

static int
stand_in_line(struct channel *channel, enum direction d, uint64_t order)
{
	int fd = channel->fd;
	uint32_t generation = channel->generation;
	uint64_t until = limit_of(fd, d);
	int code = 0;

	channel->callers[d]++;
	while (code == 0 && in_line(channel, d, order)) {
		code = wait_in_line(channel, until);
		channel = find(fd);
		if (!channel || channel->generation != generation)
			return WSAEINTR;
	}
	if (code)
		channel->callers[d]--;
	return code;
}

int
channel_turn(int fd, enum direction direction, bool quick, bool *ret_waited)
{
	struct state_waiting *told = state_waiting(fd, false);
	struct channel *channel;
	uint64_t order;
	int code = 0;

	*ret_waited = false;
	if (!told || !atomic_load(&told->line[direction]))
		return 0;
	monitor_enter();
	channel = find(fd);
	order = channel ? ++channel->order[direction] : 0;
	if (channel && direction == WRITING && channel->shut) {
		code = WSAESHUTDOWN;
	} else if (!channel || !in_line(channel, direction, order)) {
		/* It has its turn. */
	} else if (quick || fcntl(fd, F_GETFL) & O_NONBLOCK) {
		code = WSAEWOULDBLOCK;
	} else {
		code = stand_in_line(channel, direction, order);
		*ret_waited = code == 0;
	}
	if (code && (channel = state_channel(fd)))
		line_moves(channel);
	monitor_leave();
	return code;
}

void
channel_turn_over(int fd, enum direction direction)
{
	struct wsa_last last = wsa_keep();
	struct channel *channel;

	monitor_enter();
	channel = state_channel(fd);
	if (channel && channel->callers[direction]) {
		channel->callers[direction]--;
		line_moves(channel);
	}
	monitor_leave();
	wsa_put_back(&last);
}

bool
channel_shut(int fd)
{
	struct channel *channel;
	bool pending = false;

	if (!state_channel(fd))
		return false;
	monitor_enter();
	channel = find(fd);
	if (channel)
		pending = channel->shut = anything(channel, WRITING);
	monitor_leave();
	return pending;
}

bool
channel_sends(int fd)
{
	struct state_waiting *told = state_waiting(fd, false);

	return told && atomic_load(&told->line[WRITING]);
}

int
channel_wait_sent(int fd)
{
	struct channel *channel;
	int code = 0;

	if (!channel_sends(fd))
		return 0;
	monitor_enter();
	while (code == 0 && (channel = find(fd)) && anything(channel, WRITING))
		code = wait_in_line(channel, MONITOR_FOR_EVER);
	monitor_leave();
	return code;
}

void
channel_cancel_all(void)
{
	struct wanted all = {0};

	monitor_enter();
	state_each_channel(abort_each, &all);
	monitor_leave();
}

static void
unwatch(struct channel *channel)
{
	if (!channel->reactor)
		return;
	/* A copy of the descriptor would be watched on. */
	reactor_watch(channel->reactor, EPOLL_CTL_DEL, channel->fd, 0, 0);
	set_reactor(channel, NULL);
}

void
channel_close(int fd)
{
	struct channel *channel;

	if (!state_channel(fd))
		return;
	monitor_enter();
	for (;;) {
		channel = find(fd);
		if (!channel)
			break;
		channel->shut = false;
		abort_of(channel, NULL, false);
		if (!channel->busy[READING] && !channel->busy[WRITING]) {
			unwatch(channel);
			destroy(channel);
			break;
		}
		channel->closing = true;
		monitor_wait(MONITOR_FOR_EVER);
	}
	monitor_leave();
}

void
channel_connecting(int fd)
{
	if (!state_channel(fd))
		return;
	monitor_enter();
	if (find(fd))
		find(fd)->ended = false;
	monitor_leave();
}

void
channel_replaced(int fd)
{
	struct channel *channel = state_channel(fd);
	struct wanted all = {0};

	if (!channel)
		return;
	/* Requests that are pending were for the socket that is gone. */
	channel->shut = false;
	abort_matching(channel, &all);
	channel->ready[READING] = channel->ready[WRITING] = true;
	channel->cookie = socket_cookie(fd);
	channel->ended = false;
	/* The socket that was watched is gone. */
	set_reactor(channel, NULL);
	if (channel->port)
		watch(channel);
}

struct port *
channel_port(int fd, ULONG_PTR *ret_key)
{
	struct channel *channel = state_channel(fd) ? find(fd) : NULL;

	if (!channel || !channel->port)
		return NULL;
	*ret_key = channel->key;
	return port_again(channel->port);
}

int
channel_associate(int fd, struct port *port, ULONG_PTR key)
{
	struct channel *channel = find_or_make(fd);

	if (!channel)
		return ERROR_NOT_ENOUGH_MEMORY;
	/* Once and for all. */
	if (channel->port)
		return ERROR_INVALID_PARAMETER;
	unwatch(channel);
	channel->port = port_again(port);
	channel->key = key;
	if (watch(channel))
		return 0;
	channel->port = NULL;
	port_let_go(port);
	return ERROR_NOT_ENOUGH_MEMORY;
}

struct selection **
channel_selection(int fd, bool make)
{
	struct channel *channel = make		      ? find_or_make(fd)
				  : state_channel(fd) ? find(fd)
						      : NULL;

	return channel ? &channel->selection : NULL;
}
