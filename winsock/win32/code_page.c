/* SPDX-License-Identifier: MIT */
/* A terminal's bytes are UTF-8, as all text is here. */
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
