/* SPDX-License-Identifier: MIT */
/* Threads, and waits for them, events, mutexes and semaphores together. */
#include <windows.h>
#include <process.h>
#include <stdio.h>
#include "say.h"

static HANDLE go, mutex, semaphore, ready;
static LONG ran;

static DWORD WINAPI
answer(LPVOID argument)
{
	return (DWORD)(ULONG_PTR)argument + 1;
}

static DWORD WINAPI
wait_and_answer(LPVOID argument)
{
	SetEvent(ready);
	WaitForSingleObject(go, INFINITE);
	return *(DWORD *)argument;
}

static unsigned int __stdcall crt_thread(void *argument)
{
	*(DWORD *)argument = GetCurrentThreadId();
	_endthreadex(5);
	return 6;
}

static void __cdecl plain_thread(void *argument)
{
	InterlockedIncrement(&ran);
	SetEvent((HANDLE)argument);
	_endthread();
}

static DWORD WINAPI
leave_early(LPVOID argument)
{
	InterlockedIncrement(&ran);
	ExitThread((DWORD)(ULONG_PTR)argument);
	return 1;
}

static DWORD WINAPI
take_mutex(LPVOID argument)
{
	(void)argument;
	return WaitForSingleObject(mutex, INFINITE);
}

static void
ends(void)
{
	HANDLE thread;
	DWORD code = 0, id = 0, seen = 0;
	unsigned int crt_id = 0;

	thread = CreateThread(NULL, 0, answer, (LPVOID)41, 0, &id);
	SAY("CreateThread", thread != NULL);
	SAY("id", id == GetThreadId(thread) && id != GetCurrentThreadId());
	SAY("wait", WaitForSingleObject(thread, INFINITE));
	SAY("stays", WaitForSingleObject(thread, 0));
	SAY("GetExitCodeThread", GetExitCodeThread(thread, &code) != 0);
	SAY("code", code);
	SAY("close", CloseHandle(thread) != 0);

	id = 77;
	thread = CreateThread(NULL, 0, wait_and_answer, &id, 0, NULL);
	WaitForSingleObject(ready, INFINITE);
	GetExitCodeThread(thread, &code);
	SAY("still active", code);
	SAY("not yet", WaitForSingleObject(thread, 0));
	SetEvent(go);
	WaitForSingleObject(thread, INFINITE);
	GetExitCodeThread(thread, &code);
	SAY("then", code);
	CloseHandle(thread);

	thread = (HANDLE)_beginthreadex(NULL, 0, crt_thread, &seen, 0, &crt_id);
	SAY("_beginthreadex", thread != NULL);
	WaitForSingleObject(thread, INFINITE);
	GetExitCodeThread(thread, &code);
	SAY("_endthreadex", code);
	SAY("its id", seen == crt_id);
	CloseHandle(thread);

	SAY("_beginthread", _beginthread(plain_thread, 0, go) != (uintptr_t)-1);
	SAY("it ran", WaitForSingleObject(go, INFINITE));

	thread = CreateThread(NULL, 65536, leave_early, (LPVOID)9, 0, NULL);
	WaitForSingleObject(thread, INFINITE);
	GetExitCodeThread(thread, &code);
	SAY("ExitThread", code);
	CloseHandle(thread);
}

static void
suspended(void)
{
	HANDLE thread;
	LONG before = ran;

	thread = CreateThread(NULL, 0, leave_early, NULL, CREATE_SUSPENDED,
			      NULL);
	SAY("suspended", WaitForSingleObject(thread, 20));
	SAY("did not run", ran - before);
	SAY("ResumeThread", ResumeThread(thread));
	SAY("resumed", WaitForSingleObject(thread, INFINITE));
	SAY("ran", ran - before);
	CloseHandle(thread);
	SAY("no thread", ResumeThread((HANDLE)0x12345678) == (DWORD)-1);
	SAY("no thread error", GetLastError());
}

