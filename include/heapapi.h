/* SPDX-License-Identifier: MIT */
/* Memory, all of it malloc()'s. */
#ifndef PORTRES_HEAPAPI_H
#define PORTRES_HEAPAPI_H

#include "windef.h"

#define HEAP_NO_SERIALIZE 0x1u
#define HEAP_GROWABLE 0x2u
#define HEAP_GENERATE_EXCEPTIONS 0x4u
#define HEAP_ZERO_MEMORY 0x8u
#define HEAP_REALLOC_IN_PLACE_ONLY 0x10u

#define LMEM_FIXED 0x0u
#define LMEM_MOVEABLE 0x2u
#define LMEM_ZEROINIT 0x40u
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define LHND (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define GMEM_FIXED 0x0u
#define GMEM_MOVEABLE 0x2u
#define GMEM_ZEROINIT 0x40u
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)
#define GHND (GMEM_MOVEABLE | GMEM_ZEROINIT)

typedef HANDLE HLOCAL, HGLOBAL;

#ifdef __cplusplus
extern "C" {
#endif

/*
 * HEAP_ZERO_MEMORY counts of the flags; there are no exceptions: NULL is the
 * answer without memory. HeapReAlloc with HEAP_REALLOC_IN_PLACE_ONLY may make
 * a block smaller. A heap's maximum size is kept by no one.
 */
PORTRES_API HANDLE WINAPI GetProcessHeap(void) PORTRES_NAME(GetProcessHeap);
PORTRES_API HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize,
				     SIZE_T dwMaximumSize)
	PORTRES_NAME(HeapCreate);
/* Frees all that was allocated in it. */
PORTRES_API BOOL WINAPI HeapDestroy(HANDLE hHeap) PORTRES_NAME(HeapDestroy);
PORTRES_API LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
	PORTRES_NAME(HeapAlloc);
PORTRES_API LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem,
				      SIZE_T dwBytes) PORTRES_NAME(HeapReAlloc);
PORTRES_API BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
	PORTRES_NAME(HeapFree);
/* The bytes that were asked for. */
PORTRES_API SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
	PORTRES_NAME(HeapSize);

/* Nothing moves: a handle is the pointer. free() is no match for these. */
PORTRES_API HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes)
	PORTRES_NAME(LocalAlloc);
PORTRES_API HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags)
	PORTRES_NAME(LocalReAlloc);
PORTRES_API SIZE_T WINAPI LocalSize(HLOCAL hMem) PORTRES_NAME(LocalSize);
/* NULL: it is free. */
PORTRES_API HLOCAL WINAPI LocalFree(HLOCAL hMem) PORTRES_NAME(LocalFree);
PORTRES_API LPVOID WINAPI LocalLock(HLOCAL hMem) PORTRES_NAME(LocalLock);
PORTRES_API BOOL WINAPI LocalUnlock(HLOCAL hMem) PORTRES_NAME(LocalUnlock);

PORTRES_API HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes)
	PORTRES_NAME(LocalAlloc);
PORTRES_API HGLOBAL WINAPI GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes,
					 UINT uFlags)
	PORTRES_NAME(LocalReAlloc);
PORTRES_API SIZE_T WINAPI GlobalSize(HGLOBAL hMem) PORTRES_NAME(LocalSize);
PORTRES_API HGLOBAL WINAPI GlobalFree(HGLOBAL hMem) PORTRES_NAME(LocalFree);
PORTRES_API LPVOID WINAPI GlobalLock(HGLOBAL hMem) PORTRES_NAME(LocalLock);
PORTRES_API BOOL WINAPI GlobalUnlock(HGLOBAL hMem) PORTRES_NAME(LocalUnlock);

#ifdef __cplusplus
}
#endif

#endif
