/* SPDX-License-Identifier: MIT */
/* What a terminal's bytes mean: UTF-8, as everywhere here. */
#include "windows.h"

BOOL WINAPI
SetConsoleCP(UINT wCodePageID)
{
	if (wCodePageID == CP_UTF8)
		return TRUE;
	SetLastError(ERROR_INVALID_PARAMETER);
	return FALSE;
}

UINT WINAPI
GetConsoleCP(void)
{
	return CP_UTF8;
}
