/* SPDX-License-Identifier: MIT */
/*
 * A kernel whose /proc/locks a test can change between any two reads.
 *
 * As in fs/locks.c and fs/seq_file.c of Linux 6.18: each CPU has a list, new
 * locks go to the front of one, and a reader walks all lists by position. A
 * read() hands out what the last one left over, then whole records from one
 * moment until the next one would overflow the buffer, which grows only for a
 * first record that does not fit. A record is a lock with all who wait for it.
 */
#ifndef PORTRES_TESTS_LOCKS_SIM_H
#define PORTRES_TESTS_LOCKS_SIM_H

#include <linux/magic.h>
#include <sys/sysmacros.h>

#include "core/kernel/sys.h"
#include "tests/check.h"

#define SIM_CPUS 4
#define SIM_FD 1000000 /* descriptors of the list: this one and the next */
#define SIM_FDS 3
#define SIM_INODE 4026532000u /* of the list itself */

struct sim_lock {
	uint64_t start;
	bool stays; /* throughout the test */
	bool posix; /* not an OFD lock */
	bool own;   /* on the list itself */
	bool loops; /* of the process that takes a row and drops it */
	uint8_t waiters;
};

struct sim_cpu {
	struct sim_lock *lock; /* from the oldest to the newest */
	size_t n, room;
};

struct sim_reader {
	bool open;
	uint64_t own; /* start of its lock, or 0 */
	size_t index, from, count, size;
	size_t at; /* the place that all this belongs to */
	char *buffer;
};

struct sim {
	struct sys_ops ops;
	struct sim_cpu cpu[SIM_CPUS];
	struct sim_reader reader[SIM_FDS];
	void (*between)(struct sim *sim);   /* before each read */
	void (*meanwhile)(struct sim *sim); /* while a reader sleeps */
	void *context;
	uint64_t reads, seeks, locks;
	uint64_t last; /* start that was given out */
	uint64_t own;  /* the start that a reading chose last */
	long file_system;
	bool hides_own;
};

/* A lock of a CPU's list; new ones stand in front. */
static inline struct sim_lock *
sim_lock_at(const struct sim *sim, size_t cpu, size_t at)
{
	return &sim->cpu[cpu].lock[sim->cpu[cpu].n - 1 - at];
}

static inline void
sim_add(struct sim *sim, size_t cpu, struct sim_lock lock)
{
	struct sim_cpu *list = &sim->cpu[cpu];

	if (list->n == list->room) {
		list->room = 2 * list->room + 64;
		list->lock = realloc(list->lock, list->room * sizeof(lock));
		cr_assert_not_null(list->lock);
	}
	list->lock[list->n++] = lock;
}

static inline struct sim_lock
sim_remove(struct sim *sim, size_t cpu, size_t at)
{
	struct sim_lock *gone = sim_lock_at(sim, cpu, at);
	struct sim_lock lock = *gone;

	memmove(gone, gone + 1, at * sizeof(lock));
	sim->cpu[cpu].n--;
	return lock;
}

/* The lock at a position of the whole list, or NULL. */
static inline const struct sim_lock *
sim_at(const struct sim *sim, size_t index)
{
	for (size_t cpu = 0; cpu < SIM_CPUS; cpu++) {
		if (index < sim->cpu[cpu].n)
			return sim_lock_at(sim, cpu, index);
		index -= sim->cpu[cpu].n;
	}
	return NULL;
}

static inline uint32_t
sim_inode(const struct sim_lock *lock)
{
	return lock->own ? SIM_INODE : (uint32_t)(lock->start % 99991);
}

static const char *sim_own_device = "15";

/* The record as text; the room must be enough for 255 waiters. */
#define SIM_RECORD (256 * 320)

static inline size_t
sim_show(const struct sim_lock *lock, size_t index, char *to)
{
	size_t n = 0;

	for (int level = 0; level <= lock->waiters; level++)
		n += (size_t)sprintf(
			to + n, "%zu: %*s%s ADVISORY  %s %d 00:%s:%u %lu %lu\n",
			index + 1, level ? level + 2 : 0, level ? "-> " : "",
			lock->posix ? "POSIX " : "OFDLCK",
			level ? "WRITE" : "READ",
			lock->posix ? (int)(lock->start % 30000) + level : -1,
			lock->own ? sim_own_device : "09", sim_inode(lock),
			lock->start, lock->start);
	return n;
}

static inline size_t
sim_digits(uint64_t n)
{
	size_t digits = 1;

	while (n >= 10) {
		n /= 10;
		digits++;
	}
	return digits;
}

/* As long as sim_show()'s text, which takes much longer to write. */
static inline size_t
sim_length(const struct sim_lock *lock, size_t index)
{
	static char record[SIM_RECORD];

	if (lock->waiters || lock->posix)
		return sim_show(lock, index, record);
	return sim_digits(index + 1) +
	       strlen(": OFDLCK ADVISORY  READ -1 00:") + strlen("09:") +
	       sim_digits(sim_inode(lock)) + 2 * (1 + sim_digits(lock->start)) +
	       1;
}

/* Fills the empty buffer from one moment: until `wanted` bytes or no room. */
static inline void
sim_fill(struct sim *sim, struct sim_reader *reader, size_t wanted)
{
	static char record[SIM_RECORD];
	const struct sim_lock *lock;

	reader->from = reader->count = 0;
	while ((lock = sim_at(sim, reader->index))) {
		size_t n = sim_show(lock, reader->index, record);

		if (reader->count && reader->count >= wanted)
			return;
		while (reader->count == 0 && n >= reader->size)
			reader->size *= 2;
		if (reader->count + n >= reader->size)
			return;
		reader->buffer = realloc(reader->buffer, reader->size);
		memcpy(reader->buffer + reader->count, record, n);
		reader->count += n;
		reader->index++;
	}
}

