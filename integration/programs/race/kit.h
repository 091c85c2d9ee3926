/* SPDX-License-Identifier: MIT */
#ifndef RACE_KIT_H
#define RACE_KIT_H
/*
 * Shared by the programs of races. The members of a race, processes or
 * threads, say in a shared page which ports they believe to hold: written after
 * the call that took a port, taken back before the call that gives it up, so a
 * belief is never more than the truth. A member that has just written one looks
 * at all others'; of two that meet, one at least sees the other.
 */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "portres.h"

#define MEMBERS 8
#define WINDOW 64 /* ports, a bit each */

struct member {
	/* Odd while it is being killed: its belief may then be out of date. */
	_Atomic uint32_t life;
	_Atomic uint64_t reserved[2], bound[2]; /* by protocol: TCP, UDP */
	_Atomic uint64_t done[16];		/* what, the program knows */
	uint64_t seed;
};

struct page {
	struct member member[MEMBERS];
	atomic_bool over;
	atomic_int wrong;
};

extern struct page *page;
extern int first; /* port of the window */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Says so, and ends the race. */
void wrong(const char *what, ...) __attribute__((format(printf, 1, 2)));
uint64_t now(void);
/* For moments of chance, and the length of the race; never to wait for one. */
void pass(uint64_t ns);
unsigned dice(struct member *me, unsigned below);
int open_socket(int family, int protocol);
void set_reuse(int fd);
/* The loopback's or the wildcard address; an AF_INET one has 16 bytes. */
union address address_of(int family, bool loopback, int port);
int bind_to(int fd, int family, bool loopback, int port);
int acquire(int fd, int start, int count, struct portres_instance *ret);
uint64_t mask_of(int port, int count);
void believe_reserved(struct member *me, int protocol, uint64_t mask);
/* `inside`: of a block that the member itself has reserved. */
void believe_bound(struct member *me, int protocol, uint64_t mask, bool inside);
void page_make(void);
/* The process of a member; it does its work until the race is over. */
pid_t member_fork(struct member *me, void (*work)(struct member *));
void member_kill(struct member *member, pid_t pid);

#endif
