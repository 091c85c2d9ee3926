/* SPDX-License-Identifier: MIT */
/*
 * The pool file, and the protocol of the processes that share it.
 *
 * One file per network namespace holds what has been reserved there: a table of
 * slots (one per reservation) and, for each port, a mark that names the slot
 * which covers it. Each process maps the whole file, and none trusts it.
 *
 * MAKING. A file is filled before it has its name, and is then linked into
 * place. So a file with that name is complete, and mapping it takes no lock: a
 * process that is stopped while it has the lock keeps no other from starting.
 *
 * WRITERS. Slots (but for TOKEN_DEAD, below), marks and the header change only
 * under flock(LOCK_EX) on the file, on a descriptor opened for the purpose,
 * with signals blocked. The mapping has another open file: a mapping keeps its
 * own, and so a lock on it, beyond the close. A writer sets `dirty`, writes,
 * and clears `dirty`. A process that takes the lock and finds `dirty` set knows
 * that a writer died, and derives the marks from the slots before it does
 * anything else (slot_rebuild). The order of the writes makes that enough:
 *
 *     acquire   marks; the guard's marks, where there is one; wait for
 *               announcements; look which ports are in use; slot.state = LIVE
 *     release   slot.state = FREE; marks = 0
 *
 * At every instant each port of a live slot is marked; the rebuild clears marks
 * without a live slot. It never clears the mark of a live slot, not even for a
 * moment: binders read without the lock.
 *
 * ALIVE. SLOT_LIVE means that the block *was* reserved. It still is only while
 * some process has the owning socket open; only the kernel knows that
 * (lease.h). One reading of the kernel's list of locks checks all slots,
 * without the lock. It marks a dead slot in its token (TOKEN_DEAD), by
 * compare-and-swap, and the next writer that meets the slot frees it. The slot
 * of a persistent block lives until a writer frees it.
 *
 * BINDERS do not take the lock. A binder announces its port in a free word of
 * the port's segment, then reads the mark, then binds, then clears the word. A
 * word whose owner has died is free (announce.h). An acquirer marks its range
 * first, then waits until each announcement of a port of the range has ended,
 * and only then probes whether the ports are in use. Announcement and mark are
 * each written before the other is read, with a sequentially consistent
 * operation or fence between. So one of the two always sees the other: either
 * the binder finds the mark, or the acquirer waits for the bind and then finds
 * the port in use. The mark of a dead slot forbids nothing: an acquirer that
 * frees the slot and marks the port anew waits for the announcement like any
 * other.
 *
 * A binder whose port the kernel picks (autobind) announces port 0, then reads
 * the counts of blocks in the ephemeral range and, unless both are 0, the
 * marks. An acquirer that reaches into that range counts its block before it
 * marks it, and waits for the announcements of port 0 as well. A connect(),
 * which may wait for its peer, is not announced (docs/limits.md), and a send is
 * only while a count is not 0. A binder may die, stop, or come too late to find
 * a free word: see announce.h.
 *
 * Every number read from the file is checked before it is used as an index. All
 * fields have fixed widths; there is no pointer and no libc object here.
 */
#ifndef PORTRES_CORE_POOL_LAYOUT_H
#define PORTRES_CORE_POOL_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/kernel/port_probe.h"
#include "core/kernel/range.h"
#include "core/pool/lock.h"

#define POOL_MAGIC 0x0a314c4f4f505250u /* "PRPOOL1\n" */
#define POOL_LAYOUT 5u

#define SLOT_BITS 13
#define SLOT_COUNT (1u << SLOT_BITS)
#define SLOT_NONE SLOT_COUNT

#define SEGMENT_PORTS 512u
#define SEGMENT_COUNT (PORT_COUNT / SEGMENT_PORTS)
#define SEGMENT_WORDS 255u

enum slot_state { SLOT_FREE, SLOT_LIVE };

enum reservation_kind { KIND_RUNTIME, KIND_PERSISTENT };

struct pool_header {
	_Atomic uint64_t magic;
	uint32_t layout;
	uint32_t size; /* of the file, bytes */
	uint32_t slot_size;
	uint32_t segment_size;
	_Atomic uint32_t dirty;
	uint32_t slot_hint;		 /* where to look for a free slot */
	_Atomic uint64_t sequence;	 /* of the last token; see slot.h */
	uint32_t cursor[PROTOCOL_COUNT]; /* where wildcards go on looking */
	/* Slots that reach into the ephemeral range; derived as marks are.
	 * While both are 0, autobind is the kernel's alone. */
	_Atomic uint32_t ephemeral[PROTOCOL_COUNT];
	/* That range, as the last acquirer that reached into it read it: the
	 * last port above the first. 0 = none has. */
	_Atomic uint32_t ephemeral_range;
	uint32_t
		in_memory; /* 1: its file system does not outlive the machine */
	uint64_t device;   /* where it was made (st_dev): a local file system */
	uint64_t boot[2];  /* of the kernel that wrote it last; sys_boot_id() */
	/* Counts changes of the marks in the ephemeral range: clear ranges stay
	 * the same while it does. */
	_Atomic uint32_t generation;
	uint32_t unused;
	struct port_cost cost[PROTOCOL_COUNT]; /* of finding ports in use */
	struct lock_queue queue;
};

