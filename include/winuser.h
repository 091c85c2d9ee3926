/* SPDX-License-Identifier: MIT */
/*
 * The strings of Windows' older headers; windows and their messages are not
 * carried.
 */
#ifndef PORTRES_WINUSER_H
#define PORTRES_WINUSER_H

#include "windef.h"

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NULL has length 0. */
PORTRES_API int WINAPI lstrlenA(LPCSTR lpString) PORTRES_NAME(lstrlenA);
PORTRES_API int WINAPI lstrlenW(LPCWSTR lpString) PORTRES_NAME(lstrlenW);
PORTRES_API LPSTR WINAPI lstrcpyA(LPSTR lpString1, LPCSTR lpString2)
	PORTRES_NAME(lstrcpyA);
PORTRES_API LPWSTR WINAPI lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2)
	PORTRES_NAME(lstrcpyW);
/* iMaxLength counts the 0. */
PORTRES_API LPSTR WINAPI lstrcpynA(LPSTR lpString1, LPCSTR lpString2,
				   int iMaxLength) PORTRES_NAME(lstrcpynA);
PORTRES_API LPWSTR WINAPI lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2,
				    int iMaxLength) PORTRES_NAME(lstrcpynW);
PORTRES_API LPSTR WINAPI lstrcatA(LPSTR lpString1, LPCSTR lpString2)
	PORTRES_NAME(lstrcatA);
PORTRES_API LPWSTR WINAPI lstrcatW(LPWSTR lpString1, LPCWSTR lpString2)
	PORTRES_NAME(lstrcatW);
/* By the locale: lower case before upper case, in most. */
PORTRES_API int WINAPI lstrcmpA(LPCSTR lpString1, LPCSTR lpString2)
	PORTRES_NAME(lstrcmpA);
PORTRES_API int WINAPI lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2)
	PORTRES_NAME(lstrcmpW);
PORTRES_API int WINAPI lstrcmpiA(LPCSTR lpString1, LPCSTR lpString2)
	PORTRES_NAME(lstrcmpiA);
PORTRES_API int WINAPI lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2)
	PORTRES_NAME(lstrcmpiW);

/* At most 1024 characters with the 0. Returns the length. */
PORTRES_API int WINAPIV wsprintfA(LPSTR buffer, LPCSTR format, ...)
	PORTRES_NAME(wsprintfA);
PORTRES_API int WINAPIV wsprintfW(LPWSTR buffer, LPCWSTR format, ...)
	PORTRES_NAME(wsprintfW);
PORTRES_API int WINAPI wvsprintfA(LPSTR buffer, LPCSTR format, va_list args)
	PORTRES_NAME(wvsprintfA);
PORTRES_API int WINAPI wvsprintfW(LPWSTR buffer, LPCWSTR format, va_list args)
	PORTRES_NAME(wvsprintfW);

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define lstrlen lstrlenW
#define lstrcpy lstrcpyW
#define lstrcpyn lstrcpynW
#define lstrcat lstrcatW
#define lstrcmp lstrcmpW
#define lstrcmpi lstrcmpiW
#define wsprintf wsprintfW
#define wvsprintf wvsprintfW
#else
#define lstrlen lstrlenA
#define lstrcpy lstrcpyA
#define lstrcpyn lstrcpynA
#define lstrcat lstrcatA
#define lstrcmp lstrcmpA
#define lstrcmpi lstrcmpiA
#define wsprintf wsprintfA
#define wvsprintf wvsprintfA
#endif

#endif
