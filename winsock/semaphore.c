/* SPDX-License-Identifier: MIT */
/* Semaphores that have handles. */
#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/usermem.h"
#include "windows.h"

static HANDLE
create(LONG count, LONG limit)
{
	struct handle *semaphore;
	HANDLE handle;

	if (limit <= 0 || count < 0 || count > limit) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	monitor_enter();
	handle = handle_open(HANDLE_SEMAPHORE, &semaphore);
	if (handle) {
		semaphore->count = (uint32_t)count;
		semaphore->limit = (uint32_t)limit;
	}
	monitor_leave();
	if (!handle)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	return handle;
}

/* A name would join other processes' semaphores, which we do not have. */
HANDLE WINAPI
CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
		 LONG lInitialCount, LONG lMaximumCount, LPCWSTR lpName)
{
	(void)lpSemaphoreAttributes;
	if (!lpName)
		return create(lInitialCount, lMaximumCount);
	SetLastError(ERROR_NOT_SUPPORTED);
	return NULL;
}

HANDLE WINAPI
CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
		 LONG lInitialCount, LONG lMaximumCount, LPCSTR lpName)
{
	return CreateSemaphoreW(lpSemaphoreAttributes, lInitialCount,
				lMaximumCount, lpName ? L"" : NULL);
}

/* Returns 0 or the error. */
static DWORD
release(HANDLE handle, LONG more, LONG *ret_before)
{
	struct handle *semaphore;
	DWORD code = 0;

	if (more <= 0)
		return ERROR_INVALID_PARAMETER;
	monitor_enter();
	semaphore = handle_find(handle, HANDLE_SEMAPHORE);
	if (!semaphore) {
		code = ERROR_INVALID_HANDLE;
	} else if ((uint32_t)more > semaphore->limit - semaphore->count) {
		code = ERROR_TOO_MANY_POSTS;
	} else {
		*ret_before = (LONG)semaphore->count;
		semaphore->count += (uint32_t)more;
		monitor_wake();
	}
	monitor_leave();
	return code;
}

BOOL WINAPI
ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount, LPLONG lpPreviousCount)
{
	LONG before;
	DWORD code = release(hSemaphore, lReleaseCount, &before);

	if (code == 0 && lpPreviousCount &&
	    usermem_write(lpPreviousCount, &before, sizeof(before)) < 0)
		code = ERROR_NOACCESS;
	if (code)
		SetLastError(code);
	return code == 0;
}