/* Walks to an offset of the list as it is now; ends inside a record. */
static inline void
sim_seek(struct sim *sim, struct sim_reader *reader, size_t offset)
{
	const struct sim_lock *lock;
	size_t at = 0, n;

	sim->seeks += offset > 0;
	reader->index = reader->from = reader->count = 0;
	reader->at = offset;
	for (; at < offset && (lock = sim_at(sim, reader->index)); at += n) {
		n = sim_length(lock, reader->index);
		while (n >= reader->size)
			reader->size *= 2;
		if (at + n > offset) {
			sim_fill(sim, reader, 1);
			reader->from = offset - at;
			reader->count -= reader->from;
			return;
		}
		reader->index++;
	}
}

static inline size_t
sim_take(struct sim_reader *reader, char *to, size_t n)
{
	if (n > reader->count)
		n = reader->count;
	if (n == 0)
		return 0;
	memcpy(to, reader->buffer + reader->from, n);
	reader->from += n;
	reader->count -= n;
	reader->at += n;
	return n;
}

/* The rest of what was shown before comes from then, also after a walk. */
static inline long
sim_read(struct sim *sim, struct sim_reader *reader, const long arg[6])
{
	char *to = (char *)arg[1];
	size_t n = (size_t)arg[2], offset = (size_t)arg[3], got;

	cr_assert(reader->open);
	sim->reads++;
	if (sim->between)
		sim->between(sim);
	if (offset == 0 || offset != reader->at) {
		sim_seek(sim, reader, offset);
		if (sim->between && offset > 0)
			sim->between(sim);
	}
	got = sim_take(reader, to, n);
	if (reader->count)
		return (long)got;
	sim_fill(sim, reader, n - got);
	return (long)(got + sim_take(reader, to + got, n - got));
}

static inline long
sim_lock_list(struct sim *sim, struct sim_reader *reader, const long arg[6])
{
	const struct flock *wanted = (const struct flock *)arg[2];

	cr_assert(reader->open && reader->own == 0);
	cr_assert_eq(arg[1], F_OFD_SETLK);
	cr_assert_eq(wanted->l_len, 1);
	sim->locks++;
	if (sim->hides_own)
		return 0;
	reader->own = sim->own = (uint64_t)wanted->l_start;
	sim_add(sim, reader->own / 2 % SIM_CPUS,
		(struct sim_lock){.start = reader->own, .own = true});
	return 0;
}

static inline long
sim_close(struct sim *sim, struct sim_reader *reader)
{
	size_t cpu = reader->own / 2 % SIM_CPUS;

	cr_assert(reader->open);
	reader->open = false;
	free(reader->buffer);
	for (size_t i = 0; i < sim->cpu[cpu].n && reader->own; i++) {
		const struct sim_lock *lock = sim_lock_at(sim, cpu, i);

		if (lock->own && lock->start == reader->own) {
			sim_remove(sim, cpu, i);
			return 0;
		}
	}
	cr_assert_eq(reader->own, 0, "its lock has vanished");
	return 0;
}

static inline long
sim_open(struct sim *sim, const char *path)
{
	struct sim_reader *reader = sim->reader;

	cr_assert_str_eq(path, "/proc/locks");
	while (reader->open)
		reader++;
	cr_assert_lt(reader - sim->reader, SIM_FDS);
	*reader = (struct sim_reader){.open = true, .size = 4096};
	return SIM_FD + (reader - sim->reader);
}

static inline long
sim_call(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct sim *sim = (struct sim *)(void *)sys;
	struct sim_reader *reader = sim->reader;

	if (arg[0] >= SIM_FD && arg[0] < SIM_FD + SIM_FDS)
		reader = &sim->reader[arg[0] - SIM_FD];

	switch (nr) {
	case SYS_openat:
		return sim_open(sim, (const char *)arg[1]);
	case SYS_fstatfs:
		((struct statfs *)arg[1])->f_type = sim->file_system;
		return 0;
	case SYS_fstat:
		*(struct stat *)arg[1] = (struct stat){
			.st_dev = makedev(0, 0x15), .st_ino = SIM_INODE};
		return 0;
	case SYS_fcntl:
		return sim_lock_list(sim, reader, arg);
	case SYS_pread64:
		return sim_read(sim, reader, arg);
	case SYS_close:
		return sim_close(sim, reader);
	case SYS_nanosleep:
		if (sim->meanwhile)
			sim->meanwhile(sim);
		else if (sim->between)
			sim->between(sim);
		return 0;
	case SYS_gettid:
		return 1;
	case SYS_clock_gettime:
		*(struct timespec *)arg[1] =
			(struct timespec){.tv_nsec = (long)sim->reads};
		return 0;
	case SYS_mmap: /* a reader may remember what it has seen */
	case SYS_munmap:
		return sys_kernel.call(&sys_kernel, nr, arg);
	default:
		return -ENOSYS;
	}
}

static inline struct sim *
sim_new(void)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	sim->ops.call = sim_call;
	sim->last = 1800000000000000000u;
	sim->file_system = PROC_SUPER_MAGIC;
	return sim;
}

static inline void
sim_end(struct sim *sim)
{
	for (int i = 0; i < SIM_FDS; i++)
		cr_assert_not(sim->reader[i].open);
	for (size_t cpu = 0; cpu < SIM_CPUS; cpu++)
		free(sim->cpu[cpu].lock);
	free(sim);
}

#endif
