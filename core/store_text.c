/* SPDX-License-Identifier: MIT */
/* The lines of the store: read, and written anew. */
#include <string.h>

#include "core/store_inside.h"
#include "core/text.h"

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
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

static int
write_all(const struct sys_ops *sys, int fd, const char *p, size_t n)
{
	while (n > 0) {
		long r = sys_write(sys, fd, p, n);

		if (r < 0)
			return (int)r;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int
write_block(const struct sys_ops *sys, int fd, const struct block *block)
{
	char line[32];
	struct text text = text_in(line, sizeof(line));

	text_string(&text, block->protocol == PROTOCOL_TCP ? "tcp " : "udp ");
	text_number(&text, block->range.start);
	text_char(&text, ' ');
	text_number(&text, block->range.count);
	text_char(&text, '\n');
	return write_all(sys, fd, line, text.length);
}

int
store_write(const struct store *store, int fd, const struct block *without,
	    const struct block *with)
{
	const char *end = store->text + store->length;
	int r = 0;

	for (const char *p = store->text; p < end && r == 0;) {
		const char *stop = line_end(p, end);
		struct block block = {0};

		if (!without || parse(p, stop, &block) != BLOCK ||
		    !block_equal(block, *without)) {
			r = write_all(store->sys, fd, p, (size_t)(stop - p));
			/* The last line's newline too, where it had none. */
			if (r == 0)
				r = write_all(store->sys, fd, "\n", 1);
		}
		p = stop + 1;
	}
	if (r == 0 && with)
		r = write_block(store->sys, fd, with);
	return r;
}
