/* SPDX-License-Identifier: MIT */
/*
 * Text of narrow or wide characters in a buffer of known size: what the `_s`
 * functions and StringCch* have in common. `width` is a character's size in
 * bytes, lengths are in characters.
 */
#ifndef PORTRES_WINSOCK_CRT_TEXT_H
#define PORTRES_WINSOCK_CRT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the text; `most` when it has no 0 before. */
size_t text_length(const void *text, size_t most, size_t width);

void text_end(void *text, size_t at, size_t width);

/* n characters, no 0. */
void text_move(void *to, const void *from, size_t n, size_t width);

/*
 * Puts up to `most` characters of `from`, and a 0, behind the `at` characters
 * in the buffer. False when there is no room for them all: as many are there
 * as have room.
 */
bool text_append(void *to, size_t room, size_t at, const void *from,
		 size_t most, size_t width);

#endif
