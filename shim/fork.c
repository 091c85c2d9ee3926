/* SPDX-License-Identifier: MIT */
#include "shim/fork.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/kernel/sys.h"
#include "shim/sockets.h"

/* glibc has it from 2.32 on: true while the process has one thread. Without it,
 * as under musl, each process counts as having several. */
extern char __libc_single_threaded __attribute__((weak));

static bool
alone(void)
{
	return &__libc_single_threaded && __libc_single_threaded;
}

#define PAGE 4096

#define FORKS_WAITING 1 /* a word of it; the first is the generation */
#define WORDS 2

static _Atomic uint32_t unmade[WORDS], nowhere[WORDS];
_Atomic uint32_t *_Atomic fork_page = unmade;

/* A page that is zero in every child (Linux 4.14). */
static __attribute__((cold)) _Atomic uint32_t *
make_page(void)
{
	const struct sys_ops *sys = &sys_kernel;
	long at = sys_mmap_private(sys, PAGE);

	if (at < 0)
		return nowhere;
	if (SYS_CALL(sys, SYS_madvise, at, PAGE, MADV_WIPEONFORK) < 0) {
		sys_munmap(sys, (void *)at, PAGE);
		return nowhere;
	}
	return (_Atomic uint32_t *)at;
}

static _Atomic uint32_t *
page_get(void)
{
	_Atomic uint32_t *seen = unmade, *made;

	if (atomic_load(&fork_page) != unmade)
		return atomic_load(&fork_page);
	made = make_page();
	if (atomic_compare_exchange_strong(&fork_page, &seen, made))
		return made;
	if (made != nowhere)
		sys_munmap(&sys_kernel, made, PAGE);
	return seen;
}

uint32_t
fork_generation(void)
{
	static _Atomic uint32_t last;
	_Atomic uint32_t *here = page_get();
	uint32_t number = atomic_load(here), next;

	if (number || here == nowhere)
		return number;
	/* The parent's count came along, so this is none of its numbers; it is
	 * counted before it is used, because another thread may fork. */
	next = atomic_fetch_add(&last, 1) + 1;
	return atomic_compare_exchange_strong(here, &number, next) ? next
								   : number;
}

#define LENT_MAX 64
#define FORK_LIMIT_NS 1000000000 /* an acquire of all ports is over by then */
#define VISIT_LIMIT_NS 1000000
/* How often a thread looks whether a fork has gone first, and between. */
#define GIVE_WAY_TRIES 300
#define GIVE_WAY_NAP_NS 100000

static _Atomic uint32_t word_of_process;

static __thread struct {
	bool under_way;
	uint32_t process, thread; /* in the parent */
	struct fork_block_hold hold;
	_Atomic uint32_t word;
} forking;

static _Atomic int forks_under_way;
static _Atomic uint32_t forks_let_in;

/* An entry of another process came along with the memory of a child, and is
 * free. */
static struct lent {
	_Atomic uint32_t process;
	_Atomic uint32_t thread;
	_Atomic int fd; /* + 1; 0 until it is known */
} lent[LENT_MAX];

/* The process' word; or, while this thread forks and holds that one, its own,
 * for fork handlers of other libraries that call us meanwhile. */
static _Atomic uint32_t *
word_here(void)
{
	return forking.under_way ? &forking.word : &word_of_process;
}

void
fork_visit(struct fork_visit *ret)
{
	/* A child of vfork has descriptors of its own. */
	ret->under_way = !alone() && !in_vfork_child();
	if (!ret->under_way)
		return;
	fork_block_hold(&sys_kernel, word_here(), VISIT_LIMIT_NS, &ret->hold);
	/* A fork that is under way is waited for. */
	if (!ret->hold.inside && atomic_load(&forks_under_way)) {
		fork_block_release(&sys_kernel, word_here(), &ret->hold);
		fork_block_hold(&sys_kernel, word_here(), FORK_LIMIT_NS,
				&ret->hold);
	}
}

void
fork_visit_end(const struct fork_visit *visit)
{
	if (visit->under_way)
		fork_block_release(&sys_kernel, word_here(), &visit->hold);
}

