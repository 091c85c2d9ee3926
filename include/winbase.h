/* SPDX-License-Identifier: MIT */
/*
 * Windows' kernel as far as it is carried: what each header below has, and
 * here what is older than those.
 */
#ifndef PORTRES_WINBASE_H
#define PORTRES_WINBASE_H

#include "consoleapi.h"
#include "errhandlingapi.h"
#include "handleapi.h"
#include "heapapi.h"
#include "ioapiset.h"
#include "minwinbase.h"
#include "processthreadsapi.h"
#include "profileapi.h"
#include "stringapiset.h"
#include "synchapi.h"
#include "sysinfoapi.h"
#include "winuser.h"

#include <stdarg.h>

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

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x100u
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x200u
#define FORMAT_MESSAGE_FROM_STRING 0x400u
#define FORMAT_MESSAGE_FROM_SYSTEM 0x1000u
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x2000u
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0xffu

/* Not left out, although nobody reads it. */
FORCEINLINE PVOID
SecureZeroMemory(PVOID to, SIZE_T n)
{
	memset(to, 0, n);
	__asm__ __volatile__("" : : "r"(to) : "memory");
	return to;
}

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Messages of the system, in English and not in Microsoft's words, or the
 * program's own text with inserts (FORMAT_MESSAGE_FROM_STRING). nSize is in
 * characters. Returns the length; 0: ERROR_MR_MID_NOT_FOUND for a number that
 * has none, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER for no source or
 * no arguments.
 */
PORTRES_API DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource,
					DWORD dwMessageId, DWORD dwLanguageId,
					LPSTR lpBuffer, DWORD nSize,
					va_list *Arguments)
	PORTRES_NAME(FormatMessageA);
PORTRES_API DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource,
					DWORD dwMessageId, DWORD dwLanguageId,
					LPWSTR lpBuffer, DWORD nSize,
					va_list *Arguments)
	PORTRES_NAME(FormatMessageW);

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define FormatMessage FormatMessageW
#else
#define FormatMessage FormatMessageA
#endif

#endif
