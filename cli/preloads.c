/* SPDX-License-Identifier: MIT */
#include "cli/preloads.h"

#include <features.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* musl's linker does not read it. */
#ifdef __GLIBC__
#define EVERYWHERE "/etc/ld.so.preload"
#else
#define EVERYWHERE "/dev/null"
#endif

static bool
any_word(char *text, const char *separators,
	 bool (*each)(const char *word, void *context), void *context)
{
	bool found = false;
	char *word;

	while (!found && (word = strsep(&text, separators)))
		found = *word && each(word, context);
	return found;
}

bool
preloads_any(bool (*each)(const char *word, void *context), void *context)
{
	const char *value = getenv("LD_PRELOAD");
	char *copy = strdup(value ? value : "");
	bool found = any_word(copy, " :", each, context);

	free(copy);
	return found;
}

bool
preloads_any_everywhere(bool (*each)(const char *word, void *context),
			void *context)
{
	FILE *file = fopen(EVERYWHERE, "re");
	char *line = NULL;
	bool found = false;
	size_t size;

	while (file && !found && getline(&line, &size, file) > 0) {
		line[strcspn(line, "#")] = '\0';
		found = any_word(line, " :\t\n", each, context);
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}
