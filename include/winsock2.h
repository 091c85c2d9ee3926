/* SPDX-License-Identifier: MIT */
/*
 * Winsock 2 over the sockets of Linux. A SOCKET is a file descriptor, so the
 * functions and structures that both systems have under one name are Linux'
 * own. What Winsock has and we do not carry is not declared: a compile error
 * is better than a stub that does nothing.
 */
#ifndef PORTRES_WINSOCK2_H
#define PORTRES_WINSOCK2_H

#include "windows.h"

#include <arpa/inet.h>
#include <asm/ioctl.h>
#include <asm/ioctls.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

/* glibc hides these from strict ISO C. */
#ifndef __u_char_defined
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
#define __u_char_defined
#endif

#define WSAAPI
#ifndef WINSOCK_API_LINKAGE
#define WINSOCK_API_LINKAGE __attribute__((__visibility__("default")))
#endif

#define WINSOCK_VERSION MAKEWORD(2, 2)
#define WSADESCRIPTION_LEN 256
#define WSASYS_STATUS_LEN 128

typedef UINT_PTR SOCKET;
typedef USHORT ADDRESS_FAMILY;

#define INVALID_SOCKET ((SOCKET)(~0))
#define SOCKET_ERROR (-1)

#define SD_RECEIVE 0
#define SD_SEND 1
#define SD_BOTH 2

/* Opposites of other options. */
#define SO_EXCLUSIVEADDRUSE ((int)(~SO_REUSEADDR))
#define SO_DONTLINGER ((int)(~SO_LINGER))

typedef struct sockaddr SOCKADDR, *PSOCKADDR, *LPSOCKADDR;
typedef struct sockaddr_in SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;
typedef struct sockaddr_storage SOCKADDR_STORAGE, *PSOCKADDR_STORAGE,
	*LPSOCKADDR_STORAGE;
typedef struct in_addr IN_ADDR, *PIN_ADDR, *LPIN_ADDR;
typedef struct linger LINGER, *PLINGER, *LPLINGER;
typedef struct timeval TIMEVAL, *PTIMEVAL, *LPTIMEVAL;
typedef struct hostent HOSTENT, *PHOSTENT, *LPHOSTENT;
typedef struct servent SERVENT, *PSERVENT, *LPSERVENT;
typedef struct protoent PROTOENT, *PPROTOENT, *LPPROTOENT;
typedef struct pollfd WSAPOLLFD, *PWSAPOLLFD, *LPWSAPOLLFD;
typedef fd_set FD_SET, *PFD_SET, *LPFD_SET;

