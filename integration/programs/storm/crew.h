/* SPDX-License-Identifier: MIT */
#ifndef STORM_CREW_H
#define STORM_CREW_H
/*
 * The sockets and blocks of a member of storm.c, and what it says of them in
 * the shared page.
 */
#include "../race/kit.h"

#define ENTRIES 6
#define SERVER (first + 1000)

#define DEEDS(X)                                                               \
	X(acquired)                                                            \
	X(anywhere)                                                            \
	X(associated)                                                          \
	X(inside)                                                              \
	X(named)                                                               \
	X(chosen)                                                              \
	X(connected)                                                           \
	X(released)                                                            \
	X(forked)                                                              \
	X(refused)
#define NAME(name) name,
enum { DEEDS(NAME) DEED_COUNT };
extern const char *const deeds[DEED_COUNT];

struct block {
	uint64_t token, mask; /* 0: none */
};

/* A socket of a member, with the blocks that it owns. */
struct entry {
	int fd, family, protocol, port;
	bool in_use, listening;
	uint64_t associated; /* token */
	struct block block[2];
};

struct crew {
	struct member *me;
	struct entry entry[ENTRIES];
};

struct block *any_block(struct crew *crew, int protocol, uint64_t token);
/* The block that the entry takes its port from, if it is still ours. */
struct block *block_of(struct crew *crew, struct entry *entry);
/* The entry has a port now, by whatever call. */
void settle(struct crew *crew, struct entry *entry, int deed);
void set_up(struct crew *crew, struct entry *entry);
void forget_port(struct crew *crew, struct entry *entry);

/* A member's life: one act after the other, by chance. */
void work(struct member *me);

#endif
