/* SPDX-License-Identifier: MIT */
/* The process, and what each of its threads keeps for itself. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "windows.h"

DWORD WINAPI
GetCurrentProcessId(void)
{
	return (DWORD)getpid();
}

void WINAPI
ExitProcess(UINT uExitCode)
{
	exit((int)uExitCode);
}

_Static_assert(sizeof(pthread_key_t) == sizeof(DWORD), "an index is a key");

static BOOL
answer(int err)
{
	if (err)
		SetLastError(err == EINVAL ? ERROR_INVALID_PARAMETER
					   : ERROR_NOT_ENOUGH_MEMORY);
	return err == 0;
}

DWORD WINAPI
TlsAlloc(void)
{
	pthread_key_t key;

	return answer(pthread_key_create(&key, NULL)) ? key
						      : TLS_OUT_OF_INDEXES;
}

/* 0 may be the value, so the last error tells. A key that is none is 0 too. */
LPVOID WINAPI
TlsGetValue(DWORD dwTlsIndex)
{
	SetLastError(ERROR_SUCCESS);
	return pthread_getspecific(dwTlsIndex);
}

BOOL WINAPI
TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue)
{
	return answer(pthread_setspecific(dwTlsIndex, lpTlsValue));
}

BOOL WINAPI
TlsFree(DWORD dwTlsIndex)
{
	return answer(pthread_key_delete(dwTlsIndex));
}
