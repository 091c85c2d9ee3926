/* SPDX-License-Identifier: MIT */
/* How the pool file is found or made, checked and mapped. */
#include <errno.h>

#include "core/lock.h"
#include "core/persistent.h"
#include "core/pool_inside.h"
#include "core/slot.h"
#include "core/text.h"

#define HOLD_LIMIT_NS 100000000 /* we are about to wait for it anyway */

/* File systems whose locks or shared mappings end at this machine's edge. */
static const long remote_file_systems[] = {
	0x6969,	    /* NFS */
	0x517b,	    /* SMB */
	0xfe534d42, /* SMB2 */
	0xff534d42, /* CIFS */
	0x01021997, /* 9P */
	0x65735546, /* FUSE */
	0x00c36400, /* Ceph */
	0x5346414f, /* AFS */
	0x6b414653, /* kAFS */
};

bool
pool_file_system_fits(long type)
{
	for (size_t i = 0; i < sizeof(remote_file_systems) / sizeof(long); i++)
		if (type == remote_file_systems[i])
			return false;
	return true;
}

/*
 * Who can write the directory can replace the file, so it must not be open to
 * strangers. Its mode, less what others may do, is the file's.
 */
static int
check_directory(const struct sys_ops *sys, const char *path, int nofollow,
		struct stat *ret)
{
	struct statfs fs;
	struct stat st;
	int fd = sys_open(sys, path,
			  O_RDONLY | O_DIRECTORY | O_CLOEXEC | nofollow, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(sys, fd, &st);
	if (r == 0)
		r = sys_fstatfs(sys, fd, &fs);
	sys_close(sys, fd);
	if (r < 0)
		return r;
	if (!pool_file_system_fits(fs.f_type))
		return -ENETDOWN;
	if (st.st_uid != 0 && st.st_uid != sys_geteuid(sys))
		return -ENETDOWN;
	if (st.st_mode & S_IWOTH)
		return -ENETDOWN;
	*ret = st;
	return 0;
}

/* Makes an empty file unless there is one. Its filling is fill()'s work. */
static int
make_file(const struct sys_ops *sys, const char *path, mode_t mode)
{
	int fd = sys_open(sys, path,
			  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			  S_IRUSR | S_IWUSR);

	if (fd == -EEXIST)
		return 0;
	if (fd < 0)
		return fd;
	sys_fchmod(sys, fd, mode); /* exactly, whatever the umask said */
	sys_close(sys, fd);
	return 0;
}

static bool
trusted(const struct stat *file, const struct stat *directory, uid_t self)
{
	if (!S_ISREG(file->st_mode) || file->st_mode & S_IWOTH)
		return false;
	return file->st_uid == self || file->st_uid == directory->st_uid ||
	       (directory->st_mode & S_IWGRP &&
		file->st_gid == directory->st_gid);
}

/*
 * Under the lock. An empty file was made by somebody who died before this
 * line, or emptied since: its space is taken now, once, because a mapped page
 * that a full file system cannot back would kill the program with SIGBUS.
 */
static int
fill(const struct sys_ops *sys, int fd, struct stat *st)
{
	int r;

	if (st->st_size != 0)
		return 0;
	if (sys_file_limit(sys) < sizeof(struct pool_file))
		return -EFBIG;
	r = sys_fallocate(sys, fd, sizeof(struct pool_file));
	return r < 0 ? r : sys_fstat(sys, fd, st);
}

/* The magic comes last: whoever sees it sees the rest. */
static void
init(struct pool *pool, const char *store)
{
	struct pool_header *header = &pool->file->header;

	header->layout = POOL_LAYOUT;
	header->size = sizeof(struct pool_file);
	header->slot_size = sizeof(struct slot);
	header->segment_size = sizeof(struct segment);
	header->sequence = slot_first_sequence(pool->sys);
	if (store)
		persistent_load(pool, store);
	atomic_store(&header->magic, POOL_MAGIC);
}

static int
map(struct pool *pool, int fd, const struct stat *directory, const char *store)
{
	const struct sys_ops *sys = pool->sys;
	struct pool_file *file;
	struct stat st;
	long at;
	int r = sys_fstat(sys, fd, &st);

	if (r < 0)
		return r;
	if (!trusted(&st, directory, sys_geteuid(sys)))
		return -ENETDOWN;
	r = fill(sys, fd, &st);
	if (r < 0)
		return r;
	if (st.st_size != sizeof(struct pool_file))
		return -ENETDOWN;
	at = sys_mmap_shared(sys, fd, sizeof(struct pool_file));
	if (at < 0)
		return (int)at;
	file = (struct pool_file *)at;
	pool->file = file;
	if (atomic_load(&file->header.magic) == 0)
		init(pool, store);
	if (!pool_header_valid(&file->header)) {
		sys_munmap(sys, file, sizeof(*file));
		return -ENETDOWN;
	}
	pool->device = st.st_dev;
	pool->inode = st.st_ino;
	return 0;
}

/* No child that is forked meanwhile should have the descriptors. */
static int
check_directory_held(const struct pool *pool, const char *path, int nofollow,
		     struct stat *ret)
{
	struct gate_hold hold;
	int r;

	lock_gate_hold(pool->sys, pool->gate, HOLD_LIMIT_NS, &hold);
	r = check_directory(pool->sys, path, nofollow, ret);
	lock_gate_let_go(pool->sys, pool->gate, &hold);
	return r;
}

static int
make_file_held(const struct pool *pool, const struct stat *directory)
{
	mode_t group = directory->st_mode & (S_IRGRP | S_IWGRP);
	struct gate_hold hold;
	int r;

	lock_gate_hold(pool->sys, pool->gate, HOLD_LIMIT_NS, &hold);
	r = make_file(pool->sys, pool->path, S_IRUSR | S_IWUSR | group);
	lock_gate_let_go(pool->sys, pool->gate, &hold);
	return r;
}

int
pool_open_how(const struct sys_ops *sys, const char *directory,
	      bool make_directory, const char *store, uint64_t netns,
	      _Atomic uint32_t *gate, enum pool_wait wait,
	      struct pool *ret_pool)
{
	struct pool pool = {.sys = sys, .gate = gate};
	struct pool_lock lock;
	struct stat st;
	struct text path = text_in(pool.path, sizeof(pool.path));
	int r;

	text_string(&path, directory);
	text_string(&path, "/pool-");
	text_number(&path, netns);
	if (!text_ok(&path))
		return -ENETDOWN;
	if (make_directory)
		sys_mkdir(sys, directory, S_IRWXU);
	/* Where we make the directory, strangers could have made a link. */
	r = check_directory_held(&pool, directory,
				 make_directory ? O_NOFOLLOW : 0, &st);
	if (r < 0)
		return pool_unusable(r);
	r = lock_take(sys, pool.path, gate, wait, &lock);
	if (r == -ENOENT) {
		r = make_file_held(&pool, &st);
		if (r == 0)
			r = lock_take(sys, pool.path, gate, wait, &lock);
	}
	if (r < 0)
		return pool_unusable(r);
	r = map(&pool, lock.fd, &st, store);
	lock_drop(sys, gate, &lock);
	if (r < 0)
		return pool_unusable(r);
	*ret_pool = pool;
	return 0;
}

void
pool_close(struct pool *pool)
{
	sys_munmap(pool->sys, pool->file, sizeof(*pool->file));
	pool->file = NULL;
}

void
pool_forget(struct pool *pool)
{
	sys_mmap_over(pool->sys, pool->file, sizeof(*pool->file));
}
