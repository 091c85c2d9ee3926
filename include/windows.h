/* SPDX-License-Identifier: MIT */
/*
 * The part of Windows' basic types and macros that socket programs use, on
 * 64-bit Linux: LONG and DWORD are 32 bits as on Windows although long is 64
 * here, and WCHAR is Linux' 32-bit wchar_t so that L"" literals fit.
 */
#ifndef PORTRES_WINDOWS_H
#define PORTRES_WINDOWS_H

#include <stddef.h>

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

#define MAKEWORD(low, high)                                                    \
	((WORD)(((DWORD_PTR)(low)&0xff) | (((DWORD_PTR)(high)&0xff) << 8)))
#define MAKELONG(low, high)                                                    \
	((LONG)(((DWORD_PTR)(low)&0xffff) | (((DWORD_PTR)(high)&0xffff) << 16)))
#define LOBYTE(word) ((BYTE)((DWORD_PTR)(word)&0xff))
#define HIBYTE(word) ((BYTE)(((DWORD_PTR)(word) >> 8) & 0xff))
#define LOWORD(dword) ((WORD)((DWORD_PTR)(dword)&0xffff))
#define HIWORD(dword) ((WORD)(((DWORD_PTR)(dword) >> 16) & 0xffff))

#endif