/* Takes a free entry; if there is none a child will have the descriptor. */
static void
lend_one(uint32_t process, uint32_t thread, int fd)
{
	for (int i = 0; i < LENT_MAX; i++) {
		uint32_t seen = atomic_load(&lent[i].process);

		if (seen == process ||
		    !atomic_compare_exchange_strong(&lent[i].process, &seen,
						    process))
			continue;
		atomic_store(&lent[i].thread, thread);
		atomic_store(&lent[i].fd, fd + 1);
		return;
	}
}

static void
take_back_one(uint32_t process, int fd)
{
	for (int i = 0; i < LENT_MAX; i++) {
		if (atomic_load(&lent[i].process) != process ||
		    atomic_load(&lent[i].fd) != fd + 1)
			continue;
		atomic_store(&lent[i].fd, 0);
		atomic_store(&lent[i].process, 0);
	}
}

/* A child of vfork lends nothing: it has descriptors of its own, but its
 * parent's table. */
static void
lend(const int fd[], int n)
{
	uint32_t process = in_vfork_child() ? 0 : FORK_GENERATION();
	uint32_t thread = process ? sys_gettid(&sys_kernel) : 0;

	for (int i = 0; i < n && process; i++)
		lend_one(process, thread, fd[i]);
}

static void
take_back(const int fd[], int n)
{
	uint32_t process = in_vfork_child() ? 0 : FORK_GENERATION();

	for (int i = 0; i < n && process; i++)
		take_back_one(process, fd[i]);
}

/* One alone, so that forks that come again and again keep no thread out; and
 * not for long, since a fork may wait for a thread that waits for us. */
static __attribute__((cold)) void
give_way(void)
{
	_Atomic uint32_t *waiting = &atomic_load(&fork_page)[FORKS_WAITING];
	uint32_t let_in = atomic_load(&forks_let_in);

	for (int i = 0;
	     i < GIVE_WAY_TRIES && !forking.under_way && atomic_load(waiting) &&
	     atomic_load(&forks_let_in) == let_in;
	     i++)
		sys_nanosleep(&sys_kernel, GIVE_WAY_NAP_NS);
}

const struct fork_block fork_block = {
	.word = word_here,
	.lend = lend,
	.take_back = take_back,
	.give_way = give_way,
};

/* In a child: closes the descriptors of its parent's other threads, which do
 * not exist here. The thread that has forked does, and closes its own. */
static __attribute__((cold)) void
close_lent(void)
{
	for (int i = 0; i < LENT_MAX; i++) {
		uint32_t process = atomic_load(&lent[i].process);
		int fd = atomic_load(&lent[i].fd) - 1;

		if (process != 0 && process == forking.process && fd >= 0 &&
		    atomic_load(&lent[i].thread) != forking.thread)
			sys_close(&sys_kernel, fd);
		atomic_store(&lent[i].fd, 0);
		atomic_store(&lent[i].process, 0);
	}
}

/*
 * A thread with the pool's lock has a locked descriptor and perhaps a trial
 * socket. A child that inherits them would keep the lock when the parent dies,
 * and the port. So fork waits until no thread holds the fork block.
 */
static __attribute__((cold)) void
before_fork(void)
{
	_Atomic uint32_t *waiting = &page_get()[FORKS_WAITING];
	struct fork_block_hold hold;

	atomic_fetch_add(&forks_under_way, 1);
	atomic_fetch_add(waiting, 1);
	fork_block_hold(&sys_kernel, &word_of_process, FORK_LIMIT_NS, &hold);
	atomic_fetch_add(&forks_let_in, 1);
	atomic_fetch_sub(waiting, 1);
	forking.hold = hold;
	forking.process = FORK_GENERATION();
	forking.thread = sys_gettid(&sys_kernel);
	forking.under_way = true;
}

static void
after_fork(void)
{
	struct fork_block_hold hold = forking.hold;

	forking.under_way = false;
	atomic_fetch_sub(&forks_under_way, 1);
	fork_block_release(&sys_kernel, &word_of_process, &hold);
}

static __attribute__((cold)) void
after_fork_in_child(void)
{
	/* The other threads, holding the fork block or forking, are not
	 * here. */
	forking.hold.inside = true;
	atomic_store(&forks_under_way, 1);
	sockets_forked();
	close_lent();
	after_fork();
}

void
fork_register(void)
{
	sockets_are_ours(); /* before a child of vfork can ask */
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
