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

void strbuf_char(struct strbuf *text, char c);

/* At most `n` bytes, up to the first NUL. */
void strbuf_bytes(struct strbuf *text, const char *from, size_t n);
void strbuf_string(struct strbuf *text, const char *from);
void strbuf_number(struct strbuf *text, uint64_t number);

#endif
