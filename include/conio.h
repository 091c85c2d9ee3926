/* SPDX-License-Identifier: MIT */
/*
 * Keys from the terminal, one at a time. Enter is 13, Backspace 8; keys that
 * send several bytes, such as arrows, come byte by byte as the terminal sends
 * them. Without a terminal they come from stdin, and EOF at its end.
 */
#ifndef PORTRES_CONIO_H
#define PORTRES_CONIO_H

#include "portres_words.h"

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_API int _getch(void) PORTRES_NAME(_getch);
PORTRES_API int _getche(void) PORTRES_NAME(_getche);
PORTRES_API int _kbhit(void) PORTRES_NAME(_kbhit);
PORTRES_API int _putch(int c) PORTRES_NAME(_putch);
/* One at most; EOF otherwise. */
PORTRES_API int _ungetch(int c) PORTRES_NAME(_ungetch);
PORTRES_API int _cputs(const char *text) PORTRES_NAME(_cputs);
PORTRES_API int _cprintf(const char *format, ...) PORTRES_NAME(_cprintf);

/* Older names of the same. */
PORTRES_API int getch(void) PORTRES_NAME(_getch);
PORTRES_API int getche(void) PORTRES_NAME(_getche);
PORTRES_API int kbhit(void) PORTRES_NAME(_kbhit);
PORTRES_API int putch(int c) PORTRES_NAME(_putch);
PORTRES_API int ungetch(int c) PORTRES_NAME(_ungetch);
PORTRES_API int cputs(const char *text) PORTRES_NAME(_cputs);
PORTRES_API int cprintf(const char *format, ...) PORTRES_NAME(_cprintf);

#ifdef __cplusplus
}
#endif

#endif
