/* SPDX-License-Identifier: MIT */
/*
 * Names and addresses. The narrow functions are POSIX' own, but for the
 * numbers of their errors; the wide ones are ours.
 */
#ifndef PORTRES_WS2TCPIP_H
#define PORTRES_WS2TCPIP_H

#include "winsock2.h"
#include "ws2ipdef.h"

#ifndef PORTRES_ITSELF
#ifdef __cplusplus
extern "C" {
#endif

#ifdef __USE_XOPEN2K /* else <netdb.h> has none of them */
extern const char *gai_strerror(int code) PORTRES_NOTHROW
	PORTRES_NAME(gai_strerror);
extern int getaddrinfo(const char *__restrict node,
		       const char *__restrict service,
		       const struct addrinfo *__restrict hints,
		       struct addrinfo **__restrict ret)
	PORTRES_NAME(getaddrinfo);
extern int getnameinfo(const struct sockaddr *__restrict address,
		       socklen_t size, char *__restrict node,
		       socklen_t node_size, char *__restrict service,
		       socklen_t service_size, int flags)
	PORTRES_NAME(getnameinfo);
#endif
extern const char *inet_ntop(int family, const void *__restrict address,
			     char *__restrict text,
			     socklen_t size) PORTRES_NOTHROW
	PORTRES_NAME(inet_ntop);
extern int inet_pton(int family, const char *__restrict text,
		     void *__restrict ret) PORTRES_NOTHROW
	PORTRES_NAME(inet_pton);

#ifdef __cplusplus
}
#endif

/* In Windows they are Winsock's codes. */
#undef EAI_AGAIN
#undef EAI_BADFLAGS
#undef EAI_FAIL
#undef EAI_FAMILY
#undef EAI_MEMORY
#undef EAI_NODATA
#undef EAI_NONAME
#undef EAI_SERVICE
#undef EAI_SOCKTYPE
#define EAI_AGAIN WSATRY_AGAIN
#define EAI_BADFLAGS WSAEINVAL
#define EAI_FAIL WSANO_RECOVERY
#define EAI_FAMILY WSAEAFNOSUPPORT
#define EAI_MEMORY WSA_NOT_ENOUGH_MEMORY
#define EAI_NODATA WSANO_DATA
#define EAI_NONAME WSAHOST_NOT_FOUND
#define EAI_SERVICE WSATYPE_NOT_FOUND
#define EAI_SOCKTYPE WSAESOCKTNOSUPPORT
#endif

#ifndef NI_MAXHOST
#define NI_MAXHOST 1025
#define NI_MAXSERV 32
#endif

typedef struct addrinfo ADDRINFOA, *PADDRINFOA;
/* Narrow, with UNICODE too. */
typedef ADDRINFOA ADDRINFO, *LPADDRINFO;

typedef struct addrinfoW {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	PWSTR ai_canonname;
	struct sockaddr *ai_addr;
	struct addrinfoW *ai_next;
} ADDRINFOW, *PADDRINFOW;

#ifdef __cplusplus
extern "C" {
#endif

WINSOCK_API_LINKAGE INT WSAAPI GetAddrInfoW(PCWSTR pNodeName,
					    PCWSTR pServiceName,
					    const ADDRINFOW *pHints,
					    PADDRINFOW *ppResult);
WINSOCK_API_LINKAGE void WSAAPI FreeAddrInfoW(PADDRINFOW pAddrInfo);
WINSOCK_API_LINKAGE INT WSAAPI GetNameInfoW(const SOCKADDR *pSockaddr,
					    socklen_t SockaddrLength,
					    PWCHAR pNodeBuffer,
					    DWORD NodeBufferSize,
					    PWCHAR pServiceBuffer,
					    DWORD ServiceBufferSize, INT Flags);
WINSOCK_API_LINKAGE INT WSAAPI InetPtonW(INT Family, PCWSTR pszAddrString,
					 PVOID pAddrBuf);
WINSOCK_API_LINKAGE PCWSTR WSAAPI InetNtopW(INT Family, const VOID *pAddr,
					    PWSTR pStringBuf,
					    size_t StringBufSize);
WINSOCK_API_LINKAGE WCHAR *WSAAPI gai_strerrorW(int ecode);

#ifdef __cplusplus
}
#endif

#define GetAddrInfoA getaddrinfo
#define FreeAddrInfoA freeaddrinfo
#define GetNameInfoA getnameinfo
#define InetPtonA inet_pton
#define InetNtopA inet_ntop
#define gai_strerrorA gai_strerror

#ifdef UNICODE
typedef ADDRINFOW ADDRINFOT, *PADDRINFOT;
#define GetAddrInfo GetAddrInfoW
#define FreeAddrInfo FreeAddrInfoW
#define GetNameInfo GetNameInfoW
#define InetPton InetPtonW
#define InetNtop InetNtopW
#else
typedef ADDRINFOA ADDRINFOT, *PADDRINFOT;
#define GetAddrInfo GetAddrInfoA
#define FreeAddrInfo FreeAddrInfoA
#define GetNameInfo GetNameInfoA
#define InetPton InetPtonA
#define InetNtop InetNtopA
#endif

#endif
