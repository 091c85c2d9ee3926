/* SPDX-License-Identifier: MIT */
/* Locks in memory, variables to sleep on, and Interlocked*. */
#define _WIN32_WINNT 0x0600
#include <windows.h>
#include <stdio.h>
#include "say.h"

#define WORKERS 4
#define ROUNDS 2000
#define ITEMS 200

static CRITICAL_SECTION section;
static SRWLOCK srw = SRWLOCK_INIT;
static CONDITION_VARIABLE filled = CONDITION_VARIABLE_INIT;
static CONDITION_VARIABLE emptied;
static int counted, queue, taken;
static volatile LONG atomic;
static PVOID pointer;

static void
all_run(LPTHREAD_START_ROUTINE run)
{
	HANDLE threads[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		threads[i] = CreateThread(NULL, 0, run, NULL, 0, NULL);
	WaitForMultipleObjects(WORKERS, threads, TRUE, INFINITE);
	for (int i = 0; i < WORKERS; i++)
		CloseHandle(threads[i]);
}

static DWORD WINAPI
in_section(LPVOID argument)
{
	(void)argument;
	for (int i = 0; i < ROUNDS; i++) {
		EnterCriticalSection(&section);
		EnterCriticalSection(&section);
		counted++;
		LeaveCriticalSection(&section);
		LeaveCriticalSection(&section);
	}
	return 0;
}

static DWORD WINAPI
try_section(LPVOID argument)
{
	*(BOOL *)argument = TryEnterCriticalSection(&section);
	return 0;
}

static DWORD WINAPI
in_srw(LPVOID argument)
{
	(void)argument;
	for (int i = 0; i < ROUNDS; i++) {
		AcquireSRWLockExclusive(&srw);
		counted++;
		ReleaseSRWLockExclusive(&srw);
		AcquireSRWLockShared(&srw);
		InterlockedExchangeAdd(&atomic, counted >= 0);
		ReleaseSRWLockShared(&srw);
	}
	return 0;
}

static DWORD WINAPI
consume(LPVOID argument)
{
	(void)argument;
	EnterCriticalSection(&section);
	while (taken < ITEMS) {
		while (queue == 0 && taken < ITEMS)
			SleepConditionVariableCS(&filled, &section, INFINITE);
		if (queue > 0) {
			queue--;
			taken++;
			WakeConditionVariable(&emptied);
		}
		if (taken == ITEMS)
			WakeAllConditionVariable(&filled);
	}
	LeaveCriticalSection(&section);
	return 0;
}

static DWORD WINAPI
produce(LPVOID argument)
{
	(void)argument;
	for (int i = 0; i < ITEMS; i++) {
		EnterCriticalSection(&section);
		while (queue >= 3)
			SleepConditionVariableCS(&emptied, &section, INFINITE);
		queue++;
		LeaveCriticalSection(&section);
		WakeConditionVariable(&filled);
	}
	return 0;
}

static void
sections(void)
{
	BOOL entered = 7;
	HANDLE thread;

	InitializeCriticalSection(&section);
	all_run(in_section);
	SAY("section", counted);
	EnterCriticalSection(&section);
	thread = CreateThread(NULL, 0, try_section, &entered, 0, NULL);
	WaitForSingleObject(thread, INFINITE);
	CloseHandle(thread);
	SAY("another's try", entered);
	SAY("own try", TryEnterCriticalSection(&section) != 0);
	LeaveCriticalSection(&section);
	LeaveCriticalSection(&section);
	DeleteCriticalSection(&section);
	SAY("with a count",
	    InitializeCriticalSectionAndSpinCount(&section, 4000) != 0);
}

static void
srw_locks(void)
{
	SRWLOCK own;

	counted = 0;
	all_run(in_srw);
	SAY("srw", counted);
	SAY("srw shared", atomic);
	InitializeSRWLock(&own);
	AcquireSRWLockShared(&own);
	SAY("try exclusive", TryAcquireSRWLockExclusive(&own));
	SAY("try shared", TryAcquireSRWLockShared(&own));
	ReleaseSRWLockShared(&own);
	ReleaseSRWLockShared(&own);
	SAY("try exclusive then", TryAcquireSRWLockExclusive(&own));
	ReleaseSRWLockExclusive(&own);
}

static void
variables(void)
{
	HANDLE producer;

	InitializeConditionVariable(&emptied);
	producer = CreateThread(NULL, 0, produce, NULL, 0, NULL);
	all_run(consume);
	WaitForSingleObject(producer, INFINITE);
	CloseHandle(producer);
	SAY("taken", taken);
	EnterCriticalSection(&section);
	SAY("nobody wakes it", SleepConditionVariableCS(&filled, &section, 10));
	SAY("its error", GetLastError());
	LeaveCriticalSection(&section);
	AcquireSRWLockShared(&srw);
	SAY("nor this one",
	    SleepConditionVariableSRW(&filled, &srw, 10,
				      CONDITION_VARIABLE_LOCKMODE_SHARED));
	ReleaseSRWLockShared(&srw);
}

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static LONG made, seen;

static BOOL CALLBACK
make_once(PINIT_ONCE self, PVOID parameter, PVOID *context)
{
	(void)self;
	InterlockedIncrement(&made);
	*context = parameter;
	return TRUE;
}

static DWORD WINAPI
use_once(LPVOID argument)
{
	PVOID context = NULL;

	(void)argument;
	InitOnceExecuteOnce(&once, make_once, &section, &context);
	InterlockedExchangeAdd(&seen, context == &section);
	return 0;
}

static void
interlocked(void)
{
	LONG value = 5;
	LONGLONG large = 5000000000ll;
	int a = 1, b = 2;

	SAY("Increment", InterlockedIncrement(&value));
	SAY("Decrement", InterlockedDecrement(&value));
	SAY("Exchange", InterlockedExchange(&value, 9));
	SAY("ExchangeAdd", InterlockedExchangeAdd(&value, 3));
	SAY("CompareExchange no", InterlockedCompareExchange(&value, 1, 5));
	SAY("CompareExchange yes", InterlockedCompareExchange(&value, 1, 12));
	SAY("Or", InterlockedOr(&value, 6));
	SAY("And", InterlockedAnd(&value, 3));
	SAY("Xor", InterlockedXor(&value, 1));
	SAY("value", value);
	SAY("Increment64", InterlockedIncrement64(&large));
	SAY("Exchange64", InterlockedExchange64(&large, 4));
	SAY("ExchangePointer",
	    InterlockedExchangePointer(&pointer, &a) == NULL);
	SAY("CompareExchangePointer",
	    InterlockedCompareExchangePointer(&pointer, &b, &a) == &a);
	SAY("pointer", pointer == &b);
	MemoryBarrier();
}

int
main(void)
{
	sections();
	srw_locks();
	variables();
	all_run(use_once);
	SAY("made once", made);
	SAY("seen by all", seen);
	interlocked();
	return 0;
}
