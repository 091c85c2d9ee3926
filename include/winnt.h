/* SPDX-License-Identifier: MIT */
/*
 * Windows' basic types on 64-bit Linux: LONG is 32 bits as on Windows although
 * long is 64 here, and WCHAR is Linux' 32-bit wchar_t so that L"" literals fit.
 */
#ifndef PORTRES_WINNT_H
#define PORTRES_WINNT_H

#include "basetsd.h"
#include "sal.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define APIENTRY
#define DECLSPEC_IMPORT
#define DECLSPEC_NORETURN __attribute__((__noreturn__))
#define DECLSPEC_ALIGN(n) __attribute__((__aligned__(n)))
#define FORCEINLINE static __inline __attribute__((__always_inline__))
#define NTAPI
#define NTSYSAPI
#define STDAPICALLTYPE
#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif

#ifndef VOID
#define VOID void
#endif

typedef char CHAR;
typedef short SHORT;
typedef int LONG;
typedef unsigned char UCHAR;
typedef unsigned char BYTE;
typedef unsigned char BOOLEAN;
typedef unsigned char boolean;
typedef unsigned short USHORT;
typedef unsigned short WORD;
typedef unsigned int ULONG;
typedef unsigned int DWORD;
typedef int HRESULT;
__extension__ typedef long long LONGLONG;
__extension__ typedef unsigned long long ULONGLONG;
__extension__ typedef unsigned long long DWORDLONG;

typedef wchar_t WCHAR;
typedef CHAR *PCHAR, *LPCH, *PCH, *PSTR, *LPSTR, *NPSTR;
typedef const CHAR *PCSTR, *LPCSTR, *PCCH, *LPCCH;
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *PWSTR, *LPWSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR, *PCWCH, *LPCWCH;
typedef PSTR *PZPSTR;
typedef PWSTR *PZPWSTR;

typedef void *PVOID;
typedef BOOLEAN *PBOOLEAN;
typedef LONG *PLONG;
typedef LONGLONG *PLONGLONG;
typedef SHORT *PSHORT;
typedef ULONGLONG *PULONGLONG;

typedef void *HANDLE;
typedef HANDLE *PHANDLE;

/* sizeof(TCHAR) is WCHAR's where the literals are wide. */
#ifdef UNICODE
typedef WCHAR TCHAR;
#define PORTRES_TEXT(literal) L##literal
#else
typedef CHAR TCHAR;
#define PORTRES_TEXT(literal) literal
#endif
#define TEXT(literal) PORTRES_TEXT(literal)
typedef TCHAR *PTCHAR, *PTSTR, *LPTSTR, *LPTCH;
typedef const TCHAR *PCTSTR, *LPCTSTR;
typedef TCHAR TBYTE, *PTBYTE;

typedef struct _GUID {
	DWORD Data1;
	WORD Data2;
	WORD Data3;
	BYTE Data4[8];
} GUID, *LPGUID;

typedef union _LARGE_INTEGER {
	__extension__ struct {
		DWORD LowPart;
		LONG HighPart;
	};
	struct {
		DWORD LowPart;
		LONG HighPart;
	} u;
	LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
	__extension__ struct {
		DWORD LowPart;
		DWORD HighPart;
	};
	struct {
		DWORD LowPart;
		DWORD HighPart;
	} u;
	ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

#define ANYSIZE_ARRAY 1
#define MINCHAR 0x80
#define MAXCHAR 0x7f
#define MINSHORT 0x8000
#define MAXSHORT 0x7fff
#define MINLONG 0x80000000
#define MAXLONG 0x7fffffff
#define MAXBYTE 0xff
#define MAXWORD 0xffff
#define MAXDWORD 0xffffffff

/* An overlapped request that is not over yet has this in Internal. */
#define STATUS_PENDING ((DWORD)0x103)
#define STATUS_WAIT_0 ((DWORD)0)
#define STATUS_ABANDONED_WAIT_0 ((DWORD)0x80)
#define STATUS_USER_APC ((DWORD)0xc0)
#define STATUS_TIMEOUT ((DWORD)0x102)

#define MAXIMUM_WAIT_OBJECTS 64

#define UNREFERENCED_PARAMETER(name) ((void)(name))
#define DBG_UNREFERENCED_PARAMETER(name) ((void)(name))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(name) ((void)(name))

#define RTL_NUMBER_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ARRAYSIZE(array) RTL_NUMBER_OF(array)
#define RTL_FIELD_SIZE(type, field) (sizeof(((type *)0)->field))
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field)                                \
	((type *)(void *)((char *)(address)-offsetof(type, field)))

#define MAKELANGID(primary, sub) ((WORD)((WORD)(sub) << 10 | (WORD)(primary)))
#define LANG_NEUTRAL 0x00
#define LANG_ENGLISH 0x09
#define SUBLANG_NEUTRAL 0x00
#define SUBLANG_DEFAULT 0x01
#define SUBLANG_SYS_DEFAULT 0x02
#define SUBLANG_ENGLISH_US 0x01

#include "portres_interlocked.h"

#endif
