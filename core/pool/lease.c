/* SPDX-License-Identifier: MIT */
#include "core/pool/lease.h"

#include <errno.h>
#include <string.h>

#include "core/kernel/guard.h"
#include "core/kernel/proc_locks.h"
#include "core/kernel/sock.h"
#include "core/kernel/strbuf.h"
#include "core/pool/slot.h"

static int
set_lock(const struct sys_ops *sys, int fd, short type, uint64_t token)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)token,
		.l_len = 1,
	};

	return sys_fcntl(sys, fd, F_OFD_SETLK, &lock);
}

int
lease_hold(const struct sys_ops *sys, int fd, struct slot *slot)
{
	struct stat st;
	int r = sys_fstat(sys, fd, &st);

	if (r == 0)
		r = set_lock(sys, fd, F_RDLCK, atomic_load(&slot->token));
	if (r < 0)
		return r;
	slot->inode = (uint32_t)st.st_ino;
	slot->device = (uint32_t)st.st_dev;
	return 0;
}

int
lease_share(const struct sys_ops *sys, int fd, uint64_t token)
{
	return set_lock(sys, fd, F_RDLCK, token);
}

void
lease_drop(const struct sys_ops *sys, int fd, uint64_t token)
{
	set_lock(sys, fd, F_UNLCK, token);
}

bool
lease_is_where_it_was(const struct sys_ops *sys, const struct slot *slot)
{
	char path[48], name[32], there[32];
	struct strbuf link = strbuf_in(path, sizeof(path));
	struct strbuf socket = strbuf_in(name, sizeof(name));

	if (slot->fd < 0)
		return false;
	strbuf_string(&link, "/proc/");
	strbuf_number(&link, slot->pid);
	strbuf_string(&link, "/fd/");
	strbuf_number(&link, (uint64_t)slot->fd);
	strbuf_string(&socket, "socket:[");
	strbuf_number(&socket, slot->inode);
	strbuf_char(&socket, ']');
	return sys_readlink(sys, path, there, sizeof(there)) ==
		       (long)socket.length &&
	       memcmp(there, name, socket.length) == 0;
}

/* A slot that may be dead, as it was when the reading began. */
struct suspect {
	uint64_t token; /* 0: not a suspect */
	uint32_t inode;
	uint32_t device;
};

/* Mapped, because it is too large for a signal stack. */
struct check {
	struct suspect suspect[SLOT_COUNT];
	uint64_t alive[SLOT_COUNT / 64];
	/* Guards are asked by a socket, which no fork may hand on: from the
	 * first one that is asked until it is closed. */
	const struct fork_block *forks;
	struct fork_block_hold held;
	bool asks;
	int asker; /* or -Exxx */
};

/*
 * Asks the guard about a slot that it has: it knows for certain, at once, and
 * no sooner than the last close has ended. 1 when the slot lives; 0, and it is
 * marked dead; or -Exxx: it is no longer that guard, or it cannot be asked.
 */
static int
ask_guard(const struct sys_ops *sys, struct check *check,
	  struct pool_file *file, const struct slot *slot, uint64_t token)
{
	struct guarded block = slot_guarded(slot);
	uint64_t cookie = slot->cookie;
	int r;

	/* Picked anew meanwhile: these may be the numbers of two blocks. */
	if (block.token != token || slot_by_token(file, token) != slot)
		return 1;
	if (!check->asks) {
		fork_block_hold(sys, check->forks->word(), FORK_BLOCK_HOLD_NS,
				&check->held);
		check->asker =
			sys_socket(sys, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		check->asks = true;
	}
	if (check->asker < 0)
		return check->asker;
	r = guard_lives(sys, check->asker, &block);
	if (r == 0)
		slot_mark_dead(file, token, cookie);
	return r;
}

static void
stop_asking(const struct sys_ops *sys, struct check *check)
{
	if (!check->asks)
		return;
	if (check->asker >= 0)
		sys_close(sys, check->asker);
	fork_block_release(sys, check->forks->word(), &check->held);
}

/* Returns their number. A slot whose acquirer has the socket where it was is
 * none, nor one that the guard knows: if none is left, no list is read. */
static uint32_t
find_suspects(const struct sys_ops *sys, struct check *check,
	      struct pool_file *file, uint32_t *ret_dead)
{
	uint32_t n = 0;
	int r;

	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		const struct slot *slot = &file->slot[i];
		struct suspect *suspect = &check->suspect[i];
		uint64_t token = atomic_load(&slot->token);

