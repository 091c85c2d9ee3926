/* SPDX-License-Identifier: MIT */
/* portres guard status: which guards there are, and what they hold. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/bpf.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/output.h"
#include "cli/trouble.h"

struct sums {
	uint32_t ports, kept;
	uint64_t namespaces[GUARD_NAMESPACES];
	uint32_t namespace_count;
};

static void
add(void *context, const struct guard_block *block)
{
	struct sums *sums = context;

	sums->ports += block->count;
	sums->kept += block->state == GUARD_KEPT;
	for (uint32_t i = 0; i < sums->namespace_count; i++)
		if (sums->namespaces[i] == block->namespace)
			return;
	if (sums->namespace_count < GUARD_NAMESPACES)
		sums->namespaces[sums->namespace_count++] = block->namespace;
}

static void
print(struct guard_pinned *pinned, bool json, const char *separator)
{
	struct guard_counters counters = {0};
	struct sums sums = {0};
	const struct guard_config *c = &pinned->config;
	uint32_t blocks = guard_each_block(pinned, add, &sums);
	bool attached = guard_attached(pinned);
	char safe[4 * sizeof(c->cgroup)];

	bpf_read(pinned->map[GUARD_MAP_COUNTERS], 0, &counters);
	if (json) {
		printf("%s{\"cgroup\": ", separator);
		json_string(stdout, c->cgroup);
		printf(", \"attached\": %s, \"current\": %s, \"blocks\": %u, "
		       "\"persistent\": %u, \"ports\": %u, \"namespaces\": %u, "
		       "\"refused\": %" PRIu64 ", \"quota\": %u, \"area\": %u}",
		       attached ? "true" : "false",
		       c->build == guard_build ? "true" : "false", blocks,
		       sums.kept, sums.ports, sums.namespace_count,
		       counters.refused, c->quota, guard_area_size(c));
		return;
	}
	printf("%s: %s%s\n", safe_text(c->cgroup, safe, sizeof(safe)),
	       attached ? "guarded" : "was guarded, and is gone",
	       c->build == guard_build ? "" : ", by programs of another build");
	printf("  blocks      %u, of which persistent %u; %u ports in %u "
	       "namespace%s\n",
	       blocks, sums.kept, sums.ports, sums.namespace_count,
	       sums.namespace_count == 1 ? "" : "s");
	printf("  refused     %" PRIu64 " binds\n", counters.refused);
	printf("  quota       %u ports of one user\n", c->quota);
	printf("  area        %u ports that the system does not choose\n",
	       guard_area_size(c));
}

/* The guard's programs keep other books: its state alone is known. */
static void
print_others(const struct guard_pinned *pinned, const char *pins, bool json,
	     const char *separator)
{
	bool attached = guard_attached(pinned);

	if (json)
		printf("%s{\"cgroup\": null, \"attached\": %s, \"current\": "
		       "false, \"blocks\": null, \"persistent\": null, "
		       "\"ports\": null, \"namespaces\": null, \"refused\": "
		       "null, \"quota\": null, \"area\": null}",
		       separator, attached ? "true" : "false");
	else
		printf("%s: %s, by programs that keep other books\n", pins,
		       attached ? "guarded" : "was guarded, and is gone");
}

/* 1: there is no such guard. */
static int
show(const char *pins, bool json, const char *separator)
{
	struct guard_pinned pinned;
	int r = guard_open(pins, &pinned);

	if (r < 0)
		return r == -ENOENT ? 1 : r;
	if (guard_keeps_other_books(&pinned))
		print_others(&pinned, pins, json, separator);
	else
		print(&pinned, json, separator);
	guard_close(&pinned);
	return 0;
}

static int
show_all(bool json)
{
	const char *separator = "\n";
	DIR *dir = opendir(GUARD_PINS);
	struct dirent *entry;
	char path[PATH_MAX];
	int r = dir || errno == ENOENT ? 0 : -errno;

	while (dir && r >= 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), GUARD_PINS "/%s", entry->d_name);
		r = show(path, json, separator);
		if (r == 0)
			separator = ",\n";
	}
	if (dir)
		closedir(dir);
	return r < 0 ? r : *separator == '\n';
}

int
guard_status(const char *path, bool json)
{
	struct guard_place place;
	int r = path ? guard_place_find(path, &place) : 0;

	if (r != 0)
		return r;
	if (geteuid() != 0)
		return refuse("only root sees the guard: become root, or see "
			      "portres doctor");
	if ((r = guard_place_check()) != 0)
		return r;
	if (json)
		putchar('[');
	r = path ? show(place.pins, json, "\n") : show_all(json);
	if (json)
		puts(r ? "]" : "\n]");
	if (refuse_descriptors(r))
		return STATUS_REFUSED;
	if (r < 0)
		return refuse("the guard cannot be read: %s: become root",
			      strerror(-r));
	if (r > 0 && !json)
		puts("there is no guard");
	return finish(STATUS_OK);
}
