/* SPDX-License-Identifier: MIT */
#include "shim/announced.h"

#include "core/pool/clear_range.h"
#include "shim/config.h"
#include "shim/fork.h"
#include "shim/pools.h"
#include "shim/sockets.h"

int
announced_begin(struct pool *pool, uint16_t port, struct announced *ret)
{
	static __thread struct announcer self
		__attribute__((tls_model("initial-exec")));
	int r;

	self.process = fork_generation();
	r = announce_begin(&sys_kernel, &self, pool->file, port,
			   &ret->announce);
	ret->process = fork_generation();
	return r;
}

/*
 * A handler may have forked, and this be the child: see announce_leave(). (One
 * that forks between the claim of the word and the look at our number is not
 * noticed; looking before would leave a word behind that nobody ends.)
 */
void
announced_end(const struct announced *announced)
{
	if (announced->process == fork_generation())
		announce_end(&announced->announce);
	else
		announce_leave(&announced->announce);
}

bool
choice_begin(int fd, struct choice *ret)
{
	struct pool *pool;

	ret->announced = false;
	if (sockets_any_associated())
		return true;
	pool = pools_for_bind(fd);
	if (!pool)
		return config_get()->strict;
	if (announced_begin(pool, ANNOUNCE_CHOICE, &ret->announcement) < 0)
		return pools_concern_implicit(fd);
	ret->announced = !implicit_matters(pool);
	if (!ret->announced)
		announced_end(&ret->announcement);
	return !ret->announced;
}

void
choice_end(const struct choice *choice)
{
	if (choice->announced)
		announced_end(&choice->announcement);
}
