// SPDX-License-Identifier: MIT
//
// An echo server on a completion port, with AcceptEx, and clients of it that
// use ConnectEx and DisconnectEx. One line an answer. It builds for Windows as
// it stands.
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <cstdio>
#include <cstring>

namespace
{

void
say(const char *name, long value)
{
	std::printf("%s %ld\n", name, value);
}

template <typename Function>
Function
extension(SOCKET s, GUID which)
{
	Function found = nullptr;
	DWORD bytes = 0;

	WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &which, sizeof(which),
		 &found, sizeof(found), &bytes, nullptr, nullptr);
	return found;
}

sockaddr_in
loopback()
{
	sockaddr_in address = {};

	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

SOCKET
stream(bool bound)
{
	SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
			      WSA_FLAG_OVERLAPPED);
	sockaddr_in address = loopback();

	if (bound)
		bind(s, reinterpret_cast<SOCKADDR *>(&address),
		     sizeof(address));
	return s;
}

struct Packet {
	BOOL good;
	DWORD bytes;
	ULONG_PTR key;
	OVERLAPPED *overlapped;
	DWORD error;
};

Packet
next(HANDLE port, DWORD ms = 10000)
{
	Packet packet = {};

	packet.good = GetQueuedCompletionStatus(
		port, &packet.bytes, &packet.key, &packet.overlapped, ms);
	packet.error = packet.good ? 0 : GetLastError();
	return packet;
}

void
posted()
{
	HANDLE port =
		CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 0);
	OVERLAPPED mine = {};
	OVERLAPPED_ENTRY entries[4];
	ULONG count = 0;
	Packet packet;

	say("nothing", static_cast<long>(next(port, 0).error));
	say("no structure", next(port, 1).overlapped == nullptr);
	PostQueuedCompletionStatus(port, 11, 22, &mine);
	packet = next(port);
	say("posted", packet.good && packet.bytes == 11 && packet.key == 22 &&
			      packet.overlapped == &mine);
	for (int i = 0; i < 3; i++)
		PostQueuedCompletionStatus(port, static_cast<DWORD>(i), 0,
					   nullptr);
	say("Ex",
	    GetQueuedCompletionStatusEx(port, entries, 4, &count, 1000, FALSE));
	say("three", static_cast<long>(count));
	say("in order", entries[0].dwNumberOfBytesTransferred == 0 &&
				entries[2].dwNumberOfBytesTransferred == 2);
	say("Ex, nothing",
	    GetQueuedCompletionStatusEx(port, entries, 4, &count, 1, TRUE)
		    ? 0
		    : static_cast<long>(GetLastError()));
	say("close", CloseHandle(port));
	say("closed", static_cast<long>(next(port, 0).error));
	say("no port", CreateIoCompletionPort(INVALID_HANDLE_VALUE, port, 0, 0)
			       ? 0
			       : static_cast<long>(GetLastError()));
}

struct Accepted {
	SOCKET s;
	OVERLAPPED overlapped;
	char out[64 + 2 * (sizeof(sockaddr_in) + 16)];
};

const DWORD ADDRESS = sizeof(sockaddr_in) + 16;

struct Server {
	HANDLE port;
	SOCKET listener;
	sockaddr_in address;
	LPFN_ACCEPTEX accept_ex;

	Server()
	    : port(CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1)),
	      listener(stream(true)), address(),
	      accept_ex(extension<LPFN_ACCEPTEX>(listener, WSAID_ACCEPTEX))
	{
		int size = sizeof(address);

		CreateIoCompletionPort(reinterpret_cast<HANDLE>(listener), port,
				       1, 0);
		listen(listener, 5);
		getsockname(listener, reinterpret_cast<SOCKADDR *>(&address),
			    &size);
	}

	~Server()
	{
		closesocket(listener);
		CloseHandle(port);
	}

	// The error, or that it is pending.
	long accept(Accepted &into, DWORD data) const
	{
		DWORD bytes = 0;

		std::memset(&into.overlapped, 0, sizeof(into.overlapped));
		into.s = stream(false);
		return accept_ex(listener, into.s, into.out, data, ADDRESS,
				 ADDRESS, &bytes, &into.overlapped)
			       ? 0
			       : WSAGetLastError();
	}

	// Accepts that client, and takes the packet.
	void join(Accepted &into, SOCKET client) const
	{
		accept(into, 0);
		connect(client, reinterpret_cast<const SOCKADDR *>(&address),
			sizeof(address));
		next(port);
	}
};

