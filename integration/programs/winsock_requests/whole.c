/* SPDX-License-Identifier: MIT */
/*
 * The rest of ws2_32's calls for sockets: connections by name and by a list of
 * addresses, ends of one direction, conditions, descriptors of one socket,
 * groups. One line an answer. It builds for Windows as it stands.
 */
#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0602
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SIO_CPU_AFFINITY /* an old mingw-w64 */
#define SIO_CPU_AFFINITY _WSAIOW(IOC_VENDOR, 21)
#endif

static void
say(const char *name, long value)
{
	printf("%s %ld\n", name, value);
}

static long
error_of(long long result)
{
	return result == SOCKET_ERROR ? WSAGetLastError() : 0;
}

/* The error of a call that answers TRUE or FALSE. */
static long
error_if_not(BOOL good)
{
	return good ? 0 : WSAGetLastError();
}

static long
opened(SOCKET s)
{
	return s == INVALID_SOCKET ? WSAGetLastError() : 0;
}

static SOCKET
bound(int type, struct sockaddr_in *address)
{
	SOCKET s = WSASocket(AF_INET, type, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
	int size = sizeof(*address);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(s, (SOCKADDR *)address, size) ||
	    getsockname(s, (SOCKADDR *)address, &size))
		say("cannot bind", WSAGetLastError());
	return s;
}

static SOCKET
dual(void)
{
	SOCKET s = socket(AF_INET6, SOCK_STREAM, 0);
	DWORD off = 0;

	setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&off, sizeof(off));
	return s;
}

static void
by_name(void)
{
	struct sockaddr_in address;
	SOCKET listener = bound(SOCK_STREAM, &address);
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	SOCKET six = dual();
	SOCKET datagrams = socket(AF_INET, SOCK_DGRAM, 0);
	SOCKADDR_STORAGE local, remote;
	DWORD local_size = sizeof(local), remote_size = sizeof(remote);
	struct timeval limit = {10, 0};
	char name[] = "127.0.0.1", port[8];
	WCHAR wide_name[] = L"127.0.0.1", wide_port[8];
	OVERLAPPED overlapped;

	listen(listener, 5);
	sprintf(port, "%d", ntohs(address.sin_port));
	for (int i = 0; i < 8; i++)
		wide_port[i] = (WCHAR)port[i];
	say("no name", error_if_not(WSAConnectByNameA(s, NULL, port, NULL, NULL,
						      NULL, NULL, NULL, NULL)));
	say("reserved",
	    error_if_not(WSAConnectByNameA(s, name, port, NULL, NULL, NULL,
					   NULL, NULL, &overlapped)));
	say("no socket",
	    error_if_not(WSAConnectByNameA(INVALID_SOCKET, name, port, NULL,
					   NULL, NULL, NULL, NULL, NULL)));
	say("UDP by name", WSAConnectByNameA(datagrams, name, port, NULL, NULL,
					     NULL, NULL, NULL, NULL));
	say("WSAConnectByName",
	    error_if_not(WSAConnectByNameA(s, name, port, &local_size,
					   (SOCKADDR *)&local, &remote_size,
					   (SOCKADDR *)&remote, &limit, NULL)));
	say("told", local_size == sizeof(address) &&
			    remote_size == sizeof(address) &&
			    local.ss_family == AF_INET &&
			    ((struct sockaddr_in *)&remote)->sin_port ==
				    address.sin_port);
	say("its context",
	    error_of(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL,
				0)));
	remote_size = sizeof(remote);
	say("for both families",
	    error_if_not(WSAConnectByNameW(six, wide_name, wide_port, NULL,
					   NULL, &remote_size,
					   (SOCKADDR *)&remote, NULL, NULL)));
	say("mapped",
	    remote.ss_family == AF_INET6 &&
		    IN6_IS_ADDR_V4MAPPED(
			    &((struct sockaddr_in6 *)&remote)->sin6_addr));
	closesocket(datagrams);
	closesocket(six);
	closesocket(s);
	closesocket(listener);
}

