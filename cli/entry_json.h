/* SPDX-License-Identifier: MIT */
/*
 * A reservation as a JSON object on stdout.
 */
#ifndef PORTRES_CLI_ENTRY_JSON_H
#define PORTRES_CLI_ENTRY_JSON_H

#include <inttypes.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/view.h"

static inline void
entry_json(const struct entry *entry)
{
	char since[32];

	printf("{\"protocol\": \"%s\", \"start\": %u, \"count\": %u, "
	       "\"kind\": \"%s\", \"pid\": ",
	       protocol_name(entry->protocol), entry->range.start,
	       entry->range.count,
	       entry->kind == KIND_PERSISTENT ? "persistent" : "runtime");
	if (entry->pid)
		printf("%u, \"user\": ", entry->pid);
	else
		printf("null, \"user\": ");
	if (entry->pid && entry->uid != UID_UNKNOWN)
		printf("%u, \"command\": ", entry->uid);
	else
		printf("null, \"command\": ");
	if (*entry->command)
		json_string(stdout, entry->command);
	else
		printf("null");
	if (entry->kind == KIND_PERSISTENT) {
		printf(", \"users\": [");
		for (size_t i = 0; i < entry->user_count; i++) {
			printf("%s{\"pid\": %u, \"command\": ", i ? ", " : "",
			       entry->users[i].pid);
			json_string(stdout, entry->users[i].command);
			putchar('}');
		}
		putchar(']');
	}
	printf(", \"guarded\": %s", entry->guarded ? "true" : "false");
	if (entry->own)
		/* Numbers over 2^53 are others to jq and JavaScript. */
		printf(", \"token\": \"%" PRIu64 "\"", entry->token);
	if (entry->since)
		printf(", \"since\": \"%s\"}", time_text(entry->since, since));
	else
		printf(", \"since\": null}");
}

#endif
