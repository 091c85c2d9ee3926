/* SPDX-License-Identifier: MIT */
#include "core/locklist.h"

#include <stdbool.h>
#include <string.h>
#include <sys/sysmacros.h>

static const char *
line_end(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	return newline ? newline : end;
}

static const char *
skip(const char *p, const char *end, char c)
{
	while (p < end && *p == c)
		p++;
	return p;
}

/* A decimal number at p; moves p past it. */
static uint64_t
number(const char **p, const char *end)
{
	uint64_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		n = n * 10 + (uint64_t)(**p - '0');
	return n;
}

static uint64_t
number16(const char **p, const char *end)
{
	uint64_t n = 0;

	for (; *p < end && **p != ':' && **p != ' '; (*p)++)
		n = n << 4 |
		    (uint64_t)(**p <= '9' ? **p - '0' : (**p | 32) - 'a' + 10);
	return n;
}

/* "… OFDLCK ADVISORY  READ -1 00:09:7191 START END": device and inode are
 * field 4 after OFDLCK, the start is field 5. */
static void
parse_line(const char *p, const char *end, locklist_seen *seen, void *context)
{
	uint64_t device = 0;
	uint32_t inode = 0;

	p = memmem(p, (size_t)(end - p), "OFDLCK", 6);
	if (!p)
		return;
	for (int field = 0; field < 5; field++) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (!p)
			return;
		p = skip(p, end, ' ');
		if (field == 3) {
			device = number16(&p, end);
			p = skip(p, end, ':');
			device = makedev(device, number16(&p, end));
			p = skip(p, end, ':');
			inode = (uint32_t)number(&p, end);
		}
	}
	seen(context, device, inode, number(&p, end));
}

void
locklist_parse(const char *lines, size_t n, locklist_seen *seen, void *context)
{
	const char *end = lines + n;

	for (const char *p = lines; p < end; p = line_end(p, end) + 1)
		parse_line(p, line_end(p, end), seen, context);
}

struct wanted {
	uint64_t start;
	bool found;
};

static void
look_for(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	struct wanted *wanted = context;

	(void)device;
	(void)inode;
	wanted->found |= start == wanted->start;
}

int
locklist_find(const struct sys_ops *sys, uint64_t start)
{
	struct wanted wanted = {.start = start};
	int r = locklist_read(sys, NULL, look_for, &wanted);

	return wanted.found ? 1 : r;
}
