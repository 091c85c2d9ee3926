/* SPDX-License-Identifier: MIT */
#include "cli/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "libportres.so"

/* A file that is there, by its absolute path: programs change directory. */
static bool
take(const char *path, const char *why, struct library *ret)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !realpath(path, ret->path))
		return false;
	ret->why = why;
	return true;
}

/* Calls `each` for the words of LD_PRELOAD until one says yes. */
static bool
any_preloaded(bool (*each)(const char *word, void *context), void *context)
{
	const char *value = getenv("LD_PRELOAD");
	char *copy = strdup(value ? value : ""), *rest = copy, *word;
	bool found = false;

	while (!found && (word = strsep(&rest, " :")))
		found = *word && each(word, context);
	free(copy);
	return found;
}

static bool
take_word(const char *word, void *context)
{
	return strstr(word, "libportres") &&
	       take(word, "LD_PRELOAD names it", context);
}

bool
library_find(struct library *ret)
{
	static const char *const places[] = {"", "../lib/", "../lib64/"};
	const char *named = getenv("PORTRES_LIB");
	char self[PATH_MAX], path[2 * PATH_MAX];
	ssize_t n;
	char *slash;

	ret->path[0] = '\0';
	if (named && *named) {
		if (take(named, "PORTRES_LIB names it", ret))
			return true;
		ret->why = "PORTRES_LIB names no file";
		return false;
	}
	if (any_preloaded(take_word, ret))
		return true;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%.*s%s" NAME,
			 (int)(slash + 1 - self), self, places[i]);
		if (take(path,
			 i ? "in the library folder beside the command"
			   : "next to the command",
			 ret))
			return true;
	}
	ret->why = "it is not next to the command, nor in ../lib";
	return false;
}

static bool
same_file(const char *word, void *context)
{
	struct stat a, b;

	return stat(word, &a) == 0 && stat(context, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool
library_preloaded(const char *path)
{
	return any_preloaded(same_file, (char *)path);
}

void
library_preload(const char *path)
{
	const char *before = getenv("LD_PRELOAD");
	char *value;

	if (library_preloaded(path))
		return;
	if (asprintf(&value, "%s%s%s", path, before && *before ? ":" : "",
		     before ? before : "") < 0)
		abort();
	setenv("LD_PRELOAD", value, 1);
	free(value);
}
