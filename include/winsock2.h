/* SPDX-License-Identifier: MIT */
/*
 * Winsock 2 over the sockets of Linux. A SOCKET is a file descriptor, so the
 * functions and structures that both systems have under one name are Linux'
 * own. A function that Winsock has and we do not carry is not declared: a
 * program that calls it does not compile.
 */
#ifndef PORTRES_WINSOCK2_H
#define PORTRES_WINSOCK2_H

#include "portres_select.h"

#include "windows.h"

/* S_un, by which Windows' programs know an IPv4 address: the kernel's structure
 * gets it as another name of its one member, unless it is known already. */
#if !defined _NETINET_IN_H && !defined PORTRES_ITSELF
#define s_addr                                                                 \
	:                                                                      \
	0;                                                                     \
	__extension__ union {                                                  \
		in_addr_t s_addr;                                              \
		union {                                                        \
			struct {                                               \
				UCHAR s_b1, s_b2, s_b3, s_b4;                  \
			} S_un_b;                                              \
			struct {                                               \
				USHORT s_w1, s_w2;                             \
			} S_un_w;                                              \
			ULONG S_addr;                                          \
		} S_un;                                                        \
	}
/* As u of an IPv6 address, whose macros need the names for ever. */
#define __in6_u u
#define __u6_addr8 Byte
#define __u6_addr16 Word
#include <netinet/in.h>
#undef s_addr
#endif

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

#ifndef PORTRES_ITSELF
/* Windows' number. Wrapped calls take Linux', 10, as well. */
#undef AF_INET6
#undef PF_INET6
#define AF_INET6 23
#define PF_INET6 AF_INET6
#endif

/* <netinet/tcp.h> says the same of these, and more than programs expect. */
#ifndef TCP_NODELAY
#define TCP_NODELAY 1
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

#define SO_MAX_MSG_SIZE 0x2003
#define SO_PROTOCOL_INFOA 0x2004
#define SO_PROTOCOL_INFOW 0x2005
#define SO_UPDATE_ACCEPT_CONTEXT 0x700b
#define SO_CONNECT_TIME 0x700c
#define SO_UPDATE_CONNECT_CONTEXT 0x7010

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

typedef struct _SOCKET_ADDRESS {
	LPSOCKADDR lpSockaddr;
	INT iSockaddrLength;
} SOCKET_ADDRESS, *PSOCKET_ADDRESS, *LPSOCKET_ADDRESS;

/* As many as the count says. */
typedef struct _SOCKET_ADDRESS_LIST {
	INT iAddressCount;
	SOCKET_ADDRESS Address[1];
} SOCKET_ADDRESS_LIST, *PSOCKET_ADDRESS_LIST, *LPSOCKET_ADDRESS_LIST;

/* A list here, where Linux has bits: select() takes descriptors of any size. */
#ifndef PORTRES_ITSELF
#ifdef PORTRES_FD_SETSIZE_KEPT
#pragma pop_macro("FD_SETSIZE")
#elif !defined PORTRES_FD_SETSIZE_SEEN
#undef FD_SETSIZE
#define FD_SETSIZE 64
#endif
typedef fd_set portres_linux_fd_set;
typedef struct portres_fd_set {
	u_int fd_count;
	SOCKET fd_array[FD_SETSIZE];
} portres_fd_set;
#define fd_set portres_fd_set
typedef fd_set FD_SET, *PFD_SET, *LPFD_SET;

#undef FD_CLR
#undef FD_ISSET
#undef FD_SET
#undef FD_ZERO
#define FD_CLR(fd, set)                                                        \
	portres_fd_clr((SOCKET)(fd), &(set)->fd_count, (set)->fd_array)
#define FD_ISSET(fd, set) __WSAFDIsSet((SOCKET)(fd), (set))
#define FD_SET(fd, set)                                                        \
	portres_fd_put((SOCKET)(fd), &(set)->fd_count, (set)->fd_array,        \
		       FD_SETSIZE)
