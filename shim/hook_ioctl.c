/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include <netinet/in.h>

#include "portres.h"
#include "shim/inherited.h"
#include "shim/serve.h"
#include "shim/track.h"
#include "shim/user.h"

SLOW_PATH static int
acquire(int fd, void *argument)
{
	struct portres_instance instance = {0};
	struct reservation got;
	struct range wanted;
	int r = user_read(&instance, argument, sizeof(struct portres_range));

	if (r < 0)
		return r;
	wanted = (struct range){ntohs(instance.start_port),
				instance.number_of_ports};
	r = serve_acquire(fd, wanted, POOL_WAIT, &got);
	if (r < 0)
		return r;
	instance.start_port = htons((uint16_t)got.range.start);
	instance.number_of_ports = (uint16_t)got.range.count;
	instance.token = got.token;
	r = user_write(argument, &instance, sizeof(instance));
	if (r < 0)
		serve_release(fd, got.token,
			      POOL_WAIT); /* nobody knows of it */
	return r;
}

SLOW_PATH static int
with_token(int fd, const void *argument,
	   int (*serve)(int, uint64_t, enum pool_wait))
{
	uint64_t token;
	int r = user_read(&token, argument, sizeof(token));

	return r < 0 ? r : serve(fd, token, POOL_WAIT);
}

int
shim_ioctl(int fd, unsigned long request, void *argument)
{
	/*
	 * Only 32 bits count: the codes have bit 31 set, and a caller with an
	 * int in hand passes them sign-extended.
	 */
	switch ((uint32_t)request) {
	case SIO_ACQUIRE_PORT_RESERVATION:
		return ret_errno(acquire(fd, argument));
	case SIO_RELEASE_PORT_RESERVATION:
		return ret_errno(with_token(fd, argument, serve_release));
	case SIO_ASSOCIATE_PORT_RESERVATION:
		return ret_errno(with_token(fd, argument, serve_associate));
	case FIOCLEX:
	case FIONCLEX:
		if (track_guarding() && inherited_guards(fd))
			return ret_errno(-EBADF);
		return real_ioctl(fd, request, argument);
	default:
		return real_ioctl(fd, request, argument);
	}
}

/*
 * libc's ioctl is variadic. This one has a fixed third argument, because each
 * ABI that we run on passes it in the same place, and collecting it from a
 * va_list would be half of the cost of passing through.
 */
EXPORTED int exported_ioctl(int fd, unsigned long request,
			    void *argument) __asm__("ioctl");

int
exported_ioctl(int fd, unsigned long request, void *argument)
{
	return shim_ioctl(fd, request, argument);
}
