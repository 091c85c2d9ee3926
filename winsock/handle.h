/* SPDX-License-Identifier: MIT */
/*
 * Handles: of events, mutexes and semaphores, of threads, and of completion
 * ports. A program may hand us any number, so a handle is a place in a table
 * together with how often that place was given out, and is compared, never
 * followed.
 *
 * All of it is called inside the monitor.
 */
#ifndef PORTRES_WINSOCK_HANDLE_H
#define PORTRES_WINSOCK_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "windows.h"

struct thread;

struct port;

enum handle_kind {
	HANDLE_NONE,
	HANDLE_EVENT,
	HANDLE_THREAD,
	HANDLE_MUTEX,
	HANDLE_SEMAPHORE,
	HANDLE_PORT,
};

/* Stays where it is in memory, given out or not. */
struct handle {
	uint32_t uses; /* how often this place was given out */
	uint32_t place;
	enum handle_kind kind;
	bool manual; /* an event that stays set until it is reset */
	bool set;
	bool abandoned;	       /* a mutex whose owner has ended */
	uint32_t count;	       /* a mutex's: how often it is owned */
	uint32_t limit;	       /* of a semaphore's count */
	struct thread *thread; /* a reference, of a thread; a mutex's owner */
	struct port *port;     /* a reference */
	struct handle *next;   /* in the owner's list; free: in that of those */
};

/* A new one, all zero but its kind; NULL when the table is full. */
HANDLE handle_open(enum handle_kind kind, struct handle **ret);

/* NULL when it is no handle, was closed, or is of another kind. */
struct handle *handle_find(HANDLE handle, enum handle_kind kind);
/* Any kind, else as that. */
struct handle *handle_find_any(HANDLE handle);

/* The owner of what is behind it has let that go. */
void handle_close(struct handle *handle);

/* Sets the event, if it is one. */
void handle_signal(HANDLE handle);

#endif
