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

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* The number at p; moves p past it. */
static uint64_t
number(const char **p, const char *end, int base)
{
	uint64_t n = 0;

	for (; *p < end && digit(**p) < base; (*p)++)
		n = n * (uint64_t)base + (uint64_t)digit(**p);
	return n;
}

/* "00:09:", in hexadecimal. */
static uint64_t
device(const char **p, const char *end)
{
	uint64_t part[2];

	for (int i = 0; i < 2; i++) {
		part[i] = number(p, end, 16);
		*p += *p < end; /* the colon */
	}
	return makedev((unsigned)part[0], (unsigned)part[1]);
}

/* "… OFDLCK ADVISORY  READ -1 00:09:7191 START END": device and inode are
 * field 4 after OFDLCK, the start is field 5. */
static void
parse_line(const char *p, const char *end, locklist_seen *seen, void *context)
{
	uint64_t of_device = 0;
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
			of_device = device(&p, end);
			inode = (uint32_t)number(&p, end, 10);
		}
	}
	seen(context, of_device, inode, number(&p, end, 10));
}

void
locklist_parse(const char *lines, size_t n, locklist_seen *seen, void *context)
{
	const char *end = lines + n;

	for (const char *p = lines; p < end; p = line_end(p, end) + 1)
		parse_line(p, line_end(p, end), seen, context);
}
