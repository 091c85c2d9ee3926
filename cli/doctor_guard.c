/* SPDX-License-Identifier: MIT */
/* Is there a guard over this process, and is it this command's? */
#include <unistd.h>

#include "cli/check.h"
#include "cli/guard.h"
#include "cli/guard_here.h"

bool
guard_is_here(void)
{
	uint64_t number;
	int fd = guard_here(&number);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Root sees which guards there are. */
static void
check_build(void)
{
	struct guard_pinned pinned;
	struct guard_place place;

	if (guard_lacking || geteuid() != 0 || guard_place_root(&place) < 0 ||
	    guard_open(place.pins, &pinned) < 0)
		return;
	if (pinned.config.build != guard_build)
		check(WARNING, "guard",
		      "its programs are those of another build: portres guard "
		      "on");
	guard_close(&pinned);
}

void
check_guard(void)
{
	if (!guard_is_here()) {
		check(GOOD, "guard",
		      "there is none: programs that are not under the library "
		      "are refused nothing; see portres-guard(8)");
		return;
	}
	check(GOOD, "guard",
	      "the kernel refuses reserved ports to every program");
	check_build();
}
