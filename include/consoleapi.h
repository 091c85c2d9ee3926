/* SPDX-License-Identifier: MIT */
/* A program is asked by the terminal, or by its end. */
#ifndef PORTRES_CONSOLEAPI_H
#define PORTRES_CONSOLEAPI_H

#include "windef.h"

#define CTRL_C_EVENT 0u
#define CTRL_BREAK_EVENT 1u
#define CTRL_CLOSE_EVENT 2u
#define CTRL_LOGOFF_EVENT 5u
#define CTRL_SHUTDOWN_EVENT 6u

typedef BOOL(WINAPI *PHANDLER_ROUTINE)(DWORD CtrlType);

#ifdef __cplusplus
extern "C" {
#endif

/*
 * SIGINT is CTRL_C_EVENT, SIGQUIT CTRL_BREAK_EVENT, SIGHUP CTRL_CLOSE_EVENT and
 * SIGTERM CTRL_SHUTDOWN_EVENT. The routines run on a thread of their own, the
 * last that was added first, until one returns TRUE. When none does, and always
 * after the last two events, the signal ends the program as it would without
 * them. NULL and TRUE: SIGINT is ignored, until NULL and FALSE.
 *
 * To take away a routine that is not there: ERROR_INVALID_PARAMETER.
 */
PORTRES_API BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine,
					      BOOL Add)
	PORTRES_NAME(SetConsoleCtrlHandler);

/* UTF-8 both ways. Others are not installed: ERROR_INVALID_PARAMETER. */
PORTRES_API BOOL WINAPI SetConsoleCP(UINT wCodePageID)
	PORTRES_NAME(SetConsoleCP);
PORTRES_API BOOL WINAPI SetConsoleOutputCP(UINT wCodePageID)
	PORTRES_NAME(SetConsoleCP);
PORTRES_API UINT WINAPI GetConsoleCP(void) PORTRES_NAME(GetConsoleCP);
PORTRES_API UINT WINAPI GetConsoleOutputCP(void) PORTRES_NAME(GetConsoleCP);

#ifdef __cplusplus
}
#endif

#endif
