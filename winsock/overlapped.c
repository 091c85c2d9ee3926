/* SPDX-License-Identifier: MIT */
#include "winsock/overlapped.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/socket.h"
#include "winsock/thread.h"
#include "winsock/usermem.h"

#define RETRY_MS 2
#define LIMIT_MS 5000 /* as long as a call that waits would wait */
#define EVENT_MARK 1  /* "no completion packet", in the event's number */

/* One request, and the ways to tell of its end. */
struct operation {
	struct apc apc; /* first: the queue hands back a pointer to it */
	struct operation *next;
	struct request request;
	struct overlapped_party party;
	struct thread *issuer;
	struct thread *target; /* NULL without a routine */
	uint64_t cookie;       /* the descriptor may be another socket's now */
	uint64_t until;
	int code;
	DWORD bytes;
};

/* All of it, and each operation, belongs to the monitor. */
static struct operation *pending;
static _Atomic unsigned int pending_count;
static bool working;

/* Writes the program's structure, Internal last, because programs look at that
 * by themselves: 0 or WSAEFAULT. Needs no monitor. */
static int
store(const struct overlapped_party *party, int status, DWORD bytes)
{
	LPWSAOVERLAPPED overlapped = party->overlapped;
	ULONG_PTR high = bytes;

	return usermem_write(&overlapped->InternalHigh, &high, sizeof(high)) <
				       0 ||
			       usermem_publish(&overlapped->Internal,
					    (ULONG_PTR)status) < 0
		       ? WSAEFAULT
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

static void
destroy(struct operation *operation)
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
	destroy((struct operation *)apc);
}

static void
run(struct apc *apc)
{
	struct operation *operation = (struct operation *)apc;

	operation->party.routine((DWORD)operation->code, operation->bytes,
				 operation->party.overlapped, 0);
	monitor_enter();
	destroy(operation);
	monitor_leave();
}

/* NULL, and the code why. */
static struct operation *
create(const struct request *request, const struct overlapped_party *party,
       int *ret_code)
{
	struct operation *operation = calloc(1, sizeof(*operation));
	struct handle *handle;

	*ret_code = WSA_NOT_ENOUGH_MEMORY;
	if (!operation)
		return NULL;
	operation->apc.run = run;
	operation->apc.drop = drop;
	operation->request = *request;
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
	destroy(operation);
	return NULL;
}

/* Tells whom there is to tell. Ends the operation. */
static void
complete(struct operation *operation, int code, DWORD bytes)
{
	operation->code = code;
	operation->bytes = bytes;
	store(&operation->party, code, bytes);
	monitor_wake(); /* for WSAGetOverlappedResult() without an event */
	if (operation->party.event)
		handle_signal(operation->party.event);
	if (!operation->target ||
	    !thread_queue(operation->target, &operation->apc))
		destroy(operation);
}

/* IOCTL_BUSY, or how it ended. */
static int
try_again(struct operation *operation, struct ioctl_result *ret)
{
	int fd = operation->request.fd;
	int code;

	if (socket_cookie(fd) != operation->cookie)
		return WSA_OPERATION_ABORTED; /* closed behind our back */
	code = ioctl_perform(&operation->request, PORTRES_NOWAIT, ret);
	if (code == 0 && socket_cookie(fd) != operation->cookie) {
		ioctl_undo(&operation->request, ret);
		return WSA_OPERATION_ABORTED; /* closed just now */
	}
	if (code == IOCTL_BUSY && monitor_clock() > operation->until)
		return WSAENETDOWN;
	return code;
}

static void *
work(void *unused)
{
	struct operation **at;

	(void)unused;
	monitor_enter();
	while (pending) {
		for (at = &pending; *at;) {
			struct operation *operation = *at;
			struct ioctl_result result = {0};
			int code = try_again(operation, &result);

			if (code == IOCTL_BUSY) {
				at = &operation->next;
				continue;
			}
			*at = operation->next;
			atomic_fetch_sub(&pending_count, 1);
			complete(operation, code, code ? 0 : result.bytes);
		}
		if (pending)
			monitor_wait(monitor_after(RETRY_MS));
	}
	working = false;
	monitor_leave();
	return NULL;
}

/* Its signals are the program's own threads' to handle. */
static bool
start_worker(void)
{
	sigset_t all;
	sigset_t before;
	pthread_t thread;

	if (working)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	working = pthread_create(&thread, NULL, work, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (working)
		pthread_detach(thread);
	return working;
}

/* The parent's requests are answered in the parent. */
static void
forget_pending(void)
{
	while (pending) {
		struct operation *operation = pending;

		pending = operation->next;
		free(operation);
	}
	atomic_store(&pending_count, 0);
	working = false;
}

static int
postpone(struct operation *operation)
{
	struct operation **last = &pending;

	monitor_in_child(forget_pending);
	operation->cookie = socket_cookie(operation->request.fd);
	if (operation->cookie == 0)
		return WSAENOTSOCK;
	if (store(&operation->party, STATUS_PENDING, 0))
		return WSAEFAULT;
	operation->until = monitor_after(LIMIT_MS);
	while (*last)
		last = &(*last)->next;
	*last = operation;
	if (!start_worker()) {
		*last = NULL;
		return WSA_NOT_ENOUGH_MEMORY;
	}
	atomic_fetch_add(&pending_count, 1);
	return WSA_IO_PENDING;
}

int
overlapped_perform(const struct request *request,
		   const struct overlapped_party *party, LPDWORD ret_bytes)
{
	struct handle *event = NULL;
	struct operation *operation;
	struct ioctl_result result;
	int code;

	monitor_enter();
	operation = create(request, party, &code);
	if (operation && party->event)
		event = handle_find(party->event, HANDLE_EVENT);
	if (event)
		event->set = false;
	monitor_leave();
	if (!operation)
		return code;

	code = ioctl_perform(request, PORTRES_NOWAIT, &result);
	if (code == 0 &&
	    (store(party, 0, result.bytes) ||
	     usermem_write(ret_bytes, &result.bytes, sizeof(DWORD)) < 0)) {
		ioctl_undo(request, &result);
		code = WSAEFAULT;
	}
	monitor_enter();
	if (code == 0)
		complete(operation, 0, result.bytes);
	else if (code == IOCTL_BUSY)
		code = postpone(operation);
	if (code != 0 && code != WSA_IO_PENDING)
		destroy(operation);
	monitor_leave();
	return code;
}

bool
overlapped_any(void)
{
	return atomic_load(&pending_count) > 0;
}

unsigned int
overlapped_cancel(int fd, LPOVERLAPPED overlapped, bool own)
{
	unsigned int count = 0;
	struct operation **at;

	monitor_enter();
	for (at = &pending; *at;) {
		struct operation *operation = *at;

		if ((fd != OVERLAPPED_ANY_SOCKET &&
		     operation->request.fd != fd) ||
		    (overlapped && operation->party.overlapped != overlapped) ||
		    (own && !thread_is_self(operation->issuer))) {
			at = &operation->next;
			continue;
		}
		*at = operation->next;
		atomic_fetch_sub(&pending_count, 1);
		complete(operation, WSA_OPERATION_ABORTED, 0);
		count++;
	}
	monitor_leave();
	return count;
}
