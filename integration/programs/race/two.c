/* SPDX-License-Identifier: MIT */
/*
 *	two processes|threads tcp|udp FIRST SECONDS none|kill|stop
 *
 * Members 1 to 4 bind the ports FIRST and FIRST+1 and close them again; member
 * 0 acquires both at once, and drops them by release and by close in turns.
 * Meanwhile binders are killed and begun anew, or stopped and continued, at
 * moments of chance. That goes on for so long, and on slow machines until each
 * has had its turns and they have met. Then says how it went, "name number" a
 * line, after a line for everything that was wrong.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stop.h"

#define BINDERS 4
#define SLOW_NS 50000000u
/* A few would be luck. */
#define MANY 100
#define STOPS 10

static int protocol;

/* Every way to have a port: of one family, of both, alone or together. */
static const struct way {
	int family;
	bool loopback, reuse;
} ways[BINDERS] = {
	{AF_INET, true, false},
	{AF_INET6, false, true},
	{AF_INET6, true, false},
	{AF_INET, false, true},
};

/* Keeps what it has for so long, while the others run on. */
static void
keep(uint64_t ns)
{
	uint64_t end = now() + ns;

	while (now() < end)
		;
}

static void
bind_and_close(struct member *me, const struct way *way, unsigned i)
{
	int fd = open_socket(way->family, protocol);

	if (way->reuse)
		set_reuse(fd);
	if (bind_to(fd, way->family, way->loopback, first + (int)i) == 0) {
		believe_bound(me, protocol, mask_of(first + (int)i, 1), false);
		me->done[TAKEN]++;
		keep(dice(me, 20000));
		me->bound[protocol] = 0;
	} else if (errno == EADDRINUSE) {
		me->done[REFUSED]++;
	} else {
		wrong("bind: %s", strerror(errno));
	}
	close(fd);
}

static void
binder(struct member *me)
{
	const struct way *way = &ways[(me - page->member - 1) % BINDERS];

	for (unsigned turn = 0; !page->over; turn++)
		bind_and_close(me, way, turn % 2);
}

static void
acquire_and_drop(struct member *me, unsigned turn)
{
	int fd = open_socket(turn % 2 ? AF_INET : AF_INET6, protocol);
	struct portres_instance block;
	uint64_t began = now(), took;
	int r = acquire(fd, first, 2, &block);
	int error = errno;

	took = now() - began;
	note_worst(&watch->worst_ns, took);
	me->done[ANSWERED]++;
	if (r == 0) {
		believe_reserved(me, protocol, mask_of(first, 2));
		me->done[TAKEN]++;
		/* A binder that was waited for in vain goes on now: it must not
		 * bind. */
		keep(took > SLOW_NS ? SLOW_NS / 10 : dice(me, 50000));
		me->reserved[protocol] = 0;
		if (turn / 2 % 2 &&
		    ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &block.token))
			wrong("release: %s", strerror(errno));
	} else if (error == EADDRINUSE) {
		me->done[REFUSED]++;
	} else {
		wrong("acquire: %s", strerror(error));
	}
	close(fd);
}

static void
acquirer(struct member *me)
{
	for (unsigned turn = 0; !page->over; turn++)
		acquire_and_drop(me, turn);
}

static void *
thread_main(void *me)
{
	(me == page->member ? acquirer : binder)(me);
	return NULL;
}

static void
kill_one(struct member *member, pid_t *pid)
{
	member_kill(member, *pid);
	watch->kills++;
	*pid = member_fork(member, binder);
}

/* Have they done, and met, what makes it a race? */
static bool
is_enough(const char *trouble)
{
	for (int i = 0; i <= BINDERS; i++)
		if (page->member[i].done[TAKEN] <= MANY ||
		    page->member[i].done[REFUSED] <= (i ? MANY : 0))
			return false;
	if (trouble[0] == 's')
		return watch->stops - watch->inside > STOPS;
	return trouble[0] != 'k' || watch->kills > MANY;
}

static void
run_processes(uint64_t end, const char *trouble)
{
	pid_t pid[1 + BINDERS];
	struct member chance = {.seed = now()};

	for (int i = 0; i <= BINDERS; i++)
		pid[i] = member_fork(&page->member[i], i ? binder : acquirer);
	while ((now() < end || !is_enough(trouble)) && !page->over) {
		unsigned i = 1 + dice(&chance, BINDERS);

		pass(dice(&chance, 2000000));
		if (trouble[0] == 'k')
			kill_one(&page->member[i], &pid[i]);
		else if (trouble[0] == 's')
			stop_one(pid[i]);
	}
	/* The binders end as they were treated. */
	for (int i = 1; i <= BINDERS && trouble[0] == 'k'; i++)
		member_kill(&page->member[i], pid[i]);
	page->over = true;
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

static void
run_threads(uint64_t end)
{
	pthread_t thread[1 + BINDERS];

	for (int i = 0; i <= BINDERS; i++)
		if (pthread_create(&thread[i], NULL, thread_main,
				   &page->member[i]))
			wrong("pthread_create");
	while ((now() < end || !is_enough("none")) && !page->over)
		pass(10000000);
	page->over = true;
	for (int i = 0; i <= BINDERS; i++)
		pthread_join(thread[i], NULL);
}

static void
tell(void)
{
	int fd = open_socket(AF_INET, protocol);
	struct portres_instance block;
	uint64_t began = now();
	int r = acquire(fd, first, 2, &block);

	printf("last-errno %d\n", r ? errno : 0);
	printf("last-us %lu\n", (now() - began) / 1000);
	for (int i = 0; i <= BINDERS; i++)
		printf("taken-%d %lu\nrefused-%d %lu\n", i,
		       page->member[i].done[TAKEN], i,
		       page->member[i].done[REFUSED]);
	printf("worst-us %lu\nworst-stopped-us %lu\n", watch->worst_ns / 1000,
	       watch->worst_stopped_ns / 1000);
	printf("stops %lu\ninside %lu\nkills %lu\n", watch->stops,
	       watch->inside, watch->kills);
}

int
main(int argc, char **argv)
{
	uint64_t end;

	if (argc != 6)
		return 2;
	page_make();
	watch = mmap(NULL, sizeof(*watch), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	protocol = !strcmp(argv[2], "udp");
	first = atoi(argv[3]);
	end = now() + (uint64_t)(atof(argv[4]) * 1e9);
	if (argv[1][0] == 't')
		run_threads(end);
	else
		run_processes(end, argv[5]);
	tell();
	return page->wrong != 0;
}
