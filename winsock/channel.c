/* SPDX-License-Identifier: MIT */
#include "winsock/channel.h"

#include <stdlib.h>
#include <sys/epoll.h>

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
	bool waited;  /* or of a request, or of an attempt */
	bool shut;    /* sends no more after what is in line */
	struct io *tried[DIRECTIONS]; /* by the attempt that is being made */
	bool moves;		      /* its requests may be at other sockets */
	struct reactor *reactor;      /* that watches it */
	struct port *port;
	ULONG_PTR key;
	struct selection *selection;
};

/* Has any socket had one? */
static atomic_bool made;

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

/* Those that wait for the kernel's word. */
static int
requests(const struct channel *channel)
{
	int n = 0;

	for (int d = 0; d < DIRECTIONS; d++)
		for (struct io *io = channel->queue[d]; io; io = io->next)
			n += io->pends;
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

/* Is there what a call has to wait for? */
static bool
in_line(const struct channel *channel, enum direction d)
{
	const struct io *io = channel->queue[d];

	while (io && !io->in_line)
		io = io->next;
	return io;
}

/* For calls, which ask without the monitor. */
static void
tell_line(const struct channel *channel)
{
	struct state_waiting *told = state_waiting(channel->fd, false);

	if (!told)
		return;
	for (int d = 0; d < DIRECTIONS; d++)
		atomic_store(&told->line[d], in_line(channel, d));
	atomic_store(&told->shut, channel->shut);
}

static void run_queue(struct channel *channel, enum direction d);

/* The socket may be another's by now, whose program has closed ours. */
static void
shut_down(struct channel *channel)
{
	int fd = channel->fd;

	channel->shut = false;
	tell_line(channel);
	if (channel->cookie != socket_cookie(fd))
		return;
	state_change(fd, STATE_SEND_SHUT, 0);
	if (shutdown(fd, SHUT_WR) < 0)
		state_change(fd, 0, STATE_SEND_SHUT);
	/* A DisconnectEx may have waited for that. */
	channel->ready[READING] = true;
	run_queue(channel, READING);
}

/* A request has ended. */
static void
line_moves(struct channel *channel)
{
	tell_line(channel);
	if (channel->shut && !in_line(channel, WRITING))
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
			bool being_tried = channel->tried[d] == io;

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
			pend(channel, -io->pends);
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
	atomic_store(&made, true);
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
	channel->tried[d] = io;
	channel->ready[d] = false;
	monitor_go_out();
	code = io->attempt(io, ret_bytes, &more);
	monitor_come_back();
	wsa_put_back(&last);
	channel->busy[d] = false;
	channel->tried[d] = NULL;
	/* An error has used nothing up. */
	if (code != IO_AGAIN && (code || more || channel->ended))
		channel->ready[d] = true;
	if (channel->closing || channel->waited)
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

static void
take_first(struct channel *channel, enum direction d)
{
	struct io *io = channel->queue[d];

	channel->queue[d] = io->next;
	io->next = NULL;
	pend(channel, -io->pends);
	io->pends = false;
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
		take_first(channel, d);
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
	tell_line(channel);
}

/* It waits for the kernel's word from now on. */
static void
let_pend(struct channel *channel, struct io *io)
{
	io->pends = true;
	pend(channel, 1);
}

/*
 * Tries one that has just been appended, unless others are before it. It stays
 * where it is meanwhile, so that nothing that is asked for at the same time
 * comes before its rest. IO_AGAIN: it is in the queue; otherwise it is out of
 * it.
 */
static int
try_at_once(struct channel *channel, struct io *io, DWORD *ret_bytes)
{
	enum direction d = io->direction;
	int code = IO_AGAIN;

	while (code == IO_AGAIN && channel->ready[d] && !channel->busy[d] &&
	       channel->queue[d] == io && !io->aborted)
		code = attempt(channel, io, ret_bytes);
	if (code != IO_AGAIN)
		take_first(channel, d);
	return code;
}

static void
free_io(struct completion *completion)
{
	free(completion);
}

/* One that was cancelled while it was tried. It is in the queue. */
static void
end_if_aborted(struct channel *channel, struct io *io)
{
	struct io **at = &channel->queue[io->direction];

	if (!io->aborted || channel->tried[io->direction] == io)
		return;
	while (*at != io)
		at = &(*at)->next;
	*at = io->next;
	pend(channel, -io->pends);
	channel_end(io, WSA_OPERATION_ABORTED, 0);
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
	if (io->in_line && io->direction == WRITING && channel->shut)
		return WSAESHUTDOWN;
	io->stream = channel->stream;
	io->origin = channel->generation;
	code = completion_begin(&io->completion, party, channel->port,
				channel->key);
	if (code)
		return code;
	completion_store(party->overlapped, STATUS_PENDING, 0);
	append(channel, io);
	code = try_at_once(channel, io, ret_bytes);
	if (code == IO_MOVED) {
		move(channel, io);
		code = WSA_IO_PENDING;
	} else if (code == IO_AGAIN) {
		let_pend(channel, io);
		end_if_aborted(channel, io);
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
	int fd = io->fd;
	enum direction d = io->direction;
	struct channel *channel;
	int code;

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
	io->stream = channel->stream;
	append(channel, io);
	let_pend(channel, io);
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

bool
channel_has_line(int fd, enum direction direction)
{
	struct state_waiting *told = state_waiting(fd, false);

	return told && atomic_load(&told->line[direction]);
}

bool
channel_lets_pass(int fd, enum direction direction)
{
	struct channel *channel;
	bool line = false;

	monitor_enter();
	while ((channel = find(fd)) && (line = in_line(channel, direction)) &&
	       channel->tried[direction] == channel->queue[direction] &&
	       !channel->queue[direction]->next) {
		channel->waited = true;
		monitor_wait(MONITOR_FOR_EVER);
	}
	monitor_leave();
	return !channel || !line;
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
	if (channel) {
		pending = channel->shut = in_line(channel, WRITING);
		tell_line(channel);
	}
	monitor_leave();
	return pending;
}

bool
channel_is_to_be_shut(int fd)
{
	struct state_waiting *told = state_waiting(fd, false);

	return told && atomic_load(&told->shut);
}

int
channel_wait_shut(int fd)
{
	struct channel *channel;
	bool closing = false;

	if (!channel_is_to_be_shut(fd))
		return 0;
	monitor_enter();
	while (!closing && (channel = find(fd)) && channel->shut) {
		channel->waited = true;
		monitor_wait(MONITOR_FOR_EVER);
		closing = waiting_is_closing(fd);
	}
	monitor_leave();
	return closing ? WSAEINTR : 0;
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

	/* Even if this one has none: an AcceptEx may be about to put another
	 * socket there. */
	if (!atomic_load(&made))
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
	struct channel *channel = state_channel(fd);

	/* Every receive asks, and whose the channel is costs a call. */
	if (!make && (!channel || !channel->selection))
		return NULL;
	channel = make ? find_or_make(fd) : find(fd);
	return channel ? &channel->selection : NULL;
}