#define FD_ZERO(set) ((void)((set)->fd_count = 0))
#endif

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
#define WSA_FLAG_MULTIPOINT_C_ROOT 0x02
#define WSA_FLAG_MULTIPOINT_C_LEAF 0x04
#define WSA_FLAG_MULTIPOINT_D_ROOT 0x08
#define WSA_FLAG_MULTIPOINT_D_LEAF 0x10
#define WSA_FLAG_NO_HANDLE_INHERIT 0x80

/* For WSAJoinLeaf(). */
#define JL_SENDER_ONLY 0x01
#define JL_RECEIVER_ONLY 0x02
#define JL_BOTH 0x04

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

/* A catalog of one entry a protocol: TCP and UDP, IPv4 and IPv6. */
#define PFL_MULTIPLE_PROTO_ENTRIES 0x00000001
#define PFL_RECOMMENDED_PROTO_ENTRY 0x00000002
#define PFL_HIDDEN 0x00000004
#define PFL_MATCHES_PROTOCOL_ZERO 0x00000008

#define XP1_CONNECTIONLESS 0x00000001
#define XP1_GUARANTEED_DELIVERY 0x00000002
#define XP1_GUARANTEED_ORDER 0x00000004
#define XP1_MESSAGE_ORIENTED 0x00000008
#define XP1_PSEUDO_STREAM 0x00000010
#define XP1_GRACEFUL_CLOSE 0x00000020
#define XP1_EXPEDITED_DATA 0x00000040
#define XP1_CONNECT_DATA 0x00000080
#define XP1_DISCONNECT_DATA 0x00000100
#define XP1_SUPPORT_BROADCAST 0x00000200
#define XP1_SUPPORT_MULTIPOINT 0x00000400
#define XP1_MULTIPOINT_CONTROL_PLANE 0x00000800
#define XP1_MULTIPOINT_DATA_PLANE 0x00001000
#define XP1_QOS_SUPPORTED 0x00002000
#define XP1_INTERRUPT 0x00004000
#define XP1_UNI_SEND 0x00008000
#define XP1_UNI_RECV 0x00010000
#define XP1_IFS_HANDLES 0x00020000
#define XP1_PARTIAL_MESSAGE 0x00040000

#define BIGENDIAN 0x0000
#define LITTLEENDIAN 0x0001
#define SECURITY_PROTOCOL_NONE 0x0000

typedef struct _WSABUF {
	ULONG len;
	CHAR *buf;
} WSABUF, *LPWSABUF;

/* Quality of service is taken, and ignored. */
typedef struct _flowspec {
	ULONG TokenRate;
	ULONG TokenBucketSize;
	ULONG PeakBandwidth;
	ULONG Latency;
	ULONG DelayVariation;
	ULONG ServiceType;
	ULONG MaxSduSize;
	ULONG MinimumPolicedSize;
} FLOWSPEC, *PFLOWSPEC, *LPFLOWSPEC;

typedef struct _QualityOfService {
	FLOWSPEC SendingFlowspec;
	FLOWSPEC ReceivingFlowspec;
	WSABUF ProviderSpecific;
} QOS, *LPQOS;

/* Control has Linux' control messages, whose head is the same. */
typedef struct _WSAMSG {
	LPSOCKADDR name;
	INT namelen;
	LPWSABUF lpBuffers;
	ULONG dwBufferCount;
	WSABUF Control;
	ULONG dwFlags;
} WSAMSG, *PWSAMSG, *LPWSAMSG;

typedef struct cmsghdr WSACMSGHDR, *PWSACMSGHDR, *LPWSACMSGHDR;
#define WSA_CMSG_SPACE(length) CMSG_SPACE(length)
#define WSA_CMSG_LEN(length) CMSG_LEN(length)
#define WSA_CMSG_DATA(cmsg) CMSG_DATA(cmsg)
#define WSA_CMSG_FIRSTHDR(msg)                                                 \
	((msg)->Control.len >= sizeof(WSACMSGHDR)                              \
		 ? (LPWSACMSGHDR)(void *)(msg)->Control.buf                    \
		 : (LPWSACMSGHDR)NULL)
