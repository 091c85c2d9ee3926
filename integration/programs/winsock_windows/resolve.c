/* SPDX-License-Identifier: MIT */
/* Wide or narrow, as it is compiled: the addresses of a host. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <tchar.h>
#include <stdio.h>

int
_tmain(int argc, _TCHAR *argv[])
{
	ADDRINFOT hints, *found = NULL, *next;
	TCHAR host[MAX_PATH];
	WSADATA data;
	INT error;

	if (argc != 3 || _tcslen(argv[1]) >= _countof(host)) {
		_ftprintf(stderr, _T("usage: %s host port\n"), argv[0]);
		return 2;
	}
	_tcscpy_s(host, _countof(host), argv[1]);
	_ftprintf(stdout, TEXT("%s %d\n"), host, _tstoi(argv[2]));
	WSAStartup(MAKEWORD(2, 2), &data);
	ZeroMemory(&hints, sizeof hints);
	hints.ai_family = AF_INET;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST;
	error = GetAddrInfo(host, argv[2], &hints, &found);
	if (error != 0) {
		_tprintf(_T("error %d\n"), error);
		WSACleanup();
		return 1;
	}
	for (next = found; next != NULL; next = next->ai_next) {
		TCHAR text[64];

		InetNtop(AF_INET,
			 &((struct sockaddr_in *)next->ai_addr)->sin_addr, text,
			 _countof(text));
		_tprintf(
			_T("%s:%hu\n"), text,
			ntohs(((struct sockaddr_in *)next->ai_addr)->sin_port));
	}
	FreeAddrInfo(found);
	WSACleanup();
	return 0;
}
