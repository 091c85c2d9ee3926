/* SPDX-License-Identifier: MIT */
#include "core/pool/pool.h"

#include <errno.h>
#include <linux/magic.h>

#include "core/kernel/strbuf.h"
#include "core/pool/lock.h"
#include "core/pool/slot.h"

#define TRIES 100 /* others make, and remove, the file meanwhile */
#define NAP_NS 1000000

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

int
pool_unusable(int r)
{
	switch (r) {
	case -EMFILE:
	case -ENFILE:
	case -EINTR:
	case -EBUSY:
	case -ENETDOWN:
		return r;
	default:
		return -ENETDOWN;
	}
}

/* Is the file complete, and of our layout? */
static bool
header_valid(const struct pool_header *header)
{
	return atomic_load(&header->magic) == POOL_MAGIC &&
	       header->layout == POOL_LAYOUT &&
	       header->size == sizeof(struct pool_file) &&
	       header->slot_size == sizeof(struct slot) &&
	       header->segment_size == sizeof(struct segment);
}

/* Entering and leaving the pool. */
int
pool_enter(struct pool *pool, enum pool_wait wait, struct pool_lock *ret)
{
	struct pool_lock lock;
	struct stat st;
	int r = lock_take(pool->sys, pool->path, pool->forks,
			  &pool->file->header.queue, wait, &lock);

	if (r == -ENOENT || r == -ELOOP)
		return -ESTALE;
	if (r < 0)
		return pool_unusable(r);
	r = sys_fstat(pool->sys, lock.fd, &st);
	if (r < 0 || st.st_dev != pool->device || st.st_ino != pool->inode ||
	    st.st_size != sizeof(struct pool_file) ||
	    !header_valid(&pool->file->header)) {
		lock.queue = NULL; /* there may be no page below it */
		lock_drop(pool->sys, &lock);
		return -ESTALE;
	}
	if (atomic_load(&pool->file->header.dirty))
		slot_rebuild(pool->file);
	*ret = lock;
	return 0;
}

void
pool_leave(struct pool *pool, const struct pool_lock *lock)
{
	lock_drop(pool->sys, lock);
}

/* The pool file: found or made, checked, mapped. */

/* The pool that is being opened. */
struct opening {
	struct pool pool;
	const char *path; /* of the directory */
	const char *name; /* of the file in it */
	const struct pool_filling *filling;
	bool own;
	uid_t user;
	int fd; /* of the directory */
	struct low_fds low;
	struct stat directory;
};

/* A user who can write the directory can replace the file, so strangers must
 * not. */
static bool
is_sound(const struct opening *o)
{
	uid_t owner = o->directory.st_uid;

	return !(o->directory.st_mode & S_IWOTH) &&
	       (owner == o->user || (owner == 0 && !o->own));
}

