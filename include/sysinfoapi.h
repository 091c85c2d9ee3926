/* SPDX-License-Identifier: MIT */
/* The time, and the machine. */
#ifndef PORTRES_SYSINFOAPI_H
#define PORTRES_SYSINFOAPI_H

#include "minwinbase.h"

#define MAX_COMPUTERNAME_LENGTH 15
#define PROCESSOR_ARCHITECTURE_AMD64 9
#define PROCESSOR_ARCHITECTURE_ARM64 12
#define PROCESSOR_ARCHITECTURE_UNKNOWN 0xffff

typedef struct _SYSTEM_INFO {
	__extension__ union {
		DWORD dwOemId;
		__extension__ struct {
			WORD wProcessorArchitecture;
			WORD wReserved;
		};
	};
	DWORD dwPageSize;
	LPVOID lpMinimumApplicationAddress;
	LPVOID lpMaximumApplicationAddress;
	DWORD_PTR dwActiveProcessorMask;
	DWORD dwNumberOfProcessors;
	DWORD dwProcessorType;
	DWORD dwAllocationGranularity;
	WORD wProcessorLevel;
	WORD wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

#ifdef __cplusplus
extern "C" {
#endif

/* Milliseconds since the machine started. The first is 32 bits wide and begins
 * again every 49.7 days. */
PORTRES_API DWORD WINAPI GetTickCount(void) PORTRES_NAME(GetTickCount);
PORTRES_API ULONGLONG WINAPI GetTickCount64(void) PORTRES_NAME(GetTickCount64);

PORTRES_API void WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime)
	PORTRES_NAME(GetLocalTime);
PORTRES_API void WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime)
	PORTRES_NAME(GetSystemTime);
/* Units of 100 ns since the year 1601, UTC. */
PORTRES_API void WINAPI
GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
	PORTRES_NAME(GetSystemTimeAsFileTime);
PORTRES_API void WINAPI
GetSystemTimePreciseAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
	PORTRES_NAME(GetSystemTimeAsFileTime);
/* No time of the years from 1601 to 30827: ERROR_INVALID_PARAMETER. */
PORTRES_API BOOL WINAPI FileTimeToSystemTime(const FILETIME *lpFileTime,
					     LPSYSTEMTIME lpSystemTime)
	PORTRES_NAME(FileTimeToSystemTime);
PORTRES_API BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime,
					     LPFILETIME lpFileTime)
	PORTRES_NAME(SystemTimeToFileTime);
PORTRES_API BOOL WINAPI FileTimeToLocalFileTime(const FILETIME *lpFileTime,
						LPFILETIME lpLocalFileTime)
	PORTRES_NAME(FileTimeToLocalFileTime);

PORTRES_API void WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo)
	PORTRES_NAME(GetSystemInfo);

/* The host's name. *nSize is in characters: room, then length without the 0;
 * what is needed with it when ERROR_BUFFER_OVERFLOW. */
PORTRES_API BOOL WINAPI GetComputerNameA(LPSTR lpBuffer, LPDWORD nSize)
	PORTRES_NAME(GetComputerNameA);
PORTRES_API BOOL WINAPI GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize)
	PORTRES_NAME(GetComputerNameW);

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define GetComputerName GetComputerNameW
#else
#define GetComputerName GetComputerNameA
#endif

#endif
