/* SPDX-License-Identifier: MIT */
/* The machine that a program asks about. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "windows.h"

#if defined __x86_64__
#define ARCHITECTURE PROCESSOR_ARCHITECTURE_AMD64
#elif defined __aarch64__
#define ARCHITECTURE PROCESSOR_ARCHITECTURE_ARM64
#else
#define ARCHITECTURE PROCESSOR_ARCHITECTURE_UNKNOWN
#endif

#define MASK_BITS 64

void WINAPI
GetSystemInfo(LPSYSTEM_INFO lpSystemInfo)
{
	long page = sysconf(_SC_PAGESIZE);
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	*lpSystemInfo = (SYSTEM_INFO){
		.wProcessorArchitecture = ARCHITECTURE,
		.dwPageSize = (DWORD)page,
		.lpMinimumApplicationAddress = (PVOID)0x10000,
		.lpMaximumApplicationAddress = (PVOID)0x7fffffffefff,
		.dwActiveProcessorMask =
			processors < MASK_BITS ? (1ul << processors) - 1 : ~0ul,
		.dwNumberOfProcessors = (DWORD)processors,
		.dwAllocationGranularity = (DWORD)page,
	};
}

/* Returns 0 or the error; *size as Windows leaves it. */
static DWORD
host_name(char *to, DWORD *size)
{
	char name[HOST_NAME_MAX + 1];
	size_t length;

	if (gethostname(name, sizeof(name)) < 0)
		return GetLastError();
	length = strlen(name);
	if (!to || length >= *size) {
		*size = (DWORD)length + 1;
		return ERROR_BUFFER_OVERFLOW;
	}
	memcpy(to, name, length + 1);
	*size = (DWORD)length;
	return 0;
}

static BOOL
answer(DWORD code)
{
	if (code)
		SetLastError(code);
	return code == 0;
}

BOOL WINAPI
GetComputerNameA(LPSTR lpBuffer, LPDWORD nSize)
{
	return answer(host_name(lpBuffer, nSize));
}

/* A host's name is ASCII. */
BOOL WINAPI
GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize)
{
	char name[HOST_NAME_MAX + 1];
	DWORD room = lpBuffer && *nSize < sizeof(name) ? *nSize : sizeof(name);
	DWORD code = host_name(lpBuffer ? name : NULL, &room);

	*nSize = room;
	if (code == 0)
		for (DWORD i = 0; i <= room; i++)
			lpBuffer[i] = (unsigned char)name[i];
	return answer(code);
}
