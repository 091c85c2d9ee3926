/* SPDX-License-Identifier: MIT */
/* Windows' words for the types of everyday. */
#ifndef PORTRES_WINDEF_H
#define PORTRES_WINDEF_H

#include "winnt.h"

#ifndef FAR
#define FAR
#endif
#ifndef NEAR
#define NEAR
#endif
#ifndef far
#define far
#endif
#ifndef near
#define near
#endif
#ifndef pascal
#define pascal
#endif
#ifndef cdecl
#define cdecl
#endif
#define PASCAL
#define CDECL
#define WINAPI
#define WINAPIV
#define APIPRIVATE
#define CALLBACK

#ifndef CONST
#define CONST const
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif

#ifndef MAX_PATH
#define MAX_PATH 260
#endif

typedef int BOOL;
typedef int INT;
typedef unsigned int UINT;
typedef float FLOAT;

typedef void *LPVOID;
typedef const void *LPCVOID;
typedef BYTE *PBYTE, *LPBYTE;
typedef UCHAR *PUCHAR;
typedef WORD *PWORD, *LPWORD;
typedef USHORT *PUSHORT;
typedef BOOL *PBOOL, *LPBOOL;
typedef FLOAT *PFLOAT;
typedef INT *PINT, *LPINT;
typedef UINT *PUINT;
typedef LONG *LPLONG;
typedef ULONG *PULONG;
typedef DWORD *PDWORD, *LPDWORD;
typedef HANDLE *LPHANDLE;

typedef struct _FILETIME {
	DWORD dwLowDateTime;
	DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

#define MAKEWORD(low, high)                                                    \
	((WORD)(((DWORD_PTR)(low)&0xff) | (((DWORD_PTR)(high)&0xff) << 8)))
#define MAKELONG(low, high)                                                    \
	((LONG)(((DWORD_PTR)(low)&0xffff) | (((DWORD_PTR)(high)&0xffff) << 16)))
#define LOBYTE(word) ((BYTE)((DWORD_PTR)(word)&0xff))
#define HIBYTE(word) ((BYTE)(((DWORD_PTR)(word) >> 8) & 0xff))
#define LOWORD(dword) ((WORD)((DWORD_PTR)(dword)&0xffff))
#define HIWORD(dword) ((WORD)(((DWORD_PTR)(dword) >> 16) & 0xffff))

/* In C++ macros would break the standard library's. These take mixed types as
 * macros do, and give way to std::min where that is meant. */
#ifndef NOMINMAX
#ifndef __cplusplus
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#elif __cplusplus >= 201103L && !defined min && !defined max
extern "C++" {
template <typename A, typename B>
constexpr auto
max(A a, B b) -> decltype(true ? (A)a : (B)b)
{
	typedef decltype(true ? (A)a : (B)b) common;
	return (common)a > (common)b ? (common)a : (common)b;
}

template <typename A, typename B>
constexpr auto
min(A a, B b) -> decltype(true ? (A)a : (B)b)
{
	typedef decltype(true ? (A)a : (B)b) common;
	return (common)a < (common)b ? (common)a : (common)b;
}
}
#endif
#endif

#endif
