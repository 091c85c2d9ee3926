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

#include "core/sys.h"
#include "tests/check.h"

#define SIM_CPUS 4
#define SIM_MAX 6000
#define SIM_FD                                                                 \
	1000000 /* descriptors of the list: this one and the next two          \
		 */
#define SIM_FDS 3

struct sim_lock {
	uint64_t start;
	bool stays; /* throughout the test */
	bool posix; /* not an OFD lock */
	uint8_t waiters;
};

struct sim_reader {
	bool open;
	size_t index, from, count, size;
	char *buffer;
};

struct sim {
	struct sys_ops ops;
	struct sim_lock lock[SIM_CPUS][SIM_MAX];
	size_t n[SIM_CPUS];
	struct sim_reader reader[SIM_FDS];
	void (*between)(struct sim *sim); /* before each read */
	void *context;
	uint64_t reads, ns_a_read;
	uint64_t last; /* start that was given out */
};

static inline void
sim_add(struct sim *sim, size_t cpu, struct sim_lock lock)
{
	cr_assert_lt(sim->n[cpu], SIM_MAX);
	memmove(&sim->lock[cpu][1], &sim->lock[cpu][0],
		sim->n[cpu]++ * sizeof(lock));
	sim->lock[cpu][0] = lock;
}

static inline struct sim_lock
sim_remove(struct sim *sim, size_t cpu, size_t at)
{
	struct sim_lock lock = sim->lock[cpu][at];

	sim->n[cpu]--;
	memmove(&sim->lock[cpu][at], &sim->lock[cpu][at + 1],
		(sim->n[cpu] - at) * sizeof(lock));
	return lock;
}

/* The lock at a position of the whole list, or NULL. */
static inline const struct sim_lock *
sim_at(const struct sim *sim, size_t index)
{
	for (size_t cpu = 0; cpu < SIM_CPUS; cpu++) {
		if (index < sim->n[cpu])
			return &sim->lock[cpu][index];
		index -= sim->n[cpu];
	}
	return NULL;
}

static inline uint32_t
sim_inode(const struct sim_lock *lock)
{
	return (uint32_t)(lock->start % 99991);
}

/* The record as text; the room must be enough for 255 waiters. */
#define SIM_RECORD (256 * 320)

static inline size_t
sim_show(const struct sim_lock *lock, size_t index, char *to)
{
	size_t n = 0;

	for (int level = 0; level <= lock->waiters; level++)
		n += (size_t)sprintf(
			to + n, "%zu: %*s%s ADVISORY  %s %d 00:09:%u %lu %lu\n",
			index + 1, level ? level + 2 : 0, level ? "-> " : "",
			lock->posix ? "POSIX " : "OFDLCK",
			level ? "WRITE" : "READ",
			lock->posix ? (int)(lock->start % 30000) + level : -1,
			sim_inode(lock), lock->start, lock->start);
	return n;
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
	reader->index = reader->from = reader->count = 0;
	while (offset > 0 && sim_at(sim, reader->index)) {
		sim_fill(sim, reader, 1);
		reader->from = offset < reader->count ? offset : reader->count;
		reader->count -= reader->from;
		offset -= reader->from;
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
	return n;
}

static inline long
sim_read(struct sim *sim, struct sim_reader *reader, char *to, size_t n)
{
	size_t got = sim_take(reader, to, n);

	sim->reads++;
	if (reader->count)
		return (long)got;
	sim_fill(sim, reader, n - got);
	return (long)(got + sim_take(reader, to + got, n - got));
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
		cr_assert_str_eq((const char *)arg[1], "/proc/locks");
		while (reader->open)
			reader++;
		cr_assert_lt(reader - sim->reader, SIM_FDS);
		*reader = (struct sim_reader){.open = true, .size = 4096};
		return SIM_FD + (reader - sim->reader);
	case SYS_read:
		cr_assert(reader->open);
		if (sim->between)
			sim->between(sim);
		return sim_read(sim, reader, (char *)arg[1], (size_t)arg[2]);
	case SYS_pread64:
		cr_assert(reader->open);
		if (sim->between)
			sim->between(sim);
		sim_seek(sim, reader, (size_t)arg[3]);
		return sim_read(sim, reader, (char *)arg[1], (size_t)arg[2]);
	case SYS_close:
		cr_assert(reader->open);
		reader->open = false;
		free(reader->buffer);
		return 0;
	case SYS_clock_gettime: /* so long does a read take */
		*(struct timespec *)arg[1] = (struct timespec){
			.tv_nsec = (long)(sim->reads * sim->ns_a_read)};
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
	return sim;
}

static inline void
sim_end(struct sim *sim)
{
	for (int i = 0; i < SIM_FDS; i++)
		cr_assert_not(sim->reader[i].open);
	free(sim);
}

#endif