/* In /dev/shm strangers could have made a link of that name. */
static int
open_directory(struct opening *o)
{
	const struct sys_ops *sys = o->pool.sys;
	int follow = o->own ? O_NOFOLLOW : 0;
	int r = o->fd = sys_open(sys, o->path,
				 O_PATH | O_DIRECTORY | O_CLOEXEC | follow, 0);

	if (o->own && (r == -ENOTDIR || r == -ELOOP))
		return -EPERM;
	if (r < 0)
		return r;
	r = sys_fstat(sys, o->fd, &o->directory);
	if (r == 0 && !is_sound(o))
		r = o->own ? -EPERM : -ENETDOWN;
	if (r < 0)
		sys_close(sys, o->fd);
	return r;
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

static int
map(struct pool *pool, int fd, const struct stat *st)
{
	long at = sys_mmap_shared(pool->sys, fd, sizeof(struct pool_file));

	/* Not the kernel's error: -EAGAIN is an emptied file here. */
	if (at < 0)
		return -ENOMEM;
	pool->file = (struct pool_file *)at;
	pool->device = st->st_dev;
	pool->inode = st->st_ino;
	return 0;
}

/*
 * Maps the file, which is complete if it is sound. Its header is read by
 * pread() and not in the mapping, where a file that is cut short would be
 * SIGBUS. Returns -EAGAIN for an emptied file.
 */
static int
check_and_map(struct opening *o, int fd)
{
	const struct sys_ops *sys = o->pool.sys;
	struct pool_header header;
	struct statfs fs;
	struct stat st;
	int r = sys_fstat(sys, fd, &st);

	if (r < 0)
		return r;
	if (!trusted(&st, &o->directory, o->user))
		return -ENETDOWN;
	if (st.st_size == 0)
		return -EAGAIN;
	if (st.st_size != sizeof(struct pool_file) ||
	    sys_pread(sys, fd, &header, sizeof(header), 0) != sizeof(header))
		return -ENETDOWN;
	if (header.magic == 0)
		return -EAGAIN;
	if (!header_valid(&header))
		return -ENETDOWN;
	/* From another machine the file has another device, mostly. */
	if (header.device != st.st_dev && (sys_fstatfs(sys, fd, &fs) < 0 ||
					   !pool_file_system_fits(fs.f_type)))
		return -ENETDOWN;
	return map(&o->pool, fd, &st);
}

static int
open_file(struct opening *o, int flags)
{
	return sys_openat(o->pool.sys, o->fd, o->name,
			  flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
}

/*
 * Removes an emptied file, so that a complete one can have its name: one
 * process at a time, which checks that it still is the file. -EAGAIN while
 * another one does.
 */
static int
remove_emptied(struct opening *o, int fd)
{
	const struct sys_ops *sys = o->pool.sys;
	struct stat st, now;
	int there, r = sys_flock(sys, fd, LOCK_EX | LOCK_NB);

	if (r < 0)
		return r;
	there = open_file(o, O_PATH);
	if (there >= 0 && sys_fstat(sys, fd, &st) == 0 &&
	    sys_fstat(sys, there, &now) == 0 && st.st_dev == now.st_dev &&
	    st.st_ino == now.st_ino)
		r = sys_unlink(sys, o->fd, o->name);
	if (there >= 0)
		sys_close(sys, there);
	sys_flock(sys, fd, LOCK_UN);
	return r < 0 ? r : -EAGAIN;
}

static int
open_there(struct opening *o)
{
	int fd = open_file(o, O_RDWR);
	int r;

	if (fd < 0)
		return fd;
	r = check_and_map(o, fd);
	if (r == -EAGAIN)
		r = remove_emptied(o, fd);
	sys_close(o->pool.sys, fd);
	return r;
}

/*
 * Gives the file its directory's mode, without the bits of others. The group's
 * bits only if the file has the directory's group: the maker's own may have
 * other people in it.
 */
static void
share(struct opening *o, int fd)
{
	const struct sys_ops *sys = o->pool.sys;
	mode_t group = o->directory.st_mode & (S_IRGRP | S_IWGRP);
	struct stat st;

	if (sys_fstat(sys, fd, &st) < 0)
		return;
	if (st.st_gid != o->directory.st_gid &&
	    sys_fchown(sys, fd, (uid_t)-1, o->directory.st_gid) < 0)
		group = 0;
	/* Exactly, whatever the umask said. */
	sys_fchmod(sys, fd, S_IRUSR | S_IWUSR | group);
}

static void
init(struct opening *o, const struct statfs *fs)
{
	struct pool_header *header = &o->pool.file->header;

	header->layout = POOL_LAYOUT;
	header->size = sizeof(struct pool_file);
	header->slot_size = sizeof(struct slot);
	header->segment_size = sizeof(struct segment);
	header->sequence = slot_first_sequence(o->pool.sys);
	header->device = o->pool.device;
	header->in_memory =
		fs->f_type == TMPFS_MAGIC || fs->f_type == RAMFS_MAGIC;
	sys_boot_id(o->pool.sys, header->boot);
	if (o->filling)
		o->filling->load(&o->pool, o->filling->store);
	atomic_store(&header->magic, POOL_MAGIC);
}

/*
 * All of its space is taken now, once, because a mapped page that a full file
 * system cannot back would kill the program with SIGBUS.
 */
static int
fill(struct opening *o, int fd)
{
	const struct sys_ops *sys = o->pool.sys;
	struct statfs fs;
	struct stat st;
	int r = sys_fstatfs(sys, fd, &fs);

	if (r == 0 && !pool_file_system_fits(fs.f_type))
		return -ENETDOWN;
	if (r == 0 && sys_file_limit(sys) < sizeof(struct pool_file))
		return -EFBIG;
	if (r == 0)
		r = sys_fallocate(sys, fd, sizeof(struct pool_file));
	if (r == 0)
		r = sys_fstat(sys, fd, &st);
	if (r == 0)
		r = map(&o->pool, fd, &st);
	if (r < 0)
		return r;
	share(o, fd);
	init(o, &fs);
	return 0;
}

/* Fills the file, and links it from `by`, a name that leads to it now. */
static int
fill_and_link(struct opening *o, int fd, const char *by, int flags)
{
	int r = fill(o, fd);

	if (r < 0)
		return r;
	r = sys_link(o->pool.sys, o->fd, by, o->fd, o->name, flags);
	if (r < 0)
		pool_close(&o->pool);
	return r;
}

/* A file without a name does not outlive a process that is killed before the
 * link. */
static int
make_nameless(struct opening *o)
{
	const struct sys_ops *sys = o->pool.sys;
	char by[64];
	struct strbuf text = strbuf_in(by, sizeof(by));
	int fd = sys_openat(sys, o->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
			    S_IRUSR | S_IWUSR);
	int r;

	if (fd < 0)
		return fd;
	strbuf_string(&text, "/proc/thread-self/fd/");
	strbuf_number(&text, (uint64_t)fd);
	r = fill_and_link(o, fd, by, AT_SYMLINK_FOLLOW);
	sys_close(sys, fd);
	return r;
}

/* For file systems without O_TMPFILE, or without a /proc. */
static int
make_named(struct opening *o)
{
	const struct sys_ops *sys = o->pool.sys;
	char by[96];
	struct strbuf text = strbuf_in(by, sizeof(by));
	int fd, r;

	strbuf_string(&text, o->name);
	strbuf_string(&text, ".new-");
	strbuf_number(&text, (uint64_t)sys_getpid(sys));
	strbuf_char(&text, '-');
	strbuf_number(&text, sys_clock(sys, CLOCK_MONOTONIC));
	fd = sys_openat(sys, o->fd, by,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			S_IRUSR | S_IWUSR);
	if (fd < 0)
		return fd;
	r = fill_and_link(o, fd, by, 0);
	sys_unlink(sys, o->fd, by);
	sys_close(sys, fd);
	return r;
}

static int
make_there(struct opening *o)
{
	int r = make_nameless(o);

	if (r == -EOPNOTSUPP || r == -EISDIR || r == -EINVAL || r == -ENOENT)
		r = make_named(o);
	return r;
}

/* Opens the file, or makes it. -EAGAIN: another process made or removed it. */
static int
open_or_make(struct opening *o)
{
	const struct sys_ops *sys = o->pool.sys;
	int r = open_directory(o);

	if (r < 0)
		return r;
	low_fds_take(sys, o->fd, &o->low);
	r = open_there(o);
	if (r == -ENOENT)
		r = make_there(o);
	low_fds_give_back(sys, &o->low);
	sys_close(sys, o->fd);
	return r == -EEXIST ? -EAGAIN : r;
}

/* Under the fork block: a child must not inherit the descriptors. */
static int
open_held(struct opening *o)
{
	_Atomic uint32_t *word = o->pool.forks->word();
	struct fork_block_hold hold;
	int r;

	fork_block_hold(o->pool.sys, word, FORK_BLOCK_HOLD_NS, &hold);
	r = open_or_make(o);
	fork_block_release(o->pool.sys, word, &hold);
	return r;
}

/*
 * Repairs a pool of another boot: its binders and writers are dead, wherever
 * they were. Its runtime slots are dead as well, because their leases are gone.
 */
static void
renew(struct pool *pool, const uint64_t boot[2])
{
	struct pool_header *header = &pool->file->header;

	for (uint32_t s = 0; s < SEGMENT_COUNT; s++)
		for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
			atomic_store(&pool->file->segment[s].word[i].owner, 0);
	slot_rebuild(pool->file);
	header->boot[0] = boot[0];
	header->boot[1] = boot[1];
}

static bool
same_boot(const struct pool *pool, const uint64_t boot[2])
{
	const struct pool_header *header = &pool->file->header;

	return header->boot[0] == boot[0] && header->boot[1] == boot[1];
}

/* A boot id that cannot be read counts as the same boot. */
static void
renew_after_boot(struct pool *pool)
{
	struct pool_lock lock;
	uint64_t boot[2];
	int r;

	if (!pool_whole(pool) || pool->file->header.in_memory)
		return;
	r = sys_boot_id(pool->sys, boot);
	if (r < 0 || same_boot(pool, boot) ||
	    pool_enter(pool, POOL_BRIEF, &lock) < 0)
		return;
	if (!same_boot(pool, boot))
		renew(pool, boot);
	pool_leave(pool, &lock);
}

int
pool_open(const struct sys_ops *sys, const char *directory, bool own,
	  const struct pool_filling *filling, uint64_t netns,
	  const struct fork_block *forks, struct pool *ret_pool)
{
	struct opening o = {
		.pool = {.sys = sys, .forks = forks},
		.path = directory,
		.filling = filling,
		.own = own,
		.user = sys_geteuid(sys),
	};
	struct strbuf path = strbuf_in(o.pool.path, sizeof(o.pool.path));
	int r;

	strbuf_string(&path, directory);
	strbuf_char(&path, '/');
	o.name = o.pool.path + path.length;
	strbuf_string(&path, "pool-");
	strbuf_number(&path, netns);
	if (!strbuf_ok(&path))
		return -ENETDOWN;
	r = open_held(&o);
	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		if (i > 0)
			sys_nanosleep(sys, NAP_NS);
		r = open_held(&o);
	}
	if (own && (r == -EPERM || r == -ENOENT))
		return r;
	if (r < 0)
		return pool_unusable(r);
	*ret_pool = o.pool;
	renew_after_boot(ret_pool);
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
