/* SPDX-License-Identifier: MIT */
/*
 * Handles: of events, of threads that routines are sent to, and of completion
 * ports. A program may
 * hand us any number, so a handle is a place in a table together with how
 * often that place was given out, and is compared, never followed.
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

enum handle_kind { HANDLE_NONE, HANDLE_EVENT, HANDLE_THREAD, HANDLE_PORT };

struct handle {
	uint32_t uses; /* how often this place was given out */
	enum handle_kind kind;
	bool manual; /* an event that stays set until it is reset */
	bool set;
	struct thread *thread; /* a reference, of a HANDLE_THREAD */
	struct port *port;     /* so of a HANDLE_PORT */
};

/* A new one, all zero but its kind; NULL when the table is full. */
HANDLE handle_open(enum handle_kind kind, struct handle **ret);

/* NULL when it is no handle, was closed, or is of another kind. */
struct handle *handle_find(HANDLE handle, enum handle_kind kind);

void handle_close(struct handle *handle);

/* Sets the event, if it is one. */
void handle_signal(HANDLE handle);

#endif
