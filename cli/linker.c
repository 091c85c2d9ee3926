/* SPDX-License-Identifier: MIT */
#include "cli/linker.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OURS = '+', ANOTHER = '?', NONE = '-' };

/* A name that no other library exports. */
#define MARK "portres_refusal"

static void
look(const char *name, int to)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	struct link_map *map;

	if (!library)
		dprintf(to, "%c%s", NONE, dlerror());
	else if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0)
		dprintf(to, "%c%s", dlsym(library, MARK) ? OURS : ANOTHER,
			map->l_name);
}

/* Skips the path with which the linker begins: our reader has read it. */
static void
strip_name(char *text, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(text, name, n) == 0 && strncmp(text + n, ": ", 2) == 0)
		memmove(text, text + n + 2, strlen(text + n + 2) + 1);
}

static void
read_answer(int from, struct linked *ret)
{
	size_t length = 0;
	char kind = 0;
	ssize_t n;

	if (read(from, &kind, 1) != 1)
		snprintf(ret->text, sizeof(ret->text),
			 "it ends the program that loads it");
	else
		while (length + 1 < sizeof(ret->text) &&
		       (n = read(from, ret->text + length,
				 sizeof(ret->text) - 1 - length)) > 0)
			length += (size_t)n;
	ret->ours = kind == OURS;
	ret->loaded = kind == OURS || kind == ANOTHER;
}

/* In a child, because constructors run, and a damaged file kills. Here, if no
 * process can be started: we are about to become another program anyway. */
void
linker_ask(const char *name, struct linked *ret)
{
	int ends[2];
	pid_t child;

	*ret = (struct linked){0};
	/* A library that the child loads may call exit(). */
	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		ret->error = -errno;
		return;
	}
	child = fork();
	if (child <= 0)
		look(name, ends[1]);
	if (child == 0)
		_exit(0);
	close(ends[1]);
	read_answer(ends[0], ret);
	close(ends[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	strip_name(ret->text, name);
}
