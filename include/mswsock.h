/* SPDX-License-Identifier: MIT */
/*
 * Microsoft's extensions: what AcceptEx and its kin are, and the numbers by
 * which WSAIoctl(SIO_GET_EXTENSION_FUNCTION_POINTER) finds them. All of them
 * are functions of this archive as well.
 */
#ifndef PORTRES_MSWSOCK_H
#define PORTRES_MSWSOCK_H

#include "winsock2.h"

#define TF_REUSE_SOCKET 0x02
#define DE_REUSE_SOCKET TF_REUSE_SOCKET

/* FALSE: a connected socket of UDP hears nothing of ports where nobody is. An
 * unconnected one hears nothing either way. */
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)

#define WSAID_ACCEPTEX                                                         \
	{                                                                      \
		0xb5367df1, 0xcbac, 0x11cf,                                    \
		{                                                              \
			0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92         \
		}                                                              \
	}
#define WSAID_GETACCEPTEXSOCKADDRS                                             \
	{                                                                      \
		0xb5367df2, 0xcbac, 0x11cf,                                    \
		{                                                              \
			0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92         \
		}                                                              \
	}
#define WSAID_CONNECTEX                                                        \
	{                                                                      \
		0x25a207b9, 0xddf3, 0x4660,                                    \
		{                                                              \
			0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e         \
		}                                                              \
	}
#define WSAID_DISCONNECTEX                                                     \
	{                                                                      \
		0x7fda2e11, 0x8630, 0x436f,                                    \
		{                                                              \
			0xa0, 0x31, 0xf5, 0x36, 0xa6, 0xee, 0xc1, 0x57         \
		}                                                              \
	}
#define WSAID_WSARECVMSG                                                       \
	{                                                                      \
		0xf689d7c8, 0x6f1f, 0x436b,                                    \
		{                                                              \
			0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22         \
		}                                                              \
	}
#define WSAID_WSASENDMSG                                                       \
	{                                                                      \
		0xa441e712, 0x754f, 0x43ca,                                    \
		{                                                              \
			0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d         \
		}                                                              \
	}

typedef BOOL(PASCAL *LPFN_ACCEPTEX)(SOCKET sListenSocket, SOCKET sAcceptSocket,
				    PVOID lpOutputBuffer,
				    DWORD dwReceiveDataLength,
				    DWORD dwLocalAddressLength,
				    DWORD dwRemoteAddressLength,
				    LPDWORD lpdwBytesReceived,
				    LPOVERLAPPED lpOverlapped);
typedef VOID(PASCAL *LPFN_GETACCEPTEXSOCKADDRS)(
	PVOID lpOutputBuffer, DWORD dwReceiveDataLength,
	DWORD dwLocalAddressLength, DWORD dwRemoteAddressLength,
	struct sockaddr **LocalSockaddr, LPINT LocalSockaddrLength,
	struct sockaddr **RemoteSockaddr, LPINT RemoteSockaddrLength);
typedef BOOL(PASCAL *LPFN_CONNECTEX)(SOCKET s, const struct sockaddr *name,
				     int namelen, PVOID lpSendBuffer,
				     DWORD dwSendDataLength,
				     LPDWORD lpdwBytesSent,
				     LPOVERLAPPED lpOverlapped);
typedef BOOL(PASCAL *LPFN_DISCONNECTEX)(SOCKET s, LPOVERLAPPED lpOverlapped,
					DWORD dwFlags, DWORD dwReserved);
typedef INT(PASCAL *LPFN_WSARECVMSG)(
	SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
typedef INT(PASCAL *LPFN_WSASENDMSG)(
	SOCKET s, LPWSAMSG lpMsg, DWORD dwFlags, LPDWORD lpNumberOfBytesSent,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Accepts into a socket that was made before, and receives the first
 * dwReceiveDataLength bytes, if that is not 0. Each address takes 16 bytes more
 * than its structure has. FALSE and ERROR_IO_PENDING until it ends. An option
 *of the accepting socket that was set before is lost.
 *
 * WSAEFAULT	dwReceiveDataLength and the lengths of addresses: too short; no
 *		buffer
 * WSAEINVAL	no structure; not listening; sAcceptSocket bound or connected
 */
WINSOCK_API_LINKAGE BOOL PASCAL
AcceptEx(SOCKET sListenSocket, SOCKET sAcceptSocket, PVOID lpOutputBuffer,
	 DWORD dwReceiveDataLength, DWORD dwLocalAddressLength,
	 DWORD dwRemoteAddressLength, LPDWORD lpdwBytesReceived,
	 LPOVERLAPPED lpOverlapped);
WINSOCK_API_LINKAGE VOID PASCAL GetAcceptExSockaddrs(
	PVOID lpOutputBuffer, DWORD dwReceiveDataLength,
	DWORD dwLocalAddressLength, DWORD dwRemoteAddressLength,
	struct sockaddr **LocalSockaddr, LPINT LocalSockaddrLength,
	struct sockaddr **RemoteSockaddr, LPINT RemoteSockaddrLength);

/* Connects a socket that is bound, and sends the first bytes, if there are
 * any. WSAEINVAL: no structure, or not bound. */
WINSOCK_API_LINKAGE BOOL PASCAL ConnectEx(SOCKET s, const struct sockaddr *name,
					  int namelen, PVOID lpSendBuffer,
					  DWORD dwSendDataLength,
					  LPDWORD lpdwBytesSent,
					  LPOVERLAPPED lpOverlapped);

/* Ends when the peer has closed too. With TF_REUSE_SOCKET the number is that of
 * a new socket then, for AcceptEx or bind() and ConnectEx. */
WINSOCK_API_LINKAGE BOOL PASCAL DisconnectEx(SOCKET s,
					     LPOVERLAPPED lpOverlapped,
					     DWORD dwFlags, DWORD dwReserved);

WINSOCK_API_LINKAGE INT PASCAL
WSARecvMsg(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
	   LPWSAOVERLAPPED lpOverlapped,
	   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/* As recv(); a message that does not fit is MSG_PARTIAL in *flags. */
WINSOCK_API_LINKAGE int PASCAL WSARecvEx(SOCKET s, char *buf, int len,
					 int *flags);

#ifdef __cplusplus
}
#endif

#endif
