/* SPDX-License-Identifier: MIT */
#include "core/ephemeral.h"

#include <errno.h>

#define SYSCTL "/proc/sys/net/ipv4/"

/* The file's first bytes as a string. Returns 0, or -Exxx. */
static int
read_text(const struct sys_ops *sys, const char *path, char *to, size_t size)
{
	int fd = sys_open(sys, path, O_RDONLY | O_CLOEXEC, 0);
	long n;

	if (fd < 0)
		return fd;
	n = sys_read(sys, fd, to, size - 1);
	sys_close(sys, fd);
	to[n > 0 ? n : 0] = '\0';
	return n < 0 ? (int)n : 0;
}

int
ephemeral_read(const struct sys_ops *sys, struct range *ret)
{
	struct range_list list;
	char text[64];
	int r = read_text(sys, SYSCTL "ip_local_port_range", text,
			  sizeof(text));

	if (r < 0)
		return r;
	/* "32768\t60999": two numbers with a blank, to us a range. */
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = '-';
	r = range_list_parse(text, &list);
	if (r < 0 || list.count != 1)
		return -EINVAL;
	*ret = list.range[0];
	return 0;
}

struct range
ephemeral_range(const struct sys_ops *sys)
{
	struct range range;

	return ephemeral_read(sys, &range) == 0 ? range : EPHEMERAL_USUAL;
}

void
ephemeral_reserved(const struct sys_ops *sys, struct range_list *ret_list)
{
	char text[4096];

	if (read_text(sys, SYSCTL "ip_local_reserved_ports", text,
		      sizeof(text)) < 0 ||
	    range_list_parse(text, ret_list) < 0)
		ret_list->count = 0;
}
