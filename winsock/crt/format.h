/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_CRT_FORMAT_H
#define PORTRES_WINSOCK_CRT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

/* How much longer than Microsoft's format glibc's can be: "%p" is the worst,
 * it grows from 2 to 6. */
#define FORMAT_GROWTH 3

/*
 * Rewrites a format of Microsoft's into glibc's of the same meaning; `narrow`
 * is one of printf's, whose bytes stand in wide characters here.
 * `to` has room for FORMAT_GROWTH times wcslen(from), and the 0 at the end.
 */
void format_translate(wchar_t *to, const wchar_t *from, bool narrow);

#endif
