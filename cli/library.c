/* SPDX-License-Identifier: MIT */
#include "cli/library.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/linker.h"
#include "cli/own_path.h"
#include "cli/preloads.h"
#include "cli/trouble.h"

/* Makes the path absolute, because programs change directory. Keeps links: the
 * installed name outlives the one with the version. */
static bool
absolute(const char *path, char to[PATH_MAX])
{
	char here[PATH_MAX];

	if (*path == '/')
		return snprintf(to, PATH_MAX, "%s", path) < PATH_MAX;
	return getcwd(here, sizeof(here)) &&
	       snprintf(to, PATH_MAX, "%s/%s", here, path) < PATH_MAX;
}

static bool
take(const char *path, const char *why, struct library *ret)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !absolute(path, ret->path))
		return false;
	ret->why = why;
	return true;
}

static bool
take_linked(const char *name, const char *why, struct library *ret)
{
	struct linked linked;

	linker_ask(name, &linked);
	return linked.ours && take(linked.text, why, ret);
}

/* "libportres.so", with a version, or a link that library_link() has made: not
 * what somebody else has put into a directory of such a name. */
static bool
is_our_name(const char *word)
{
	const char *slash = strrchr(word, '/');
	unsigned long long device, inode;
	int n = 0;

	word = slash ? slash + 1 : word;
	if (strncmp(word, "libportres.so", 13) == 0)
		return word[13] == '\0' || word[13] == '.';
	return sscanf(word, "libportres-%llx-%llx.so%n", &device, &inode, &n) ==
		       2 &&
	       n > 0 && word[n] == '\0';
}

static const char preloads[] = "LD_PRELOAD names it";

/* The linker looks for a name without a slash, and replaces $LIB. */
static bool
take_word(const char *word, void *context)
{
	if (strchr(word, '/') && !strchr(word, '$'))
		return take(word, preloads, context);
	return is_our_name(word) && take_linked(word, preloads, context);
}

/* By its name: other libraries must not be loaded to find out. */
static bool
take_ours(const char *word, void *context)
{
	return is_our_name(word) && take_word(word, context);
}

static bool
find_beside_command(struct library *ret)
{
	static const char *const places[] = {"", "../lib", "../lib64"};
	static const char *const names[] = {PORTRES_SONAME, "libportres.so"};
	char self[PATH_MAX], folder[PATH_MAX + 16], path[2 * PATH_MAX];
	char real[PATH_MAX];
	char *slash = own_path(self) ? strrchr(self, '/') : NULL;

	for (size_t i = 0; slash && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(folder, sizeof(folder), "%.*s%s",
			 (int)(slash + 1 - self), self, places[i]);
		if (!realpath(folder, real))
			continue;
		for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++) {
			snprintf(path, sizeof(path), "%s/%s", real, names[j]);
			if (take(path,
				 i ? "in the library folder beside the command"
				   : "next to the command",
				 ret))
				return true;
		}
	}
	return false;
}

bool
library_fail(struct library *library, const char *way_out, const char *cause,
	     ...)
{
	struct trouble *trouble = &library->trouble;
	va_list arguments;

	va_start(arguments, cause);
	vsnprintf(trouble->cause, sizeof(trouble->cause), cause, arguments);
	va_end(arguments);
	snprintf(trouble->way_out, sizeof(trouble->way_out), "%s", way_out);
	return false;
}

static bool
find(struct library *ret)
{
	const char *named = getenv("PORTRES_LIB");
	const char *way_out = "set PORTRES_LIB to its path";
	char self[PATH_MAX];

	if (named && *named)
		return take(named, "PORTRES_LIB names it", ret) ||
		       library_fail(ret, way_out,
				    "libportres.so is not found, PORTRES_LIB "
				    "names no file: %s",
				    named);
	if (preloads_any(take_ours, ret) || find_beside_command(ret) ||
	    take_linked(PORTRES_SONAME, "the linker finds it", ret))
		return true;
	if (!own_path(self) && own_path_lacks_proc())
		return library_fail(ret,
				    "mount /proc, or set PORTRES_LIB to its "
				    "path",
				    "libportres.so is not found where the "
				    "linker looks, and there is no /proc to "
				    "tell where the command is, to look there");
	return library_fail(ret, way_out,
			    "libportres.so is not found, not next to the "
			    "command, in ../lib, nor where the linker looks");
}

