/* SPDX-License-Identifier: MIT */
/*
 * Waiting: for events, mutexes, semaphores and threads, all of this process
 * (names are refused, ERROR_NOT_SUPPORTED), and for locks in memory.
 */
#ifndef PORTRES_SYNCHAPI_H
#define PORTRES_SYNCHAPI_H

#include "minwinbase.h"
#include "winerror.h"

#define INFINITE 0xffffffffu
#define WAIT_OBJECT_0 0u
#define WAIT_ABANDONED 0x80u
#define WAIT_ABANDONED_0 0x80u
#define WAIT_IO_COMPLETION 0xc0u
#define WAIT_FAILED 0xffffffffu

/* No member is a program's to look at. Zeros are a lock and a variable too. */
typedef struct _RTL_CRITICAL_SECTION {
	PVOID portres;
	ULONG_PTR portres_more[7];
} CRITICAL_SECTION, *PCRITICAL_SECTION, *LPCRITICAL_SECTION;

typedef struct _RTL_SRWLOCK {
	PVOID Ptr;
	ULONG_PTR portres_more[8];
} SRWLOCK, *PSRWLOCK, RTL_SRWLOCK, *PRTL_SRWLOCK;

typedef struct _RTL_CONDITION_VARIABLE {
	PVOID Ptr;
} CONDITION_VARIABLE, *PCONDITION_VARIABLE;

typedef union _RTL_RUN_ONCE {
	PVOID Ptr;
} INIT_ONCE, *PINIT_ONCE, *LPINIT_ONCE;

/* FALSE: it has failed, and the next caller tries again. */
typedef BOOL(WINAPI *PINIT_ONCE_FN)(PINIT_ONCE InitOnce, PVOID Parameter,
				    PVOID *Context);

#define RTL_SRWLOCK_INIT                                                       \
	{                                                                      \
		0                                                              \
	}
#define SRWLOCK_INIT RTL_SRWLOCK_INIT
#define RTL_CONDITION_VARIABLE_INIT                                            \
	{                                                                      \
		0                                                              \
	}
#define CONDITION_VARIABLE_INIT RTL_CONDITION_VARIABLE_INIT
#define CONDITION_VARIABLE_LOCKMODE_SHARED 0x1
#define INIT_ONCE_STATIC_INIT                                                  \
	{                                                                      \
		0                                                              \
	}

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_API void WINAPI Sleep(DWORD dwMilliseconds) PORTRES_NAME(Sleep);
PORTRES_API DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable)
	PORTRES_NAME(SleepEx);

PORTRES_API HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes,
				       BOOL bManualReset, BOOL bInitialState,
				       LPCSTR lpName)
	PORTRES_NAME(CreateEventA);
PORTRES_API HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes,
				       BOOL bManualReset, BOOL bInitialState,
				       LPCWSTR lpName)
	PORTRES_NAME(CreateEventW);
PORTRES_API BOOL WINAPI SetEvent(HANDLE hEvent) PORTRES_NAME(SetEvent);
PORTRES_API BOOL WINAPI ResetEvent(HANDLE hEvent) PORTRES_NAME(ResetEvent);

/* ReleaseMutex of another thread's: ERROR_NOT_OWNER. */
PORTRES_API HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes,
				       BOOL bInitialOwner, LPCSTR lpName)
	PORTRES_NAME(CreateMutexA);
PORTRES_API HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes,
				       BOOL bInitialOwner, LPCWSTR lpName)
	PORTRES_NAME(CreateMutexW);
PORTRES_API BOOL WINAPI ReleaseMutex(HANDLE hMutex) PORTRES_NAME(ReleaseMutex);

/* ReleaseSemaphore beyond the maximum: ERROR_TOO_MANY_POSTS. */
PORTRES_API HANDLE WINAPI CreateSemaphoreA(
	LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount,
	LONG lMaximumCount, LPCSTR lpName) PORTRES_NAME(CreateSemaphoreA);
PORTRES_API HANDLE WINAPI CreateSemaphoreW(
	LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount,
	LONG lMaximumCount, LPCWSTR lpName) PORTRES_NAME(CreateSemaphoreW);
