/* SPDX-License-Identifier: MIT */
/* A clock that nobody sets, in ticks of 100 ns. */
#ifndef PORTRES_PROFILEAPI_H
#define PORTRES_PROFILEAPI_H

#include "windef.h"

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_API BOOL WINAPI
QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount)
	PORTRES_NAME(QueryPerformanceCounter);
/* 10,000,000, as on Windows. */
PORTRES_API BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency)
	PORTRES_NAME(QueryPerformanceFrequency);

#ifdef __cplusplus
}
#endif

#endif