/* 64-bit Windows' order of members. */
typedef struct WSAData {
	WORD wVersion;
	WORD wHighVersion;
	unsigned short iMaxSockets;
	unsigned short iMaxUdpDg;
	char *lpVendorInfo;
	char szDescription[WSADESCRIPTION_LEN + 1];
	char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, *LPWSADATA;

typedef unsigned int GROUP;

#define WSA_FLAG_OVERLAPPED 0x01
#define WSA_FLAG_NO_HANDLE_INHERIT 0x80

#define MAX_PROTOCOL_CHAIN 7
#define WSAPROTOCOL_LEN 255
#define BASE_PROTOCOL 1
#define FROM_PROTOCOL_INFO (-1)

typedef struct _WSAPROTOCOLCHAIN {
	int ChainLen;
	DWORD ChainEntries[MAX_PROTOCOL_CHAIN];
} WSAPROTOCOLCHAIN, *LPWSAPROTOCOLCHAIN;

/* Both kinds of text behind the same numbers. */
#define PORTRES_PROTOCOL_INFO(text)                                            \
	DWORD dwServiceFlags1;                                                 \
	DWORD dwServiceFlags2;                                                 \
	DWORD dwServiceFlags3;                                                 \
	DWORD dwServiceFlags4;                                                 \
	DWORD dwProviderFlags;                                                 \
	GUID ProviderId;                                                       \
	DWORD dwCatalogEntryId;                                                \
	WSAPROTOCOLCHAIN ProtocolChain;                                        \
	int iVersion;                                                          \
	int iAddressFamily;                                                    \
	int iMaxSockAddr;                                                      \
	int iMinSockAddr;                                                      \
	int iSocketType;                                                       \
	int iProtocol;                                                         \
	int iProtocolMaxOffset;                                                \
	int iNetworkByteOrder;                                                 \
	int iSecurityScheme;                                                   \
	DWORD dwMessageSize;                                                   \
	DWORD dwProviderReserved;                                              \
	text szProtocol[WSAPROTOCOL_LEN + 1]

typedef struct _WSAPROTOCOL_INFOA {
	PORTRES_PROTOCOL_INFO(CHAR);
} WSAPROTOCOL_INFOA, *LPWSAPROTOCOL_INFOA;

typedef struct _WSAPROTOCOL_INFOW {
	PORTRES_PROTOCOL_INFO(WCHAR);
} WSAPROTOCOL_INFOW, *LPWSAPROTOCOL_INFOW;

typedef HANDLE WSAEVENT, *LPWSAEVENT;

#define WSA_INVALID_EVENT ((WSAEVENT)NULL)
#define WSA_MAXIMUM_WAIT_EVENTS MAXIMUM_WAIT_OBJECTS
#define WSA_WAIT_FAILED WAIT_FAILED
#define WSA_WAIT_EVENT_0 WAIT_OBJECT_0
#define WSA_WAIT_IO_COMPLETION WAIT_IO_COMPLETION
#define WSA_WAIT_TIMEOUT WAIT_TIMEOUT
#define WSA_INFINITE INFINITE
typedef OVERLAPPED WSAOVERLAPPED, *LPWSAOVERLAPPED;

typedef void(CALLBACK *LPWSAOVERLAPPED_COMPLETION_ROUTINE)(
	DWORD dwError, DWORD cbTransferred, LPWSAOVERLAPPED lpOverlapped,
	DWORD dwFlags);

/*
 * Control codes. Linux has IOC_IN and IOC_OUT too, with other values; its
 * header was included above, so that ours are what remains in any order of
 * includes, and the codes themselves do not depend on these two names.
 */
#undef IOC_IN
#undef IOC_OUT
#undef IOC_INOUT
#define IOC_VOID 0x20000000u
#define IOC_OUT 0x40000000u
#define IOC_IN 0x80000000u
#define IOC_INOUT (IOC_IN | IOC_OUT)

#define IOC_UNIX 0x00000000u
#define IOC_WS2 0x08000000u
#define IOC_PROTOCOL 0x10000000u
#define IOC_VENDOR 0x18000000u

/* Answered with WSAEOPNOTSUPP: no extension is carried. */
#define SIO_GET_EXTENSION_FUNCTION_POINTER 0xc8000006u

#define _WSAIO(group, number) (0x20000000u | (group) | (number))
#define _WSAIOR(group, number) (0x40000000u | (group) | (number))
#define _WSAIOW(group, number) (0x80000000u | (group) | (number))
#define _WSAIORW(group, number) (0xc0000000u | (group) | (number))

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the error itself; WSAGetLastError() does not have it. */
WINSOCK_API_LINKAGE int WSAAPI WSAStartup(WORD wVersionRequested,
					  LPWSADATA lpWSAData);
WINSOCK_API_LINKAGE int WSAAPI WSACleanup(void);

WINSOCK_API_LINKAGE int WSAAPI WSAGetLastError(void);
WINSOCK_API_LINKAGE void WSAAPI WSASetLastError(int iError);

WINSOCK_API_LINKAGE int WSAAPI
WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	 LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	 LPWSAOVERLAPPED lpOverlapped,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

WINSOCK_API_LINKAGE BOOL WSAAPI
WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED lpOverlapped,
		       LPDWORD lpcbTransfer, BOOL fWait, LPDWORD lpdwFlags);

WINSOCK_API_LINKAGE WSAEVENT WSAAPI WSACreateEvent(void);
WINSOCK_API_LINKAGE BOOL WSAAPI WSASetEvent(WSAEVENT hEvent);
WINSOCK_API_LINKAGE BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent);
WINSOCK_API_LINKAGE BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent);
WINSOCK_API_LINKAGE DWORD WSAAPI
WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT *lphEvents,
			 BOOL fWaitAll, DWORD dwTimeout, BOOL fAlertable);

/* Groups are ignored. A protocol's structure counts where an argument is
 * FROM_PROTOCOL_INFO. */
WINSOCK_API_LINKAGE SOCKET WSAAPI WSASocketA(int af, int type, int protocol,
					     LPWSAPROTOCOL_INFOA lpProtocolInfo,
					     GROUP g, DWORD dwFlags);
WINSOCK_API_LINKAGE SOCKET WSAAPI WSASocketW(int af, int type, int protocol,
					     LPWSAPROTOCOL_INFOW lpProtocolInfo,
					     GROUP g, DWORD dwFlags);

WINSOCK_API_LINKAGE int WSAAPI closesocket(SOCKET s);

/* FIONBIO, FIONREAD, SIOCATMARK. Linux' u_long has 64 bits; a ULONG or DWORD
 * is taken as well. */
WINSOCK_API_LINKAGE int WSAAPI ioctlsocket(SOCKET s, long cmd, u_long *argp);
WINSOCK_API_LINKAGE int portres_ioctlsocket32(SOCKET s, long cmd, ULONG *argp);

/* Events have Linux' numbers, under the names that both systems use. */
WINSOCK_API_LINKAGE int WSAAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds,
				       INT timeout);

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
typedef WSAPROTOCOL_INFOW WSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
#define WSASocket WSASocketW
#else
typedef WSAPROTOCOL_INFOA WSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
#define WSASocket WSASocketA
#endif

#include "portres_calls.h"

#endif
