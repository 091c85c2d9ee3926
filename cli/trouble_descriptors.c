/* SPDX-License-Identifier: MIT */
#include "cli/trouble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

bool
trouble_of_descriptors(int r, struct trouble *ret)
{
	if (r != -EMFILE && r != -ENFILE)
		return false;
	snprintf(ret->cause, sizeof(ret->cause), "no descriptor is left: %s",
		 strerror(-r));
	snprintf(ret->way_out, sizeof(ret->way_out), "%s",
		 r == -EMFILE ? "raise ulimit -n, or close some"
			      : "end programs, or raise fs.file-max");
	return true;
}

/* Holds one more in each call. */
static int
open_more(int count)
{
	int fd, r;

	if (count == 0)
		return 0;
	fd = open("/", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = open_more(count - 1);
	close(fd);
	return r;
}

bool
trouble_of_few_descriptors(int count, struct trouble *ret)
{
	return trouble_of_descriptors(open_more(count), ret);
}

bool
refuse_descriptors(int r)
{
	struct trouble trouble;

	if (!trouble_of_descriptors(r, &trouble))
		return false;
	refuse("%s: %s", trouble.cause, trouble.way_out);
	return true;
}
