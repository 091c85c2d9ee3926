/* SPDX-License-Identifier: MIT */
/* One spelling for narrow and wide text: wide where _UNICODE or UNICODE is. */
#ifndef PORTRES_TCHAR_H
#define PORTRES_TCHAR_H

#include "winnt.h"

#include <wctype.h>

#include "portres_crt.h"

#if defined UNICODE || defined _UNICODE
#define PORTRES_T(literal) L##literal
#define _tmain wmain
#define _tprintf wprintf
#define _ftprintf fwprintf
#define _vtprintf vwprintf
#define _vftprintf vfwprintf
#define _tprintf_s wprintf_s
#define _ftprintf_s fwprintf_s
#define _stprintf_s swprintf_s
#define _vstprintf_s vswprintf_s
#define _sntprintf _snwprintf
#define _vsntprintf _vsnwprintf
#define _sntprintf_s _snwprintf_s
#define _vsntprintf_s _vsnwprintf_s
#define _sctprintf _scwprintf
#define _tcslen wcslen
#define _tcsnlen wcsnlen
#define _tcscpy wcscpy
#define _tcsncpy wcsncpy
#define _tcscat wcscat
#define _tcsncat wcsncat
#define _tcscmp wcscmp
#define _tcsncmp wcsncmp
#define _tcsicmp _wcsicmp
#define _tcsnicmp _wcsnicmp
#define _tcschr wcschr
#define _tcsrchr wcsrchr
#define _tcsstr wcsstr
#define _tcsspn wcsspn
#define _tcscspn wcscspn
#define _tcspbrk wcspbrk
#define _tcsdup _wcsdup
#define _tcslwr _wcslwr
#define _tcsupr _wcsupr
#define _tcscpy_s wcscpy_s
#define _tcsncpy_s wcsncpy_s
#define _tcscat_s wcscat_s
#define _tcsncat_s wcsncat_s
#define _tcstok_s wcstok_s
#define _tcstol wcstol
#define _tcstoul wcstoul
#define _tcstod wcstod
#define _tcstoi64 _wcstoi64
#define _tcstoui64 _wcstoui64
#define _ttoi _wtoi
#define _tstoi _wtoi
#define _ttol _wtol
#define _ttoi64 _wtoi64
#define _tstoi64 _wtoi64
#define _itot _itow
#define _i64tot _i64tow
#define _puttchar putwchar
#define _gettchar getwchar
#define _fgettc fgetwc
#define _fputtc fputwc
#define _fgetts fgetws
#define _fputts fputws
#define _istalpha iswalpha
#define _istdigit iswdigit
#define _istalnum iswalnum
#define _istspace iswspace
#define _istprint iswprint
#define _istupper iswupper
#define _istlower iswlower
#define _totupper towupper
#define _totlower towlower
#else
#define PORTRES_T(literal) literal
#define _tmain main
#define _tprintf printf
#define _ftprintf fprintf
#define _vtprintf vprintf
#define _vftprintf vfprintf
#define _tprintf_s printf_s
#define _ftprintf_s fprintf_s
#define _stprintf_s sprintf_s
#define _vstprintf_s vsprintf_s
#define _sntprintf _snprintf
#define _vsntprintf _vsnprintf
#define _sntprintf_s _snprintf_s
#define _vsntprintf_s _vsnprintf_s
#define _sctprintf _scprintf
#define _tcslen strlen
#define _tcsnlen strnlen
#define _tcscpy strcpy
#define _tcsncpy strncpy
#define _tcscat strcat
#define _tcsncat strncat
#define _tcscmp strcmp
#define _tcsncmp strncmp
#define _tcsicmp _stricmp
#define _tcsnicmp _strnicmp
#define _tcschr strchr
#define _tcsrchr strrchr
#define _tcsstr strstr
#define _tcsspn strspn
#define _tcscspn strcspn
#define _tcspbrk strpbrk
#define _tcsdup _strdup
#define _tcslwr _strlwr
#define _tcsupr _strupr
#define _tcscpy_s strcpy_s
#define _tcsncpy_s strncpy_s
#define _tcscat_s strcat_s
#define _tcsncat_s strncat_s
#define _tcstok_s strtok_s
#define _tcstol strtol
#define _tcstoul strtoul
#define _tcstod strtod
#define _tcstoi64 _strtoi64
#define _tcstoui64 _strtoui64
#define _ttoi atoi
#define _tstoi atoi
#define _ttol atol
#define _ttoi64 _atoi64
#define _tstoi64 _atoi64
#define _itot _itoa
#define _i64tot _i64toa
#define _puttchar putchar
#define _gettchar getchar
#define _fgettc fgetc
#define _fputtc fputc
#define _fgetts fgets
#define _fputts fputs
#define _istalpha isalpha
#define _istdigit isdigit
#define _istalnum isalnum
#define _istspace isspace
#define _istprint isprint
#define _istupper isupper
#define _istlower islower
#define _totupper toupper
#define _totlower tolower
#endif

#define _T(literal) PORTRES_T(literal)
#define _TEXT(literal) PORTRES_T(literal)
#define __T(literal) PORTRES_T(literal)

#if defined UNICODE || defined _UNICODE
typedef wchar_t _TCHAR, _TSCHAR, _TUCHAR, _TXCHAR;
#else
typedef char _TCHAR, _TSCHAR, _TUCHAR, _TXCHAR;
#endif
typedef int _TINT;
#define _TEOF EOF

#endif
