/* SPDX-License-Identifier: MIT */
/* The last error, which is the thread's errno in Windows' numbers. */
#ifndef PORTRES_ERRHANDLINGAPI_H
#define PORTRES_ERRHANDLINGAPI_H

#include "windef.h"
#include "winerror.h"

#ifdef __cplusplus
extern "C" {
#endif

/* WSAGetLastError() by its other name. */
PORTRES_API DWORD WINAPI GetLastError(void) PORTRES_NAME(GetLastError);
PORTRES_API void WINAPI SetLastError(DWORD dwErrCode)
	PORTRES_NAME(SetLastError);

#ifdef __cplusplus
}
#endif

#endif
