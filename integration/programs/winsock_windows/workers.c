/* SPDX-License-Identifier: MIT */
/* A thread for each client, a lock on what they share, an event at the end. */
#include <winsock2.h>
#include <windows.h>
#include <process.h>
#include <stdio.h>
#include <strsafe.h>

static CRITICAL_SECTION lock;
static HANDLE done, slots;
static volatile LONG running;
static int total;

static unsigned __stdcall serve(LPVOID parameter)
{
	SOCKET s = (SOCKET)(ULONG_PTR)parameter;
	SYSTEMTIME now;
	char request[64], answer[128];
	int n = recv(s, request, sizeof(request) - 1, 0);

	if (n > 0) {
		request[n] = '\0';
		EnterCriticalSection(&lock);
		total += atoi(request);
		LeaveCriticalSection(&lock);
		GetLocalTime(&now);
		StringCchPrintfA(answer, ARRAYSIZE(answer), "%d %02d:%02d\n",
				 total, now.wHour, now.wMinute);
		send(s, answer, (int)strlen(answer), 0);
	}
	closesocket(s);
	ReleaseSemaphore(slots, 1, NULL);
	if (InterlockedDecrement(&running) == 0)
		SetEvent(done);
	_endthreadex(0);
	return 0;
}

static DWORD WINAPI
accept_some(LPVOID parameter)
{
	SOCKET listener = *(SOCKET *)parameter;

	for (int i = 0; i < 8; i++) {
		unsigned int id;
		HANDLE thread;
		SOCKET s;

		WaitForSingleObject(slots, INFINITE);
		s = accept(listener, NULL, NULL);
		if (s == INVALID_SOCKET)
			return (DWORD)WSAGetLastError();
		thread = (HANDLE)_beginthreadex(NULL, 0, serve,
						(LPVOID)(ULONG_PTR)s, 0, &id);
		if (thread == NULL)
			return GetLastError();
		CloseHandle(thread);
	}
	return 0;
}

int
main(void)
{
	struct sockaddr_in address = {0};
	int size = sizeof(address);
	HANDLE both[2];
	SOCKET listener;
	DWORD code = 1, ticks = GetTickCount();
	WSADATA data;

	WSAStartup(MAKEWORD(2, 2), &data);
	InitializeCriticalSection(&lock);
	done = CreateEvent(NULL, TRUE, FALSE, NULL);
	slots = CreateSemaphore(NULL, 3, 3, NULL);
	running = 8;
	listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (struct sockaddr *)&address, sizeof(address));
	listen(listener, SOMAXCONN);
	getsockname(listener, (struct sockaddr *)&address, &size);
	printf("port %d\n", ntohs(address.sin_port));
	fflush(stdout);
	both[0] = CreateThread(NULL, 0, accept_some, &listener, 0, NULL);
	both[1] = done;
	if (WaitForMultipleObjects(2, both, TRUE, 60000) == WAIT_OBJECT_0)
		GetExitCodeThread(both[0], &code);
	printf("total %d, in %s\n", total,
	       GetTickCount() - ticks < 60000 ? "time" : "vain");
	CloseHandle(both[0]);
	CloseHandle(done);
	CloseHandle(slots);
	DeleteCriticalSection(&lock);
	closesocket(listener);
	WSACleanup();
	return (int)code;
}
