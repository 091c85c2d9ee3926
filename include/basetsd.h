/* SPDX-License-Identifier: MIT */
/* Types of a fixed size, and of a pointer's. */
#ifndef PORTRES_BASETSD_H
#define PORTRES_BASETSD_H

#include "portres_words.h"

typedef signed char INT8, *PINT8;
typedef short INT16, *PINT16;
typedef int INT32, *PINT32;
typedef int LONG32, *PLONG32;
typedef unsigned char UINT8, *PUINT8;
typedef unsigned short UINT16, *PUINT16;
typedef unsigned int UINT32, *PUINT32;
typedef unsigned int ULONG32, *PULONG32;
typedef unsigned int DWORD32, *PDWORD32;
__extension__ typedef long long INT64, *PINT64;
__extension__ typedef long long LONG64, *PLONG64;
__extension__ typedef unsigned long long UINT64, *PUINT64;
__extension__ typedef unsigned long long ULONG64, *PULONG64;
__extension__ typedef unsigned long long DWORD64, *PDWORD64;

typedef long INT_PTR, *PINT_PTR;
typedef long LONG_PTR, *PLONG_PTR;
typedef long SSIZE_T, *PSSIZE_T;
typedef unsigned long UINT_PTR, *PUINT_PTR;
typedef unsigned long ULONG_PTR, *PULONG_PTR;
typedef unsigned long DWORD_PTR, *PDWORD_PTR;
typedef unsigned long SIZE_T, *PSIZE_T;
typedef ULONG_PTR KAFFINITY;

#define HandleToULong(handle) ((unsigned int)(ULONG_PTR)(handle))
#define HandleToLong(handle) ((int)(LONG_PTR)(handle))
#define ULongToHandle(number) ((void *)(ULONG_PTR)(unsigned int)(number))
#define LongToHandle(number) ((void *)(LONG_PTR)(int)(number))
#define PtrToUlong(p) ((unsigned int)(ULONG_PTR)(p))
#define PtrToLong(p) ((int)(LONG_PTR)(p))
#define PtrToInt(p) ((int)(INT_PTR)(p))
#define UlongToPtr(number) ((void *)(ULONG_PTR)(unsigned int)(number))
#define LongToPtr(number) ((void *)(LONG_PTR)(int)(number))
#define IntToPtr(number) ((void *)(INT_PTR)(int)(number))

#endif
