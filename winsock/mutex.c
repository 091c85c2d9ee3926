/* SPDX-License-Identifier: MIT */
#include "winsock/mutex.h"

#include <errno.h>

#include "winsock/monitor.h"
#include "windows.h"

bool
mutex_is_free(const struct handle *mutex, const struct thread *thread)
{
	return mutex->count == 0 || mutex->thread == thread;
}

bool
mutex_take(struct handle *mutex, struct thread *thread)
{
	bool abandoned = mutex->abandoned;

	mutex->abandoned = false;
	if (mutex->count++ == 0) {
		mutex->thread = thread;
		mutex->next = *thread_mutexes(thread);
		*thread_mutexes(thread) = mutex;
	}
	return abandoned;
}

void
mutex_forget(struct handle *mutex)
{
	struct handle **at;

	if (mutex->count == 0)
		return;
	at = thread_mutexes(mutex->thread);
	while (*at != mutex)
		at = &(*at)->next;
	*at = mutex->next;
	mutex->count = 0;
	mutex->thread = NULL;
}

/* Its mutexes are the next ones', who are told. */
static void
abandon(struct thread *thread)
{
	struct handle *mutex;

	while ((mutex = *thread_mutexes(thread))) {
		mutex_forget(mutex);
		mutex->abandoned = true;
	}
}

static HANDLE
create(bool owned)
{
	struct handle *mutex;
	struct thread *self;
	HANDLE handle = NULL;

	monitor_enter();
	thread_at_end(abandon);
	self = thread_self();
	if (self) {
		handle = handle_open(HANDLE_MUTEX, &mutex);
		if (handle && owned)
			mutex_take(mutex, self);
		thread_let_go(self);
	}
	monitor_leave();
	if (!handle)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	return handle;
}

/* A name would join other processes' mutexes, which we do not have. */
HANDLE WINAPI
CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner,
	     LPCWSTR lpName)
{
	(void)lpMutexAttributes;
	if (!lpName)
		return create(bInitialOwner);
	SetLastError(ERROR_NOT_SUPPORTED);
	return NULL;
}

HANDLE WINAPI
CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner,
	     LPCSTR lpName)
{
	return CreateMutexW(lpMutexAttributes, bInitialOwner,
			    lpName ? L"" : NULL);
}

BOOL WINAPI
ReleaseMutex(HANDLE hMutex)
{
	struct handle *mutex;
	int code = ERROR_INVALID_HANDLE;

	monitor_enter();
	mutex = handle_find(hMutex, HANDLE_MUTEX);
	if (mutex && mutex->count > 0 && thread_is_self(mutex->thread)) {
		if (mutex->count == 1) {
			mutex_forget(mutex);
			monitor_wake();
		} else {
			mutex->count--;
		}
		code = 0;
	} else if (mutex) {
		code = ERROR_NOT_OWNER;
	}
	monitor_leave();
	if (code)
		SetLastError((DWORD)code);
	return code == 0;
}
