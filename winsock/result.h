/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_RESULT_H
#define PORTRES_WINSOCK_RESULT_H

#include <stdbool.h>

#include "winsock2.h"

/* Serves WSAGetOverlappedResult and WSPGetOverlappedResult: 0, or the code with
 * which the call, or the request itself, has failed. */
int overlapped_result(SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD ret_bytes,
		      bool wait, LPDWORD ret_flags);

#endif
