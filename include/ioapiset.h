/* SPDX-License-Identifier: MIT */
/*
 * Overlapped requests and completion ports, of sockets: a HANDLE of a file is a
 * SOCKET here.
 */
#ifndef PORTRES_IOAPISET_H
#define PORTRES_IOAPISET_H

#include "minwinbase.h"

typedef struct _OVERLAPPED_ENTRY {
	ULONG_PTR lpCompletionKey;
	LPOVERLAPPED lpOverlapped;
	ULONG_PTR Internal;
	DWORD dwNumberOfBytesTransferred;
} OVERLAPPED_ENTRY, *LPOVERLAPPED_ENTRY;

#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 0x1
#define FILE_SKIP_SET_EVENT_ON_HANDLE 0x2

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes a port, or associates a socket with one, or both. The number of threads
 * is not limited: a thread that waits is woken for each packet.
 *
 * ERROR_INVALID_PARAMETER	the socket has a port; or no port, and
 *				ExistingCompletionPort is one
 * ERROR_INVALID_HANDLE	not a socket, not a port
 * ERROR_NOT_ENOUGH_MEMORY	also: no descriptor left (ours)
 */
PORTRES_API HANDLE WINAPI
CreateIoCompletionPort(HANDLE FileHandle, HANDLE ExistingCompletionPort,
		       ULONG_PTR CompletionKey, DWORD NumberOfConcurrentThreads)
	PORTRES_NAME(CreateIoCompletionPort);

/*
 * FALSE with a structure: a request that has failed, the last error says why,
 * in Win32's numbers. FALSE without: WAIT_TIMEOUT, ERROR_ABANDONED_WAIT_0 when
 * the port is closed meanwhile, ERROR_INVALID_HANDLE.
 */
PORTRES_API BOOL WINAPI GetQueuedCompletionStatus(
	HANDLE CompletionPort, LPDWORD lpNumberOfBytesTransferred,
	PULONG_PTR lpCompletionKey, LPOVERLAPPED *lpOverlapped,
	DWORD dwMilliseconds) PORTRES_NAME(GetQueuedCompletionStatus);

/* Several at once. TRUE for those that have failed too: Internal says it, in
 * Winsock's numbers. */
PORTRES_API BOOL WINAPI GetQueuedCompletionStatusEx(
	HANDLE CompletionPort, LPOVERLAPPED_ENTRY lpCompletionPortEntries,
	ULONG ulCount, PULONG ulNumEntriesRemoved, DWORD dwMilliseconds,
	BOOL fAlertable) PORTRES_NAME(GetQueuedCompletionStatusEx);

PORTRES_API BOOL WINAPI PostQueuedCompletionStatus(
	HANDLE CompletionPort, DWORD dwNumberOfBytesTransferred,
	ULONG_PTR dwCompletionKey, LPOVERLAPPED lpOverlapped)
	PORTRES_NAME(PostQueuedCompletionStatus);

/* No packet, no event, for what is done at once. */
PORTRES_API BOOL WINAPI SetFileCompletionNotificationModes(HANDLE FileHandle,
							   UCHAR Flags)
	PORTRES_NAME(SetFileCompletionNotificationModes);

/* As WSAGetOverlappedResult(), in Win32's numbers. */
PORTRES_API BOOL WINAPI GetOverlappedResult(HANDLE hFile,
					    LPOVERLAPPED lpOverlapped,
					    LPDWORD lpNumberOfBytesTransferred,
					    BOOL bWait)
	PORTRES_NAME(GetOverlappedResult);

/* hFile is a socket. */
PORTRES_API BOOL WINAPI CancelIo(HANDLE hFile) PORTRES_NAME(CancelIo);
PORTRES_API BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped)
	PORTRES_NAME(CancelIoEx);

#ifdef __cplusplus
}
#endif

#endif