#define WSA_CMSG_NXTHDR(msg, cmsg)                                             \
	(!(cmsg) ? WSA_CMSG_FIRSTHDR(msg)                                      \
	 : (CHAR *)(cmsg) + CMSG_ALIGN((cmsg)->cmsg_len) +                     \
				 sizeof(WSACMSGHDR) >                          \
			 (msg)->Control.buf + (msg)->Control.len               \
		 ? (LPWSACMSGHDR)NULL                                          \
		 : (LPWSACMSGHDR)(void *)((CHAR *)(cmsg) +                     \
					  CMSG_ALIGN((cmsg)->cmsg_len)))

/* More of the message follows: MSG_MORE. */
#define MSG_PARTIAL 0x8000

#define CF_ACCEPT 0x0000
#define CF_REJECT 0x0001
#define CF_DEFER 0x0002

typedef int(CALLBACK *LPCONDITIONPROC)(LPWSABUF lpCallerId,
				       LPWSABUF lpCallerData, LPQOS lpSQOS,
				       LPQOS lpGQOS, LPWSABUF lpCalleeId,
				       LPWSABUF lpCalleeData, GROUP *g,
				       DWORD_PTR dwCallbackData);

/* Network events. Those from FD_QOS on never happen. */
#define FD_READ_BIT 0
#define FD_WRITE_BIT 1
#define FD_OOB_BIT 2
#define FD_ACCEPT_BIT 3
#define FD_CONNECT_BIT 4
#define FD_CLOSE_BIT 5
#define FD_QOS_BIT 6
#define FD_GROUP_QOS_BIT 7
#define FD_ROUTING_INTERFACE_CHANGE_BIT 8
#define FD_ADDRESS_LIST_CHANGE_BIT 9
#define FD_MAX_EVENTS 10
#define FD_READ (1 << FD_READ_BIT)
#define FD_WRITE (1 << FD_WRITE_BIT)
#define FD_OOB (1 << FD_OOB_BIT)
#define FD_ACCEPT (1 << FD_ACCEPT_BIT)
#define FD_CONNECT (1 << FD_CONNECT_BIT)
#define FD_CLOSE (1 << FD_CLOSE_BIT)
#define FD_QOS (1 << FD_QOS_BIT)
#define FD_GROUP_QOS (1 << FD_GROUP_QOS_BIT)
#define FD_ROUTING_INTERFACE_CHANGE (1 << FD_ROUTING_INTERFACE_CHANGE_BIT)
#define FD_ADDRESS_LIST_CHANGE (1 << FD_ADDRESS_LIST_CHANGE_BIT)
#define FD_ALL_EVENTS ((1 << FD_MAX_EVENTS) - 1)

typedef struct _WSANETWORKEVENTS {
	long lNetworkEvents;
	int iErrorCode[FD_MAX_EVENTS];
} WSANETWORKEVENTS, *LPWSANETWORKEVENTS;

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

#define SIO_GET_EXTENSION_FUNCTION_POINTER 0xc8000006u

#define _WSAIO(group, number) (0x20000000u | (group) | (number))
#define _WSAIOR(group, number) (0x40000000u | (group) | (number))
#define _WSAIOW(group, number) (0x80000000u | (group) | (number))
#define _WSAIORW(group, number) (0xc0000000u | (group) | (number))

/* The address that goes to this one, without a port. */
#define SIO_ROUTING_INTERFACE_QUERY _WSAIORW(IOC_WS2, 20)

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

/*
 * An array of buffers, at once or overlapped. For each: 0 and the number of
 * bytes; or SOCKET_ERROR, and WSA_IO_PENDING when the end will be told. An
 * overlapped send ends when all of it was sent.
 */
WINSOCK_API_LINKAGE int WSAAPI
WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
WINSOCK_API_LINKAGE int WSAAPI
WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	  LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
	  const struct sockaddr *lpTo, int iTolen, LPWSAOVERLAPPED lpOverlapped,
	  LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
