/* SPDX-License-Identifier: MIT */
#include "core/kernel/strbuf.h"

void
strbuf_char(struct strbuf *text, char c)
{
	if (text->length + 1 >= text->size) {
		text->cut = true;
		return;
	}
	text->buffer[text->length++] = c;
	text->buffer[text->length] = '\0';
}

void
strbuf_bytes(struct strbuf *text, const char *from, size_t n)
{
	for (size_t i = 0; i < n && from[i]; i++)
		strbuf_char(text, from[i]);
}

void
strbuf_string(struct strbuf *text, const char *from)
{
	strbuf_bytes(text, from, SIZE_MAX);
}

void
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