struct slot {
	_Atomic uint32_t state;
	uint8_t protocol;
	uint8_t kind;
	uint16_t start; /* host order */
	uint16_t count;
	uint8_t ephemeral; /* 1: reaches into the ephemeral range */
	uint8_t heirs;	   /* 1: the guard is to let in who has `fd` too */
	uint32_t pid;	   /* of the acquirer; where to look first, no proof */
	int32_t fd;	   /* the owning socket's number there, likewise */
	uint32_t inode;	   /* of the owning socket, whose lease it is */
	_Atomic uint64_t token;
	uint64_t cookie;	/* of the owning socket (SO_COOKIE) */
	uint32_t since;		/* CLOCK_REALTIME, seconds */
	uint32_t device;	/* of the owning socket, as its inode */
	char command[16];	/* for humans; not always terminated */
	_Atomic uint64_t guard; /* that has it too: its number, or 0; guard.h */
};

/* One binder at work. Owner is a futex word: see announce.h. */
struct announcement {
	_Atomic uint32_t owner; /* thread id, 0 when free */
	_Atomic uint32_t what;	/* port, and a sequence number above it */
};

/* 512 ports with their marks and their announcements, in one 4 KiB page, so
 * that a bind touches one page and one read tells whether it is still there. */
struct segment {
	/* Slot number + 1; 0 = not reserved. Four of them are a word. */
	union {
		_Atomic uint16_t mark[PROTOCOL_COUNT][SEGMENT_PORTS];
		_Atomic uint64_t four[PROTOCOL_COUNT][SEGMENT_PORTS / 4];
	};
	uint64_t reserved;
	struct announcement word[SEGMENT_WORDS];
};

struct pool_file {
	struct pool_header header;
	uint8_t reserved[4096 - sizeof(struct pool_header)];
	struct slot slot[SLOT_COUNT];
	struct segment segment[SEGMENT_COUNT];
};

#define LAYOUT_AT(type, member, offset)                                        \
	_Static_assert(offsetof(struct type, member) == (offset),              \
		       #type "." #member)

LAYOUT_AT(pool_header, magic, 0);
LAYOUT_AT(pool_header, layout, 8);
LAYOUT_AT(pool_header, size, 12);
LAYOUT_AT(pool_header, slot_size, 16);
LAYOUT_AT(pool_header, segment_size, 20);
LAYOUT_AT(pool_header, dirty, 24);
LAYOUT_AT(pool_header, slot_hint, 28);
LAYOUT_AT(pool_header, sequence, 32);
LAYOUT_AT(pool_header, cursor, 40);
LAYOUT_AT(pool_header, ephemeral, 48);
LAYOUT_AT(pool_header, ephemeral_range, 56);
LAYOUT_AT(pool_header, in_memory, 60);
LAYOUT_AT(pool_header, device, 64);
LAYOUT_AT(pool_header, boot, 72);
LAYOUT_AT(pool_header, generation, 88);
LAYOUT_AT(pool_header, cost, 96);
LAYOUT_AT(pool_header, queue, 128);
LAYOUT_AT(slot, state, 0);
LAYOUT_AT(slot, protocol, 4);
LAYOUT_AT(slot, kind, 5);
LAYOUT_AT(slot, start, 6);
LAYOUT_AT(slot, count, 8);
LAYOUT_AT(slot, pid, 12);
LAYOUT_AT(slot, fd, 16);
LAYOUT_AT(slot, ephemeral, 10);
LAYOUT_AT(slot, heirs, 11);
LAYOUT_AT(slot, inode, 20);
LAYOUT_AT(slot, token, 24);
LAYOUT_AT(slot, cookie, 32);
LAYOUT_AT(slot, since, 40);
LAYOUT_AT(slot, device, 44);
LAYOUT_AT(slot, command, 48);
LAYOUT_AT(slot, guard, 64);
LAYOUT_AT(segment, word, 2056);
LAYOUT_AT(pool_file, slot, 4096);
LAYOUT_AT(pool_file, segment, 4096 + 72 * SLOT_COUNT);
_Static_assert(sizeof(struct pool_header) == 136, "header");
_Static_assert(sizeof(struct port_cost) == 16, "cost");
_Static_assert(sizeof(struct slot) == 72, "slot");
_Static_assert(sizeof(struct announcement) == 8, "announcement");
_Static_assert(sizeof(struct segment) == 4096, "segment");

static inline struct segment *
segment_of(struct pool_file *file, uint32_t port)
{
	return &file->segment[(port & (PORT_COUNT - 1)) / SEGMENT_PORTS];
}

static inline _Atomic uint16_t *
mark_of(struct pool_file *file, enum protocol protocol, uint32_t port)
{
	return &segment_of(file, port)
			->mark[protocol % PROTOCOL_COUNT][port % SEGMENT_PORTS];
}

#endif
