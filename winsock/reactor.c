/* SPDX-License-Identifier: MIT */
#include "winsock/reactor.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "winsock/monitor.h"
#include "winsock/worker.h"

#define AT_ONCE 64	 /* sockets served between two questions */
#define BELL UINT64_MAX	 /* a tag that no socket has */
#define LOOK_AFTER_MS 10 /* ports that nobody leads */
#define NS_IN_MS 1000000u

/* Those of ours are sockets in its epoll; it looks after the others. */
static struct reactor master = REACTOR(NULL, false);
static struct reactor *all;
static bool working;
static bool asleep; /* and nobody's port wants it */

static struct epoll_event
event_of(uint32_t events, uint64_t tag)
{
	struct epoll_event event = {.events = events};

	event.data.u64 = tag;
	return event;
}

int
reactor_watch(struct reactor *reactor, int operation, int fd, uint32_t events,
	      uint64_t tag)
{
	struct epoll_event event = event_of(events, tag);

	return epoll_ctl(reactor->epoll, operation, fd, &event);
}

static int
milliseconds(uint64_t until)
{
	uint64_t now = monitor_clock();
	uint64_t left;

	if (until == MONITOR_FOR_EVER)
		return -1;
	left = until <= now ? 0 : (until - now + NS_IN_MS - 1) / NS_IN_MS;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

static void
serve(struct reactor *reactor, const struct epoll_event *events, int n)
{
	uint64_t number;

	for (int i = 0; i < n; i++) {
		if (events[i].data.u64 != BELL) {
			reactor->ready(events[i].data.u64, events[i].events);
			continue;
		}
		reactor->rung = false;
		while (read(reactor->bell, &number, sizeof(number)) < 0 &&
		       errno == EINTR)
			;
	}
}

static void
wait_and_serve(struct reactor *reactor, int ms)
{
	struct epoll_event events[AT_ONCE];
	int epoll = reactor->epoll;
	int n;

	reactor->led = true;
	monitor_go_out();
	n = epoll_wait(epoll, events, AT_ONCE, ms);
	monitor_come_back();
	/* In the child of a fork, or closed: others, not ours to serve. */
	if (reactor->epoll == epoll && n > 0)
		serve(reactor, events, n);
	reactor->led = false;
}

bool
reactor_lead(struct reactor *reactor, uint64_t until)
{
	if (reactor->led)
		return false;
	wait_and_serve(reactor, milliseconds(until));
	return true;
}

void
reactor_ring(struct reactor *reactor)
{
	const uint64_t one = 1;

	if (!reactor->led || reactor->rung || reactor->bell < 0)
		return;
	reactor->rung = true;
	while (write(reactor->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static struct reactor *
next_unled(unsigned int look)
{
	struct reactor *at = all;

	while (at &&
	       (at->ours || at->led || !at->pending || at->looked == look))
		at = at->next;
	return at;
}

/* Serves what nobody leads. Is there any? */
static bool
look_after(void)
{
	static unsigned int looks;
	unsigned int look = ++looks;
	struct reactor *at;
	bool any = false;

	while ((at = next_unled(look))) {
		at->looked = look;
		any = true;
		wait_and_serve(at, 0);
		/* One may have come meanwhile that would rather lead. */
		if (at->free_again)
			pthread_cond_signal(at->free_again);
	}
	return any;
}

static void
lead_ours(uint64_t tag, uint32_t events)
{
	(void)events;
	for (struct reactor *at = all; at; at = at->next) {
		if ((uint64_t)(uintptr_t)at != tag)
			continue;
		wait_and_serve(at, 0);
		break;
	}
}

static void *
work(void *unused)
{
	bool any = true;

	(void)unused;
	monitor_enter();
	for (;;) {
		asleep = !any;
		wait_and_serve(&master, any ? LOOK_AFTER_MS : -1);
		asleep = false;
		any = look_after();
	}
	return NULL;
}

static void
forget(void)
{
	for (struct reactor *at = all; at; at = at->next) {
		if (at->epoll >= 0)
			close(at->epoll);
		if (at->bell >= 0)
			close(at->bell);
		at->epoll = at->bell = -1;
		at->led = at->rung = false;
		at->pending = 0;
	}
	all = NULL;
	if (master.epoll >= 0)
		close(master.epoll);
	if (master.bell >= 0)
		close(master.bell);
	master = (struct reactor)REACTOR(lead_ours, false);
	working = false;
}

static bool
open_one(struct reactor *reactor, bool with_bell)
{
	reactor->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (reactor->epoll < 0)
		return false;
	if (!with_bell)
		return true;
	reactor->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reactor->bell >= 0 &&
	    reactor_watch(reactor, EPOLL_CTL_ADD, reactor->bell, EPOLLIN,
			  BELL) == 0)
		return true;
	if (reactor->bell >= 0)
		close(reactor->bell);
	close(reactor->epoll);
	reactor->epoll = reactor->bell = -1;
	return false;
}

static bool
start_worker(void)
{
	if (working)
		return true;
	monitor_in_child(forget);
	master.ready = lead_ours;
	if (master.epoll < 0 && !open_one(&master, true))
		return false;
	working = worker_start(work);
	return working;
}

bool
reactor_open(struct reactor *reactor)
{
	if (reactor->epoll >= 0)
		return true;
	if (!start_worker() || !open_one(reactor, !reactor->ours))
		return false;
	if (reactor->ours &&
	    reactor_watch(&master, EPOLL_CTL_ADD, reactor->epoll, EPOLLIN,
			  (uint64_t)(uintptr_t)reactor) < 0) {
		close(reactor->epoll);
		reactor->epoll = -1;
		return false;
	}
	reactor->next = all;
	all = reactor;
	return true;
}

void
reactor_close(struct reactor *reactor)
{
	struct reactor **at = &all;

	if (reactor->epoll < 0)
		return;
	while (*at && *at != reactor)
		at = &(*at)->next;
	if (*at)
		*at = reactor->next;
	while (reactor->led) {
		reactor_ring(reactor);
		monitor_wait(monitor_after(1));
	}
	close(reactor->epoll);
	if (reactor->bell >= 0)
		close(reactor->bell);
	reactor->epoll = reactor->bell = -1;
}

void
reactor_unled(struct reactor *reactor)
{
	if (asleep && reactor->pending && !reactor->led && !reactor->ours)
		reactor_ring(&master);
}
