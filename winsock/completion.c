/* SPDX-License-Identifier: MIT */
#include "winsock/completion.h"

#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/state.h"
#include "winsock/usermem.h"

#define EVENT_MARK 1 /* "no completion packet", in the event's number */

int
completion_check(struct overlapped_party *party)
{
	OVERLAPPED found;
	bool good;

	if (usermem_get(&found, party->overlapped, sizeof(found)) < 0)
		return WSAEFAULT;
	party->event = NULL;
	party->no_packet = (uintptr_t)found.hEvent & EVENT_MARK;
	if (!party->routine && found.hEvent)
		party->event = (HANDLE)((uintptr_t)found.hEvent &
					~(uintptr_t)EVENT_MARK);
	if (!party->event)
		return 0;
	monitor_enter();
	good = handle_find(party->event, HANDLE_EVENT);
	monitor_leave();
	return good ? 0 : WSA_INVALID_HANDLE;
}

/* For WSAGetOverlappedResult(), which needs no event. */
static pthread_cond_t ended;
static bool ended_made;

static void
forget(void)
{
	ended_made = false;
}

void
completion_wait(uint64_t until)
{
	if (!ended_made)
		monitor_condition(&ended);
	ended_made = true;
	monitor_in_child(forget);
	monitor_wait_for(&ended, until);
}

static void
destroy(struct completion *completion)
{
	if (completion->target)
		thread_let_go(completion->target);
	if (completion->issuer)
		thread_let_go(completion->issuer);
	if (completion->port)
		port_let_go(completion->port);
	completion->destroy(completion);
}

static void
drop(struct apc *apc)
{
	destroy((struct completion *)apc);
}

static void
destroy_packet(struct packet *packet)
{
	struct completion *completion =
		(struct completion *)((char *)packet -
				      offsetof(struct completion, packet));

	destroy(completion);
}

static void
run(struct apc *apc)
{
	struct completion *completion = (struct completion *)apc;

	completion->party.routine((DWORD)completion->packet.code,
				  completion->packet.bytes,
				  completion->party.overlapped, 0);
	monitor_enter();
	destroy(completion);
	monitor_leave();
}

int
completion_begin(struct completion *completion,
		 const struct overlapped_party *party, struct port *port,
		 ULONG_PTR key)
{
	struct handle *handle = NULL;

	completion->apc = (struct apc){.run = run, .drop = drop};
	completion->packet.destroy = destroy_packet;
	completion->party = *party;
	completion->issuer = thread_self();
	if (!completion->issuer)
		return WSA_NOT_ENOUGH_MEMORY;
	if (party->routine && party->thread) {
		handle = handle_find(party->thread, HANDLE_THREAD);
		if (!handle)
			return WSAEFAULT;
		completion->target = thread_again(handle->thread);
	} else if (party->routine) {
		completion->target = thread_again(completion->issuer);
	}
	if (port && !party->no_packet && !party->routine) {
		completion->port = port_again(port);
		completion->packet.key = key;
	}
	if (party->event)
		handle = handle_find(party->event, HANDLE_EVENT);
	if (party->event && handle)
		handle->set = false;
	return 0;
}

void
completion_drop(struct completion *completion)
{
	destroy(completion);
}

void
completion_store(LPWSAOVERLAPPED overlapped, int code, DWORD bytes)
{
	overlapped->InternalHigh = bytes;
	__atomic_store_n(&overlapped->Internal, (ULONG_PTR)code,
			 __ATOMIC_RELEASE);
}

void
completion_end(struct completion *completion, int code, DWORD bytes,
	       bool at_once, int fd)
{
	uint32_t spared =
		at_once ? state_flags(fd, STATE_SKIP_PACKET | STATE_SKIP_EVENT)
			: 0;

	completion->packet.code = code;
	completion->packet.bytes = bytes;
	completion->packet.overlapped = completion->party.overlapped;
	if (ended_made)
		pthread_cond_broadcast(&ended);
	if (completion->party.event && !(spared & STATE_SKIP_EVENT))
		handle_signal(completion->party.event);
	if (completion->port && !(spared & STATE_SKIP_PACKET))
		port_push(completion->port, &completion->packet);
	else if (!completion->target ||
		 !thread_queue(completion->target, &completion->apc))
		destroy(completion);
}
