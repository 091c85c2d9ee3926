/* SPDX-License-Identifier: MIT */
#include "shim/config.h"
#include "shim/fork.h"
#include "shim/hidden_fds.h"
#include "shim/real.h"
#include "shim/usermem.h"

/* Does early what the hooks would otherwise do late. They do not depend on it:
 * constructors of other libraries run before this one. */
__attribute__((constructor)) static void
start(void)
{
	real_resolve();
	usermem_start();
	config_get();
	fork_register();
	hidden_fds_find();
}
