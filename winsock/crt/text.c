/* SPDX-License-Identifier: MIT */
#include "winsock/crt/text.h"

#include <string.h>
#include <wchar.h>

size_t
text_length(const void *text, size_t most, size_t width)
{
	return width == 1 ? strnlen(text, most) : wcsnlen(text, most);
}

void
text_end(void *text, size_t at, size_t width)
{
	memset((char *)text + at * width, 0, width);
}

void
text_move(void *to, const void *from, size_t n, size_t width)
{
	memmove(to, from, n * width);
}

bool
text_append(void *to, size_t room, size_t at, const void *from, size_t most,
	    size_t width)
{
	size_t left = room - at;
	size_t n = text_length(from, most < left ? most : left, width);
	size_t kept = n < left ? n : left - 1;

	memmove((char *)to + at * width, from, kept * width);
	text_end(to, at + kept, width);
	return n < left;
}
