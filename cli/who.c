/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/entry_json.h"
#include "cli/output.h"
#include "cli/sockets.h"
#include "cli/trouble.h"
#include "cli/view.h"
#include "shim/config.h"

static void
print_reservation(const struct entry *entry, struct range asked)
{
	char range[16], holder[256], since[32];

	range_text(&entry->range, range);
	entry_holder(entry, holder, sizeof(holder));
	if (asked.count == 1)
		printf("%s %u is reserved (%s) by %s",
		       protocol_name(entry->protocol), asked.start, range,
		       holder);
	else
		printf("%s %s is reserved by %s",
		       protocol_name(entry->protocol), range, holder);
	if (entry->since)
		printf(" since %s", time_text(entry->since, since));
	putchar('\n');
}

static void
print_bound(const struct bound *bound)
{
	char command[80];

	printf("%s %u is in use: %s, %s", protocol_name(bound->protocol),
	       bound->port, bound->address, bound->state);
	/* A connection in TIME_WAIT has no process any more. */
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
covers(const struct entry *entry, const struct options *options,
       struct range asked)
{
	return options->protocol[entry->protocol] &&
	       range_overlap(entry->range, asked);
}

static void
print_text(const struct view *view, const struct sockets *sockets,
	   const struct options *options, struct range asked, bool found)
{
	char directory[POOL_PATH_MAX], pool[1024], range[16];

	for (size_t i = 0; i < view->count; i++)
		if (covers(&view->entries[i], options, asked))
			print_reservation(&view->entries[i], asked);
	for (size_t i = 0; i < sockets->count; i++)
		print_bound(&sockets->bound[i]);
	/* In this pool; other users may have others. */
	if (found)
		return;
	config_pool_directory(false, directory);
	printf("nobody has port%s %s: no reservation in the pool %s, no "
	       "socket\n",
	       asked.count == 1 ? "" : "s", range_text(&asked, range),
	       safe_text(directory, pool, sizeof(pool)));
}

static void
bound_json(const struct bound *bound)
{
	printf("{\"protocol\": \"%s\", \"port\": %u, \"address\": ",
	       protocol_name(bound->protocol), bound->port);
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
	   const struct options *options, struct range asked)
{
	const char *separator = "\n";

	putchar('{');
	if (asked.count == 1)
		printf("\"port\": %u, ", asked.start);
	printf("\"start\": %u, \"count\": %u, \"reservations\": [", asked.start,
	       asked.count);
	for (size_t i = 0; i < view->count; i++) {
		if (!covers(&view->entries[i], options, asked))
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
find_sockets(const struct options *options, struct range asked,
	     struct sockets *sockets)
{
	int r = 0;

	for (int i = 0; i < PROTOCOL_COUNT && r == 0; i++)
		if (options->protocol[i])
			r = sockets_find((enum protocol)i, asked, sockets);
	if (r == 0) {
		sockets_find_holders(sockets);
		return 0;
	}
	sockets_free(sockets);
	if (refuse_descriptors(r))
		return STATUS_REFUSED;
	return refuse("the kernel does not list its sockets (sock_diag): %s: "
		      "modprobe inet_diag tcp_diag udp_diag",
		      strerror(-r));
}

/* "5000", "5000-5019" as lists have it, or "5000+20" as run has it. */
static int
read_asked(const struct command *self, char *text, struct range *ret)
{
	char *mark = strpbrk(text, "-+");
	struct range range = {.count = 1};
	uint32_t last;
	int r;

	if (!mark || mark == text)
		return read_port(self, text, &ret->start);
	r = read_before(self, read_port, text, mark, &range.start);
	if (r == 0 && *mark == '+')
		r = read_count(self, mark + 1, &range);
	if (r == 0 && *mark == '-') {
		r = read_port(self, mark + 1, &last);
		if (r == 0 && last < range.start)
			return misused(self, "%s ends before it begins", text);
		range.count = r == 0 ? last - range.start + 1 : 1;
	}
	if (r == 0)
		*ret = range;
	return r;
}

static bool
somebody(const struct view *view, const struct sockets *sockets,
	 const struct options *options, struct range asked)
{
	for (size_t i = 0; i < view->count; i++)
		if (covers(&view->entries[i], options, asked))
			return true;
	return sockets->count > 0;
}

static int
who_main(const struct command *self, int argc, char **argv)
{
	struct sockets sockets = {0};
	struct options options;
	struct view view;
	struct range asked = {.count = 1};
	bool found;
	int r = options_read(self, argc, argv, "jp", 1, &options);

	if (r >= 0)
		return r;
	if (optind == argc)
		return misused(self, "say which port");
	r = read_asked(self, argv[optind], &asked);
	if (r == 0)
		r = view_now(&view);
	if (r != 0)
		return r;
	r = find_sockets(&options, asked, &sockets);
	if (r == 0) {
		found = somebody(&view, &sockets, &options, asked);
		if (options.json)
			print_json(&view, &sockets, &options, asked);
		else
			print_text(&view, &sockets, &options, asked, found);
		sockets_free(&sockets);
		r = finish(found ? STATUS_OK : STATUS_REFUSED);
	}
	view_free(&view);
	return r;
}

const struct command command_who = {
	.name = "who",
	.summary = "who has a port: a reservation, a socket, both, nobody",
	.help = "who [--json] [--tcp | --udp] PORT | FIRST-LAST | START+N\n"
		"Tells which reservations cover the ports and which sockets "
		"are "
		"bound to them, of\nprograms under portres or not. The exit "
		"status is 1 when nobody has any of them.\n\n"
		"  --json   an object: start, count, port (of one), "
		"reservations, sockets\n"
		"  --tcp    TCP only\n"
		"  --udp    UDP only\n",
	.main = who_main,
};
