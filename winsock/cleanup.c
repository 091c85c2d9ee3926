/* SPDX-License-Identifier: MIT */
#include "winsock/cleanup.h"

#include <stddef.h>

#include "winsock/channel.h"
#include "winsock/error.h"
#include "winsock/overlapped.h"
#include "winsock/startup.h"
#include "winsock/waiting.h"

bool
cleanup(void)
{
	bool last;

	if (!wsa_stop(&last))
		return false;
	if (!last)
		return true;
	if (overlapped_any())
		overlapped_cancel(OVERLAPPED_ANY_SOCKET, NULL, false);
	channel_cancel_all();
	waiting_expel_all();
	return true;
}

int WSAAPI
WSACleanup(void)
{
	return cleanup() ? 0 : wsa_refuse(WSANOTINITIALISED);
}
