/* SPDX-License-Identifier: MIT */
#include "core/kernel/range.h"

#include <errno.h>

#define LOWEST_UNPRIVILEGED 1024u
#define LOWEST_UNREGISTERED 10000u
#define BEST_START 20000u
#define BEST_END 30000u

static const char *
skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n')
		p++;
	return p;
}

/* Returns the end of the number, or NULL when there is no port there. */
static const char *
parse_port(const char *p, uint32_t *ret_port)
{
	uint32_t port = 0;

	p = skip_blanks(p);
	if (*p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		port = port * 10 + (uint32_t)(*p - '0');
		if (port >= PORT_COUNT)
			return NULL;
	}
	if (port == 0)
		return NULL;
	*ret_port = port;
	return skip_blanks(p);
}

const char *
range_parse(const char *p, struct range *ret)
{
	uint32_t first, last;

	p = parse_port(p, &first);
	if (!p)
		return NULL;
	last = first;
	if (*p == '-') {
		p = parse_port(p + 1, &last);
		if (!p)
			return NULL;
	}
	if (last < first || (*p && *p != ','))
		return NULL;
	*ret = (struct range){first, last - first + 1};
	return *p ? skip_blanks(p + 1) : p;
}

int
range_list_parse(const char *text, struct range_list *ret_list)
{
	struct range_list list = {0};
	const char *p = skip_blanks(text);

	while (*p) {
		if (list.count == RANGE_LIST_MAX)
			return -EINVAL;
		p = range_parse(p, &list.range[list.count++]);
		if (!p)
			return -EINVAL;
	}
	*ret_list = list;
	return 0;
}

/* Appends the ports from `first` up to, not including, `end`; not twice. */
static void
append(struct range_list *list, uint32_t first, uint32_t end)
{
	const struct range range = {first, end - first};
	size_t n = list->count;

	if (first >= end || (n && range_equal(list->range[n - 1], range)))
		return;
	list->range[list->count++] = range;
}

static uint32_t
min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t
max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void
range_list_around(struct range ephemeral, struct range_list *ret_list)
{
	struct range_list list = {0};
	uint32_t below = ephemeral.start, above = range_end(ephemeral);

	append(&list, BEST_START, min(below, BEST_END));
	append(&list, max(above, BEST_START), BEST_END);
	append(&list, above, PORT_COUNT);
	append(&list, LOWEST_UNREGISTERED, below);
	append(&list, LOWEST_UNPRIVILEGED, min(below, LOWEST_UNREGISTERED));
	append(&list, LOWEST_UNPRIVILEGED, below);
	append(&list, below, above);
	append(&list, min(below, LOWEST_UNPRIVILEGED), PORT_COUNT);
	*ret_list = list;
}
