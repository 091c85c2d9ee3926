/* SPDX-License-Identifier: MIT */
#include "cli/interpreter.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
#define WE_ARE_MUSL false
#else
#define WE_ARE_MUSL true
#endif

static bool
find_program(const char *command, char ret[PATH_MAX])
{
	const char *path = getenv("PATH") ?: "/bin:/usr/bin";

	if (strchr(command, '/')) {
		snprintf(ret, PATH_MAX, "%s", command);
		return true;
	}
	while (*path) {
		int n = (int)strcspn(path, ":");

		snprintf(ret, PATH_MAX, "%.*s%s%s", n, path, n ? "/" : "",
			 command);
		if (access(ret, X_OK) == 0)
			return true;
		path += n;
		path += *path == ':';
	}
	return false;
}

static bool
read_linker(int fd, char ret[PATH_MAX])
{
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	for (int i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + (Elf64_Off)i * sizeof(part));

		if (pread(fd, &part, sizeof(part), at) != sizeof(part))
			return false;
		if (part.p_type == PT_INTERP && part.p_filesz < PATH_MAX) {
			ret[part.p_filesz] = '\0';
			return pread(fd, ret, part.p_filesz,
				     (off_t)part.p_offset) ==
			       (ssize_t)part.p_filesz;
		}
	}
	return false;
}

bool
interpreter_is_foreign(const char *command, struct interpreter *ret)
{
	bool found;
	int fd;

	if (!find_program(command, ret->program))
		return false;
	/* A FIFO would wait for a writer. */
	fd = open(ret->program, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	found = read_linker(fd, ret->linker);
	close(fd);
	/* Each libc's linker has its own name, wherever it is. */
	return found &&
	       (strstr(ret->linker, "/ld-musl-") != NULL) != WE_ARE_MUSL;
}

bool
interpreter_is_missing(const char *command)
{
	char program[PATH_MAX];

	return find_program(command, program) && access(program, F_OK) == 0;
}
