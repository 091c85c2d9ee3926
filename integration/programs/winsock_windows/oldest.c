/* SPDX-License-Identifier: MIT */
/* Winsock 1.1, in the words of its time: who answers a datagram. */
#include <windows.h>
#include <winsock.h>
#include <stdio.h>

int PASCAL Answer(SOCKET s, LPSTR lpszText, struct sockaddr FAR *lpTo);

int PASCAL
Answer(SOCKET s, LPSTR lpszText, struct sockaddr FAR *lpTo)
{
	char szReply[80];
	int n = wsprintf(szReply, "you said %s, %d bytes", lpszText,
			 lstrlen(lpszText));

	return (int)sendto(s, szReply, n, 0, lpTo, sizeof(SOCKADDR_IN));
}

int
main(void)
{
	WSADATA wsaData;
	SOCKET s;
	SOCKADDR_IN sin;
	LPHOSTENT lpHost;
	char szText[64];
	int nSize = sizeof(sin), n;

	if (WSAStartup(MAKEWORD(1, 1), &wsaData) ||
	    LOBYTE(wsaData.wVersion) != 1 || HIBYTE(wsaData.wVersion) != 1)
		return 1;
	lpHost = gethostbyname("127.0.0.1");
	s = socket(PF_INET, SOCK_DGRAM, 0);
	if (s == INVALID_SOCKET || lpHost == NULL)
		return 1;
	sin.sin_family = AF_INET;
	sin.sin_port = 0;
	CopyMemory(&sin.sin_addr, lpHost->h_addr, lpHost->h_length);
	if (bind(s, (struct sockaddr FAR *)&sin, sizeof(sin)) == SOCKET_ERROR)
		return WSAGetLastError();
	getsockname(s, (LPSOCKADDR)&sin, &nSize);
	printf("port %u\n", ntohs(sin.sin_port));
	fflush(stdout);
	n = (int)recvfrom(s, szText, sizeof(szText) - 1, 0, (LPSOCKADDR)&sin,
			  &nSize);
	if (n < 0)
		return WSAGetLastError();
	szText[n] = 0;
	Answer(s, strupr(szText), (LPSOCKADDR)&sin);
	closesocket(s);
	WSACleanup();
	return 0;
}
