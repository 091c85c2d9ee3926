/* SPDX-License-Identifier: MIT */
/*
 * A lock that the list lacks is taken to be gone, so the list must be the
 * kernel's: something else may be mounted over it.
 */
#include "core/kernel/proc_locks.h"

#include <sched.h>
#include <sys/mount.h>

#include "tests/locks_churn.h"
#include "tests/peer.h"

static void
count(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	(void)device;
	(void)inode;
	(void)start;
	++*(size_t *)context;
}

static struct sim *
list_of(uint32_t locks)
{
	struct churn churn = {.dice = dice_from(50)};
	struct sim *sim = sim_new();

	while (locks-- > 0)
		sim_add(sim, locks % SIM_CPUS, new_lock(sim, &churn, true));
	return sim;
}

static const uint32_t lengths[] = {0, 1, 30, 100, 5000, 30000};

CHECK(locklist_proof, an_ordinary_list_shows_our_own_lock_to_us_only)
{
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct sim *sim = list_of(lengths[i]);
		size_t seen = 0;

		cr_assert_eq(proc_locks_read(&sim->ops, NULL, count, &seen), 0);
		cr_assert_geq(seen, lengths[i]);
		cr_assert(seen > 0 || lengths[i] == 0);
		cr_assert_eq(sim->locks, 1);
		sim_end(sim);
	}
}

CHECK(locklist_proof, none_without_a_lock_that_is_there)
{
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct sim *sim = list_of(lengths[i]);
		size_t seen = 0;

		sim->hides_own = true;
		cr_assert_eq(proc_locks_read(&sim->ops, NULL, count, &seen),
			     -EAGAIN, "%u locks", lengths[i]);
		sim_end(sim);
	}
}

/* An equal offset in another file; inode numbers of two systems may be
 * alike. */
CHECK(locklist_proof, none_by_a_lock_that_looks_like_it)
{
	struct sim *sim = list_of(100);
	size_t seen = 0;

	sim_own_device = "16";
	cr_assert_eq(proc_locks_read(&sim->ops, NULL, count, &seen), -EAGAIN);
	sim_own_device = "15";
	sim_end(sim);
}

CHECK(locklist_proof, none_on_another_file_system)
{
	static const long types[] = {0, 0x9fa1, 0x01021994, 0x62656572};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		struct sim *sim = list_of(100);
		size_t seen = 0;

		sim->file_system = types[i];
		cr_assert_lt(proc_locks_read(&sim->ops, NULL, count, &seen), 0);
		cr_assert_eq(seen, 0);
		sim_end(sim);
	}
}

/* Two at once do not take each other's. */
CHECK(locklist_proof, each_reading_has_a_lock_of_its_own)
{
	uint64_t first[2];

	for (int i = 0; i < 2; i++) {
		struct sim *sim = list_of(0);
		size_t seen = 0;

		sim->reads = (uint64_t)i; /* which is the time, too */
		cr_assert_eq(proc_locks_read(&sim->ops, NULL, count, &seen), 0);
		first[i] = sim->own;
		cr_assert_eq(first[i] % 2, 1, "tokens are even");
		sim_end(sim);
	}
	cr_assert_neq(first[0], first[1]);
}

static int
read_masked(const char *mask)
{
	size_t seen = 0;

	child_assert(mount(mask, "/proc/locks", NULL, MS_BIND, NULL) == 0);
	return proc_locks_read(&sys_kernel, NULL, count, &seen);
}

static void
check_masked(const char *mask)
{
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(0); /* it takes privileges */
		child_assert(read_masked(mask) < 0);
		_exit(0);
	}
	peer_verdict(peer_end(&peer));
}

CHECK(locklist_proof, none_where_proc_locks_is_masked)
{
	char empty[128];
	size_t seen = 0;
	int fd;

	snprintf(empty, sizeof(empty), "%s/empty", temp_dir());
	fd = open(empty, O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(proc_locks_read(&sys_kernel, NULL, count, &seen), 0);
	check_masked("/dev/null");
	check_masked(empty);
	check_masked("/proc/version");
	check_masked("/proc/zoneinfo"); /* longer than a page */
}
