/* SPDX-License-Identifier: MIT */
#include "winsock/overlapped.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "winsock/channel.h"
#include "winsock/monitor.h"
#include "winsock/socket.h"
#include "winsock/usermem.h"
#include "winsock/worker.h"

#define RETRY_MS 2
#define LIMIT_MS 5000 /* as long as a call that waits would wait */

struct operation {
	struct completion completion; /* first: it ends the whole */
	struct operation *next;
	struct request request;
	uint64_t cookie; /* the descriptor may be another socket's now */
	uint64_t until;
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

static void
destroy(struct completion *completion)
{
	free(completion);
}

/* NULL, and the code why. */
static struct operation *
create(const struct request *request, const struct overlapped_party *party,
       int *ret_code)
{
	struct operation *operation = calloc(1, sizeof(*operation));
	ULONG_PTR key = 0;
	struct port *port;

	*ret_code = WSA_NOT_ENOUGH_MEMORY;
	if (!operation)
		return NULL;
	operation->completion.destroy = destroy;
	operation->request = *request;
	port = channel_port(request->fd, &key);
	*ret_code = completion_begin(&operation->completion, party, port, key);
	if (port)
		port_let_go(port);
	if (*ret_code == 0)
		return operation;
	completion_drop(&operation->completion);
	return NULL;
}

/* Tells whom there is to tell. Ends the operation. */
static void
complete(struct operation *operation, int code, DWORD bytes)
{
	store(&operation->completion.party, code, bytes);
	completion_end(&operation->completion, code, bytes, false,
		       operation->request.fd);
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
	if (code != IOCTL_BUSY && socket_cookie(fd) != operation->cookie) {
		if (code == 0)
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
	if (store(&operation->completion.party, STATUS_PENDING, 0))
		return WSAEFAULT;
	operation->until = monitor_after(LIMIT_MS);
	while (*last)
		last = &(*last)->next;
	*last = operation;
	working = working || worker_start(work);
	if (!working) {
		*last = NULL;
		return WSA_NOT_ENOUGH_MEMORY;
	}
	atomic_fetch_add(&pending_count, 1);
	return WSA_IO_PENDING;
}

int
overlapped_check(struct overlapped_party *party)
{
	OVERLAPPED found;

	if (usermem_read(&found, party->overlapped, sizeof(found)) < 0 ||
	    usermem_write(party->overlapped, &found, sizeof(found)) < 0)
		return WSAEFAULT;
	return completion_check(party);
}

int
overlapped_perform(const struct request *request,
		   const struct overlapped_party *party, LPDWORD ret_bytes)
{
	struct operation *operation;
	struct ioctl_result result;
	int code;

	monitor_enter();
	operation = create(request, party, &code);
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
		completion_end(&operation->completion, 0, result.bytes, true,
			       request->fd);
	else if (code == IOCTL_BUSY)
		code = postpone(operation);
	if (code != 0 && code != WSA_IO_PENDING)
		completion_drop(&operation->completion);
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
		    (overlapped &&
		     operation->completion.party.overlapped != overlapped) ||
		    (own && !thread_is_self(operation->completion.issuer))) {
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