static void
by_list(void)
{
	struct sockaddr_in address, gone;
	SOCKET listener = bound(SOCK_STREAM, &address);
	SOCKET nobody = bound(SOCK_STREAM, &gone);
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	SOCKADDR_STORAGE remote;
	DWORD size = sizeof(remote);
	SOCKET_ADDRESS_LIST *list =
		(SOCKET_ADDRESS_LIST *)malloc(2 * sizeof(*list));
	u_long on = 1;

	listen(listener, 5);
	closesocket(nobody);
	list->iAddressCount = 1;
	list->Address[0].lpSockaddr = (SOCKADDR *)&gone;
	list->Address[0].iSockaddrLength = sizeof(gone);
	list->Address[1].lpSockaddr = (SOCKADDR *)&address;
	list->Address[1].iSockaddrLength = sizeof(address);
	say("nobody there",
	    error_if_not(WSAConnectByList(s, list, NULL, NULL, NULL, NULL, NULL,
					  NULL)));
	list->iAddressCount = 2;
	closesocket(s);
	/* It waits all the same. */
	s = socket(AF_INET, SOCK_STREAM, 0);
	ioctlsocket(s, FIONBIO, &on);
	say("WSAConnectByList",
	    error_if_not(WSAConnectByList(s, list, NULL, NULL, &size,
					  (SOCKADDR *)&remote, NULL, NULL)));
	say("the second",
	    ((struct sockaddr_in *)&remote)->sin_port == address.sin_port);
	say("still does not block",
	    error_of(recv(s, (char *)&on, sizeof(on), 0)));
	free(list);
	closesocket(s);
	closesocket(listener);
}

static void
ends(void)
{
	struct sockaddr_in address;
	SOCKET listener = bound(SOCK_STREAM, &address);
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	char byte = 0;
	WSABUF data = {1, &byte};
	SOCKET peer;

	listen(listener, 5);
	say("never connected", error_of(WSASendDisconnect(s, NULL)));
	connect(s, (SOCKADDR *)&address, sizeof(address));
	peer = accept(listener, NULL, NULL);
	say("with data", error_of(WSASendDisconnect(s, &data)));
	say("WSASendDisconnect", error_of(WSASendDisconnect(s, NULL)));
	say("send then", error_of(send(s, &byte, 1, 0)));
	say("the peer's end", recv(peer, &byte, 1, 0));
	say("WSARecvDisconnect", error_of(WSARecvDisconnect(s, NULL)));
	say("recv then", error_of(recv(s, &byte, 1, 0)));
	closesocket(peer);
	closesocket(s);
	closesocket(listener);
}

/* Takes whom its data tell it to take, if it is asked as it should be. */
static int CALLBACK
condition(LPWSABUF caller, LPWSABUF caller_data, LPQOS sqos, LPQOS gqos,
	  LPWSABUF callee, LPWSABUF callee_data, GROUP *group, DWORD_PTR data)
{
	(void)caller_data;
	(void)sqos;
	(void)gqos;
	(void)callee_data;
	(void)group;
	if (caller->len != sizeof(struct sockaddr_in) || !callee->buf)
		return CF_REJECT;
	return (int)data;
}

static void
conditions(void)
{
	struct sockaddr_in address, peer;
	SOCKET listener = bound(SOCK_STREAM, &address);
	SOCKET first = socket(AF_INET, SOCK_STREAM, 0);
	SOCKET second = socket(AF_INET, SOCK_STREAM, 0);
	int size = sizeof(peer);
	USHORT processor = 0;
	DWORD bytes;
	SOCKET taken;
	char byte;

	say("SIO_CPU_AFFINITY",
	    error_of(WSAIoctl(first, SIO_CPU_AFFINITY, &processor,
			      sizeof(processor), NULL, 0, &bytes, NULL, NULL)));
	listen(listener, 5);
	connect(first, (SOCKADDR *)&address, sizeof(address));
	say("CF_REJECT",
	    opened(WSAAccept(listener, NULL, NULL, condition, CF_REJECT)));
	say("it hears", error_of(recv(first, &byte, 1, 0)));
	connect(second, (SOCKADDR *)&address, sizeof(address));
	taken = WSAAccept(listener, (SOCKADDR *)&peer, &size, condition,
			  CF_ACCEPT);
	say("CF_ACCEPT", opened(taken));
	getsockname(second, (SOCKADDR *)&address, &size);
	say("the peer", peer.sin_port == address.sin_port);
	closesocket(taken);
	closesocket(second);
	closesocket(first);
	closesocket(listener);
}

