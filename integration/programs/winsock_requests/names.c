/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text, the catalog of protocols, the order of bytes, interfaces,
 * and numbers that programs have compiled in. One line an answer. It builds for
 * Windows as it stands.
 */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <iphlpapi.h>
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

static void
texts(void)
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	char text[64], loopback[] = "127.0.0.1:80", other[] = "[::1]:443";
	char none[] = "1.2.3";
	DWORD length = sizeof(text);
	INT size = sizeof(four);

	memset(&six, 0, sizeof(six));
	say("WSAStringToAddress",
	    error_of(WSAStringToAddressA(loopback, AF_INET, NULL,
					 (SOCKADDR *)&four, &size)));
	say("the address", four.sin_family == AF_INET &&
				   ntohs(four.sin_port) == 80 &&
				   four.sin_addr.S_un.S_un_b.s_b1 == 127);
	say("WSAAddressToString",
	    error_of(WSAAddressToStringA((SOCKADDR *)&four, sizeof(four), NULL,
					 text, &length)));
	say("the text", !strcmp(text, loopback));
	say("its length", length == sizeof(loopback));
	length = 4;
	say("no room",
	    error_of(WSAAddressToStringA((SOCKADDR *)&four, sizeof(four), NULL,
					 text, &length)));
	say("needs", (long)length);
	size = sizeof(six);
	say("IPv6", error_of(WSAStringToAddressA(other, AF_INET6, NULL,
						 (SOCKADDR *)&six, &size)));
	say("its family", six.sin6_family == AF_INET6);
	length = sizeof(text);
	WSAAddressToStringA((SOCKADDR *)&six, sizeof(six), NULL, text, &length);
	say("back", !strcmp(text, other));
	say("no address",
	    error_of(WSAStringToAddressA(none, AF_INET, NULL, (SOCKADDR *)&four,
					 &size)));
}

static void
orders(SOCKET s)
{
	ULONG wide = 0;
	u_short narrow = 0;

	say("WSAHtonl", error_of(WSAHtonl(s, 0x01020304, &wide)));
	say("its value", wide == htonl(0x01020304));
	say("WSANtohl", error_of(WSANtohl(s, wide, &wide)));
	say("and back", wide == 0x01020304);
	say("WSAHtons", error_of(WSAHtons(s, 0x0102, &narrow)));
	say("WSANtohs", error_of(WSANtohs(s, narrow, &narrow)));
	say("the same", narrow == 0x0102);
	say("no socket", error_of(WSAHtonl(INVALID_SOCKET, 1, &wide)));
	say("nowhere", error_of(WSAHtonl(s, 1, NULL)));
}

static void
protocols(SOCKET s)
{
	int udp[] = {IPPROTO_UDP, 0};
	WSAPROTOCOL_INFOA *found;
	WSAPROTOCOL_INFOA one;
	DWORD size = 0;
	int length = sizeof(one);
	int n;

	say("WSAEnumProtocols", error_of(WSAEnumProtocolsA(udp, NULL, &size)));
	found = (WSAPROTOCOL_INFOA *)malloc(size);
	n = WSAEnumProtocolsA(udp, found, &size);
	say("UDP", n > 0 && found[0].iProtocol == IPPROTO_UDP &&
			   found[0].iSocketType == SOCK_DGRAM);
	say("connectionless",
	    (found[0].dwServiceFlags1 & XP1_CONNECTIONLESS) != 0);
	free(found);
	say("SO_PROTOCOL_INFO",
	    error_of(getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&one,
				&length)));
	say("TCP",
	    one.iProtocol == IPPROTO_TCP && one.iAddressFamily == AF_INET);
}

