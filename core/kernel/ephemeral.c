/* SPDX-License-Identifier: MIT */
#include "core/kernel/ephemeral.h"

#include <errno.h>
#include <string.h>

#include "core/kernel/sys.h"

#define SYSCTL "/proc/sys/net/ipv4/"
#define LIST_MAX (1u << 18) /* every other port, and more */

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
	const char *rest;
	struct range range;
	char text[64];
	int r = read_text(sys, SYSCTL "ip_local_port_range", text,
			  sizeof(text));

	if (r < 0)
		return r;
	/* "32768\t60999": two numbers with a tab; range_parse() wants a
	 * dash. */
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = '-';
	rest = range_parse(text, &range);
	if (!rest || *rest)
		return -EINVAL;
	*ret = range;
	return 0;
}

struct range
ephemeral_range(const struct sys_ops *sys)
{
	struct range range;

	return ephemeral_read(sys, &range) == 0 ? range : EPHEMERAL_USUAL;
}

/* The kernel shows nothing beyond the first read, so there is only one. */
void
ephemeral_reserved(const struct sys_ops *sys, struct port_set *ret)
{
	long at = sys_mmap_private(sys, LIST_MAX);
	const char *p = (const char *)at;
	struct range range;

	memset(ret, 0, sizeof(*ret));
	if (at < 0)
		return;
	if (read_text(sys, SYSCTL "ip_local_reserved_ports", (char *)at,
		      LIST_MAX) < 0)
		p = "";
	while (p && *p) {
		p = range_parse(p, &range);
		if (p)
			port_set_add(ret, range);
	}
	sys_munmap(sys, (void *)at, LIST_MAX);
}

const struct sysctl *
sysctl_get(const struct sys_ops *sys, uint64_t now, uint64_t pool,
	   bool want_reserved)
{
	static struct sysctl sysctl;
	static uint64_t read_in, read_for;
	static bool reserved_read;
	/* never 0, which is "not yet" */
	uint64_t second = now / 1000000000u + 1;

	if (read_in != second || read_for != pool) {
		sysctl.ephemeral = ephemeral_range(sys);
		reserved_read = false;
		read_in = second;
		read_for = pool;
	}
	if (want_reserved && !reserved_read) {
		ephemeral_reserved(sys, &sysctl.reserved);
		reserved_read = true;
	}
	return &sysctl;
}
