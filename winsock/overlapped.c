/* SPDX-License-Identifier: MIT */
#include "winsock/overlapped.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/kernel/sock.h"
#include "shim/usermem.h"
#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/operation.h"
#include "winsock/thread.h"

#define RETRY_MS 2
#define LIMIT_MS 5000 /* as long as a call that waits would wait */

static struct operation *pending;
static _Atomic unsigned int pending_count;
static bool working;

/* IOCTL_BUSY, or how it ended. */
static int
try_again(struct operation *operation, struct ioctl_result *ret)
{
	int fd = operation->ioctl.fd;
	uint64_t cookie;
	int code;

	if (sock_cookie(&sys_kernel, fd, &cookie) < 0 ||
	    cookie != operation->cookie)
		return WSA_OPERATION_ABORTED; /* closed behind our back */
	code = ioctl_perform(&operation->ioctl, POOL_TRY, ret);
	if (code == 0 && ret->cookie && ret->cookie != operation->cookie) {
		ioctl_undo(&operation->ioctl, ret);
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
			operation_complete(operation, code,
					   code ? 0 : result.bytes);
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

static int
postpone(struct operation *operation)
{
	struct operation **last = &pending;

	if (sock_cookie(&sys_kernel, operation->ioctl.fd,
			    &operation->cookie) < 0)
		return WSAENOTSOCK;
	if (operation_store(&operation->party, STATUS_PENDING, 0))
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
overlapped_perform(const struct ioctl *ioctl,
		   const struct overlapped_party *party, LPDWORD ret_bytes)
{
	struct handle *event = NULL;
	struct operation *operation;
	struct ioctl_result result;
	int code;

	monitor_enter();
	operation = operation_create(ioctl, party, &code);
	if (operation && party->event)
		event = handle_find(party->event, HANDLE_EVENT);
	if (event)
		event->set = false;
	monitor_leave();
	if (!operation)
		return code;

	code = ioctl_perform(ioctl, POOL_TRY, &result);
	if (code == 0 &&
	    (operation_store(party, 0, result.bytes) ||
	     usermem_write(ret_bytes, &result.bytes, sizeof(DWORD)) < 0)) {
		ioctl_undo(ioctl, &result);
		code = WSAEFAULT;
	}
	monitor_enter();
	if (code == 0)
		operation_complete(operation, 0, result.bytes);
	else if (code == IOCTL_BUSY)
		code = postpone(operation);
	if (code != 0 && code != WSA_IO_PENDING)
		operation_destroy(operation);
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
		     operation->ioctl.fd != fd) ||
		    (overlapped && operation->party.overlapped != overlapped) ||
		    (own && !thread_is_self(operation->issuer))) {
			at = &operation->next;
			continue;
		}
		*at = operation->next;
		atomic_fetch_sub(&pending_count, 1);
		operation_complete(operation, WSA_OPERATION_ABORTED, 0);
		count++;
	}
	monitor_leave();
	return count;
}

/* The parent's requests are answered in the parent. */
void
overlapped_after_fork(void)
{
	while (pending) {
		struct operation *operation = pending;

		pending = operation->next;
		free(operation);
	}
	atomic_store(&pending_count, 0);
	working = false;
}