void
accepted_with_data()
{
	Server server;
	Accepted one;
	HANDLE clients =
		CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 0);
	SOCKET client = stream(true);
	LPFN_CONNECTEX connect_ex =
		extension<LPFN_CONNECTEX>(client, WSAID_CONNECTEX);
	LPFN_GETACCEPTEXSOCKADDRS addresses =
		extension<LPFN_GETACCEPTEXSOCKADDRS>(
			server.listener, WSAID_GETACCEPTEXSOCKADDRS);
	OVERLAPPED connecting = {};
	SOCKADDR *local = nullptr, *remote = nullptr;
	int local_size = 0, remote_size = 0;
	char hello[] = "hello";
	DWORD sent = 0;
	sockaddr_in name = {};
	int size = sizeof(name);
	Packet packet;

	say("AcceptEx", server.accept(one, 64));
	CreateIoCompletionPort(reinterpret_cast<HANDLE>(client), clients, 2, 0);
	say("ConnectEx",
	    connect_ex(client, reinterpret_cast<SOCKADDR *>(&server.address),
		       sizeof(server.address), hello, 5, &sent, &connecting)
		    ? WSA_IO_PENDING
		    : WSAGetLastError());
	packet = next(clients);
	say("connected",
	    packet.good && packet.key == 2 && packet.overlapped == &connecting);
	say("and sent", static_cast<long>(packet.bytes));
	say("context", setsockopt(client, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT,
				  nullptr, 0));
	packet = next(server.port);
	say("accepted", packet.good && packet.key == 1 &&
				packet.overlapped == &one.overlapped);
	say("with data", static_cast<long>(packet.bytes));
	say("that", !std::memcmp(one.out, hello, 5));
	say("its context",
	    setsockopt(one.s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
		       reinterpret_cast<char *>(&server.listener),
		       sizeof(server.listener)));
	addresses(one.out, 64, ADDRESS, ADDRESS, &local, &local_size, &remote,
		  &remote_size);
	getsockname(client, reinterpret_cast<SOCKADDR *>(&name), &size);
	say("local", reinterpret_cast<sockaddr_in *>(local)->sin_port ==
			     server.address.sin_port);
	say("remote",
	    reinterpret_cast<sockaddr_in *>(remote)->sin_port == name.sin_port);
	say("both in size", local_size == sizeof(sockaddr_in) &&
				    remote_size == sizeof(sockaddr_in));
	size = sizeof(name);
	getpeername(one.s, reinterpret_cast<SOCKADDR *>(&name), &size);
	say("getpeername",
	    name.sin_port == reinterpret_cast<sockaddr_in *>(remote)->sin_port);
	closesocket(one.s);
	closesocket(client);
	CloseHandle(clients);
}

// Each side disconnects; the server's socket accepts again.
void
used_again()
{
	Server server;
	Accepted one;
	SOCKET number;
	LPFN_DISCONNECTEX disconnect_ex = extension<LPFN_DISCONNECTEX>(
		server.listener, WSAID_DISCONNECTEX);
	SOCKET client = stream(false);
	OVERLAPPED ending = {};
	DWORD bytes = 0;
	Packet packet;

	server.accept(one, 0);
	number = one.s;
	connect(client, reinterpret_cast<SOCKADDR *>(&server.address),
		sizeof(server.address));
	packet = next(server.port);
	say("without data", packet.good && packet.bytes == 0);
	CreateIoCompletionPort(reinterpret_cast<HANDLE>(one.s), server.port, 3,
			       0);
	say("DisconnectEx", disconnect_ex(one.s, &ending, TF_REUSE_SOCKET, 0)
				    ? 0
				    : WSAGetLastError());
	closesocket(client);
	packet = next(server.port);
	say("disconnected",
	    packet.good && packet.key == 3 && packet.overlapped == &ending);
	std::memset(&one.overlapped, 0, sizeof(one.overlapped));
	say("AcceptEx again",
	    server.accept_ex(server.listener, number, one.out, 0, ADDRESS,
			     ADDRESS, &bytes, &one.overlapped)
		    ? WSA_IO_PENDING
		    : WSAGetLastError());
	client = stream(false);
	connect(client, reinterpret_cast<SOCKADDR *>(&server.address),
		sizeof(server.address));
	packet = next(server.port);
	say("accepted again", packet.good && packet.key == 1 &&
				      packet.overlapped == &one.overlapped);
	say("it works", send(number, "x", 1, 0) == 1);
	closesocket(client);
	closesocket(number);
}

