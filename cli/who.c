/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/entry_json.h"
#include "cli/output.h"
#include "cli/sockets.h"
#include "cli/view.h"
#include "shim/config.h"

static void
print_reservation(const struct entry *entry, uint32_t port)
{
	char range[16], holder[256], since[32];

	printf("%s %u is reserved (%s) by %s", protocol_name(entry->protocol),
	       port, range_text(&entry->range, range),
	       entry_holder(entry, holder, sizeof(holder)));
	if (entry->since)
		printf(" since %s", time_text(entry->since, since));
	putchar('\n');
}

static void
print_bound(const struct bound *bound, uint32_t port)
{
	char command[80];

	printf("%s %u is in use: %s, %s", protocol_name(bound->protocol), port,
	       bound->address, bound->state);
	/* A connection in TIME_WAIT is nobody's any more. */
	if (bound->count == 0 && bound->inode != 0)
		printf(", by a process of user %u that is not to be seen here",
		       bound->user);
	for (size_t i = 0; i < bound->count; i++)
		printf("%s pid %u (%s)", i ? "," : ", by",
		       bound->holders[i].pid,
		       safe_text(bound->holders[i].command, command,
				 sizeof(command)));
	putchar('\n');
}

static bool
covers(const struct entry *entry, const struct options *options, uint32_t port)
{
	return options->protocol[entry->protocol] &&
	       range_contains(entry->range, port);
}

static void
print_text(const struct view *view, const struct sockets *sockets,
	   const struct options *options, uint32_t port)
{
	size_t found = sockets->count;
	char directory[POOL_PATH_MAX], pool[1024];

	for (size_t i = 0; i < view->count; i++)
		if (covers(&view->entries[i], options, port)) {
			print_reservation(&view->entries[i], port);
			found++;
		}
	for (size_t i = 0; i < sockets->count; i++)
		print_bound(&sockets->bound[i], port);
	/* As far as this pool knows: other users may have others. */
	if (found > 0)
		return;
	config_pool_directory(false, directory);
	printf("nobody has port %u: no reservation in the pool %s, no "
	       "socket\n",
	       port, safe_text(directory, pool, sizeof(pool)));
}

static void
bound_json(const struct bound *bound)
{
	printf("{\"protocol\": \"%s\", \"address\": ",
	       protocol_name(bound->protocol));
	json_string(stdout, bound->address);
	printf(", \"state\": \"%s\", \"user\": %u, \"processes\": [",
	       bound->state, bound->user);
	for (size_t i = 0; i < bound->count; i++) {
		printf("%s{\"pid\": %u, \"command\": ", i ? ", " : "",
		       bound->holders[i].pid);
		json_string(stdout, bound->holders[i].command);
		putchar('}');
	}
	printf("]}");
}

static void
print_json(const struct view *view, const struct sockets *sockets,
	   const struct options *options, uint32_t port)
{
	const char *separator = "\n";

	printf("{\"port\": %u, \"reservations\": [", port);
	for (size_t i = 0; i < view->count; i++) {
		if (!covers(&view->entries[i], options, port))
			continue;
		fputs(separator, stdout);
		entry_json(&view->entries[i]);
		separator = ",\n";
	}
	printf("], \"sockets\": [");
	separator = "\n";
	for (size_t i = 0; i < sockets->count; i++) {
		fputs(separator, stdout);
		bound_json(&sockets->bound[i]);
		separator = ",\n";
	}
	puts("]}");
}

static int
find_sockets(const struct options *options, uint32_t port,
	     struct sockets *sockets)
{
	int r = 0;

	for (int i = 0; i < PROTOCOL_COUNT && r == 0; i++)
		if (options->protocol[i])
			r = sockets_find((enum protocol)i, port, sockets);
	if (r == 0) {
		sockets_find_holders(sockets);
		return 0;
	}
	sockets_free(sockets);
	return refuse("the kernel does not list its sockets (sock_diag): %s: "
		      "modprobe inet_diag tcp_diag udp_diag",
		      strerror(-r));
}

static int
who_main(const struct command *self, int argc, char **argv)
{
	struct sockets sockets = {0};
	struct options options;
	struct view view;
	uint32_t port = 0;
	int r = options_read(self, argc, argv, "jp", 1, &options);

	if (r >= 0)
		return r;
	if (optind == argc)
		return misused(self, "say which port");
	r = read_port(self, argv[optind], &port);
	if (r == 0)
		r = view_now(&view);
	if (r != 0)
		return r;
	r = find_sockets(&options, port, &sockets);
	if (r == 0) {
		(options.json ? print_json : print_text)(&view, &sockets,
							 &options, port);
		sockets_free(&sockets);
		r = finish(STATUS_OK);
	}
	view_free(&view);
	return r;
}

const struct command command_who = {
	.name = "who",
	.summary = "who has a port: a reservation, a socket, both, nobody",
	.help = "who [--json] [--tcp | --udp] PORT\n"
		"Tells which reservation covers the port and which sockets are "
		"bound to it, of\nprograms under portres or not.\n\n"
		"  --json   an object: port, reservations, sockets\n"
		"  --tcp    TCP only\n"
		"  --udp    UDP only\n",
	.main = who_main,
};
