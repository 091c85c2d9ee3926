/* SPDX-License-Identifier: MIT */
/*
 * Threads that programs make: CreateThread, _beginthread, _beginthreadex. They
 * are pthreads, detached: a handle keeps how one ended, nothing keeps the
 * thread.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include "process.h"
#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/thread.h"
#include "windows.h"

#define SELF ((HANDLE)(LONG_PTR)-2)
#define KNOWN_FLAGS (CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION)

typedef void plain_routine(void *argument);
typedef unsigned int routine(void *argument);

/* A thread is made from this, on its maker's stack until it has begun. */
struct plan {
	routine *run;
	plain_routine *run_plain; /* instead; then it closes its handle */
	void *argument;
	size_t stack;
	DWORD flags;
	struct thread *thread;
	HANDLE handle;
	enum { NOT_YET, BEGUN, FAILED } state;
};

/* ExitThread() goes there: past everything, without destructors. */
static __thread jmp_buf *way_out __attribute__((tls_model("initial-exec")));

static bool
has_begun(void *what)
{
	return ((struct plan *)what)->state != NOT_YET;
}

static bool
is_resumed(void *what)
{
	return thread_suspensions(what) == 0;
}

static void
end_with(uint32_t code)
{
	struct thread *self;

	monitor_enter();
	self = thread_self();
	if (self) {
		thread_set_code(self, code);
		thread_let_go(self);
	}
	monitor_leave();
}

static void
run(const struct plan *plan)
{
	jmp_buf here;

	way_out = &here;
	if (setjmp(here) == 0) {
		/* Routines that were queued before it ran come first. */
		monitor_enter();
		thread_run_queue();
		monitor_leave();
		if (plan->run_plain)
			plan->run_plain(plan->argument);
		else
			end_with(plan->run(plan->argument));
	}
	way_out = NULL;
	if (plan->run_plain)
		CloseHandle(plan->handle);
}

static void *
begin(void *what)
{
	struct plan *makers = what;
	const struct plan plan = *makers;
	bool good;

	monitor_enter();
	good = thread_become(plan.thread);
	makers->state = good ? BEGUN : FAILED;
	monitor_wake();
	if (good)
		monitor_await(is_resumed, plan.thread, MONITOR_FOR_EVER);
	monitor_leave();
	if (good)
		run(&plan);
	return NULL;
}

/* Windows' size is what is there at first, and says the whole only with the
 * flag. */
static int
start(struct plan *plan)
{
	pthread_attr_t attributes;
	pthread_t thread;
	size_t usual;
	int r;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_getstacksize(&attributes, &usual);
	if (plan->stack > usual ||
	    (plan->stack && plan->flags & STACK_SIZE_PARAM_IS_A_RESERVATION)) {
		size_t least = (size_t)PTHREAD_STACK_MIN;

		pthread_attr_setstacksize(
			&attributes, plan->stack > least ? plan->stack : least);
	}
	r = pthread_create(&thread, &attributes, begin, plan);
	pthread_attr_destroy(&attributes);
	return r;
}

/* NULL without memory. The thread may have ended, and its handle be closed,
 * when we look at it again: we have a reference of our own until then. */
static HANDLE
make(struct plan *plan, DWORD *ret_id)
{
	struct handle *handle = NULL;

	monitor_enter();
	plan->thread = thread_make();
	if (plan->thread)
		plan->handle = handle_open(HANDLE_THREAD, &handle);
	if (handle) {
		handle->thread = thread_again(plan->thread);
		thread_suspend(plan->thread, plan->flags & CREATE_SUSPENDED);
		if (start(plan) == 0)
			monitor_await(has_begun, plan, MONITOR_FOR_EVER);
		*ret_id = thread_id(plan->thread);
	}
	if (handle && plan->state != BEGUN) {
		thread_let_go(handle->thread);
		handle_close(handle);
	}
	if (plan->thread)
		thread_let_go(plan->thread);
	monitor_leave();
	return plan->state == BEGUN ? plan->handle : NULL;
}

HANDLE WINAPI
CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
	     LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter,
	     DWORD dwCreationFlags, LPDWORD lpThreadId)
{
	struct plan plan = {
		.run = lpStartAddress,
		.argument = lpParameter,
		.stack = dwStackSize,
		.flags = dwCreationFlags,
	};
	int before = errno;
	DWORD id = 0;
	HANDLE handle;

	(void)lpThreadAttributes;
	if (dwCreationFlags & ~KNOWN_FLAGS) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	handle = make(&plan, &id);
	errno = before;
	if (!handle)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	else if (lpThreadId)
		*lpThreadId = id;
	return handle;
}

