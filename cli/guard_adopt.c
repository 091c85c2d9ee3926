/* SPDX-License-Identifier: MIT */
#include "cli/guard_adopt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cli/guard_pools.h"
#include "cli/open_pool.h"
#include "cli/process.h"
#include "core/kernel/guard.h"
#include "core/kernel/sock.h"
#include "core/pool/lease.h"
#include "core/pool/persistent.h"
#include "core/pool/slot.h"
#include "portres.h"
#include "shim/config.h"

/* A descriptor of a socket. */
struct carrier {
	uint32_t inode;
	uint32_t pid;
	int fd;
};

/* A pool, and how far it has been looked through. */
struct look {
	struct guard_pool pool;
	uint32_t next; /* slot */
};

struct search {
	struct carrier *carriers; /* by inode */
	uint32_t carrier_count;
	struct look *busy; /* pools that another process has the lock of */
	uint32_t busy_count;
	bool only_look;	       /* how much there is that cannot be adopted */
	uint32_t unprivileged; /* the first port that any user may bind */
	uint32_t taken;	       /* sockets of others, up to now */
	uint64_t number;       /* that a guard told last, or 0 */
	struct adopted *result;
};

static void *
grow(void *array, uint32_t count, size_t size)
{
	if (count & (count - 1)) /* it has room up to the next power of two */
		return array;
	array = realloc(array, (count ? 2 * (size_t)count : 1) * size);
	if (!array)
		abort();
	return array;
}

static void
note_carrier(void *context, uint32_t pid, int fd)
{
	struct search *search = context;
	uint64_t inode = process_socket(pid, fd);

	if (!inode)
		return;
	search->carriers = grow(search->carriers, search->carrier_count,
				sizeof(struct carrier));
	search->carriers[search->carrier_count++] =
		(struct carrier){(uint32_t)inode, pid, fd};
}

