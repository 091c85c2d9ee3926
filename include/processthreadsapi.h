/* SPDX-License-Identifier: MIT */
/* Threads of this process, and the process itself. */
#ifndef PORTRES_PROCESSTHREADSAPI_H
#define PORTRES_PROCESSTHREADSAPI_H

#include "minwinbase.h"

#define CREATE_SUSPENDED 0x4u
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x10000u
#define STILL_ACTIVE 259u
#define TLS_OUT_OF_INDEXES 0xffffffffu

typedef void(WINAPI *PAPCFUNC)(ULONG_PTR Parameter);

#ifdef __cplusplus
extern "C" {
#endif

/*
 * dwStackSize is in bytes; one below the system's default is the default.
 * dwCreationFlags: CREATE_SUSPENDED, which ResumeThread ends, and
 * STACK_SIZE_PARAM_IS_A_RESERVATION; others: ERROR_INVALID_PARAMETER.
 * NULL without memory: ERROR_NOT_ENOUGH_MEMORY.
 */
PORTRES_API HANDLE WINAPI CreateThread(
	LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
	LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter,
	DWORD dwCreationFlags, LPDWORD lpThreadId) PORTRES_NAME(CreateThread);
/* Destructors of C++ objects on the stack do not run, as on Windows. */
PORTRES_API void WINAPI ExitThread(DWORD dwExitCode) PORTRES_NAME(ExitThread)
	__attribute__((__noreturn__));
/* STILL_ACTIVE before it has ended. */
PORTRES_API BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode)
	PORTRES_NAME(GetExitCodeThread);
/* Its suspend count before; (DWORD)-1 when it is no thread. */
PORTRES_API DWORD WINAPI ResumeThread(HANDLE hThread)
	PORTRES_NAME(ResumeThread);
PORTRES_API BOOL WINAPI SwitchToThread(void) PORTRES_NAME(SwitchToThread);
/* Runs in the thread's next alertable wait. */
PORTRES_API DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread,
				      ULONG_PTR dwData)
	PORTRES_NAME(QueueUserAPC);

/* A number that means the caller; the functions above take it. */
PORTRES_API HANDLE WINAPI GetCurrentThread(void) PORTRES_NAME(GetCurrentThread);
/* The kernel's number, which gettid() has too. */
PORTRES_API DWORD WINAPI GetCurrentThreadId(void)
	PORTRES_NAME(GetCurrentThreadId);
PORTRES_API DWORD WINAPI GetThreadId(HANDLE Thread) PORTRES_NAME(GetThreadId);

/* 0 and ERROR_SUCCESS is a value of 0. */
PORTRES_API DWORD WINAPI TlsAlloc(void) PORTRES_NAME(TlsAlloc);
PORTRES_API LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex)
	PORTRES_NAME(TlsGetValue);
PORTRES_API BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue)
	PORTRES_NAME(TlsSetValue);
PORTRES_API BOOL WINAPI TlsFree(DWORD dwTlsIndex) PORTRES_NAME(TlsFree);

PORTRES_API DWORD WINAPI GetCurrentProcessId(void)
	PORTRES_NAME(GetCurrentProcessId);
/* exit() by another name. */
PORTRES_API void WINAPI ExitProcess(UINT uExitCode) PORTRES_NAME(ExitProcess)
	__attribute__((__noreturn__));

#ifdef __cplusplus
}
#endif

#endif
