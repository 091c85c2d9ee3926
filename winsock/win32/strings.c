/* SPDX-License-Identifier: MIT */
/* The string functions of Windows itself, which take NULL. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

#include "windows.h"

#define WSPRINTF_MOST 1024 /* with the 0 */

int WINAPI
lstrlenA(LPCSTR lpString)
{
	return lpString ? (int)strlen(lpString) : 0;
}

int WINAPI
lstrlenW(LPCWSTR lpString)
{
	return lpString ? (int)wcslen(lpString) : 0;
}

LPSTR WINAPI
lstrcpyA(LPSTR lpString1, LPCSTR lpString2)
{
	return lpString1 && lpString2 ? strcpy(lpString1, lpString2) : NULL;
}

LPWSTR WINAPI
lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2)
{
	return lpString1 && lpString2 ? wcscpy(lpString1, lpString2) : NULL;
}

LPSTR WINAPI
lstrcpynA(LPSTR lpString1, LPCSTR lpString2, int iMaxLength)
{
	size_t n;

	if (!lpString1 || !lpString2 || iMaxLength <= 0)
		return NULL;
	n = strnlen(lpString2, (size_t)iMaxLength - 1);
	memcpy(lpString1, lpString2, n);
	lpString1[n] = '\0';
	return lpString1;
}

LPWSTR WINAPI
lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength)
{
	size_t n;

	if (!lpString1 || !lpString2 || iMaxLength <= 0)
		return NULL;
	n = wcsnlen(lpString2, (size_t)iMaxLength - 1);
	wmemcpy(lpString1, lpString2, n);
	lpString1[n] = L'\0';
	return lpString1;
}

LPSTR WINAPI
lstrcatA(LPSTR lpString1, LPCSTR lpString2)
{
	return lpString1 && lpString2 ? strcat(lpString1, lpString2) : NULL;
}

LPWSTR WINAPI
lstrcatW(LPWSTR lpString1, LPCWSTR lpString2)
{
	return lpString1 && lpString2 ? wcscat(lpString1, lpString2) : NULL;
}

/* NULL comes first, before the empty string. */
static int
order_of_null(const void *a, const void *b)
{
	return (a != NULL) - (b != NULL);
}

int WINAPI
lstrcmpA(LPCSTR lpString1, LPCSTR lpString2)
{
	return lpString1 && lpString2 ? strcoll(lpString1, lpString2)
				      : order_of_null(lpString1, lpString2);
}

int WINAPI
lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2)
{
	return lpString1 && lpString2 ? wcscoll(lpString1, lpString2)
				      : order_of_null(lpString1, lpString2);
}

int WINAPI
lstrcmpiA(LPCSTR lpString1, LPCSTR lpString2)
{
	return lpString1 && lpString2 ? strcasecmp(lpString1, lpString2)
				      : order_of_null(lpString1, lpString2);
}

int WINAPI
lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2)
{
	return lpString1 && lpString2 ? wcscasecmp(lpString1, lpString2)
				      : order_of_null(lpString1, lpString2);
}

static int
kept(int length)
{
	return length < WSPRINTF_MOST ? length : WSPRINTF_MOST - 1;
}

int WINAPIV
wvsprintfA(LPSTR buffer, LPCSTR format, va_list args)
{
	return kept(portres_vsnprintf(buffer, WSPRINTF_MOST, format, args));
}

int WINAPIV
wvsprintfW(LPWSTR buffer, LPCWSTR format, va_list args)
{
	return kept(portres_vsnwprintf(buffer, WSPRINTF_MOST, format, args));
}

int WINAPIV
wsprintfA(LPSTR buffer, LPCSTR format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = wvsprintfA(buffer, format, args);
	va_end(args);
	return n;
}

int WINAPIV
wsprintfW(LPWSTR buffer, LPCWSTR format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = wvsprintfW(buffer, format, args);
	va_end(args);
	return n;
}