static bool
find_and_try(struct library *ret)
{
	const char *way_out = "set PORTRES_LIB to the path of the "
			      "libportres.so that was built for this system";
	struct linked linked;

	if (!find(ret) || !library_link(ret))
		return false;
	linker_ask(ret->name, &linked);
	if (linked.ours)
		return true;
	if (trouble_of_descriptors(linked.error, &ret->trouble))
		return false;
	if (linked.loaded)
		return library_fail(ret, way_out, "%s (%s) is another library",
				    ret->path, ret->why);
	return library_fail(ret, way_out, "%s (%s) cannot be preloaded: %s",
			    ret->path, ret->why, linked.text);
}

/* A pipe, and a file that the linker reads: without them no library is found,
 * and none can be loaded. */
#define TRYING_TAKES 3

bool
library_find(struct library *ret)
{
	if (find_and_try(ret))
		return true;
	trouble_of_few_descriptors(TRYING_TAKES, &ret->trouble);
	return false;
}

static bool
same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static bool
is_it(const char *word, void *context)
{
	const struct library *library = context;
	struct library other;

	return take_word(word, &other) && same_file(other.path, library->path);
}

bool
library_preloaded(const struct library *library)
{
	return preloads_any(is_it, (void *)library);
}

/* A path from a directory is another one to each program. */
static bool
is_it_everywhere(const char *word, void *context)
{
	return (*word == '/' || !strchr(word, '/')) && is_it(word, context);
}

bool
library_everywhere(const struct library *library)
{
	return preloads_any_everywhere(is_it_everywhere, (void *)library);
}

bool
library_installed(const struct library *library)
{
	struct linked linked;

	linker_ask(PORTRES_SONAME, &linked);
	return linked.ours && same_file(linked.text, library->path);
}

struct list {
	const struct library *library;
	FILE *to;
	const char *separator;
	char name[PATH_MAX]; /* of the library */
	bool runtimes;	     /* these now, else all others */
};

/* A path from here leads nowhere once the program has changed directory. */
static bool
keep_name(const char *word, void *context)
{
	struct list *list = context;
	bool relative = *word != '/' && strchr(word, '/');

	if (!is_it(word, (void *)list->library))
		return false;
	snprintf(list->name, sizeof(list->name), "%s",
		 relative ? list->library->name : word);
	return true;
}

/* AddressSanitizer's ends the program that has a library in front of it. */
static bool
is_runtime(const char *word)
{
	const char *slash = strrchr(word, '/');

	word = slash ? slash + 1 : word;
	return strncmp(word, "libasan.so", 10) == 0 ||
	       strncmp(word, "libclang_rt.asan", 16) == 0;
}

static void
write_name(struct list *list, const char *word)
{
	fprintf(list->to, "%s%s", list->separator, word);
	list->separator = ":";
}

static bool
write_other(const char *word, void *context)
{
	struct list *list = context;

	if (is_runtime(word) == list->runtimes &&
	    !is_it(word, (void *)list->library))
		write_name(list, word);
	return false;
}

void
library_preload(const struct library *library)
{
	struct list list = {.library = library, .separator = ""};
	char *value;
	size_t size;

	list.to = open_memstream(&value, &size);
	if (!list.to)
		abort();
	if (!preloads_any(keep_name, &list))
		strcpy(list.name, library->name);
	list.runtimes = true;
	preloads_any(write_other, &list);
	write_name(&list, list.name);
	list.runtimes = false;
	preloads_any(write_other, &list);
	if (fclose(list.to) != 0)
		abort();
	setenv("LD_PRELOAD", value, 1);
	free(value);
}
