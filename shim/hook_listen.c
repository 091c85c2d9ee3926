/* SPDX-License-Identifier: MIT */
#include "core/kernel/sock.h"
#include "shim/announced.h"
#include "shim/refusal.h"
#include "shim/shim.h"
#include "shim/unbound.h"

int
shim_listen(int fd, int backlog)
{
	enum protocol protocol;
	struct choice choice;
	int r;

	/* Only TCP listens; the kernel says so to all others. */
	if (choice_begin(fd, &choice) &&
	    sock_takes_ports(&sys_kernel, fd, &protocol) &&
	    protocol == PROTOCOL_TCP && unbound_bind(fd, EADDRINUSE) < 0)
		return -1;
	r = (int)kernels_answer(real_listen(fd, backlog));
	choice_end(&choice);
	return r;
}

EXPORTED int
listen(int fd, int backlog)
{
	return shim_listen(fd, backlog);
}
