/* SPDX-License-Identifier: MIT */
/* Printing to a buffer, narrow or wide. */
#ifndef PORTRES_WINSOCK_CRT_PRINT_H
#define PORTRES_WINSOCK_CRT_PRINT_H

#include <stdarg.h>
#include <stddef.h>

#include "portres_crt.h"

/* As vsnprintf: cut to the room, with a 0, and the whole length returned; -1
 * with errno on error. Widths are of characters, in bytes. */
static inline int
print_text(void *to, size_t room, const void *format, va_list args,
	   size_t width)
{
	return width == 1 ? portres_vsnprintf(to, room, format, args)
			  : portres_vsnwprintf(to, room, format, args);
}

#endif