static void
mutexes(void)
{
	HANDLE thread, all[2];
	DWORD code;

	mutex = CreateMutex(NULL, TRUE, NULL);
	SAY("again", WaitForSingleObject(mutex, 0));
	thread = CreateThread(NULL, 0, take_mutex, NULL, 0, NULL);
	SAY("blocked", WaitForSingleObject(thread, 20));
	SAY("ReleaseMutex", ReleaseMutex(mutex) != 0);
	SAY("still blocked", WaitForSingleObject(thread, 20));
	SAY("ReleaseMutex 2", ReleaseMutex(mutex) != 0);
	SAY("goes on", WaitForSingleObject(thread, INFINITE));
	GetExitCodeThread(thread, &code);
	SAY("got it", code);
	CloseHandle(thread);
	SAY("abandoned", WaitForSingleObject(mutex, INFINITE));
	SAY("ReleaseMutex 3", ReleaseMutex(mutex) != 0);
	SAY("not owner", ReleaseMutex(mutex));
	SAY("not owner error", GetLastError());
	SAY("free", WaitForSingleObject(mutex, 0));
	ReleaseMutex(mutex);
	thread = CreateThread(NULL, 0, take_mutex, NULL, 0, NULL);
	all[0] = thread;
	all[1] = mutex;
	SAY("abandoned, of all",
	    WaitForMultipleObjects(2, all, TRUE, INFINITE));
	SAY("owned then", ReleaseMutex(mutex) != 0);
	CloseHandle(thread);
	CloseHandle(mutex);
}

static void
semaphores(void)
{
	LONG before = -1;

	semaphore = CreateSemaphore(NULL, 1, 2, NULL);
	SAY("one", WaitForSingleObject(semaphore, 0));
	SAY("none left", WaitForSingleObject(semaphore, 0));
	SAY("ReleaseSemaphore", ReleaseSemaphore(semaphore, 2, &before) != 0);
	SAY("count before", before);
	SAY("too many", ReleaseSemaphore(semaphore, 1, NULL));
	SAY("too many error", GetLastError());
	SAY("of zero", ReleaseSemaphore(semaphore, 0, NULL));
	SAY("of zero error", GetLastError());
	SAY("wrong", CreateSemaphore(NULL, 3, 2, NULL) == NULL);
	SAY("wrong error", GetLastError());
}

static void
together(void)
{
	HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL);
	HANDLE all[4];
	DWORD code = 77;

	mutex = CreateMutex(NULL, FALSE, NULL);
	all[0] = event;
	all[1] = CreateThread(NULL, 0, wait_and_answer, &code, 0, NULL);
	all[2] = semaphore;
	all[3] = mutex;
	SAY("the third", WaitForMultipleObjects(4, all, FALSE, INFINITE));
	WaitForSingleObject(semaphore, 0);
	SAY("the fourth", WaitForMultipleObjects(4, all, FALSE, INFINITE));
	SetEvent(go);
	WaitForSingleObject(all[1], INFINITE);
	SAY("the second", WaitForMultipleObjects(4, all, FALSE, INFINITE));
	SAY("not all", WaitForMultipleObjects(4, all, TRUE, 10));
	SetEvent(event);
	ReleaseSemaphore(semaphore, 1, NULL);
	SAY("all", WaitForMultipleObjects(4, all, TRUE, INFINITE));
	SAY("taken", WaitForSingleObject(semaphore, 0));
	all[1] = all[0];
	SAY("twice", WaitForMultipleObjects(2, all, TRUE, 0));
	SAY("twice error", GetLastError());
}

#define WORKERS 8
#define ROUNDS 500

static LONG counted;

static DWORD WINAPI
count_to(LPVOID argument)
{
	(void)argument;
	for (int i = 0; i < ROUNDS; i++) {
		WaitForSingleObject(mutex, INFINITE);
		counted++;
		ReleaseMutex(mutex);
	}
	return 0;
}

static void
crowd(void)
{
	HANDLE threads[WORKERS];

	ReleaseMutex(mutex);
	ReleaseMutex(mutex);
	for (int i = 0; i < WORKERS; i++)
		threads[i] = CreateThread(NULL, 0, count_to, NULL, 0, NULL);
	SAY("crowd", WaitForMultipleObjects(WORKERS, threads, TRUE, INFINITE));
	SAY("counted", counted);
	for (int i = 0; i < WORKERS; i++)
		CloseHandle(threads[i]);
}

static void CALLBACK
routine(ULONG_PTR value)
{
	ran = (LONG)value;
}

int
main(void)
{
	go = CreateEvent(NULL, FALSE, FALSE, NULL);
	ready = CreateEvent(NULL, FALSE, FALSE, NULL);
	ends();
	suspended();
	mutexes();
	semaphores();
	together();
	crowd();
	SAY("QueueUserAPC", QueueUserAPC(routine, GetCurrentThread(), 99) != 0);
	SAY("SleepEx", SleepEx(1000, TRUE));
	SAY("the routine ran", ran);
	SAY("SleepEx again", SleepEx(1, TRUE));
	SwitchToThread();
	return 0;
}
