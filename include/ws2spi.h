/* SPDX-License-Identifier: MIT */
/*
 * Winsock's side for service providers, as far as reservations go: functions
 * that report their error through a pointer, and routines sent to threads.
 *
 * The tables have the members that we carry and no others, so that the use of
 * any other is a compile error.
 */
#ifndef PORTRES_WS2SPI_H
#define PORTRES_WS2SPI_H

#include "winsock2.h"

#define WSPAPI WSAAPI
#define WSPDESCRIPTION_LEN 255

typedef struct WSPData {
	WORD wVersion;
	WORD wHighVersion;
	WCHAR szDescription[WSPDESCRIPTION_LEN + 1];
} WSPDATA, *LPWSPDATA;

typedef struct _WSATHREADID {
	HANDLE ThreadHandle;
	DWORD_PTR Reserved;
} WSATHREADID, *LPWSATHREADID;

typedef void(CALLBACK *LPWSAUSERAPC)(DWORD_PTR dwContext);

typedef int(WSPAPI *LPWSPBIND)(SOCKET s, const struct sockaddr *name,
			       int namelen, LPINT lpErrno);
typedef int(WSPAPI *LPWSPCLEANUP)(LPINT lpErrno);
typedef int(WSPAPI *LPWSPCLOSESOCKET)(SOCKET s, LPINT lpErrno);
typedef BOOL(WSPAPI *LPWSPGETOVERLAPPEDRESULT)(SOCKET s,
					       LPWSAOVERLAPPED lpOverlapped,
					       LPDWORD lpcbTransfer, BOOL fWait,
					       LPDWORD lpdwFlags,
					       LPINT lpErrno);
typedef int(WSPAPI *LPWSPIOCTL)(
	SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
	LPWSATHREADID lpThreadId, LPINT lpErrno);
typedef SOCKET(WSPAPI *LPWSPSOCKET)(int af, int type, int protocol,
				    LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP g,
				    DWORD dwFlags, LPINT lpErrno);

typedef struct _WSPPROC_TABLE {
	LPWSPBIND lpWSPBind;
	LPWSPCLEANUP lpWSPCleanup;
	LPWSPCLOSESOCKET lpWSPCloseSocket;
	LPWSPGETOVERLAPPEDRESULT lpWSPGetOverlappedResult;
	LPWSPIOCTL lpWSPIoctl;
	LPWSPSOCKET lpWSPSocket;
} WSPPROC_TABLE, *LPWSPPROC_TABLE;

typedef int(WSPAPI *LPWPUOPENCURRENTTHREAD)(LPWSATHREADID lpThreadId,
					    LPINT lpErrno);
typedef int(WSPAPI *LPWPUCLOSETHREAD)(LPWSATHREADID lpThreadId, LPINT lpErrno);
typedef int(WSPAPI *LPWPUQUEUEAPC)(LPWSATHREADID lpThreadId,
				   LPWSAUSERAPC lpfnUserApc,
				   DWORD_PTR dwContext, LPINT lpErrno);

typedef struct _WSPUPCALLTABLE {
	LPWPUCLOSETHREAD lpWPUCloseThread;
	LPWPUOPENCURRENTTHREAD lpWPUOpenCurrentThread;
	LPWPUQUEUEAPC lpWPUQueueApc;
} WSPUPCALLTABLE, *LPWSPUPCALLTABLE;

#ifdef __cplusplus
extern "C" {
#endif

WINSOCK_API_LINKAGE int WSPAPI WSPStartup(WORD wVersionRequested,
					  LPWSPDATA lpWSPData,
					  LPWSAPROTOCOL_INFOW lpProtocolInfo,
					  WSPUPCALLTABLE UpcallTable,
					  LPWSPPROC_TABLE lpProcTable);

/* As WSAIoctl; the error is *lpErrno, and a routine goes to the thread. */
WINSOCK_API_LINKAGE int WSPAPI
WSPIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	 LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	 LPWSAOVERLAPPED lpOverlapped,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
	 LPWSATHREADID lpThreadId, LPINT lpErrno);

WINSOCK_API_LINKAGE int WSPAPI WPUOpenCurrentThread(LPWSATHREADID lpThreadId,
						    LPINT lpErrno);
WINSOCK_API_LINKAGE int WSPAPI WPUCloseThread(LPWSATHREADID lpThreadId,
					      LPINT lpErrno);
/* The routine runs when the thread waits alertably. */
WINSOCK_API_LINKAGE int WSPAPI WPUQueueApc(LPWSATHREADID lpThreadId,
					   LPWSAUSERAPC lpfnUserApc,
					   DWORD_PTR dwContext, LPINT lpErrno);

#ifdef __cplusplus
}
#endif

#endif
