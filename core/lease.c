/* SPDX-License-Identifier: MIT */
#include "core/lease.h"

#include <errno.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/locklist.h"
#include "core/slot.h"
#include "core/text.h"

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
lease_hold(const struct sys_ops *sys, int fd, uint64_t token,
	   uint32_t *ret_inode)
{
	struct stat st;
	int r = sys_fstat(sys, fd, &st);

	if (r == 0)
		r = set_lock(sys, fd, F_RDLCK, token);
	if (r == 0)
		*ret_inode = (uint32_t)st.st_ino;
	return r;
}

void
lease_drop(const struct sys_ops *sys, int fd, uint64_t token)
{
	set_lock(sys, fd, F_UNLCK, token);
}

/* The inode too: pools of two namespaces may have given out one token. */
struct search {
	uint64_t token;
	uint32_t inode;
	bool found;
};

static void
match(void *context, uint32_t inode, uint64_t token)
{
	struct search *search = context;

	search->found |= token == search->token && inode == search->inode;
}

/* One read of a descriptor's locks; `process` is a pid, or "thread-self". */
static void
read_locks(const struct sys_ops *sys, const char *process, int fd,
	   locklist_seen *seen, void *context)
{
	char path[64], page[2048];
	struct text text = text_in(path, sizeof(path));
	long n;
	int info;

	text_string(&text, "/proc/");
	text_string(&text, process);
	text_string(&text, "/fdinfo/");
	text_number(&text, (uint64_t)fd);
	info = sys_open(sys, path, O_RDONLY | O_CLOEXEC, 0);
	if (info < 0)
		return;
	n = sys_read(sys, info, page, sizeof(page));
	sys_close(sys, info);
	if (n > 0)
		locklist_parse(page, (size_t)n, seen, context);
}

/* The acquirer's own descriptor, where it used to be. */
static bool
alive_where_it_was(const struct sys_ops *sys, const struct slot *slot)
{
	struct search search = {.token = atomic_load(&slot->token),
				.inode = slot->inode};
	char pid[16];
	struct text text = text_in(pid, sizeof(pid));

	if (slot->fd < 0)
		return false;
	text_number(&text, slot->pid);
	read_locks(sys, pid, slot->fd, match, &search);
	return search.found;
}

int
lease_alive(const struct sys_ops *sys, const struct slot *slot)
{
	struct search search = {.token = atomic_load(&slot->token),
				.inode = slot->inode};
	int r;

	if (alive_where_it_was(sys, slot))
		return 1;
	r = locklist_read(sys, match, &search);
	if (r == -EMFILE || r == -ENFILE)
		return r;
	return r < 0 || search.found;
}

struct survey {
	struct pool_file *file;
	uint64_t *alive;
};

static void
note(void *context, uint32_t inode, uint64_t token)
{
	struct survey *survey = context;
	const struct slot *slot = slot_by_token(survey->file, token);
	uint32_t n = token_slot(token);

	if (slot && slot->inode == inode)
		survey->alive[n / 64] |= (uint64_t)1 << n % 64;
}

int
lease_survey(const struct sys_ops *sys, struct pool_file *file,
	     uint64_t ret_alive[LEASE_BITS])
{
	struct survey survey = {.file = file, .alive = ret_alive};

	memset(ret_alive, 0, LEASE_BITS * sizeof(*ret_alive));
	return locklist_read(sys, note, &survey);
}

int
lease_holder(const struct sys_ops *sys, const struct slot *slot)
{
	int fd;

	if (slot->fd >= 0 && endpoint_is(sys, slot->fd, slot->cookie))
		return slot->fd;
	fd = endpoint_find(sys, slot->cookie);
	return fd < 0 && fd != -EMFILE && fd != -ENFILE ? -ENOENT : fd;
}

struct inventory {
	const struct sys_ops *sys;
	lease_found *found;
	void *context;
	struct lease_carrier carrier; /* the one that is looked at */
};

static void
found_one(void *context, uint32_t inode, uint64_t token)
{
	struct inventory *inventory = context;

	(void)inode;
	inventory->carrier.token = token;
	inventory->found(inventory->context, &inventory->carrier);
}

static bool
look_at(void *context, int fd)
{
	struct inventory *inventory = context;
	struct lease_carrier *carrier = &inventory->carrier;

	carrier->fd = fd;
	/* Of other files a lock is somebody's own business. */
	if (endpoint_cookie(inventory->sys, fd, &carrier->cookie) == 0)
		read_locks(inventory->sys, "thread-self", fd, found_one,
			   inventory);
	return true;
}

int
lease_inventory(const struct sys_ops *sys, lease_found *found, void *context)
{
	struct inventory inventory = {
		.sys = sys, .found = found, .context = context};

	return endpoint_each(sys, look_at, &inventory);
}
