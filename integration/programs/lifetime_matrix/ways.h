/* SPDX-License-Identifier: MIT */
#ifndef LIFETIME_WAYS_H
#define LIFETIME_WAYS_H
/*
 * The ways of matrix.c to duplicate a socket and to close it, and how it talks
 * with the test.
 */
#include <stdint.h>

#define ORIGINAL 100 /* above all copies, for closefrom() */
#define SPAWN_COPY 90

extern struct row {
	const char *where, *dup, *close;
	int start, count;
	uint64_t token;
} row;

/* A duplicate of the socket. */
struct copy {
	int fd;	     /* -1 when there is none, or it is a message */
	int pair[2]; /* the message's socket pair, or -1 */
};

#define MUST(expression)                                                       \
	do {                                                                   \
		if ((expression) < 0)                                          \
			fail(#expression);                                     \
	} while (0)

void fail(const char *what) __attribute__((noreturn));
/* Tells the test and waits for its go. */
void step(const char *word);
void end(void) __attribute__((noreturn));
/* An association with the block is answered so: 0, EACCES, EINVAL. */
void expect_owner(int error);
/* The owning socket, at a high number. */
int take(int flags);
struct copy duplicate(int fd);
void close_by(int fd);
/* The last act of the one that has the duplicate. */
void end_copy(struct copy copy);
/* Duplicates, closes the original, closes the duplicate. */
void hold(int fd);
/* All of that without a word: another's copy is the last. */
void vanish(int fd);

#endif