static void
duplicates(void)
{
	struct sockaddr_in address;
	SOCKET s = bound(SOCK_DGRAM, &address);
	SOCKET to = socket(AF_INET, SOCK_DGRAM, 0);
	WSAPROTOCOL_INFOA info;
	SOCKET other;
	char byte = 'x';

	say("no process", error_of(WSADuplicateSocketA(s, 0, &info)));
	say("no structure",
	    error_of(WSADuplicateSocketA(s, GetCurrentProcessId(), NULL)));
	say("WSADuplicateSocket",
	    error_of(WSADuplicateSocketA(s, GetCurrentProcessId(), &info)));
	other = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
			   FROM_PROTOCOL_INFO, &info, 0, WSA_FLAG_OVERLAPPED);
	say("another descriptor", opened(other));
	say("not the same", other != s);
	closesocket(s);
	sendto(to, &byte, 1, 0, (SOCKADDR *)&address, sizeof(address));
	byte = 0;
	say("one socket", recv(other, &byte, 1, 0) == 1 && byte == 'x');
	closesocket(other);
	closesocket(to);
}

static void
groups(void)
{
	struct sockaddr_in group, own;
	struct in_addr loopback;
	SOCKET s = WSASocket(AF_INET, SOCK_DGRAM, 0, NULL, 0,
			     WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_LEAF |
				     WSA_FLAG_MULTIPOINT_D_LEAF);
	SOCKET plain = socket(AF_INET, SOCK_DGRAM, 0);
	int size = sizeof(own);
	char byte = 'g';

	memset(&group, 0, sizeof(group));
	group.sin_family = AF_INET;
	own = group;
	loopback.s_addr = htonl(INADDR_LOOPBACK);
	bind(s, (SOCKADDR *)&own, size);
	getsockname(s, (SOCKADDR *)&own, &size);
	setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, (char *)&loopback,
		   sizeof(loopback));
	group.sin_addr.s_addr = inet_addr("239.1.2.3");
	group.sin_port = own.sin_port;
	say("no leaf", opened(WSAJoinLeaf(plain, (SOCKADDR *)&group, size, NULL,
					  NULL, NULL, NULL, JL_BOTH)));
	say("WSAJoinLeaf", opened(WSAJoinLeaf(s, (SOCKADDR *)&group, size, NULL,
					      NULL, NULL, NULL, JL_BOTH)));
	say("joined before",
	    opened(WSAJoinLeaf(s, (SOCKADDR *)&group, size, NULL, NULL, NULL,
			       NULL, JL_BOTH)));
	setsockopt(plain, IPPROTO_IP, IP_MULTICAST_IF, (char *)&loopback,
		   sizeof(loopback));
	sendto(plain, &byte, 1, 0, (SOCKADDR *)&group, size);
	byte = 0;
	say("to the group", recv(s, &byte, 1, 0) == 1 && byte == 'g');
	closesocket(plain);
	closesocket(s);
}

static void
names(void)
{
	WCHAR name[256];

	say("GetHostNameW, short", error_of(GetHostNameW(name, 1)));
	say("GetHostNameW, NULL", error_of(GetHostNameW(NULL, 256)));
	say("GetHostNameW", error_of(GetHostNameW(name, 256)));
	say("a name", name[0] != 0);
	say("htonll", htonll(0x0102030405060708ull) == 0x0807060504030201ull);
	say("ntohll", ntohll(htonll(77)) == 77);
}

int
main(void)
{
	WSADATA data;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	by_name();
	by_list();
	ends();
	conditions();
	duplicates();
	groups();
	names();
	WSACleanup();
	return 0;
}
