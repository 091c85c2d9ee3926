/* SPDX-License-Identifier: MIT */
/*
 * Locks in a program's memory: pthread's, under Windows' names, so that
 * checkers of threads know them, and a variable to sleep on beside either.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "winsock/monitor.h"
#include "windows.h"

/* Zeros are one that nobody has, but not one that lets writers go first. */
struct srw {
	_Atomic uint32_t state;
	pthread_rwlock_t lock;
};

enum { SRW_ZERO, SRW_BEING_MADE, SRW_READY };

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(CRITICAL_SECTION), "room");
_Static_assert(sizeof(struct srw) <= sizeof(SRWLOCK), "room");
_Static_assert(sizeof(_Atomic uint32_t) <= sizeof(CONDITION_VARIABLE), "room");

static pthread_mutex_t *
mutex_of(LPCRITICAL_SECTION section)
{
	return (pthread_mutex_t *)(void *)section;
}

BOOL WINAPI
InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection,
			    DWORD dwSpinCount, DWORD Flags)
{
	pthread_mutexattr_t attributes;

	(void)dwSpinCount;
	(void)Flags;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(mutex_of(lpCriticalSection), &attributes);
	pthread_mutexattr_destroy(&attributes);
	return TRUE;
}

BOOL WINAPI
InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection,
				      DWORD dwSpinCount)
{
	return InitializeCriticalSectionEx(lpCriticalSection, dwSpinCount, 0);
}

void WINAPI
InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	InitializeCriticalSectionEx(lpCriticalSection, 0, 0);
}

void WINAPI
EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	pthread_mutex_lock(mutex_of(lpCriticalSection));
}

BOOL WINAPI
TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	return pthread_mutex_trylock(mutex_of(lpCriticalSection)) == 0;
}

void WINAPI
LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	pthread_mutex_unlock(mutex_of(lpCriticalSection));
}

void WINAPI
DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	pthread_mutex_destroy(mutex_of(lpCriticalSection));
}

