/* SPDX-License-Identifier: MIT */
/*
 * The server of many books: a completion port, a thread for each processor that
 * waits for it, a structure for each request. It answers in capitals until
 * somebody says "stop".
 */
#include <winsock2.h>
#include <mswsock.h>
#include <windows.h>
#include <tchar.h>
#include <stdio.h>

#pragma comment(lib, "Ws2_32.lib")

#define BUFFER_SIZE 256
#define MAX_THREADS 16

enum OPERATION { OP_ACCEPT, OP_READ, OP_WRITE };

typedef struct _PER_IO {
	OVERLAPPED Overlapped;
	enum OPERATION Operation;
	SOCKET Socket;
	WSABUF Buffer;
	CHAR Data[BUFFER_SIZE];
} PER_IO, *LPPER_IO;

static HANDLE g_port, g_stop;
static SOCKET g_listener;
static LPFN_ACCEPTEX g_accept;
static volatile LONG g_open, g_served;

static void
Start(LPPER_IO io, enum OPERATION operation, DWORD bytes)
{
	DWORD flags = 0;
	int result;

	ZeroMemory(&io->Overlapped, sizeof(io->Overlapped));
	io->Operation = operation;
	io->Buffer.buf = io->Data;
	io->Buffer.len = operation == OP_READ ? BUFFER_SIZE : bytes;
	result = operation == OP_READ
			 ? WSARecv(io->Socket, &io->Buffer, 1, NULL, &flags,
				   &io->Overlapped, NULL)
			 : WSASend(io->Socket, &io->Buffer, 1, NULL, 0,
				   &io->Overlapped, NULL);
	if (result == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING)
		PostQueuedCompletionStatus(g_port, 0, 0, &io->Overlapped);
}

static BOOL
AcceptNext(void)
{
	LPPER_IO io = (LPPER_IO)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY,
					  sizeof(PER_IO));
	DWORD bytes;

	if (!io)
		return FALSE;
	io->Operation = OP_ACCEPT;
	io->Socket = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
			       WSA_FLAG_OVERLAPPED);
	return g_accept(g_listener, io->Socket, io->Data, 0,
			sizeof(SOCKADDR_IN) + 16, sizeof(SOCKADDR_IN) + 16,
			&bytes, &io->Overlapped) ||
	       WSAGetLastError() == ERROR_IO_PENDING;
}

static void
Accepted(LPPER_IO io)
{
	setsockopt(io->Socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
		   (char *)&g_listener, sizeof(g_listener));
	CreateIoCompletionPort((HANDLE)io->Socket, g_port, 0, 0);
	InterlockedIncrement(&g_open);
	AcceptNext();
	Start(io, OP_READ, 0);
}

static void
Close(LPPER_IO io)
{
	if (io->Operation != OP_ACCEPT)
		InterlockedDecrement(&g_open);
	closesocket(io->Socket);
	HeapFree(GetProcessHeap(), 0, io);
}

static DWORD WINAPI
WorkerThread(LPVOID parameter)
{
	DWORD bytes;
	ULONG_PTR key;
	LPOVERLAPPED overlapped;

	UNREFERENCED_PARAMETER(parameter);
	for (;;) {
		BOOL ok = GetQueuedCompletionStatus(g_port, &bytes, &key,
						    &overlapped, INFINITE);
		LPPER_IO io;

		if (overlapped == NULL)
			return ok ? 0 : GetLastError();
		io = CONTAINING_RECORD(overlapped, PER_IO, Overlapped);
		if (!ok || (io->Operation != OP_ACCEPT && bytes == 0)) {
			Close(io);
		} else if (io->Operation == OP_ACCEPT) {
			Accepted(io);
		} else if (io->Operation == OP_WRITE) {
			InterlockedIncrement(&g_served);
			Start(io, OP_READ, 0);
		} else if (bytes >= 4 && !_strnicmp(io->Data, "stop", 4)) {
			Close(io);
			SetEvent(g_stop);
		} else {
			for (DWORD i = 0; i < bytes; i++)
				io->Data[i] = (CHAR)toupper(io->Data[i]);
			Start(io, OP_WRITE, bytes);
		}
	}
}

static int
Listen(void)
{
	SOCKADDR_IN address;
	GUID guid = WSAID_ACCEPTEX;
	int size = sizeof(address);
	DWORD bytes;

	g_listener = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
			       WSA_FLAG_OVERLAPPED);
	ZeroMemory(&address, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(g_listener, (LPSOCKADDR)&address, size) == SOCKET_ERROR ||
	    listen(g_listener, SOMAXCONN) == SOCKET_ERROR ||
	    getsockname(g_listener, (LPSOCKADDR)&address, &size) ||
	    WSAIoctl(g_listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid,
		     sizeof(guid), &g_accept, sizeof(g_accept), &bytes, NULL,
		     NULL) == SOCKET_ERROR)
		return 0;
	CreateIoCompletionPort((HANDLE)g_listener, g_port, 0, 0);
	return ntohs(address.sin_port);
}

int __cdecl _tmain(int argc, TCHAR *argv[])
{
	HANDLE threads[MAX_THREADS];
	SYSTEM_INFO info;
	DWORD count;
	WSADATA data;
	int port;

	UNREFERENCED_PARAMETER(argc);
	UNREFERENCED_PARAMETER(argv);
	if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
		return 1;
	g_stop = CreateEvent(NULL, TRUE, FALSE, NULL);
	g_port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	GetSystemInfo(&info);
	count = min(info.dwNumberOfProcessors + 1, MAX_THREADS);
	for (DWORD i = 0; i < count; i++)
		threads[i] = CreateThread(NULL, 0, WorkerThread, NULL, 0, NULL);
	port = Listen();
	if (port == 0 || !AcceptNext()) {
		_tprintf(_T("failed: %d\n"), WSAGetLastError());
		return 1;
	}
	_tprintf(_T("port %d\n"), port);
	fflush(stdout);
	WaitForSingleObject(g_stop, INFINITE);
	closesocket(g_listener);
	for (DWORD i = 0; i < count; i++)
		PostQueuedCompletionStatus(g_port, 0, 0, NULL);
	WaitForMultipleObjects(count, threads, TRUE, INFINITE);
	_tprintf(_T("served %ld, open %ld\n"), (long)g_served, (long)g_open);
	for (DWORD i = 0; i < count; i++)
		CloseHandle(threads[i]);
	CloseHandle(g_port);
	CloseHandle(g_stop);
	WSACleanup();
	return 0;
}
