/* SPDX-License-Identifier: MIT */
#include "shim/announced.h"

#include "shim/fork.h"

int
announced_begin(struct pool *pool, uint16_t port, struct announced *ret)
{
	static __thread struct announcer self
		__attribute__((tls_model("initial-exec")));

	int r;

	self.process = fork_generation();
	r = announce_begin(&sys_kernel, &self, pool->file, port,
			   &ret->announce);
	ret->generation = fork_generation();
	return r;
}

/*
 * A handler may have forked, and this be the child: see announce_leave(). (One
 * that forks between the claim of the word and the look at our generation is
 * not noticed; looking before would leave a word behind that nobody ends.)
 */
void
announced_end(const struct announced *announced)
{
	if (announced->generation == fork_generation())
		announce_end(&announced->announce);
	else
		announce_leave(&announced->announce);
}
