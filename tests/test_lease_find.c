/* SPDX-License-Identifier: MIT */
/* Finding a lease: where the slot says, elsewhere, and where we may not look.
 */
#include "core/lease.h"

#include <sys/resource.h>

#include "core/endpoint.h"
#include "tests/books.h"
#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

static struct slot *
owned_slot(struct pool_file *file, int fd)
{
	struct slot *slot = books_add(file, PROTOCOL_TCP, 5000, 1);

	slot->fd = fd;
	slot->pid = (uint32_t)getpid();
	cr_assert_eq(endpoint_cookie(&sys_kernel, fd, &slot->cookie), 0);
	cr_assert_eq(lease_hold(&sys_kernel, fd, slot->token, &slot->inode), 0);
	return slot;
}

static struct pool_file *
books_of_now(void)
{
	struct pool_file *file = books_new();

	file->header.sequence = books_sequence();
	return file;
}

CHECK(lease_find, holder_is_where_it_was_or_anywhere_in_this_process)
{
	struct pool_file *file = books_of_now();
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);
	int high, other;

	cr_assert_eq(lease_holder(&sys_kernel, slot), fd);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 700);
	close(fd);
	cr_assert_eq(lease_holder(&sys_kernel, slot), high);
	/* Another socket has its number now. */
	other = tcp_socket();
	cr_assert_eq(other, fd);
	cr_assert_eq(lease_holder(&sys_kernel, slot), high);
	slot->fd = -1;
	cr_assert_eq(lease_holder(&sys_kernel, slot), high);
	slot->fd = INT32_MAX;
	cr_assert_eq(lease_holder(&sys_kernel, slot), high);
	close(high);
	cr_assert_eq(lease_holder(&sys_kernel, slot), -ENOENT);
	close(other);
	free(file);
}

/* More descriptors than one getdents() tells. */
CHECK(lease_find, holder_is_found_among_many)
{
	enum { N = 600 };
	struct pool_file *file = books_of_now();
	struct rlimit room = {N + 100, N + 100};
	int fd = tcp_socket(), copies[N];
	struct slot *slot = owned_slot(file, fd);

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &room), 0);
	for (int i = 0; i < N; i++)
		copies[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(copies[N - 1], 0);
	cr_assert_eq(dup3(fd, copies[N - 1], O_CLOEXEC), copies[N - 1]);
	close(fd);
	cr_assert_eq(lease_holder(&sys_kernel, slot), copies[N - 1]);
	for (int i = 0; i < N; i++)
		close(copies[i]);
	cr_assert_eq(lease_holder(&sys_kernel, slot), -ENOENT);
	free(file);
}

CHECK(lease_find, a_process_without_the_socket_is_no_holder)
{
	struct pool_file *file = books_of_now();
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		child_assert(lease_holder(&sys_kernel, slot) == fd);
		close(fd);
		child_assert(lease_holder(&sys_kernel, slot) == -ENOENT);
		child_assert(lease_alive(&sys_kernel, slot));
		_exit(0);
	}
	peer_verdict(peer_end(&peer));
	close(fd);
	free(file);
}

static bool
bit(const uint64_t bits[LEASE_BITS], const struct pool_file *file,
    const struct slot *slot)
{
	uint32_t n = books_number(file, slot);

	return bits[n / 64] >> n % 64 & 1;
}

CHECK(lease_find, survey_tells_the_living_from_the_dead)
{
	enum { N = 200 };
	struct pool_file *file = books_of_now();
	uint64_t bits[LEASE_BITS];
	struct slot *slot[N];
	int fd = tcp_socket(), dead = tcp_socket();
	uint32_t set = 0;

	for (int i = 0; i < N; i++)
		slot[i] = owned_slot(file, i % 3 ? fd : dead);
	close(dead);
	memset(bits, 0xff, sizeof(bits));
	cr_assert_eq(lease_survey(&sys_kernel, file, bits), 0);
	for (int i = 0; i < N; i++)
		cr_assert_eq(bit(bits, file, slot[i]), i % 3 != 0, "slot %d",
			     i);
	for (size_t i = 0; i < LEASE_BITS; i++)
		set += (uint32_t)__builtin_popcountl(bits[i]);
	cr_assert_eq(set, N - (N + 2) / 3);
	close(fd);
	free(file);
}

/* A lock of an earlier token of the slot says nothing about the present one. */
CHECK(lease_find, survey_ignores_tokens_of_the_past)
{
	struct pool_file *file = books_of_now();
	uint64_t bits[LEASE_BITS];
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);

	atomic_fetch_add(&slot->token, (uint64_t)5 << SLOT_BITS);
	cr_assert_eq(lease_survey(&sys_kernel, file, bits), 0);
	cr_assert_not(bit(bits, file, slot));
	cr_assert_not(lease_alive(&sys_kernel, slot));
	close(fd);
	free(file);
}

/* But whoever has no descriptor left to look with is told that. */
CHECK(lease_find, what_cannot_be_read_counts_as_alive)
{
	struct pool_file *file = books_of_now();
	uint64_t bits[LEASE_BITS];
	const int errors[] = {-EACCES, -ENOENT, -EPERM, -EMFILE, -ENFILE};
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);

	close(fd);
	for (size_t i = 0; i < 5; i++) {
		int wanted = i < 3 ? 1 : errors[i];
		struct kernel_refusing all =
			kernel_refusing(SYS_openat, errors[i], "/proc/");
		struct kernel_refusing list =
			kernel_refusing(SYS_openat, errors[i], "/proc/locks");
		struct kernel_refusing read =
			kernel_refusing(SYS_read, -EIO, NULL);

		cr_assert_eq(lease_alive(&all.ops, slot), wanted);
		cr_assert_eq(all.asked, 2);
		cr_assert_eq(lease_alive(&list.ops, slot), wanted);
		cr_assert_eq(lease_alive(&read.ops, slot), 1);
		cr_assert_lt(lease_survey(&list.ops, file, bits), 0);
		cr_assert_lt(lease_survey(&read.ops, file, bits), 0);
		cr_assert_eq(lease_holder(&all.ops, slot),
			     i < 3 ? -ENOENT : errors[i]);
	}
	cr_assert_not(lease_alive(&sys_kernel, slot));
	free(file);
}

/* The quick look at fdinfo may fail where the list does not. */
CHECK(lease_find, fdinfo_is_only_the_short_way)
{
	struct pool_file *file = books_of_now();
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);
	char path[32];
	struct kernel_refusing kernel;

	snprintf(path, sizeof(path), "/proc/%d/", getpid());
	kernel = kernel_refusing(SYS_openat, -ENOENT, path);
	cr_assert(lease_alive(&kernel.ops, slot));
	cr_assert_eq(kernel.asked, 1);
	slot->pid = UINT32_MAX;
	cr_assert(lease_alive(&sys_kernel, slot));
	close(fd);
	cr_assert_not(lease_alive(&kernel.ops, slot));
	free(file);
}
