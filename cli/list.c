/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <pwd.h>

#include "cli/cli.h"
#include "cli/entry_json.h"
#include "cli/output.h"
#include "cli/view.h"

static void
print_json(const struct view *view, const struct options *options)
{
	const char *separator = "\n";

	putchar('[');
	for (size_t i = 0; i < view->count; i++) {
		const struct entry *entry = &view->entries[i];

		if (!options->protocol[entry->protocol])
			continue;
		fputs(separator, stdout);
		entry_json(entry);
		separator = ",\n";
	}
	puts(*separator == ',' ? "\n]" : "]");
}

static const char *
user_name(const struct entry *entry, char to[80])
{
	struct passwd *user;

	if (!entry->pid || entry->uid == UID_UNKNOWN)
		return "-";
	user = getpwuid(entry->uid);
	if (user)
		return safe_text(user->pw_name, to, 80);
	snprintf(to, 80, "%u", entry->uid);
	return to;
}

/* Columns. One more where the guard has any: does it have this one? */
#define UNGUARDED 9

static void
print_row(struct table *table, const struct entry *entry)
{
	bool persistent = entry->kind == KIND_PERSISTENT;
	char command[80], user[80], age[16];

	table_cell(table, protocol_name(entry->protocol));
	table_number(table, entry->range.start);
	table_number(table, range_end(entry->range) - 1);
	table_number(table, entry->range.count);
	table_cell(table, persistent ? "persistent" : "runtime");
	if (entry->pid)
		table_number(table, entry->pid);
	else
		table_cell(table, "-");
	table_cell(table, user_name(entry, user));
	table_cell(table, *entry->command ? safe_text(entry->command, command,
						      sizeof(command))
					  : "-");
	table_cell(table, entry->since ? age_text(entry->since, age) : "-");
	if (table->columns > UNGUARDED)
		table_cell(table, entry->guarded ? "yes" : "no");
}

static void
print_table(const struct view *view, const struct options *options)
{
	static const char *const heading[] = {
		"PROTO", "START", "END",     "COUNT", "KIND",
		"PID",	 "USER",  "COMMAND", "AGE",   "GUARD"};
	struct table table = {.columns = UNGUARDED, .align = "<>>><><<><"};

	for (size_t i = 0; i < view->count; i++)
		if (view->entries[i].guarded)
			table.columns = UNGUARDED + 1;
	for (size_t i = 0; i < table.columns; i++)
		table_cell(&table, heading[i]);
	for (size_t i = 0; i < view->count; i++)
		if (options->protocol[view->entries[i].protocol])
			print_row(&table, &view->entries[i]);
	table_print(&table);
}

static int
list_main(const struct command *self, int argc, char **argv)
{
	struct options options;
	struct view view;
	int r = options_read(self, argc, argv, "jp", 0, &options);

	if (r >= 0)
		return r;
	r = view_now(&view);
	if (r != 0)
		return r;
	if (options.json)
		print_json(&view, &options);
	else
		print_table(&view, &options);
	view_free(&view);
	return finish(STATUS_OK);
}

const struct command command_list = {
	.name = "list",
	.summary = "what is reserved, and by whom",
	.help = "list [--json] [--tcp | --udp]\n"
		"Lists the reservations of this network namespace, those of "
		"dead processes\nbeing removed on the way.\n\n"
		"  --json   an array of objects: protocol, start, count, kind, "
		"pid, user,\n"
		"           command, users (of a persistent block), guarded "
		"(by the kernel, too),\n"
		"           token (of one's own only), since\n"
		"  --tcp    only those of TCP\n"
		"  --udp    only those of UDP\n",
	.main = list_main,
};
