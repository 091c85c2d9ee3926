/* SPDX-License-Identifier: MIT */
/*
 * A port shared as QUIC servers share it: several dual-mode UDP sockets, one
 * for each worker, on one port that the first of them has reserved, so that
 * nobody else slips in between.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mstcpip.h>
#include <cstdio>
#include <cstdlib>

#pragma comment(lib, "ws2_32.lib")

namespace
{

constexpr int Workers = 4;

SOCKET
CreateSocket()
{
	SOCKET Socket = WSASocketW(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, nullptr,
				   0, WSA_FLAG_OVERLAPPED);
	int Option = FALSE;

	if (Socket == INVALID_SOCKET)
		return Socket;
	setsockopt(Socket, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&Option,
		   sizeof(Option));
	Option = TRUE;
	setsockopt(Socket, SOL_SOCKET, SO_REUSEADDR, (char *)&Option,
		   sizeof(Option));
	return Socket;
}

int
Ioctl(SOCKET Socket, DWORD Code, void *In, DWORD InSize, void *Out,
      DWORD OutSize)
{
	DWORD BytesReturned = 0;

	return WSAIoctl(Socket, Code, In, InSize, Out, OutSize, &BytesReturned,
			nullptr, nullptr) == SOCKET_ERROR
		       ? WSAGetLastError()
		       : NO_ERROR;
}

} // namespace

int
main(int argc, char **argv)
{
	WSADATA WsaData;
	SOCKET Sockets[Workers];
	INET_PORT_RANGE PortRange;
	INET_PORT_RESERVATION_INSTANCE PortReservation;
	USHORT Port = htons((USHORT)(argc > 1 ? atoi(argv[1]) : 0));
	int Result = WSAStartup(MAKEWORD(2, 2), &WsaData);

	if (Result != NO_ERROR)
		return 1;
	for (SOCKET &Socket : Sockets) {
		Socket = CreateSocket();
		if (Socket == INVALID_SOCKET) {
			printf("WSASocketW %d\n", WSAGetLastError());
			return 1;
		}
	}

	PortRange.StartPort = Port;
	PortRange.NumberOfPorts = 1;
	Result = Ioctl(Sockets[0], SIO_ACQUIRE_PORT_RESERVATION, &PortRange,
		       sizeof(PortRange), &PortReservation,
		       sizeof(PortReservation));
	printf("acquire %d\n", Result);
	if (Result != NO_ERROR)
		return 1;
	Result = Ioctl(Sockets[1], SIO_ACQUIRE_PORT_RESERVATION,
		       &PortReservation.Reservation, sizeof(PortRange),
		       &PortReservation, sizeof(PortReservation));
	printf("second acquire %d\n", Result);

	for (SOCKET Socket : Sockets) {
		SOCKADDR_INET Address = {};

		Result = Ioctl(Socket, SIO_ASSOCIATE_PORT_RESERVATION,
			       &PortReservation.Token,
			       sizeof(PortReservation.Token), nullptr, 0);
		printf("associate %d\n", Result);
		Address.Ipv6.sin6_family = AF_INET6;
		Address.Ipv6.sin6_port = PortReservation.Reservation.StartPort;
		Result = bind(Socket, (PSOCKADDR)&Address,
			      sizeof(Address.Ipv6)) == SOCKET_ERROR
				 ? WSAGetLastError()
				 : NO_ERROR;
		printf("bind %d\n", Result);
	}

	/* One that came in from elsewhere is kept out. */
	{
		SOCKADDR_IN Address = {};
		SOCKET Stranger = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);

		Address.sin_family = AF_INET;
		Address.sin_port = PortReservation.Reservation.StartPort;
		Result = bind(Stranger, (PSOCKADDR)&Address, sizeof(Address));
		printf("stranger %d\n", Result ? WSAGetLastError() : NO_ERROR);
		closesocket(Stranger);
	}
	for (SOCKET Socket : Sockets)
		closesocket(Socket);
	return WSACleanup();
}
