/* SPDX-License-Identifier: MIT */
/* Between bytes and wide characters, which have 32 bits here. */
#ifndef PORTRES_STRINGAPISET_H
#define PORTRES_STRINGAPISET_H

#include "windef.h"

#define CP_ACP 0u
#define CP_OEMCP 1u
#define CP_THREAD_ACP 3u
#define CP_UTF8 65001u

#define MB_PRECOMPOSED 0x1u
#define MB_ERR_INVALID_CHARS 0x8u
#define WC_ERR_INVALID_CHARS 0x80u

#ifdef __cplusplus
extern "C" {
#endif

/*
 * All four code pages are UTF-8; others: ERROR_INVALID_PARAMETER. Lengths are
 * in bytes and in wide characters; -1 is up to the 0, which is converted too.
 * Room of 0 asks how much is needed. Bytes that are no character become U+FFFD,
 * or ERROR_NO_UNICODE_TRANSLATION with the flag; too little room:
 * ERROR_INSUFFICIENT_BUFFER. All errors return 0.
 */
PORTRES_API int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags,
					   LPCSTR lpMultiByteStr,
					   int cbMultiByte,
					   LPWSTR lpWideCharStr,
					   int cchWideChar)
	PORTRES_NAME(MultiByteToWideChar);
PORTRES_API int WINAPI WideCharToMultiByte(
	UINT CodePage, DWORD dwFlags, LPCWSTR lpWideCharStr, int cchWideChar,
	LPSTR lpMultiByteStr, int cbMultiByte, LPCSTR lpDefaultChar,
	BOOL *lpUsedDefaultChar) PORTRES_NAME(WideCharToMultiByte);

#ifdef __cplusplus
}
#endif

#endif
