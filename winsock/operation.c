/* SPDX-License-Identifier: MIT */
#include "winsock/operation.h"

#include <stddef.h>
#include <stdlib.h>

#include "shim/usermem.h"
#include "winsock/handle.h"
#include "winsock/monitor.h"

#define EVENT_MARK 1 /* "no completion packet", in the event's number */

int
operation_store(const struct overlapped_party *party, int status, DWORD bytes)
{
	ULONG_PTR both[2] = {(ULONG_PTR)status, bytes};

	return usermem_write(party->overlapped, both, sizeof(both)) < 0 ? WSAEFAULT
								     : 0;
}

int
overlapped_check(struct overlapped_party *party)
{
	OVERLAPPED found;
	bool good;

	if (usermem_read(&found, party->overlapped, sizeof(found)) < 0 ||
	    usermem_write(party->overlapped, &found, sizeof(found)) < 0)
		return WSAEFAULT;
	party->event = NULL;
	if (!party->routine && found.hEvent)
		party->event = (HANDLE)((uintptr_t)found.hEvent &
					~(uintptr_t)EVENT_MARK);
	monitor_enter();
	good = !party->event || handle_find(party->event, HANDLE_EVENT);
	monitor_leave();
	return good ? 0 : WSA_INVALID_HANDLE;
}

void
operation_destroy(struct operation *operation)
{
	if (operation->target)
		thread_let_go(operation->target);
	if (operation->issuer)
		thread_let_go(operation->issuer);
	free(operation);
}

static void
drop(struct apc *apc)
{
	operation_destroy((struct operation *)apc);
}

static void
run(struct apc *apc)
{
	struct operation *operation = (struct operation *)apc;

	operation->party.routine((DWORD)operation->code, operation->bytes,
				 operation->party.overlapped, 0);
	monitor_enter();
	operation_destroy(operation);
	monitor_leave();
}

struct operation *
operation_create(const struct ioctl *ioctl,
		 const struct overlapped_party *party, int *ret_code)
{
	struct operation *operation = calloc(1, sizeof(*operation));
	struct handle *handle;

	*ret_code = WSA_NOT_ENOUGH_MEMORY;
	if (!operation)
		return NULL;
	operation->apc.run = run;
	operation->apc.drop = drop;
	operation->ioctl = *ioctl;
	operation->party = *party;
	operation->issuer = thread_self();
	if (!operation->issuer)
		goto fail;
	if (party->routine && party->thread) {
		*ret_code = WSAEFAULT;
		handle = handle_find(party->thread, HANDLE_THREAD);
		if (!handle)
			goto fail;
		operation->target = thread_again(handle->thread);
	} else if (party->routine) {
		operation->target = thread_again(operation->issuer);
	}
	return operation;

fail:
	operation_destroy(operation);
	return NULL;
}

void
operation_complete(struct operation *operation, int code, DWORD bytes)
{
	operation->code = code;
	operation->bytes = bytes;
	operation_store(&operation->party, code, bytes);
	monitor_wake(); /* for WSAGetOverlappedResult() without an event */
	if (operation->party.event)
		handle_signal(operation->party.event);
	if (!operation->target ||
	    !thread_queue(operation->target, &operation->apc))
		operation_destroy(operation);
}
