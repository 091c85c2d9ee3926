/* SPDX-License-Identifier: MIT */
/*
 * The pool file, and the protocol of those who share it.
 *
 * One file per network namespace holds what has been reserved there: a table
 * of slots (one per reservation) and, for each port, a mark that names the
 * slot which covers it. Everybody maps the whole file; nobody trusts it.
 *
 * MAKING. A file is filled before it has its name, and is then linked into
 * place. So a file that is there is complete, and mapping it takes no lock: a
 * process that is stopped inside keeps no other from starting.
 *
 * WRITERS. Slots, marks and the header change only under flock(LOCK_EX) on
 * the file, on a descriptor opened for the purpose, with signals blocked. It
 * is never the descriptor that was mapped, because a mapping keeps its open
 * file, and so the lock, beyond the close. A
 * writer sets `dirty`, writes, and clears `dirty`. Who takes the lock and
 * finds `dirty` set knows that a writer died inside and puts the marks right
 * from the slots before doing anything else (slot_rebuild). The order of
 * writing makes that enough:
 *
 *     acquire   marks; wait for announcements; trial binds; slot.state = LIVE
 *     release   slot.state = FREE; marks = 0
 *
 * so at every instant each port of a live slot is marked, and a mark without
 * its live slot is waste that the rebuild drops. A rebuild never clears the
 * mark of a live slot, not even for a moment: binders read without the lock.
 *
 * ALIVE. SLOT_LIVE means that the block was reserved. It still is only while
 * some process has the owning socket open, and only the kernel knows that: see
 * lease.h. One reading of the kernel's list judges all slots, outside of the
 * lock: a dead one's token is marked ended, by compare-and-swap, and the next
 * writer who meets the slot frees it.
 *
 * BINDERS do not take the lock. A binder announces its port in a free word of
 * the port's segment, then reads the mark, then binds, then clears the word.
 * An acquirer marks first, then reads the announcements of its segments and
 * waits until each one that names a port of its range has ended, and only
 * then looks whether the ports are in use. Announcement and mark are each
 * written before the other is read, with a sequentially consistent operation
 * or fence between. So of the two one always sees the other: either the binder
 * finds the mark, or the acquirer waits for the bind and then finds the port
 * in use. A mark whose slot is ended forbids nothing: who takes the slot down
 * and marks the port anew waits for the announcement like any acquirer.
 *
 * A binder that leaves the choice to the system announces port 0, and then
 * reads the count of blocks in the ephemeral range and, unless that is 0, the
 * marks. An acquirer that reaches into the range waits for those as well.
 * announce.h has the rest (binders that die, stop or starve us).
 *
 * Every number read from the file is checked before it is used as an index.
 * All fields have fixed widths; there is no pointer and no libc object here.
 */
#ifndef PORTRES_CORE_POOL_LAYOUT_H
#define PORTRES_CORE_POOL_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/kernel/range.h"

#define POOL_MAGIC 0x0a314c4f4f505250u /* "PRPOOL1\n" */
#define POOL_LAYOUT 3u

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
	uint32_t slot_hint;	   /* where to look for a free slot */
	_Atomic uint64_t sequence; /* of the last token; see slot_token() */
	uint32_t cursor[PROTOCOL_COUNT]; /* where wildcards go on looking */
	/* Live slots that reach into the ephemeral range; derived as marks are.
	 * While 0, nobody looks twice at a port that the system chooses. */
	_Atomic uint32_t ephemeral[PROTOCOL_COUNT];
	/* That range, as whoever reached into it last saw it: the last port
	 * above the first. 0 = nobody has. */
	_Atomic uint32_t ephemeral_range;
	uint32_t
		in_memory; /* 1: its file system does not outlive the machine */
	uint64_t device;   /* where it was made (st_dev): a local file system */
	uint64_t boot[2];  /* of the kernel that wrote it last; see boot.h */
	/* Changes of the marks in the ephemeral range: what was found of them
	 * holds for as long as this is the same. */
	_Atomic uint32_t generation;
	uint32_t unused;
};

struct slot {
	_Atomic uint32_t state;
	uint8_t protocol;
	uint8_t kind;
	uint16_t start; /* host order */
	uint16_t count;
	uint16_t ephemeral; /* 1: reaches into the ephemeral range */
	uint32_t pid;	    /* of the acquirer; where to look first, no proof */
	int32_t fd;	    /* the owning socket's number there, likewise */
	uint32_t inode;	    /* of the owning socket, whose lease it is */
	_Atomic uint64_t token;
	uint64_t cookie;  /* of the owning socket (SO_COOKIE) */
	uint32_t since;	  /* CLOCK_REALTIME, seconds */
	uint32_t device;  /* of the owning socket, as its inode */
	char command[16]; /* for humans; not always terminated */
};

/* One binder at work. Owner is a futex word: see announce.h. */
struct announcement {
	_Atomic uint32_t owner; /* thread id, 0 when free */
	_Atomic uint32_t what;	/* port, and a sequence number above it */
};

/*
 * 512 ports with their marks and their binders, in one 4 KiB page, so that a
 * bind touches one page and one look tells whether that page is still there.
 */
struct segment {
	/* Slot number + 1; 0 = not reserved. */
	_Atomic uint16_t mark[PROTOCOL_COUNT][SEGMENT_PORTS];
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
LAYOUT_AT(slot, state, 0);
LAYOUT_AT(slot, protocol, 4);
LAYOUT_AT(slot, kind, 5);
LAYOUT_AT(slot, start, 6);
LAYOUT_AT(slot, count, 8);
LAYOUT_AT(slot, pid, 12);
LAYOUT_AT(slot, fd, 16);
LAYOUT_AT(slot, ephemeral, 10);
LAYOUT_AT(slot, inode, 20);
LAYOUT_AT(slot, token, 24);
LAYOUT_AT(slot, cookie, 32);
LAYOUT_AT(slot, since, 40);
LAYOUT_AT(slot, device, 44);
LAYOUT_AT(slot, command, 48);
LAYOUT_AT(segment, word, 2056);
LAYOUT_AT(pool_file, slot, 4096);
LAYOUT_AT(pool_file, segment, 4096 + 64 * SLOT_COUNT);
_Static_assert(sizeof(struct pool_header) == 96, "header");
_Static_assert(sizeof(struct slot) == 64, "slot");
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