uintptr_t
_beginthreadex(void *security, unsigned int stack_size,
	       unsigned int (*start_address)(void *argument), void *arglist,
	       unsigned int initflag, unsigned int *thrdaddr)
{
	struct plan plan = {
		.run = start_address,
		.argument = arglist,
		.stack = stack_size,
		.flags = initflag,
	};
	int before = errno;
	DWORD id = 0;
	HANDLE handle;

	(void)security;
	if (!start_address || initflag & ~KNOWN_FLAGS) {
		errno = EINVAL;
		return 0;
	}
	handle = make(&plan, &id);
	errno = handle ? before : EAGAIN;
	if (handle && thrdaddr)
		*thrdaddr = id;
	return (uintptr_t)handle;
}

uintptr_t
_beginthread(void (*start_address)(void *argument), unsigned int stack_size,
	     void *arglist)
{
	struct plan plan = {
		.run_plain = start_address,
		.argument = arglist,
		.stack = stack_size,
	};
	int before = errno;
	HANDLE handle;
	DWORD id;

	if (!start_address) {
		errno = EINVAL;
		return (uintptr_t)-1;
	}
	handle = make(&plan, &id);
	errno = handle ? before : EAGAIN;
	return handle ? (uintptr_t)handle : (uintptr_t)-1;
}

void WINAPI
ExitThread(DWORD dwExitCode)
{
	end_with(dwExitCode);
	if (way_out)
		longjmp(*way_out, 1);
	pthread_exit(NULL);
}

void
_endthreadex(unsigned int retval)
{
	ExitThread(retval);
}

void
_endthread(void)
{
	ExitThread(0);
}

/* With a reference; NULL when it is no thread. Inside the monitor. */
static struct thread *
find(HANDLE handle)
{
	struct handle *found;

	if (handle == SELF)
		return thread_self();
	found = handle_find(handle, HANDLE_THREAD);
	return found ? thread_again(found->thread) : NULL;
}

static BOOL
found(struct thread *thread)
{
	if (thread) {
		thread_let_go(thread);
		return TRUE;
	}
	return FALSE;
}

static BOOL
answer(BOOL good)
{
	if (!good)
		SetLastError(ERROR_INVALID_HANDLE);
	return good;
}

BOOL WINAPI
GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode)
{
	struct thread *thread;
	uint32_t code = 0;
	BOOL good;

	monitor_enter();
	thread = find(hThread);
	if (thread && !thread_ended(thread, &code))
		code = STILL_ACTIVE;
	good = found(thread);
	monitor_leave();
	if (good)
		*lpExitCode = code;
	return answer(good);
}

DWORD WINAPI
ResumeThread(HANDLE hThread)
{
	struct thread *thread;
	uint32_t before = 0;
	BOOL good;

	monitor_enter();
	thread = find(hThread);
	if (thread)
		before = thread_suspensions(thread);
	if (before) {
		thread_suspend(thread, false);
		monitor_wake();
	}
	good = found(thread);
	monitor_leave();
	return answer(good) ? before : (DWORD)-1;
}

DWORD WINAPI
GetThreadId(HANDLE Thread)
{
	struct thread *thread;
	uint32_t id = 0;
	BOOL good;

	monitor_enter();
	thread = find(Thread);
	if (thread)
		id = thread_id(thread);
	good = found(thread);
	monitor_leave();
	return answer(good) ? id : 0;
}

struct user_apc {
	struct apc apc; /* first */
	PAPCFUNC routine;
	ULONG_PTR data;
};

static void
run_user(struct apc *apc)
{
	struct user_apc *user = (struct user_apc *)apc;
	const struct user_apc copy = *user;

	free(user);
	copy.routine(copy.data);
}

static void
drop_user(struct apc *apc)
{
	free(apc);
}

DWORD WINAPI
QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData)
{
	struct user_apc *user = malloc(sizeof(*user));
	struct thread *thread;
	bool queued = false;
	BOOL good;

	if (!user) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return 0;
	}
	*user = (struct user_apc){
		.apc = {.run = run_user, .drop = drop_user},
		.routine = pfnAPC,
		.data = dwData,
	};
	monitor_enter();
	thread = find(hThread);
	if (thread)
		queued = thread_queue(thread, &user->apc);
	good = found(thread);
	monitor_leave();
	if (queued)
		return 1;
	free(user);
	/* Windows' kernel's word for a thread that has ended. */
	if (answer(good))
		SetLastError(ERROR_GEN_FAILURE);
	return 0;
}

HANDLE WINAPI
GetCurrentThread(void)
{
	return SELF;
}

DWORD WINAPI
GetCurrentThreadId(void)
{
	return (DWORD)gettid();
}

BOOL WINAPI
SwitchToThread(void)
{
	return sched_yield() == 0;
}
