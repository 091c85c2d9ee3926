/* SPDX-License-Identifier: MIT */
/* Ports that the system is not to choose. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/bpf.h"
#include "cli/guard.h"
#include "core/kernel/ephemeral.h"
#include "core/kernel/sock.h"

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

uint64_t
guard_namespace(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t netns = 0;

	if (fd < 0)
		return 0;
	sock_netns(&sys_kernel, fd, &netns);
	close(fd);
	return netns;
}

uint32_t
guard_area_size(const struct guard_config *config)
{
	uint32_t n = 0;

	for (size_t i = 0; i < PORT_COUNT / 64; i++)
		n += (uint32_t)__builtin_popcountll(config->area[i]);
	return n;
}

/* Noted first: who is killed in between must leave no port that nobody knows
 * of. */
int
guard_area_take(struct range area, struct guard_pinned *pinned)
{
	struct guard_config *config = &pinned->config, before = *config;
	struct port_set set, others;
	int r;

	if (guard_namespace() != config->store_namespace)
		return -EXDEV;
	ephemeral_reserved(&sys_kernel, &set);
	guard_areas_of_others(config, &others);
	for (uint32_t port = area.start; port < range_end(area); port++)
		if (!port_set_has(&set, port) || port_set_has(&others, port))
			config->area[port / 64] |= (uint64_t)1 << port % 64;
	if (bpf_write(pinned->map[GUARD_MAP_CONFIG], 0, config) < 0)
		return -errno;
	port_set_add(&set, area);
	r = write_ports(&set);
	if (r < 0) {
		*config = before;
		bpf_write(pinned->map[GUARD_MAP_CONFIG], 0, config);
	}
	return r;
}

int
guard_area_renew(const struct guard_config *config)
{
	bool all = true;
	struct port_set set;
	int r;

	if (!guard_area_size(config) ||
	    guard_namespace() != config->store_namespace)
		return 0;
	ephemeral_reserved(&sys_kernel, &set);
	for (size_t i = 0; i < PORT_COUNT / 64; i++) {
		all &= (config->area[i] & ~set.word[i]) == 0;
		set.word[i] |= config->area[i];
	}
	if (all)
		return 0;
	r = write_ports(&set);
	return r < 0 ? r : 1;
}

int
guard_area_give_back(const struct guard_config *config)
{
	struct port_set set, others;

	if (!guard_area_size(config))
		return 0;
	if (guard_namespace() != config->store_namespace)
		return -EXDEV;
	ephemeral_reserved(&sys_kernel, &set);
	guard_areas_of_others(config, &others);
	for (size_t i = 0; i < PORT_COUNT / 64; i++)
		set.word[i] &= ~config->area[i] | others.word[i];
	return write_ports(&set);
}