PORTRES_API BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount,
					 LPLONG lpPreviousCount)
	PORTRES_NAME(ReleaseSemaphore);

PORTRES_API DWORD WINAPI WaitForSingleObject(HANDLE hHandle,
					     DWORD dwMilliseconds)
	PORTRES_NAME(WaitForSingleObject);
PORTRES_API DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle,
					       DWORD dwMilliseconds,
					       BOOL bAlertable)
	PORTRES_NAME(WaitForSingleObjectEx);
PORTRES_API DWORD WINAPI WaitForMultipleObjects(DWORD nCount,
						const HANDLE *lpHandles,
						BOOL bWaitAll,
						DWORD dwMilliseconds)
	PORTRES_NAME(WaitForMultipleObjects);
PORTRES_API DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount,
						  const HANDLE *lpHandles,
						  BOOL bWaitAll,
						  DWORD dwMilliseconds,
						  BOOL bAlertable)
	PORTRES_NAME(WaitForMultipleObjectsEx);

/* Spin counts are ignored. */
PORTRES_API void WINAPI
InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
	PORTRES_NAME(InitializeCriticalSection);
PORTRES_API BOOL WINAPI InitializeCriticalSectionAndSpinCount(
	LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount)
	PORTRES_NAME(InitializeCriticalSectionAndSpinCount);
PORTRES_API BOOL WINAPI InitializeCriticalSectionEx(
	LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount, DWORD Flags)
	PORTRES_NAME(InitializeCriticalSectionEx);
PORTRES_API void WINAPI
EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
	PORTRES_NAME(EnterCriticalSection);
PORTRES_API BOOL WINAPI
TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
	PORTRES_NAME(TryEnterCriticalSection);
PORTRES_API void WINAPI
LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
	PORTRES_NAME(LeaveCriticalSection);
PORTRES_API void WINAPI
DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
	PORTRES_NAME(DeleteCriticalSection);

/* A writer that waits goes before readers that come later. */
PORTRES_API void WINAPI InitializeSRWLock(PSRWLOCK SRWLock)
	PORTRES_NAME(InitializeSRWLock);
PORTRES_API void WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock)
	PORTRES_NAME(AcquireSRWLockExclusive);
PORTRES_API void WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock)
	PORTRES_NAME(AcquireSRWLockShared);
PORTRES_API BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock)
	PORTRES_NAME(TryAcquireSRWLockExclusive);
PORTRES_API BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock)
	PORTRES_NAME(TryAcquireSRWLockShared);
PORTRES_API void WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock)
	PORTRES_NAME(ReleaseSRWLockExclusive);
PORTRES_API void WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock)
	PORTRES_NAME(ReleaseSRWLockShared);

/* FALSE when the time has come: ERROR_TIMEOUT. They may wake for nothing. */
PORTRES_API void WINAPI
InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
	PORTRES_NAME(InitializeConditionVariable);
PORTRES_API BOOL WINAPI SleepConditionVariableCS(
	PCONDITION_VARIABLE ConditionVariable,
	PCRITICAL_SECTION CriticalSection, DWORD dwMilliseconds)
	PORTRES_NAME(SleepConditionVariableCS);
PORTRES_API BOOL WINAPI
SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable,
			  PSRWLOCK SRWLock, DWORD dwMilliseconds, ULONG Flags)
	PORTRES_NAME(SleepConditionVariableSRW);
PORTRES_API void WINAPI
WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
	PORTRES_NAME(WakeConditionVariable);
PORTRES_API void WINAPI
WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable)
	PORTRES_NAME(WakeAllConditionVariable);

PORTRES_API BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce,
					    PINIT_ONCE_FN InitFn,
					    PVOID Parameter, LPVOID *Context)
	PORTRES_NAME(InitOnceExecuteOnce);

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define CreateEvent CreateEventW
#define CreateMutex CreateMutexW
#define CreateSemaphore CreateSemaphoreW
#else
#define CreateEvent CreateEventA
#define CreateMutex CreateMutexA
#define CreateSemaphore CreateSemaphoreA
#endif

#endif
