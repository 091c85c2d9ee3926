/* SPDX-License-Identifier: MIT */
/*
 * scanf_s and its kin: behind the pointer of each %s, %c and %[ stands how many
 * characters it has room for. A string that has no room fails, with an empty
 * string in its place. %n and wide strings are not carried: EINVAL.
 *
 * The format is worked off conversion by conversion, each by glibc.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portres_crt.h"

#define PIECE 256 /* bytes of a format between two conversions, at most */

struct conversion {
	char text[PIECE + 16]; /* what is before it, and itself, in glibc's */
	size_t used;
	bool any;     /* false: the format ends with literal text */
	bool stores;  /* no '*' */
	bool bounded; /* s, c or [ */
	bool string;  /* s or [: a 0 comes behind it */
	size_t width; /* 0: none */
	bool unknown; /* not carried: %n, and wide strings */
};

static void
add(struct conversion *to, char c)
{
	if (to->used < PIECE)
		to->text[to->used++] = c;
}

/* From the '[' to behind its ']'. */
static const char *
add_set(struct conversion *to, const char *p)
{
	add(to, *p++);
	if (*p == '^')
		add(to, *p++);
	if (*p == ']')
		add(to, *p++);
	while (*p && *p != ']')
		add(to, *p++);
	if (*p)
		add(to, *p++);
	return p;
}

/* Reads one conversion of the format and the text before it. The width of a
 * bounded one is left out. Returns where the next begins. */
static const char *
next(const char *p, struct conversion *ret)
{
	memset(ret, 0, sizeof(*ret));
	while (*p && (*p != '%' || p[1] == '%')) {
		if (*p == '%')
			add(ret, *p++);
		add(ret, *p++);
	}
	if (!*p)
		return p;
	ret->any = true;
	add(ret, *p++);
	ret->stores = *p != '*';
	if (*p == '*')
		add(ret, *p++);
	ret->width = strtoul(p, (char **)&p, 10);
	if (*p == 'h' && p[1] && strchr("sc[", p[1]))
		p++;
	ret->unknown = !*p || strchr("nSC", *p) ||
		       (strchr("lw", *p) && p[1] && strchr("sc[", p[1]));
	ret->bounded = *p == 's' || *p == 'c' || *p == '[';
	ret->string = ret->bounded && *p != 'c';
	if (!ret->bounded || !ret->stores) {
		if (ret->width)
			ret->used += (size_t)sprintf(ret->text + ret->used,
						     "%zu", ret->width);
	}
	if (!ret->bounded) {
		/* Sizes, as "ll" and Microsoft's I64. */
		if (strncmp(p, "I64", 3) == 0) {
			add(ret, 'l');
			add(ret, 'l');
			p += 3;
		}
		while (*p && strchr("hlLqjzt", *p))
			add(ret, *p++);
	}
	if (*p == '[')
		return add_set(ret, p);
	if (*p)
		add(ret, *p++);
	return p;
}

/* Both return 1, 0, or EOF, as of one conversion. */

static int
scan_bounded(FILE *from, const struct conversion *what, char *to, size_t room,
	     int *ret_read)
{
	size_t most = what->width ? what->width : what->string ? room : 1;
	char format[sizeof(what->text) + 32];
	size_t percent = what->used;
	char *found;
	int n;

	/* One more than has room tells what is too long. */
	if (most > room)
		most = room;
	found = room ? calloc(most + 1, 1) : NULL;
	if (!found)
		return 0;
	while (what->text[percent - 1] != '%')
		percent--;
	sprintf(format, "%.*s%zu%s%%n", (int)percent, what->text, most,
		what->text + percent);
	n = fscanf(from, format, found, ret_read);
	if (n == 1 && what->string && strlen(found) >= room) {
		to[0] = '\0';
		n = 0;
	} else if (n == 1) {
		memcpy(to, found, what->string ? strlen(found) + 1 : most);
	}
	free(found);
	return n;
}

static int
scan_plain(FILE *from, const struct conversion *what, void *to, int *ret_read)
{
	char format[sizeof(what->text) + 4];
	int n;

	sprintf(format, "%s%%n", what->text);
	if (what->any && what->stores)
		return fscanf(from, format, to, ret_read);
	/* A conversion that stores nothing counts as 0 in any case. */
	n = fscanf(from, format, ret_read);
	return n == EOF ? EOF : *ret_read >= 0;
}

static int
scan_one(FILE *from, const struct conversion *what, va_list *args,
	 int *ret_read)
{
	char *to = NULL;

	if (what->any && what->stores)
		to = va_arg(*args, char *);
	if (to && what->bounded)
		return scan_bounded(from, what, to, va_arg(*args, unsigned int),
				    ret_read);
	return scan_plain(from, what, to, ret_read);
}

static int
scan(FILE *from, const char *format, va_list passed)
{
	struct conversion what;
	int stored = 0;
	int n = 1;
	va_list args;

	va_copy(args, passed);
	while (*format && n == 1) {
		int now = -1;

		format = next(format, &what);
		if (what.used >= PIECE || what.unknown) {
			errno = EINVAL;
			n = EOF;
			break;
		}
		n = scan_one(from, &what, &args, &now);
		if (n == 1 && what.any && what.stores)
			stored++;
	}
	va_end(args);
	return n == EOF && stored == 0 ? EOF : stored;
}

int
vfscanf_s(FILE *from, const char *format, va_list args)
{
	if (from && format)
		return scan(from, format, args);
	errno = EINVAL;
	return EOF;
}

int
vsscanf_s(const char *from, const char *format, va_list args)
{
	int before = errno;
	FILE *file;
	int n;

	if (!from || !format) {
		errno = EINVAL;
		return EOF;
	}
	file = fmemopen((void *)(uintptr_t)from, strlen(from), "r");
	if (!file)
		return EOF;
	n = scan(file, format, args);
	fclose(file);
	if (n >= 0)
		errno = before;
	return n;
}

int
vscanf_s(const char *format, va_list args)
{
	return vfscanf_s(stdin, format, args);
}

#define SCAN(name, parameters, call)                                           \
	int name parameters                                                    \
	{                                                                      \
		va_list args;                                                  \
		int n;                                                         \
                                                                               \
		va_start(args, format);                                        \
		n = call;                                                      \
		va_end(args);                                                  \
		return n;                                                      \
	}

SCAN(scanf_s, (const char *format, ...), vscanf_s(format, args))
SCAN(fscanf_s, (FILE * from, const char *format, ...),
     vfscanf_s(from, format, args))
SCAN(sscanf_s, (const char *from, const char *format, ...),
     vsscanf_s(from, format, args))
