/* SPDX-License-Identifier: MIT */
#include "cli/own_path.h"

#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

bool
own_path(char to[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", to, PATH_MAX - 1);
	const char *name = (const char *)getauxval(AT_EXECFN);

	if (n > 0) {
		to[n] = '\0';
		return true;
	}
	return name && realpath(name, to);
}

bool
own_path_lacks_proc(void)
{
	return access("/proc/self", F_OK) < 0;
}
