/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "cli/trouble.h"

/* A parent that waits for the file must not read half of it. */
static int
write_ports(const struct run *run, int fd)
{
	FILE *to = fdopen(fd, "w");
	mode_t mask = umask(0);
	uint32_t port;

	umask(mask);
	if (!to) {
		close(fd);
		return -1;
	}
	for (uint32_t n = 1; (port = run_port(run, n)) != 0; n++)
		fprintf(to, "%u\n", port);
	if (ferror(to) || fchmod(fd, 0666 & ~mask) < 0) {
		fclose(to);
		return -1;
	}
	return fclose(to);
}

int
run_write_ports(const struct run *run, const char *path)
{
	struct stat st;
	char *fresh;
	int fd;

	/* Only a file is replaced: no device, and no FIFO with a reader. */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return refuse("%s is no file, so the ports cannot replace it: "
			      "give another path",
			      path);
	if (asprintf(&fresh, "%s.XXXXXX", path) < 0)
		abort();
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0 || write_ports(run, fd) < 0 || rename(fresh, path) < 0) {
		if (!refuse_descriptors(-errno))
			refuse("the ports cannot be written to %s: %m: give "
			       "another path",
			       path);
		if (fd >= 0)
			unlink(fresh);
		free(fresh);
		return STATUS_REFUSED;
	}
	free(fresh);
	return 0;
}
