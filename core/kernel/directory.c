/* SPDX-License-Identifier: MIT */
#include "core/kernel/directory.h"

/* By its name, which may be another directory's by now: but root lacks no
 * right, and others can change what is theirs alone. */
int
directory_make(const struct sys_ops *sys, const char *path, mode_t mode)
{
	int r = sys_mkdir(sys, path, mode);

	if (r == 0 && sys_access(sys, path, R_OK | W_OK | X_OK) == -EACCES)
		sys_chmod(sys, path, S_IRWXU);
	return r;
}
