/* SPDX-License-Identifier: MIT */
/*
 * Windows' kernel as far as it is carried: what each header below has, and
 * here what is older than those.
 */
#ifndef PORTRES_WINBASE_H
#define PORTRES_WINBASE_H

#include "errhandlingapi.h"
#include "handleapi.h"
#include "minwinbase.h"
#include "processthreadsapi.h"
#include "synchapi.h"

#define ZeroMemory(to, n) memset((to), 0, (n))
#define FillMemory(to, n, byte) memset((to), (byte), (n))
#define CopyMemory(to, from, n) memcpy((to), (from), (n))
#define MoveMemory(to, from, n) memmove((to), (from), (n))
#define RtlZeroMemory ZeroMemory
#define RtlFillMemory FillMemory
#define RtlCopyMemory CopyMemory
#define RtlMoveMemory MoveMemory
#define EqualMemory(a, b, n) (memcmp((a), (b), (n)) == 0)
#define RtlEqualMemory EqualMemory

#ifdef __cplusplus
extern "C" {
#endif

/* hFile is a socket. */
PORTRES_API BOOL WINAPI CancelIo(HANDLE hFile) PORTRES_NAME(CancelIo);
PORTRES_API BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped)
	PORTRES_NAME(CancelIoEx);

#ifdef __cplusplus
}
#endif

#endif
