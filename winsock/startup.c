/* SPDX-License-Identifier: MIT */
/*
 * There is nothing to load or to unload here. Two things remain of Winsock's
 * startup: the count, because calls outside of it must fail, and the
 * negotiation of a version, because programs check its outcome.
 */
#include "winsock/startup.h"

#include <stdatomic.h>
#include <string.h>

#include "winsock/error.h"
#include "winsock/usermem.h"
#include "winsock2.h"

static _Atomic unsigned int starts;

bool
wsa_started(void)
{
	return atomic_load(&starts) > 0;
}

bool
wsa_missing(void)
{
	if (wsa_started())
		return false;
	wsa_refuse(WSANOTINITIALISED);
	return true;
}

void
wsa_start(void)
{
	atomic_fetch_add(&starts, 1);
}

bool
wsa_stop(bool *ret_last)
{
	unsigned int seen = atomic_load(&starts);

	do
		if (seen == 0)
			return false;
	while (!atomic_compare_exchange_weak(&starts, &seen, seen - 1));
	*ret_last = seen == 1;
	return true;
}

/* The newest version that both sides know: Windows has 1.0, 1.1 and 2.0 to
 * 2.2, and offers 2.2 to whoever asks for none of its own. */
static WORD
agreed_version(WORD wanted)
{
	unsigned int major = LOBYTE(wanted);
	unsigned int minor = HIBYTE(wanted);

	if (major == 1)
		return MAKEWORD(1, minor > 1 ? 1 : minor);
	if (major == 2 && minor <= 2)
		return wanted;
	return WINSOCK_VERSION;
}

int WSAAPI
WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData)
{
	WSADATA data;
	int stored;

	/* Padding too: all of it goes to the program. */
	memset(&data, 0, sizeof(data));
	data.wVersion = agreed_version(wVersionRequested);
	data.wHighVersion = WINSOCK_VERSION;
	strcpy(data.szDescription, "WinSock 2.0");
	strcpy(data.szSystemStatus, "Running");
	if (LOBYTE(wVersionRequested) == 1) {
		/* Only Winsock 1 has these two; 2 says to ignore them. */
		data.iMaxSockets = 32767;
		data.iMaxUdpDg = 65467;
	}

	stored = usermem_write(lpWSAData, &data, sizeof(data));
	if (LOBYTE(wVersionRequested) == 0)
		return WSAVERNOTSUPPORTED;
	if (stored < 0)
		return WSAEFAULT;
	wsa_start();
	return 0;
}
