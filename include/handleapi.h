/* SPDX-License-Identifier: MIT */
/* Handles: of events, mutexes, semaphores and threads. Sockets are none, but
 * are closed. */
#ifndef PORTRES_HANDLEAPI_H
#define PORTRES_HANDLEAPI_H

#include "windef.h"

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_API BOOL WINAPI CloseHandle(HANDLE hObject) PORTRES_NAME(CloseHandle);

#ifdef __cplusplus
}
#endif

#endif