static int
by_inode(const void *a, const void *b)
{
	const struct carrier *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

/* The first one of the socket's, or the end. */
static uint32_t
first_of(const struct search *search, uint32_t inode)
{
	uint32_t low = 0, high = search->carrier_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (search->carriers[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A copy of another process' descriptor. */
static int
take_fd(uint32_t pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	int taken;

	if (process < 0)
		return -1;
	taken = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	close(process);
	return taken;
}

/*
 * A slot names a socket, and a pool file is written by whom it pleases: the
 * numbers of every socket can be seen by all. But a lease is put on it by a
 * process that has it, and by no other.
 */
static bool
is_owner(const struct guard_pool *pool, const struct slot *slot, int socket)
{
	uint64_t netns;

	return sock_is(&sys_kernel, socket, slot->cookie) &&
	       sock_netns(&sys_kernel, socket, &netns) == 0 &&
	       netns == pool->netns &&
	       lease_is_on(&sys_kernel, socket, atomic_load(&slot->token));
}

/* A lease is no word on which ports: that is believed of the user himself, of
 * root, and of those that root lets write the machine's pool. */
static bool
is_believed(const struct search *search, const struct guard_pool *pool,
	    const struct slot *slot, uint32_t uid)
{
	if (uid != 0 && slot->start < search->unprivileged)
		return false;
	return pool->machines || pool->owner == 0 || pool->owner == uid;
}

/* How it went with a carrier, or a slot: the last one counts. */
enum outcome { NO_OWNER, DISBELIEVED, LEFT, NOTHING_TO_DO, ADOPTED };

/* The slot must say that the guard has the block, or the library would not ask
 * for its sockets. */
static enum outcome
write_number(const struct guard_pool *pool, uint64_t token, uint64_t number)
{
	off_t place = (off_t)(offsetof(struct pool_file, slot) +
			      token_slot(token) * sizeof(struct slot) +
			      offsetof(struct slot, guard));

	return pwrite(pool->fd, &number, sizeof(number), place) ==
			       sizeof(number)
		       ? ADOPTED
		       : LEFT;
}

static enum outcome
give(const struct guard_pool *pool, const struct slot *slot, uint32_t uid,
     int socket, uint64_t number)
{
	struct guarded block = slot_guarded(slot);
	struct portres_guard request = {
		.token = block.token,
		.fd = slot->heirs ? slot->fd : -1,
		.start_port = htons((uint16_t)block.range.start),
		.number_of_ports = (uint16_t)block.range.count,
		.uid = uid,
	};
	enum outcome outcome;

	/* One of two guards may have it: that one refuses, the other takes. */
	if (setsockopt(socket, PORTRES_GUARD, PORTRES_GUARD_ADOPT, &request,
		       sizeof(request)) < 0 &&
	    guard_has(&sys_kernel, socket, &block) != 1)
		return LEFT;
	outcome = write_number(pool, block.token, number);
	if (outcome == LEFT)
		guard_release(&sys_kernel, socket, &block);
	return outcome;
}

/* Has the guard the block by this socket? As guard_has(); search->number
 * becomes that guard's. It is that of the socket before, as a rule, and not
 * told anew. */
static int
ask_guard(struct search *search, int socket, struct guarded block)
{
	int r;

	block.number = search->number;
	r = guard_lives(&sys_kernel, socket, &block);
	if (r == 0 || r == -ENOPROTOOPT)
		return r;
	if (r < 0)
		search->number = guard_number(&sys_kernel, socket);
	return guard_has(&sys_kernel, socket, &block);
}

/* By a socket that owns the block. It may be the guard's, and not be said to
 * be, if a process was killed between the two. */
static enum outcome
adopt_with(struct search *search, const struct guard_pool *pool,
	   const struct slot *slot, uint32_t pid, int socket)
{
	struct guarded block = slot_guarded(slot);
	int had = ask_guard(search, socket, block);
	uint32_t uid;

	if (had < 0 || (had && block.number == search->number))
		return NOTHING_TO_DO;
	if (search->only_look)
		return LEFT;
	uid = process_user(pid);
	if (!is_believed(search, pool, slot, uid))
		return DISBELIEVED;
	return had ? write_number(pool, block.token, search->number)
		   : give(pool, slot, uid, socket, search->number);
}

static enum outcome
adopt_by(struct search *search, const struct guard_pool *pool,
	 const struct slot *slot, const struct carrier *carrier)
{
	enum outcome outcome = NO_OWNER;
	int socket = take_fd(carrier->pid, carrier->fd);

	if (socket < 0)
		return outcome;
	search->taken++;
	if (is_owner(pool, slot, socket))
		outcome = adopt_with(search, pool, slot, carrier->pid, socket);
	close(socket);
	return outcome;
}

static bool
is_wanted(const struct slot *slot, uint32_t number)
{
	return slot_live(slot) && !slot_is_dead(slot) && slot->start &&
	       slot->kind == KIND_RUNTIME && slot_range(slot).count &&
	       slot->protocol < PROTOCOL_COUNT &&
	       token_slot(atomic_load(&slot->token)) == number;
}

static void
adopt_slot(struct search *search, const struct guard_pool *pool,
	   const struct slot *slot)
{
	enum outcome best = NO_OWNER;
	uint32_t i = first_of(search, slot->inode);

	for (; i < search->carrier_count && best <= DISBELIEVED &&
	       search->carriers[i].inode == slot->inode;
	     i++) {
		enum outcome one =
			adopt_by(search, pool, slot, &search->carriers[i]);

		best = one > best ? one : best;
	}
	search->result->runtime += best == ADOPTED;
	if (search->only_look)
		search->result->busy += best == LEFT;
	else
		search->result->left += best == LEFT || best == DISBELIEVED;
}

#define BATCH 64 /* slots; as long as it takes others wait for the lock */
_Static_assert(SLOT_COUNT % BATCH == 0, "no slot is left out");

/* Those of a batch. */
static void
adopt_slots(struct search *search, const struct look *look)
{
	struct slot slot[BATCH];

	if (pread(look->pool.fd, slot, sizeof(slot),
		  (off_t)(offsetof(struct pool_file, slot) +
			  look->next * sizeof(*slot))) != sizeof(slot))
		return;
	for (uint32_t i = 0; i < BATCH; i++)
		if (is_wanted(&slot[i], look->next + i))
			adopt_slot(search, &look->pool, &slot[i]);
}

#define PAUSE_NS 1000000
#define TRIES 10
#define TRY_NS 100000

/* The lock is polled by those that wait: it is let go for as long as a batch
 * takes. False: somebody has it, and keeps it. */
static bool
hand_on(int fd)
{
	bool locked = false;

	flock(fd, LOCK_UN);
	sys_nanosleep(&sys_kernel, PAUSE_NS);
	for (int i = 0; i < TRIES && !locked; i++) {
		if (i > 0)
			sys_nanosleep(&sys_kernel, TRY_NS);
		locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
	}
	return locked;
}

/*
 * The pool is locked before a socket is taken, and until it is closed here:
 * else its owner's close would not be the last one, and who reserves the ports
 * then would find them reserved. Later reservations are the guard's anyway.
 * False: another process has the lock.
 */
static bool
adopt_all(struct search *search, struct look *look)
{
	bool locked = flock(look->pool.fd, LOCK_EX | LOCK_NB) == 0;

	while (locked && look->next < SLOT_COUNT) {
		uint32_t before = search->taken;

		adopt_slots(search, look);
		look->next += BATCH;
		if (search->taken != before)
			locked = hand_on(look->pool.fd);
	}
	if (locked)
		flock(look->pool.fd, LOCK_UN);
	return look->next >= SLOT_COUNT;
}

static bool
see_pool(void *context, const struct guard_pool *pool)
{
	struct search *search = context;
	struct look look = {.pool = *pool};

	if (adopt_all(search, &look))
		return false;
	search->busy =
		grow(search->busy, search->busy_count, sizeof(struct look));
	search->busy[search->busy_count++] = look;
	return true;
}

/* Looks on in all that are busy. Has it come any further? */
static bool
look_on(struct search *search)
{
	uint32_t still = 0;
	bool further = false;

	for (uint32_t n = 0; n < search->busy_count; n++) {
		struct look look = search->busy[n];
		uint32_t before = look.next;

		if (adopt_all(search, &look))
			close(look.pool.fd);
		else
			search->busy[still++] = look;
		further |= look.next != before;
	}
	search->busy_count = still;
	return further;
}

#define ROUNDS 100
#define ROUND_NS 10000000

/* All at the same time, or each that is stopped with its lock would cost the
 * others as long. */
static void
wait_for_busy(struct search *search)
{
	for (int in_vain = 0; in_vain < ROUNDS && search->busy_count;) {
		sys_nanosleep(&sys_kernel, ROUND_NS);
		in_vain = look_on(search) ? 0 : in_vain + 1;
	}
	search->only_look = true;
	for (uint32_t n = 0; n < search->busy_count; n++)
		for (struct look *look = &search->busy[n];
		     look->next < SLOT_COUNT; look->next += BATCH)
			adopt_slots(search, look);
}

static uint32_t
unprivileged_start(void)
{
	FILE *file =
		fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned start;

	if (!file || fscanf(file, "%u", &start) != 1)
		start = 1024;
	if (file)
		fclose(file);
	return start;
}

static bool
adopt_runtime(struct adopted *result)
{
	struct search *search = calloc(1, sizeof(*search));
	struct rlimit most;

	if (!search)
		return false;
	search->result = result;
	search->unprivileged = unprivileged_start();
	/* A busy pool costs a descriptor. */
	if (getrlimit(RLIMIT_NOFILE, &most) == 0) {
		most.rlim_cur = most.rlim_max;
		setrlimit(RLIMIT_NOFILE, &most);
	}
	process_each_fd(note_carrier, search);
	if (search->carrier_count)
		qsort(search->carriers, search->carrier_count,
		      sizeof(struct carrier), by_inode);
	result->unread += guard_pools_each(see_pool, search);
	wait_for_busy(search);
	return true; /* the process ends */
}

static int
keep_persistent(struct adopted *result)
{
	const char *store = config_get()->store;
	struct pool pool;
	uint32_t refused;
	int r;

	if (!*store)
		return 0;
	r = open_pool(&pool);
	if (r < 0)
		return r;
	r = persistent_keep(&pool, store, &refused);
	pool_close(&pool);
	result->left += refused;
	result->persistent = r > 0 ? (uint32_t)r : 0;
	return r;
}

static bool
join(const char *cgroup)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%.4000s/cgroup.procs", cgroup);
	file = fopen(path, "we");
	if (!file)
		return false;
	fprintf(file, "%d\n", (int)getpid());
	return fclose(file) == 0;
}

/* Below one that hands controllers on, and so takes no process itself. */
static void
leaf_of(const char *cgroup, pid_t pid, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.4000s/portres-%d", cgroup, (int)pid);
}

static bool
join_below(const char *cgroup)
{
	char leaf[PATH_MAX];

	leaf_of(cgroup, getpid(), leaf);
	return mkdir(leaf, 0755) == 0 && join(leaf);
}

bool
guard_adopt_join(const char *cgroup)
{
	return join(cgroup) || join_below(cgroup);
}

void
guard_adopt_left(const char *cgroup, pid_t pid)
{
	char leaf[PATH_MAX];

	leaf_of(cgroup, pid, leaf);
	rmdir(leaf);
}

/*
 * By a process of its own: a persistent block is asked for by any socket, but
 * one that was made in the guard's cgroup; and a read of what belongs to others
 * can be made to last, so it is not waited for without end.
 */
static void
adopt(const char *cgroup, struct adopted *result)
{
	/* It may outlive its parent for a while: it has neither the lock of
	 * GUARD_PINS, nor a pipe whose end somebody waits for. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	syscall(SYS_close_range, 0, ~0u, 0);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		open("/dev/null", O_RDWR);
	if (guard_adopt_join(cgroup))
		result->keeping = keep_persistent(result);
	result->whole = adopt_runtime(result);
}

#define SECONDS 20

/* Until the child has ended, or the time is up. A file system that does not
 * answer may hold it in the kernel although it is killed: it ends some time. */
static void
wait_for(pid_t child, const sigset_t *ends)
{
	const struct timespec moment = {.tv_sec = 1};
	int what;

	alarm(SECONDS);
	do
		what = sigwaitinfo(ends, NULL);
	while (what != SIGALRM && waitpid(child, NULL, WNOHANG) == 0);
	alarm(0);
	if (what != SIGALRM)
		return;
	kill(child, SIGKILL);
	sigtimedwait(ends, NULL, &moment);
	waitpid(child, NULL, WNOHANG);
}

void
guard_adopt(const char *cgroup, struct adopted *ret)
{
	struct adopted *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigset_t ends;
	pid_t child;

	*ret = (struct adopted){.keeping = -EPERM};
	if (shared == MAP_FAILED)
		return;
	*shared = *ret;
	/* They stay blocked: so they come although they may be ignored, and an
	 * alarm that comes late ends nobody. */
	signal(SIGCHLD, SIG_DFL); /* or a child would end unseen */
	sigemptyset(&ends);
	sigaddset(&ends, SIGALRM);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	child = fork();
	if (child == 0) {
		adopt(cgroup, shared);
		_exit(0);
	}
	if (child > 0) {
		wait_for(child, &ends);
		guard_adopt_left(cgroup, child);
	}
	*ret = *shared;
	munmap(shared, sizeof(*shared));
}
