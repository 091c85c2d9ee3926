/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The contents of the guard's maps, as its programs and the command `portres
 * guard` see them. A guard that is renewed keeps its maps; so another layout of
 * these gets another GUARD_LAYOUT.
 */
#ifndef PORTRES_GUARD_STATE_H
#define PORTRES_GUARD_STATE_H

#include <stdint.h>

#define GUARD_LAYOUT 4
/* Programs of this one can be put on it: index 0 is there that of the network
 * namespace with cookie 1. */
#define GUARD_LAYOUT_BEFORE 3

#define GUARD_BLOCKS 8192   /* as many as a pool has slots; a power of two */
#define GUARD_NAMESPACES 32 /* that have blocks at the same time */
#define GUARD_SEGMENT_PORTS 512
#define GUARD_SEGMENTS (65536 / GUARD_SEGMENT_PORTS)
#define GUARD_USERS 16384
#define GUARD_HEIRS 16 /* numbers at which heirs have co-owners */

/* How much one user may have, but for root: with the quota of ports. A port
 * that the system chooses counts as some, because binds to port 0 fail by it.
 */
#define GUARD_USER_BLOCKS 256
#define GUARD_USER_NAMESPACES 8
#define GUARD_EPHEMERAL 64
/* How much is left to root by all. */
#define GUARD_ROOTS_BLOCKS 512
#define GUARD_ROOTS_NAMESPACES 7

/* Pays for root's: not counted. */
#define GUARD_NOBODY ((uint32_t)-1)

/* Written by `guard on`, and by no program. */
struct guard_config {
	uint32_t layout;    /* first of all, in every layout */
	uint32_t quota;	    /* ports of one user; root has none */
	uint64_t number;    /* of this guard: 33 bits, never 0 */
	uint64_t build;	    /* of the programs: which ones are attached */
	uint32_t store_uid; /* the right to the machine's store */
	uint32_t store_gid;
	uint64_t store_namespace; /* where that store's blocks are: of `on` */
	uint64_t ending;	  /* 1: refuses nobody, and is being detached */
	uint64_t area[65536 / 64]; /* ports that `on` took from the system */
	char cgroup[512];	   /* its path then */
};

struct guard_counters {
	uint64_t blocks;   /* that live: 0 lets every bind pass at once */
	uint64_t refused;  /* binds */
	uint64_t instance; /* of the last block */
	uint64_t hint;	   /* where to look for a free block */
};

enum guard_state { GUARD_TRIAL, GUARD_LIVE, GUARD_KEPT };

struct guard_block {
	uint64_t instance; /* 0: free. Never used twice, unlike a token */
	uint64_t living;   /* the instance, or 0: not yet, or no longer */
	uint64_t token;
	uint64_t owner;	    /* the socket's address, which it alone has */
	uint64_t namespace; /* cookie */
	uint64_t began;	    /* TRIAL: when the trier did */
	uint32_t trier;	    /* TRIAL: the process whose binds are let in */
	uint32_t state;
	int32_t heir;  /* the descriptor at which heirs have the owner; -1 */
	uint32_t next; /* of the same socket: index + 1, or 0 */
	uint32_t uid;
	uint32_t gid;	/* KEPT: with uid, the right to the store */
	uint16_t start; /* host byte order */
	uint16_t count;
	uint16_t udp;
	uint16_t space;	 /* the namespace's index */
	uint32_t payer;	 /* the user whose quota it is of; GUARD_NOBODY */
	uint32_t charge; /* ports of his quota */
	/* KEPT: (a descriptor at which heirs have co-owners + 1) << 32 | how
	 * many co-owners have named it. */
	uint64_t heirs[GUARD_HEIRS];
};

/* Each socket has one, if it owns, joined or is associated. */
struct guard_socket {
	uint64_t associated; /* an instance */
	uint64_t joined;     /* likewise */
	uint32_t owned;	     /* the first of its blocks: index + 1 */
	uint32_t joined_at;  /* index + 1 */
	int32_t heir;	     /* the descriptor that it joined with */
	uint32_t unused;
};

struct guard_segment {
	uint32_t mark[GUARD_SEGMENT_PORTS]; /* a block's index + 1 */
};

#endif