static void
interfaces(void)
{
	ULONG size = 0;
	IP_ADAPTER_ADDRESSES *all;
	int loopback = 0;

	say("GetAdaptersAddresses",
	    (long)GetAdaptersAddresses(AF_INET, 0, NULL, NULL, &size));
	all = (IP_ADAPTER_ADDRESSES *)malloc(size);
	say("with room",
	    (long)GetAdaptersAddresses(AF_INET, GAA_FLAG_INCLUDE_PREFIX, NULL,
				       all, &size) == ERROR_BUFFER_OVERFLOW);
	all = (IP_ADAPTER_ADDRESSES *)realloc(all, size);
	say("with prefixes",
	    (long)GetAdaptersAddresses(AF_INET, GAA_FLAG_INCLUDE_PREFIX, NULL,
				       all, &size));
	for (IP_ADAPTER_ADDRESSES *at = all; at; at = at->Next) {
		struct sockaddr_in *own;

		if (at->IfType != IF_TYPE_SOFTWARE_LOOPBACK ||
		    !at->FirstUnicastAddress)
			continue;
		own = (struct sockaddr_in *)
			      at->FirstUnicastAddress->Address.lpSockaddr;
		loopback += own->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
			    at->FirstUnicastAddress->OnLinkPrefixLength == 8 &&
			    at->OperStatus == IfOperStatusUp && at->Mtu > 0;
	}
	say("loopback", loopback);
	say("bad family", (long)GetAdaptersAddresses(99, 0, NULL, all, &size));
	free(all);
}

#define NUMBER(name) printf("%s %llu\n", #name, (unsigned long long)(name))

static void
numbers(void)
{
	NUMBER(FD_READ);
	NUMBER(FD_WRITE);
	NUMBER(FD_OOB);
	NUMBER(FD_ACCEPT);
	NUMBER(FD_CONNECT);
	NUMBER(FD_CLOSE);
	NUMBER(FD_MAX_EVENTS);
	NUMBER(FD_ALL_EVENTS);
	NUMBER(CF_ACCEPT);
	NUMBER(CF_REJECT);
	NUMBER(CF_DEFER);
	NUMBER(TF_REUSE_SOCKET);
	NUMBER(SO_UPDATE_ACCEPT_CONTEXT);
	NUMBER(SO_UPDATE_CONNECT_CONTEXT);
	NUMBER(SO_CONNECT_TIME);
	NUMBER(SO_MAX_MSG_SIZE);
	NUMBER(SO_PROTOCOL_INFOA);
	NUMBER(SO_PROTOCOL_INFOW);
	NUMBER(SIO_GET_EXTENSION_FUNCTION_POINTER);
	NUMBER(SIO_UDP_CONNRESET);
	NUMBER(SIO_CPU_AFFINITY);
	NUMBER(TCP_NODELAY);
	NUMBER(AF_INET6);
	NUMBER(WSA_IO_PENDING);
	NUMBER(WSA_OPERATION_ABORTED);
	NUMBER(ERROR_NETNAME_DELETED);
	NUMBER(ERROR_ABANDONED_WAIT_0);
	NUMBER(XP1_CONNECTIONLESS);
	NUMBER(XP1_CONNECT_DATA);
	NUMBER(XP1_DISCONNECT_DATA);
	NUMBER(XP1_MULTIPOINT_CONTROL_PLANE);
	NUMBER(XP1_MULTIPOINT_DATA_PLANE);
	NUMBER(XP1_QOS_SUPPORTED);
	NUMBER(XP1_INTERRUPT);
	NUMBER(XP1_UNI_SEND);
	NUMBER(XP1_UNI_RECV);
	NUMBER(XP1_PARTIAL_MESSAGE);
	NUMBER(SIO_ROUTING_INTERFACE_QUERY);
	NUMBER(sizeof(WSABUF));
	NUMBER(sizeof(WSAMSG));
	NUMBER(sizeof(OVERLAPPED_ENTRY));
	NUMBER(sizeof(struct in_addr));
}

int
main(void)
{
	WSADATA data;
	SOCKET s;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	s = socket(AF_INET, SOCK_STREAM, 0);
	texts();
	orders(s);
	protocols(s);
	interfaces();
	numbers();
	closesocket(s);
	WSACleanup();
	return 0;
}