		if (slot->kind != KIND_RUNTIME ||
		    slot_by_token(file, token) != slot ||
		    lease_is_where_it_was(sys, slot))
			continue;
		r = atomic_load(&slot->guard)
			    ? ask_guard(sys, check, file, slot, token)
			    : -ESTALE;
		*ret_dead += r == 0;
		if (r >= 0)
			continue;
		suspect->inode = slot->inode;
		suspect->device = slot->device;
		/* The slot may have been picked anew meanwhile. */
		if (slot_by_token(file, token) != slot)
			continue;
		suspect->token = token;
		n++;
	}
	stop_asking(sys, check);
	return n;
}

/* Inode and device too: anybody may lock any byte of his own files. */
static void
see_alive(void *context, uint64_t device, uint32_t inode, uint64_t token)
{
	struct check *check = context;
	uint32_t n = token_slot(token);
	const struct suspect *suspect = &check->suspect[n];

	if (suspect->token == token && suspect->inode == inode &&
	    suspect->device == (uint32_t)device)
		check->alive[n / 64] |= (uint64_t)1 << n % 64;
}

static int
mark_the_dead(const struct check *check, struct pool_file *file)
{
	int n = 0;

	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		uint64_t token = check->suspect[i].token;

		if (token && !(check->alive[i / 64] >> i % 64 & 1) &&
		    slot_by_token(file, token)) {
			slot_mark_dead(file, token, file->slot[i].cookie);
			n++;
		}
	}
	return n;
}

int
lease_judge(const struct sys_ops *sys, const struct fork_block *forks,
	    struct pool_file *file)
{
	long at = sys_mmap_private(sys, sizeof(struct check));
	struct check *check = (struct check *)at;
	uint32_t dead = 0;
	int r = 0;

	if (at < 0)
		return (int)at;
	check->forks = forks;
	if (find_suspects(sys, check, file, &dead)) {
		r = proc_locks_read(sys, forks, see_alive, check);
		if (r == 0)
			r = mark_the_dead(check, file);
	}
	sys_munmap(sys, check, sizeof(*check));
	return r < 0 ? r : r + (int)dead;
}

int
lease_holder(const struct sys_ops *sys, const struct slot *slot)
{
	int fd;

	if (slot->fd >= 0 && sock_is(sys, slot->fd, slot->cookie))
		return slot->fd;
	fd = sock_find(sys, slot->cookie);
	return fd < 0 && fd != -EMFILE && fd != -ENFILE ? -ENOENT : fd;
}

struct inventory {
	const struct sys_ops *sys;
	lease_found *found;
	void *context;
	struct lease_carrier carrier; /* the one that is looked at */
};

static void
see_lease(void *context, uint64_t device, uint32_t inode, uint64_t token)
{
	struct inventory *inventory = context;

	(void)device;
	(void)inode;
	inventory->carrier.token = token;
	inventory->found(inventory->context, &inventory->carrier);
}

/* Reads the locks of one descriptor of ours, however many there are. */
static void
read_locks(struct inventory *inventory, int fd)
{
	const struct sys_ops *sys = inventory->sys;
	char path[48], page[1024];
	struct strbuf text = strbuf_in(path, sizeof(path));
	size_t kept = 0;
	long n = 0;
	int info;

	strbuf_string(&text, "/proc/thread-self/fdinfo/");
	strbuf_number(&text, (uint64_t)fd);
	info = sys_open(sys, path, O_RDONLY | O_CLOEXEC, 0);
	if (info < 0)
		return;
	while (kept < sizeof(page) && (n = sys_read(sys, info, page + kept,
						    sizeof(page) - kept)) > 0) {
		size_t whole = kept + (size_t)n;
		const char *last = memrchr(page, '\n', whole);
		size_t lines = last ? (size_t)(last + 1 - page) : 0;

		proc_locks_parse(page, lines, see_lease, inventory);
		kept = whole - lines;
		memmove(page, page + lines, kept);
	}
	sys_close(sys, info);
}

static bool
visit_fd(void *context, int fd)
{
	struct inventory *inventory = context;
	struct lease_carrier *carrier = &inventory->carrier;

	carrier->fd = fd;
	/* Only sockets carry leases: locks on other files are the program's. */
	if (sock_cookie(inventory->sys, fd, &carrier->cookie) == 0)
		read_locks(inventory, fd);
	return true;
}

int
lease_inventory(const struct sys_ops *sys, lease_found *found, void *context)
{
	struct inventory inventory = {
		.sys = sys, .found = found, .context = context};

	return sock_each(sys, visit_fd, &inventory);
}

struct sought {
	uint64_t token;
	bool found;
};

static void
see_sought(void *context, const struct lease_carrier *carrier)
{
	struct sought *sought = context;

	sought->found |= carrier->token == sought->token;
}

bool
lease_is_on(const struct sys_ops *sys, int fd, uint64_t token)
{
	struct sought sought = {.token = token};
	struct inventory inventory = {
		.sys = sys, .found = see_sought, .context = &sought};

	read_locks(&inventory, fd);
	return sought.found;
}
