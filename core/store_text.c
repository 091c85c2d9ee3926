/* SPDX-License-Identifier: MIT */
/* The lines of the store: read, and written anew. */
#include <string.h>

#include "core/store_inside.h"
#include "core/text.h"

/* As in isspace(), but for the newline and the vertical tab. */
static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

/* Bytes of UTF-8 and of other sets are. */
bool
store_is_text(const struct store *store)
{
	for (size_t i = 0; i < store->length; i++) {
		unsigned char c = (unsigned char)store->text[i];

		if ((c < ' ' && c != '\n' && !is_blank((char)c)) || c == 0x7f)
			return false;
	}
	return true;
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

/* Reads a number and the blanks around it; NULL when there is none. */
static const char *
number(const char *p, const char *end, uint32_t *ret)
{
	const char *first = p = skip_blanks(p, end);
	uint32_t n = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		n = n < PORT_COUNT ? n * 10 + (uint32_t)(*p - '0') : n;
	*ret = n;
	return p == first ? NULL : skip_blanks(p, end);
}

enum meaning { NOTHING, BLOCK, NONSENSE };

static enum meaning
parse(const char *p, const char *end, struct block *ret)
{
	const char *comment = memchr(p, '#', (size_t)(end - p));

	end = comment ? comment : end;
	p = skip_blanks(p, end);
	if (p == end)
		return NOTHING;
	if (end - p < 4 || (p[3] != ' ' && p[3] != '\t'))
		return NONSENSE;
	if (memcmp(p, "tcp", 3) == 0)
		ret->protocol = PROTOCOL_TCP;
	else if (memcmp(p, "udp", 3) == 0)
		ret->protocol = PROTOCOL_UDP;
	else
		return NONSENSE;
	p = number(p + 3, end, &ret->range.start);
	p = p ? number(p, end, &ret->range.count) : NULL;
	return p == end && block_valid(*ret) ? BLOCK : NONSENSE;
}

static const char *
line_end(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	return newline ? newline : end;
}

int
store_each(const struct store *store, store_line *each, void *context)
{
	const char *end = store->text + store->length;
	unsigned line = 1;
	int r = 0;

	for (const char *p = store->text; p < end && r == 0; line++) {
		const char *stop = line_end(p, end);
		struct block block = {0};
		enum meaning meaning = parse(p, stop, &block);

		if (meaning != NOTHING)
			r = each(context, line, meaning == NONSENSE, block);
		p = stop + 1;
	}
	return r;
}

static char *
append(char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
	return to + n;
}

static char *
append_block(char *to, const struct block *block)
{
	char line[STORE_LINE_MAX];
	struct text text = text_in(line, sizeof(line));

	text_string(&text, block->protocol == PROTOCOL_TCP ? "tcp " : "udp ");
	text_number(&text, block->range.start);
	text_char(&text, ' ');
	text_number(&text, block->range.count);
	text_char(&text, '\n');
	return append(to, line, text.length);
}

size_t
store_compose(const struct store *store, const struct block *without,
	      const struct block *with, char *to)
{
	const char *end = store->text + store->length;
	char *at = to;

	for (const char *p = store->text; p < end;) {
		const char *stop = line_end(p, end);
		struct block block = {0};

		if (!without || parse(p, stop, &block) != BLOCK ||
		    !block_equal(block, *without)) {
			at = append(at, p, (size_t)(stop - p));
			/* The last line's newline too, where it had none. */
			at = append(at, "\n", 1);
		}
		p = stop + 1;
	}
	if (with)
		at = append_block(at, with);
	return (size_t)(at - to);
}