static void
make_srw(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
#ifdef __GLIBC__ /* under musl readers pass by; Windows promises no order */
	pthread_rwlockattr_setkind_np(
		&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

/* The first one to use a lock that was never initialized makes it. */
static pthread_rwlock_t *
lock_of(PSRWLOCK srw)
{
	struct srw *own = (struct srw *)(void *)srw;
	uint32_t seen = atomic_load(&own->state);

	while (seen != SRW_READY) {
		if (seen == SRW_ZERO &&
		    atomic_compare_exchange_strong(&own->state, &seen,
						   SRW_BEING_MADE)) {
			make_srw(&own->lock);
			atomic_store(&own->state, SRW_READY);
			break;
		}
		sched_yield();
		seen = atomic_load(&own->state);
	}
	return &own->lock;
}

void WINAPI
InitializeSRWLock(PSRWLOCK SRWLock)
{
	atomic_store(&((struct srw *)(void *)SRWLock)->state, SRW_ZERO);
}

void WINAPI
AcquireSRWLockExclusive(PSRWLOCK SRWLock)
{
	pthread_rwlock_wrlock(lock_of(SRWLock));
}

void WINAPI
AcquireSRWLockShared(PSRWLOCK SRWLock)
{
	pthread_rwlock_rdlock(lock_of(SRWLock));
}

BOOLEAN WINAPI
TryAcquireSRWLockExclusive(PSRWLOCK SRWLock)
{
	return pthread_rwlock_trywrlock(lock_of(SRWLock)) == 0;
}

BOOLEAN WINAPI
TryAcquireSRWLockShared(PSRWLOCK SRWLock)
{
	return pthread_rwlock_tryrdlock(lock_of(SRWLock)) == 0;
}

void WINAPI
ReleaseSRWLockExclusive(PSRWLOCK SRWLock)
{
	pthread_rwlock_unlock(lock_of(SRWLock));
}

void WINAPI
ReleaseSRWLockShared(PSRWLOCK SRWLock)
{
	pthread_rwlock_unlock(lock_of(SRWLock));
}

/*
 * A condition variable counts how often it woke. To sleep is to wait for a
 * number other than the one that was there before the lock was let go.
 */
static _Atomic uint32_t *
count_of(PCONDITION_VARIABLE variable)
{
	return (_Atomic uint32_t *)(void *)variable;
}

/* The error, or 0; errno is the program's. */
static int
futex(_Atomic uint32_t *at, int what, uint32_t value,
      const struct timespec *until)
{
	int before = errno;
	long r = syscall(SYS_futex, at, what | FUTEX_PRIVATE_FLAG, value, until,
			 NULL, FUTEX_BITSET_MATCH_ANY);
	int error = r < 0 ? errno : 0;

	errno = before;
	return error;
}

/* False when the time has come. */
static bool
sleep_until_woken(_Atomic uint32_t *count, uint32_t seen, uint64_t until)
{
	const struct timespec time = {
		.tv_sec = (time_t)(until / 1000000000u),
		.tv_nsec = (long)(until % 1000000000u),
	};

	return futex(count, FUTEX_WAIT_BITSET, seen,
		     until == MONITOR_FOR_EVER ? NULL : &time) != ETIMEDOUT;
}

static BOOL
end_sleep(bool woken)
{
	if (!woken)
		SetLastError(ERROR_TIMEOUT);
	return woken;
}

BOOL WINAPI
SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable,
			 PCRITICAL_SECTION CriticalSection,
			 DWORD dwMilliseconds)
{
	_Atomic uint32_t *count = count_of(ConditionVariable);
	uint32_t seen = atomic_load(count);
	uint64_t until = monitor_after(dwMilliseconds);
	bool woken;

	LeaveCriticalSection(CriticalSection);
	woken = sleep_until_woken(count, seen, until);
	EnterCriticalSection(CriticalSection);
	return end_sleep(woken);
}

BOOL WINAPI
SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable,
			  PSRWLOCK SRWLock, DWORD dwMilliseconds, ULONG Flags)
{
	_Atomic uint32_t *count = count_of(ConditionVariable);
	uint32_t seen = atomic_load(count);
	uint64_t until = monitor_after(dwMilliseconds);
	bool woken;

	pthread_rwlock_unlock(lock_of(SRWLock));
	woken = sleep_until_woken(count, seen, until);
	if (Flags & CONDITION_VARIABLE_LOCKMODE_SHARED)
		AcquireSRWLockShared(SRWLock);
	else
		AcquireSRWLockExclusive(SRWLock);
	return end_sleep(woken);
}

static void
wake(PCONDITION_VARIABLE variable, uint32_t how_many)
{
	atomic_fetch_add(count_of(variable), 1);
	futex(count_of(variable), FUTEX_WAKE, how_many, NULL);
}

void WINAPI
InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
	atomic_store(count_of(ConditionVariable), 0);
}

void WINAPI
WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
	wake(ConditionVariable, 1);
}

void WINAPI
WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
	wake(ConditionVariable, INT_MAX);
}

/* Ptr holds nothing, that somebody is at it, or the context with a mark
 * in a bit that programs must leave 0. */
#define ONCE_AT_WORK ((PVOID)1)
#define ONCE_DONE 2

BOOL WINAPI
InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn, PVOID Parameter,
		    LPVOID *Context)
{
	_Atomic(PVOID) *at = (_Atomic(PVOID) *)(void *)InitOnce;
	PVOID seen = NULL;
	PVOID made = NULL;
	BOOL good;

	while (!atomic_compare_exchange_strong(at, &seen, ONCE_AT_WORK)) {
		if ((uintptr_t)seen & ONCE_DONE) {
			if (Context)
				*Context = (PVOID)((uintptr_t)seen & ~3ul);
			return TRUE;
		}
		futex((_Atomic uint32_t *)(void *)at, FUTEX_WAIT_BITSET,
		      (uint32_t)(uintptr_t)ONCE_AT_WORK, NULL);
		seen = NULL;
	}
	good = InitFn(InitOnce, Parameter, &made);
	atomic_store(at, good ? (PVOID)((uintptr_t)made | ONCE_DONE) : NULL);
	futex((_Atomic uint32_t *)(void *)at, FUTEX_WAKE, INT_MAX, NULL);
	if (good && Context)
		*Context = made;
	return good;
}
