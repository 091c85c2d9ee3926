/* SPDX-License-Identifier: MIT */
/*
 * The part of Windows' basic types and macros that socket programs use, on
 * 64-bit Linux: LONG and DWORD are 32 bits as on Windows although long is 64
 * here, and WCHAR is Linux' 32-bit wchar_t so that L"" literals fit.
 */
#ifndef PORTRES_WINDOWS_H
#define PORTRES_WINDOWS_H

/* Strict ISO C hides half of the sockets; unless a header of libc was there
 * before us, it need not. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif

#include <stddef.h>
#include <string.h>

#include "portres_crt.h"
#include "winerror.h"

#ifndef __LP64__
#error "portres supports 64-bit Linux only"
#endif

/* Calling conventions and segments, all of them empty on this machine. */
#ifndef FAR
#define FAR
#endif
#ifndef NEAR
#define NEAR
#endif
#define PASCAL
#define WINAPI
#define APIENTRY
#define CALLBACK

#ifndef VOID
#define VOID void
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

typedef char CHAR;
typedef signed char INT8;
typedef unsigned char UCHAR;
typedef unsigned char BYTE;
typedef unsigned char BOOLEAN;
typedef unsigned char UINT8;
typedef short SHORT;
typedef short INT16;
typedef unsigned short USHORT;
typedef unsigned short WORD;
typedef unsigned short UINT16;
typedef int BOOL;
typedef int INT;
typedef int LONG;
typedef int INT32;
typedef int LONG32;
typedef int HRESULT;
typedef unsigned int UINT;
typedef unsigned int ULONG;
typedef unsigned int DWORD;
typedef unsigned int UINT32;
typedef unsigned int ULONG32;
typedef unsigned int DWORD32;
__extension__ typedef long long LONGLONG;
__extension__ typedef long long LONG64;
__extension__ typedef long long INT64;
__extension__ typedef unsigned long long ULONGLONG;
__extension__ typedef unsigned long long ULONG64;
__extension__ typedef unsigned long long DWORD64;
__extension__ typedef unsigned long long DWORDLONG;
__extension__ typedef unsigned long long UINT64;
typedef float FLOAT;

typedef long INT_PTR;
typedef long LONG_PTR;
typedef long SSIZE_T;
typedef unsigned long UINT_PTR;
typedef unsigned long ULONG_PTR;
typedef unsigned long DWORD_PTR;
typedef unsigned long SIZE_T;

typedef wchar_t WCHAR;
typedef CHAR *PCHAR, *LPCH, *PSTR, *LPSTR;
typedef const CHAR *PCSTR, *LPCSTR;
typedef WCHAR *PWCHAR, *LPWCH, *PWSTR, *LPWSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR;

typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID;
typedef BYTE *PBYTE, *LPBYTE;
typedef UCHAR *PUCHAR;
typedef WORD *PWORD, *LPWORD;
typedef SHORT *PSHORT;
typedef USHORT *PUSHORT;
typedef BOOL *PBOOL, *LPBOOL;
typedef INT *PINT, *LPINT;
typedef UINT *PUINT;
typedef LONG *PLONG, *LPLONG;
typedef ULONG *PULONG;
typedef DWORD *PDWORD, *LPDWORD;
typedef LONGLONG *PLONGLONG;
typedef ULONGLONG *PULONGLONG;
typedef ULONG64 *PULONG64;
typedef ULONG_PTR *PULONG_PTR;
typedef SIZE_T *PSIZE_T;

typedef void *HANDLE;
typedef HANDLE *PHANDLE, *LPHANDLE;

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

#ifdef UNICODE
typedef WCHAR TCHAR;
#define TEXT(literal) L##literal
#else
typedef CHAR TCHAR;
#define TEXT(literal) literal
#endif
typedef TCHAR *PTSTR, *LPTSTR;
typedef const TCHAR *PCTSTR, *LPCTSTR;

typedef struct _GUID {
	DWORD Data1;
	WORD Data2;
	WORD Data3;
	BYTE Data4[8];
} GUID, *LPGUID;

