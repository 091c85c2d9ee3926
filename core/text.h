/* SPDX-License-Identifier: MIT */
/*
 * Builds short strings without stdio, which may allocate and lock: these
 * lines run inside bind() and close() of other people's programs.
 * Text that does not fit is cut, and text_ok() says so.
 */
#ifndef PORTRES_CORE_TEXT_H
#define PORTRES_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buffer;
	size_t size; /* of the buffer */
	size_t length;
	bool cut;
};

static inline struct text
text_in(char *buffer, size_t size)
{
	buffer[0] = '\0';
	return (struct text){.buffer = buffer, .size = size};
}

static inline bool
text_ok(const struct text *text)
{
	return !text->cut;
}

static inline void
text_char(struct text *text, char c)
{
	if (text->length + 1 >= text->size) {
		text->cut = true;
		return;
	}
	text->buffer[text->length++] = c;
	text->buffer[text->length] = '\0';
}

/* At most `n` bytes, up to the first NUL. */
static inline void
text_bytes(struct text *text, const char *from, size_t n)
{
	for (size_t i = 0; i < n && from[i]; i++)
		text_char(text, from[i]);
}

static inline void
text_string(struct text *text, const char *from)
{
	text_bytes(text, from, SIZE_MAX);
}

static inline void
text_number(struct text *text, uint64_t number)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		text_char(text, digits[--n]);
}

#endif
