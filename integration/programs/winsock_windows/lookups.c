/* SPDX-License-Identifier: MIT */
/* Winsock's wide names, its older look-ups, and what headers have inline. */
#define INCL_EXTRA_HTON_FUNCTIONS
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mstcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "say.h"

static SOCKADDR_IN at;
static int size = sizeof(at);

static SOCKET
bound(int type)
{
	SOCKET s = socket(AF_INET, type, 0);

	memset(&at, 0, sizeof(at));
	at.sin_family = AF_INET;
	INETADDR_SETLOOPBACK((PSOCKADDR)&at);
	bind(s, (SOCKADDR *)&at, sizeof(at));
	getsockname(s, (SOCKADDR *)&at, &size);
	return s;
}

static void
addresses(void)
{
	WCHAR text[64], given[] = L"1.2.3.4:80";
	char node[64];
	DWORD n = 64;
	int room = sizeof(at);

	CHECK(WSAStringToAddressW(given, AF_INET, NULL, (SOCKADDR *)&at,
				  &room) == 0);
	CHECK(at.sin_port == htons(80) && room == sizeof(at));
	CHECK(WSAAddressToStringW((SOCKADDR *)&at, sizeof(at), NULL, text,
				  &n) == 0);
	CHECK(wcscmp(text, L"1.2.3.4:80") == 0 && n == 11);
	n = 3;
	CHECK(WSAAddressToStringW((SOCKADDR *)&at, sizeof(at), NULL, text,
				  &n) == SOCKET_ERROR);
	CHECK(WSAGetLastError() == WSAEFAULT && n == 11);
	CHECK(GetNameInfo((SOCKADDR *)&at, sizeof(at), node, 64, NULL, 0,
			  NI_NUMERICHOST) == 0);
	CHECK(strcmp(node, "1.2.3.4") == 0);
	CHECK(!INETADDR_ISANY((SOCKADDR *)&at));
	INETADDR_SETANY((SOCKADDR *)&at);
	CHECK(INETADDR_ISANY((SOCKADDR *)&at) && at.sin_family == AF_INET);
}

/* Each machine has its own lists; some names are in none. */
static void
older(void)
{
	struct servent *service = getservbyname("http", "tcp");
	struct protoent *protocol = getprotobyname("udp");
	char address[4] = {127, 0, 0, 1};

	CHECK(service ? ntohs((u_short)service->s_port) == 80
		      : WSAGetLastError() == WSANO_DATA);
	CHECK(protocol ? protocol->p_proto == IPPROTO_UDP
		       : WSAGetLastError() == WSANO_DATA);
	CHECK(!getservbyname("no-such-service", "tcp") &&
	      WSAGetLastError() == WSANO_DATA);
	CHECK(!getservbyport(htons(65533), "tcp") &&
	      WSAGetLastError() == WSANO_DATA);
	CHECK(!getprotobyname("no-such-protocol") &&
	      WSAGetLastError() == WSANO_DATA);
	CHECK(!getprotobynumber(251) && WSAGetLastError() == WSANO_DATA);
	CHECK(!gethostbyaddr(address, 2, AF_INET) &&
	      WSAGetLastError() == WSAEFAULT);
}

static void
protocols(void)
{
	WSAPROTOCOL_INFOW list[32], copy;
	INT tcp[] = {IPPROTO_TCP, 0};
	DWORD bytes = sizeof(list), none = 0;
	SOCKET s, other;

	CHECK(WSAEnumProtocolsW(tcp, NULL, &none) == SOCKET_ERROR &&
	      WSAGetLastError() == WSAENOBUFS && none > 0);
	CHECK(WSAEnumProtocolsW(tcp, list, &bytes) > 0);
	CHECK(list[0].iProtocol == IPPROTO_TCP &&
	      list[0].iSocketType == SOCK_STREAM);
	s = bound(SOCK_STREAM);
	CHECK(WSADuplicateSocketW(s, GetCurrentProcessId(), &copy) == 0);
	other = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
			   FROM_PROTOCOL_INFO, &copy, 0, 0);
	closesocket(s);
	CHECK(other != INVALID_SOCKET && listen(other, 1) == 0);
	closesocket(other);
}

static void
inline_functions(void)
{
	union {
		char room[64];
		WSACMSGHDR head;
	} control;

	CHECK(ntohf(htonf(1.5f)) == 1.5f && ntohd(htond(-2.5)) == -2.5);
	CHECK(htonf(1.0f) == htonl(0x3f800000));
	CHECK(_WSAIO(IOC_WS2, 2) == 0x28000002);
	CHECK(_WSAIOR(IOC_WS2, 5) == 0x48000005);
	CHECK(_WSAIORW(IOC_WS2, 6) == SIO_GET_EXTENSION_FUNCTION_POINTER);
	CHECK((char *)WSA_CMSG_DATA(&control.head) - control.room ==
	      (ptrdiff_t)WSA_CMSG_LEN(0));
	CHECK(WSA_CMSG_SPACE(1) >= WSA_CMSG_LEN(1));
}

static void
part_of_a_message(void)
{
	SOCKET to = bound(SOCK_DGRAM), s = socket(AF_INET, SOCK_DGRAM, 0);
	char two[2];
	int flags = 0;

	sendto(s, "abcd", 4, 0, (SOCKADDR *)&at, sizeof(at));
	CHECK(WSARecvEx(to, two, 2, &flags) == 2);
	CHECK(flags == MSG_PARTIAL && two[1] == 'b');
	sendto(s, "ef", 2, 0, (SOCKADDR *)&at, sizeof(at));
	flags = 0;
	CHECK(WSARecvEx(to, two, 2, &flags) == 2 && flags == 0);
	closesocket(to);
	closesocket(s);
}

#define ROOM (sizeof(SOCKADDR_IN) + 16)

static void
accepted(void)
{
	SOCKET listener = bound(SOCK_STREAM);
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	SOCKET peer = socket(AF_INET, SOCK_STREAM, 0);
	char buffer[8 + 2 * ROOM];
	struct sockaddr *local, *remote;
	int local_size = 0, remote_size = 0;
	SOCKADDR_IN its;
	OVERLAPPED over;
	DWORD n = 0, flags = 0;

	memset(&over, 0, sizeof(over));
	over.hEvent = WSACreateEvent();
	listen(listener, 1);
	AcceptEx(listener, s, buffer, 8, ROOM, ROOM, &n, &over);
	connect(peer, (SOCKADDR *)&at, sizeof(at));
	send(peer, "hello", 5, 0);
	CHECK(WSAGetOverlappedResult(listener, &over, &n, TRUE, &flags) &&
	      n == 5 && memcmp(buffer, "hello", 5) == 0);
	GetAcceptExSockaddrs(buffer, 8, ROOM, ROOM, &local, &local_size,
			     &remote, &remote_size);
	CHECK(local_size == sizeof(its) && remote_size == sizeof(its));
	memcpy(&its, local, sizeof(its));
	CHECK(its.sin_port == at.sin_port);
	getsockname(peer, (SOCKADDR *)&at, &size);
	memcpy(&its, remote, sizeof(its));
	CHECK(its.sin_port == at.sin_port);
	WSACloseEvent(over.hEvent);
	closesocket(listener);
	closesocket(s);
	closesocket(peer);
}

int
main(void)
{
	WSADATA data;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	addresses();
	older();
	protocols();
	inline_functions();
	part_of_a_message();
	accepted();
	SAY("right", rights);
	WSACleanup();
	return 0;
}
