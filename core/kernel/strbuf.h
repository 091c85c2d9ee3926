/* SPDX-License-Identifier: MIT */
/*
 * Builds short strings without stdio, which may allocate and lock: these
 * lines run inside bind() and close() of other people's programs.
 * Text that does not fit is cut, and strbuf_ok() says so.
 */
#ifndef PORTRES_CORE_KERNEL_STRBUF_H
#define PORTRES_CORE_KERNEL_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *buffer;
	size_t size; /* of the buffer */
	size_t length;
	bool cut;
};

static inline struct strbuf
strbuf_in(char *buffer, size_t size)
{
	buffer[0] = '\0';
	return (struct strbuf){.buffer = buffer, .size = size};
}

static inline bool
strbuf_ok(const struct strbuf *text)
{
	return !text->cut;
}

static inline void
strbuf_char(struct strbuf *text, char c)
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
strbuf_bytes(struct strbuf *text, const char *from, size_t n)
{
	for (size_t i = 0; i < n && from[i]; i++)
		strbuf_char(text, from[i]);
}

static inline void
strbuf_string(struct strbuf *text, const char *from)
{
	strbuf_bytes(text, from, SIZE_MAX);
}

static inline void
strbuf_number(struct strbuf *text, uint64_t number)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		strbuf_char(text, digits[--n]);
}

#endif