typedef struct _OVERLAPPED {
	ULONG_PTR Internal;
	ULONG_PTR InternalHigh;
	__extension__ union {
		__extension__ struct {
			DWORD Offset;
			DWORD OffsetHigh;
		};
		PVOID Pointer;
	};
	HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

typedef struct _SECURITY_ATTRIBUTES {
	DWORD nLength;
	LPVOID lpSecurityDescriptor;
	BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

/* An overlapped request that is not over yet has this in Internal. */
#define STATUS_PENDING ((DWORD)0x103)
#define HasOverlappedIoCompleted(overlapped)                                   \
	((DWORD)(overlapped)->Internal != STATUS_PENDING)

#define MAKEWORD(low, high)                                                    \
	((WORD)(((DWORD_PTR)(low)&0xff) | (((DWORD_PTR)(high)&0xff) << 8)))
#define MAKELONG(low, high)                                                    \
	((LONG)(((DWORD_PTR)(low)&0xffff) | (((DWORD_PTR)(high)&0xffff) << 16)))
#define LOBYTE(word) ((BYTE)((DWORD_PTR)(word)&0xff))
#define HIBYTE(word) ((BYTE)(((DWORD_PTR)(word) >> 8) & 0xff))
#define LOWORD(dword) ((WORD)((DWORD_PTR)(dword)&0xffff))
#define HIWORD(dword) ((WORD)(((DWORD_PTR)(dword) >> 16) & 0xffff))

#define INFINITE 0xffffffffu
#define WAIT_OBJECT_0 0u
#define WAIT_IO_COMPLETION 0xc0u
#define WAIT_TIMEOUT 258u
#define WAIT_FAILED 0xffffffffu
#define MAXIMUM_WAIT_OBJECTS 64

/*
 * The library is preloaded into programs of all kinds, and such general names
 * may be functions of their own there: ours are other symbols.
 */
#define PORTRES_API __attribute__((__visibility__("default")))
#define PORTRES_NAME(name) __asm__("portres_" #name)
/* As libc's own declaration says it, which must agree in C++ only. */
#ifdef __cplusplus
#define PORTRES_NOTHROW __THROW
#else
#define PORTRES_NOTHROW
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* WSAGetLastError() by its other name. */
PORTRES_API DWORD WINAPI GetLastError(void) PORTRES_NAME(GetLastError);
PORTRES_API void WINAPI SetLastError(DWORD dwErrCode)
	PORTRES_NAME(SetLastError);

PORTRES_API void WINAPI Sleep(DWORD dwMilliseconds) PORTRES_NAME(Sleep);
PORTRES_API DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable)
	PORTRES_NAME(SleepEx);

/* Events of this process; names are refused. */
PORTRES_API HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes,
				       BOOL bManualReset, BOOL bInitialState,
				       LPCSTR lpName)
	PORTRES_NAME(CreateEventA);
PORTRES_API HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes,
				       BOOL bManualReset, BOOL bInitialState,
				       LPCWSTR lpName)
	PORTRES_NAME(CreateEventW);
PORTRES_API BOOL WINAPI SetEvent(HANDLE hEvent) PORTRES_NAME(SetEvent);
PORTRES_API BOOL WINAPI ResetEvent(HANDLE hEvent) PORTRES_NAME(ResetEvent);
PORTRES_API BOOL WINAPI CloseHandle(HANDLE hObject) PORTRES_NAME(CloseHandle);

PORTRES_API DWORD WINAPI WaitForSingleObject(HANDLE hHandle,
					     DWORD dwMilliseconds)
	PORTRES_NAME(WaitForSingleObject);
PORTRES_API DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle,
					       DWORD dwMilliseconds,
					       BOOL bAlertable)
	PORTRES_NAME(WaitForSingleObjectEx);
PORTRES_API DWORD WINAPI WaitForMultipleObjects(DWORD nCount,
						const HANDLE *lpHandles,
						BOOL bWaitAll,
						DWORD dwMilliseconds)
	PORTRES_NAME(WaitForMultipleObjects);
PORTRES_API DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount,
						  const HANDLE *lpHandles,
						  BOOL bWaitAll,
						  DWORD dwMilliseconds,
						  BOOL bAlertable)
	PORTRES_NAME(WaitForMultipleObjectsEx);

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define CreateEvent CreateEventW
#else
#define CreateEvent CreateEventA
#endif

#define ZeroMemory(to, n) memset((to), 0, (n))
#define FillMemory(to, n, byte) memset((to), (byte), (n))
#define CopyMemory(to, from, n) memcpy((to), (from), (n))
#define MoveMemory(to, from, n) memmove((to), (from), (n))

#include "ioapiset.h"

#endif
