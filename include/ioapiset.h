/* SPDX-License-Identifier: MIT */
/* Requests that are not over yet, ended early. hFile is a socket. */
#ifndef PORTRES_IOAPISET_H
#define PORTRES_IOAPISET_H

#include "minwinbase.h"

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_API BOOL WINAPI CancelIo(HANDLE hFile) PORTRES_NAME(CancelIo);
PORTRES_API BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped)
	PORTRES_NAME(CancelIoEx);

#ifdef __cplusplus
}
#endif

#endif