WINSOCK_API_LINKAGE int WSAAPI
WSASendMsg(SOCKET Handle, LPWSAMSG lpMsg, DWORD dwFlags,
	   LPDWORD lpNumberOfBytesSent, LPWSAOVERLAPPED lpOverlapped,
	   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
WINSOCK_API_LINKAGE int WSAAPI
WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
WINSOCK_API_LINKAGE int WSAAPI WSARecvFrom(
	SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags, struct sockaddr *lpFrom,
	LPINT lpFromlen, LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/* The condition is asked when the connection is there already, and one that it
 * rejects is reset. */
WINSOCK_API_LINKAGE SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr *addr,
					    LPINT addrlen,
					    LPCONDITIONPROC lpfnCondition,
					    DWORD_PTR dwCallbackData);
WINSOCK_API_LINKAGE int WSAAPI WSAConnect(SOCKET s, const struct sockaddr *name,
					  int namelen, LPWSABUF lpCallerData,
					  LPWSABUF lpCalleeData, LPQOS lpSQOS,
					  LPQOS lpGQOS);

/* Both block, also on a socket that does not. `timeout` is for all addresses
 * together; NULL sets no limit. The caller may pass NULL for the addresses that
 * he does not want to know. */
WINSOCK_API_LINKAGE BOOL WSAAPI
WSAConnectByNameA(SOCKET s, LPCSTR nodename, LPCSTR servicename,
		  LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		  LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		  const struct timeval *timeout, LPWSAOVERLAPPED Reserved);
WINSOCK_API_LINKAGE BOOL WSAAPI
WSAConnectByNameW(SOCKET s, LPWSTR nodename, LPWSTR servicename,
		  LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		  LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		  const struct timeval *timeout, LPWSAOVERLAPPED Reserved);
WINSOCK_API_LINKAGE BOOL WSAAPI
WSAConnectByList(SOCKET s, PSOCKET_ADDRESS_LIST SocketAddress,
		 LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		 LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		 const struct timeval *timeout, LPWSAOVERLAPPED Reserved);

/* shutdown(). No protocol has data for its end: WSAENOPROTOOPT. */
WINSOCK_API_LINKAGE int WSAAPI
WSASendDisconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData);
WINSOCK_API_LINKAGE int WSAAPI
WSARecvDisconnect(SOCKET s, LPWSABUF lpInboundDisconnectData);

/* A socket of UDP that was made to be a leaf joins the group; returns it. It is
 * the interface of its own address, else that of IP_MULTICAST_IF. */
WINSOCK_API_LINKAGE SOCKET WSAAPI
WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int namelen,
	    LPWSABUF lpCallerData, LPWSABUF lpCalleeData, LPQOS lpSQOS,
	    LPQOS lpGQOS, DWORD dwFlags);

/* For WSASocket() in that process, as long as this one has the socket. The
 * kernel wants the right to trace this process; else WSASocket() says
 * WSAEACCES. */
WINSOCK_API_LINKAGE int WSAAPI WSADuplicateSocketA(
	SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOA lpProtocolInfo);
WINSOCK_API_LINKAGE int WSAAPI WSADuplicateSocketW(
	SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOW lpProtocolInfo);

/* namelen is in characters. */
WINSOCK_API_LINKAGE int WSAAPI GetHostNameW(PWSTR name, int namelen);

WINSOCK_API_LINKAGE int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject,
					      long lNetworkEvents);
WINSOCK_API_LINKAGE int WSAAPI WSAEnumNetworkEvents(
	SOCKET s, WSAEVENT hEventObject, LPWSANETWORKEVENTS lpNetworkEvents);

/* The text "1.2.3.4:5" or "[::1]:5", without the port when that is 0. Lengths
 * are characters, with the end. */
WINSOCK_API_LINKAGE INT WSAAPI
WSAAddressToStringA(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
		    LPWSAPROTOCOL_INFOA lpProtocolInfo, LPSTR lpszAddressString,
		    LPDWORD lpdwAddressStringLength);
WINSOCK_API_LINKAGE INT WSAAPI
WSAAddressToStringW(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
		    LPWSAPROTOCOL_INFOW lpProtocolInfo,
		    LPWSTR lpszAddressString, LPDWORD lpdwAddressStringLength);
