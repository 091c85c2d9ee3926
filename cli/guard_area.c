/* SPDX-License-Identifier: MIT */
/* Ports that the system is not to choose. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/guard.h"
#include "core/kernel/ephemeral.h"

#define SYSCTL "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* The list in one write, as the kernel wants it. */
static int
write_ports(const struct port_set *set)
{
	FILE *file = fopen(SYSCTL, "we");
	char *text = malloc(8 * PORT_COUNT);
	size_t at = 0;
	int r = 0;

	if (!file || !text) {
		r = file ? -ENOMEM : -errno;
		goto out;
	}
	setvbuf(file, NULL, _IOFBF, 8 * PORT_COUNT);
	for (uint32_t port = 1; port < PORT_COUNT; port++) {
		uint32_t end = port;

		while (end < PORT_COUNT && port_set_has(set, end))
			end++;
		if (end == port)
			continue;
		at += (size_t)sprintf(text + at, "%s%u-%u", at ? "," : "", port,
				      end - 1);
		port = end;
	}
	fprintf(file, "%.*s\n", (int)at, text);
	if (fflush(file) != 0)
		r = -errno;
out:
	free(text);
	if (file)
		fclose(file);
	return r;
}

int
guard_area_take(struct range area, struct guard_config *config)
{
	struct port_set set;
	int r;

	ephemeral_reserved(&sys_kernel, &set);
	for (uint32_t port = area.start; port < range_end(area); port++)
		if (!port_set_has(&set, port))
			config->area[port / 64] |= (uint64_t)1 << port % 64;
	port_set_add(&set, area);
	r = write_ports(&set);
	return r;
}

int
guard_area_give_back(const struct guard_config *config)
{
	struct port_set set;
	bool any = false;

	ephemeral_reserved(&sys_kernel, &set);
	for (size_t i = 0; i < PORT_COUNT / 64; i++) {
		any |= config->area[i] != 0;
		set.word[i] &= ~config->area[i];
	}
	return any ? write_ports(&set) : 0;
}