void
echo()
{
	Server server;
	Accepted one;
	SOCKET client = stream(false);
	OVERLAPPED reading = {}, writing = {};
	char data[64] = "", answer[64] = "";
	WSABUF in = {sizeof(data), data};
	WSABUF out = {0, data};
	DWORD flags = 0, bytes = 0;
	Packet packet;

	server.join(one, client);
	say("associate",
	    CreateIoCompletionPort(reinterpret_cast<HANDLE>(one.s), server.port,
				   7, 0) == server.port);
	say("once", CreateIoCompletionPort(reinterpret_cast<HANDLE>(one.s),
					   server.port, 8, 0)
			    ? 0
			    : static_cast<long>(GetLastError()));
	say("WSARecv",
	    WSARecv(one.s, &in, 1, nullptr, &flags, &reading, nullptr)
		    ? WSAGetLastError()
		    : 0);
	send(client, "ping", 4, 0);
	packet = next(server.port);
	say("read",
	    packet.good && packet.key == 7 && packet.overlapped == &reading);
	say("four", static_cast<long>(packet.bytes));
	out.len = packet.bytes;
	WSASend(one.s, &out, 1, nullptr, 0, &writing, nullptr);
	packet = next(server.port);
	say("written",
	    packet.good && packet.overlapped == &writing && packet.bytes == 4);
	say("echo", recv(client, answer, sizeof(answer), 0) == 4 &&
			    !std::memcmp(answer, "ping", 4));
	say("no packet", SetFileCompletionNotificationModes(
				 reinterpret_cast<HANDLE>(one.s),
				 FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
	say("at once",
	    WSASend(one.s, &out, 1, &bytes, 0, &writing, nullptr) == 0);
	say("and no packet", static_cast<long>(next(server.port, 0).error));
	recv(client, answer, sizeof(answer), 0);
	WSARecv(one.s, &in, 1, nullptr, &flags, &reading, nullptr);
	say("GetOverlappedResult",
	    GetOverlappedResult(reinterpret_cast<HANDLE>(one.s), &reading,
				&bytes, FALSE)
		    ? 0
		    : static_cast<long>(GetLastError()));
	closesocket(client);
	packet = next(server.port);
	say("the end", packet.good && packet.bytes == 0);
	closesocket(one.s);
}

// What failed is told by the port too, in Win32's numbers.
void
failures()
{
	Server server;
	Accepted one;
	SOCKET client = stream(false);
	linger now = {1, 0};
	OVERLAPPED reading = {};
	char data[8];
	WSABUF in = {sizeof(data), data};
	DWORD flags = 0, bytes = 0;
	Packet packet;

	server.join(one, client);
	CreateIoCompletionPort(reinterpret_cast<HANDLE>(one.s), server.port, 0,
			       0);
	WSARecv(one.s, &in, 1, nullptr, &flags, &reading, nullptr);
	say("cancel", CancelIoEx(reinterpret_cast<HANDLE>(one.s), &reading));
	packet = next(server.port);
	say("cancelled", static_cast<long>(packet.error));
	say("with its structure", packet.overlapped == &reading);
	WSARecv(one.s, &in, 1, nullptr, &flags, &reading, nullptr);
	setsockopt(client, SOL_SOCKET, SO_LINGER,
		   reinterpret_cast<char *>(&now), sizeof(now));
	closesocket(client);
	packet = next(server.port);
	say("reset", static_cast<long>(packet.error));
	say("GetOverlappedResult says", [&] {
		return GetOverlappedResult(reinterpret_cast<HANDLE>(one.s),
					   &reading, &bytes, FALSE)
			       ? 0l
			       : static_cast<long>(GetLastError());
	}());
	closesocket(one.s);
	say("accept, no structure",
	    server.accept_ex(server.listener, server.listener, one.out, 0,
			     ADDRESS, ADDRESS, &bytes, nullptr)
		    ? 0
		    : WSAGetLastError());
	server.accept(one, 0);
	closesocket(server.listener);
	packet = next(server.port);
	say("listener closed", static_cast<long>(packet.error));
	closesocket(one.s);
}

struct Connecting {
	Server server;
	HANDLE port;
	SOCKET s;
	LPFN_CONNECTEX connect_ex;
	OVERLAPPED overlapped;

	Connecting()
	    : port(CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 0)),
	      s(stream(false)),
	      connect_ex(extension<LPFN_CONNECTEX>(s, WSAID_CONNECTEX)),
	      overlapped()
	{
		CreateIoCompletionPort(reinterpret_cast<HANDLE>(s), port, 0, 0);
	}

	~Connecting()
	{
		closesocket(s);
		CloseHandle(port);
	}

	long to(sockaddr_in address)
	{
		std::memset(&overlapped, 0, sizeof(overlapped));
		return connect_ex(s, reinterpret_cast<SOCKADDR *>(&address),
				  sizeof(address), nullptr, 0, nullptr,
				  &overlapped)
			       ? 0
			       : WSAGetLastError();
	}
};

// It may be tried again, on the same socket; bound it must be.
void
refused()
{
	Connecting connecting;
	sockaddr_in address = loopback();
	SOCKET gone = stream(true);
	int size = sizeof(address);
	DWORD bytes = 0, flags = 0;
	long answer;

	getsockname(gone, reinterpret_cast<SOCKADDR *>(&address), &size);
	closesocket(gone);
	say("ConnectEx, not bound", connecting.to(connecting.server.address));
	sockaddr_in own = loopback();
	bind(connecting.s, reinterpret_cast<SOCKADDR *>(&own), sizeof(own));
	answer = connecting.to(address);
	// At once, or by the port.
	if (answer == WSA_IO_PENDING)
		next(connecting.port);
	say("ConnectEx, refused",
	    answer == WSA_IO_PENDING || answer == WSAECONNREFUSED);
	say("GetOverlappedResult, refused",
	    GetOverlappedResult(reinterpret_cast<HANDLE>(connecting.s),
				&connecting.overlapped, &bytes, FALSE)
		    ? 0
		    : static_cast<long>(GetLastError()));
	say("WSAGetOverlappedResult, refused",
	    WSAGetOverlappedResult(connecting.s, &connecting.overlapped, &bytes,
				   FALSE, &flags)
		    ? 0
		    : WSAGetLastError());
	answer = connecting.to(connecting.server.address);
	say("ConnectEx, again", answer == 0 || answer == WSA_IO_PENDING);
	say("connected then", next(connecting.port).good);
}

// The event's lowest bit keeps the packet away; the event is set.
void
without_packet()
{
	Server server;
	Accepted one;
	SOCKET client = stream(false);
	WSAEVENT event = WSACreateEvent();
	OVERLAPPED reading = {};
	char data[8];
	WSABUF in = {sizeof(data), data};
	DWORD flags = 0, bytes = 0;

	server.join(one, client);
	CreateIoCompletionPort(reinterpret_cast<HANDLE>(one.s), server.port, 0,
			       0);
	reading.hEvent = reinterpret_cast<HANDLE>(
		reinterpret_cast<ULONG_PTR>(event) | 1);
	say("with the bit",
	    WSARecv(one.s, &in, 1, nullptr, &flags, &reading, nullptr)
		    ? WSAGetLastError()
		    : 0);
	send(client, "abc", 3, 0);
	say("its event", static_cast<long>(WaitForSingleObject(event, 10000)));
	say("its result",
	    WSAGetOverlappedResult(one.s, &reading, &bytes, FALSE, &flags) &&
		    bytes == 3);
	say("its packet", static_cast<long>(next(server.port, 0).error));
	closesocket(one.s);
	closesocket(client);
	WSACloseEvent(event);
}

long
accept_error(const Server &server, SOCKET into, DWORD local, DWORD remote)
{
	char out[2 * ADDRESS];
	OVERLAPPED overlapped = {};
	DWORD bytes = 0;

	return server.accept_ex(server.listener, into, out, 0, local, remote,
				&bytes, &overlapped)
		       ? 0
		       : WSAGetLastError();
}

void
bad_accepts()
{
	Server server;
	SOCKET fresh = stream(false), taken = stream(true);

	say("no room for the local",
	    accept_error(server, fresh, ADDRESS - 1, ADDRESS));
	say("no room for the remote",
	    accept_error(server, fresh, ADDRESS, ADDRESS - 1));
	say("AcceptEx, bound", accept_error(server, taken, ADDRESS, ADDRESS));
	closesocket(fresh);
	closesocket(taken);
}

} // namespace

int
main()
{
	WSADATA data;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	posted();
	accepted_with_data();
	used_again();
	echo();
	failures();
	refused();
	without_packet();
	bad_accepts();
	WSACleanup();
	return 0;
}
