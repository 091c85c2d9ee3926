/* SPDX-License-Identifier: MIT */
#include "core/ephemeral.h"

#define SYSCTL "/proc/sys/net/ipv4/"

/* The file's first bytes as a string; empty where there are none. */
static void
read_text(const struct sys_ops *sys, const char *path, char *to, size_t size)
{
	int fd = sys_open(sys, path, O_RDONLY | O_CLOEXEC, 0);
	long n = -1;

	if (fd >= 0) {
		n = sys_read(sys, fd, to, size - 1);
		sys_close(sys, fd);
	}
	to[n > 0 ? n : 0] = '\0';
}

struct range
ephemeral_range(const struct sys_ops *sys)
{
	struct range_list list;
	char text[64];

	read_text(sys, SYSCTL "ip_local_port_range", text, sizeof(text));
	/* "32768\t60999": two numbers with a blank, to us a range. */
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = '-';
	if (range_list_parse(text, &list) == 0 && list.count == 1)
		return list.range[0];
	return (struct range){32768, 60999 - 32768 + 1};
}

void
ephemeral_reserved(const struct sys_ops *sys, struct range_list *ret_list)
{
	char text[4096];

	read_text(sys, SYSCTL "ip_local_reserved_ports", text, sizeof(text));
	if (range_list_parse(text, ret_list) < 0)
		ret_list->count = 0;
}
