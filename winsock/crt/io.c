/* SPDX-License-Identifier: MIT */
/* Microsoft's <io.h> beyond <unistd.h>. */
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

/* There is one way here to read and write bytes. */
int
_setmode(int fd, int mode)
{
	struct stat status;

	if (mode != _O_TEXT && mode != _O_BINARY && mode != O_BINARY) {
		errno = EINVAL;
		return -1;
	}
	return fstat(fd, &status) < 0 ? -1 : _O_BINARY;
}

long
_filelength(int fd)
{
	struct stat status;

	return fstat(fd, &status) < 0 ? -1 : (long)status.st_size;
}