WINSOCK_API_LINKAGE INT WSAAPI
WSAStringToAddressA(LPSTR AddressString, INT AddressFamily,
		    LPWSAPROTOCOL_INFOA lpProtocolInfo, LPSOCKADDR lpAddress,
		    LPINT lpAddressLength);
WINSOCK_API_LINKAGE INT WSAAPI
WSAStringToAddressW(LPWSTR AddressString, INT AddressFamily,
		    LPWSAPROTOCOL_INFOW lpProtocolInfo, LPSOCKADDR lpAddress,
		    LPINT lpAddressLength);

WINSOCK_API_LINKAGE int WSAAPI WSAHtonl(SOCKET s, ULONG hostlong,
					ULONG *lpnetlong);
WINSOCK_API_LINKAGE int WSAAPI WSAHtons(SOCKET s, u_short hostshort,
					u_short *lpnetshort);
WINSOCK_API_LINKAGE int WSAAPI WSANtohl(SOCKET s, ULONG netlong,
					ULONG *lphostlong);
WINSOCK_API_LINKAGE int WSAAPI WSANtohs(SOCKET s, u_short netshort,
					u_short *lphostshort);

WINSOCK_API_LINKAGE int WSAAPI
WSAEnumProtocolsA(LPINT lpiProtocols, LPWSAPROTOCOL_INFOA lpProtocolBuffer,
		  LPDWORD lpdwBufferLength);
WINSOCK_API_LINKAGE int WSAAPI
WSAEnumProtocolsW(LPINT lpiProtocols, LPWSAPROTOCOL_INFOW lpProtocolBuffer,
		  LPDWORD lpdwBufferLength);

#ifndef PORTRES_ITSELF
WINSOCK_API_LINKAGE int WSAAPI __WSAFDIsSet(SOCKET fd, fd_set *set);
#endif
WINSOCK_API_LINKAGE void portres_fd_clr(SOCKET fd, u_int *count, SOCKET *array);
WINSOCK_API_LINKAGE void portres_fd_put(SOCKET fd, u_int *count, SOCKET *array,
					u_int size);

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
#define WSAAddressToString WSAAddressToStringW
#define WSAStringToAddress WSAStringToAddressW
#define WSAEnumProtocols WSAEnumProtocolsW
#define WSAConnectByName WSAConnectByNameW
#define WSADuplicateSocket WSADuplicateSocketW
#else
typedef WSAPROTOCOL_INFOA WSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
#define WSASocket WSASocketA
#define WSAAddressToString WSAAddressToStringA
#define WSAStringToAddress WSAStringToAddressA
#define WSAEnumProtocols WSAEnumProtocolsA
#define WSAConnectByName WSAConnectByNameA
#define WSADuplicateSocket WSADuplicateSocketA
#endif

/* The network's order of longer numbers; those of floating-point are integers
 * on the way. Windows has them for whoever asks: programs have their own
 * htonll. */
#if defined INCL_EXTRA_HTON_FUNCTIONS ||                                       \
	(defined _WIN32_WINNT && _WIN32_WINNT >= 0x0602)
FORCEINLINE ULONG64
htonll(ULONG64 value)
{
	return __builtin_bswap64(value);
}

FORCEINLINE ULONG64
ntohll(ULONG64 value)
{
	return __builtin_bswap64(value);
}

FORCEINLINE UINT32
htonf(float value)
{
	UINT32 bits;

	__builtin_memcpy(&bits, &value, sizeof(bits));
	return __builtin_bswap32(bits);
}

FORCEINLINE float
ntohf(UINT32 bits)
{
	float value;

	bits = __builtin_bswap32(bits);
	__builtin_memcpy(&value, &bits, sizeof(value));
	return value;
}

FORCEINLINE ULONG64
htond(double value)
{
	ULONG64 bits;

	__builtin_memcpy(&bits, &value, sizeof(bits));
	return __builtin_bswap64(bits);
}

FORCEINLINE double
ntohd(ULONG64 bits)
{
	double value;

	bits = __builtin_bswap64(bits);
	__builtin_memcpy(&value, &bits, sizeof(value));
	return value;
}
#endif

#include "portres_calls.h"

#endif
