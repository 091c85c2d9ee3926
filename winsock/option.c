/* SPDX-License-Identifier: MIT */
/*
 * Socket options that differ: times in milliseconds, two that are others'
 * opposites, flags of one byte, and Windows' number of the pending error.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>

#include "winsock/error.h"
#include "winsock/ported.h"
#include "winsock/usermem.h"
#include "winsock2.h"

static int
set(int fd, int level, int name, const void *value, size_t size)
{
	return (int)wsa_plain(
		setsockopt(fd, level, name, value, (socklen_t)size));
}

static bool
is_time(int level, int name)
{
	return level == SOL_SOCKET &&
	       (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

static int
set_time(int fd, int name, unsigned int ms)
{
	const struct timeval time = {
		.tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000,
	};

	return set(fd, SOL_SOCKET, name, &time, sizeof(time));
}

static int
set_number(int fd, int level, int name, unsigned int number)
{
	const struct linger none = {0};
	const int off = 0;

	if (is_time(level, name))
		return set_time(fd, name, number);
	if (level == SOL_SOCKET && name == SO_EXCLUSIVEADDRUSE)
		/* It asks for what Linux does without the other option. */
		return number ? set(fd, level, SO_REUSEADDR, &off, sizeof(off))
			      : 0;
	if (level == SOL_SOCKET && name == SO_DONTLINGER)
		return number ? set(fd, level, SO_LINGER, &none, sizeof(none))
			      : 0;
	return set(fd, level, name, &number, sizeof(number));
}

/* Levels whose options are numbers of four bytes or more here. */
static bool
takes_numbers(int level)
{
	return level == SOL_SOCKET || level == IPPROTO_TCP ||
	       level == IPPROTO_IPV6;
}

int
portres_setsockopt(int fd, int level, int name, const void *value,
		   socklen_t size)
{
	unsigned int number = 0;

	if (size == 0 || size > sizeof(number) || !takes_numbers(level))
		return set(fd, level, name, value, size);
	if (usermem_read(&number, value, size) < 0)
		return wsa_fail(EFAULT);
	return set_number(fd, level, name, number);
}

/* The number to tell, or -1 with errno. */
static int
get_number(int fd, int name, unsigned int *ret)
{
	struct timeval time;
	struct linger linger;
	socklen_t size = sizeof(*ret);
	int r;

	switch (name) {
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		size = sizeof(time);
		r = getsockopt(fd, SOL_SOCKET, name, &time, &size);
		*ret = r < 0 ? 0
			     : (unsigned int)(time.tv_sec * 1000 +
					      time.tv_usec / 1000);
		return r;
	case SO_EXCLUSIVEADDRUSE:
		r = getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ret, &size);
		*ret = r == 0 && *ret == 0;
		return r;
	case SO_DONTLINGER:
		size = sizeof(linger);
		r = getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size);
		*ret = r == 0 && linger.l_onoff == 0;
		return r;
	default: /* SO_ERROR */
		r = getsockopt(fd, SOL_SOCKET, name, ret, &size);
		if (r == 0)
			*ret = (unsigned int)wsa_code((int)*ret);
		return r;
	}
}

static bool
differs(int level, int name, socklen_t size)
{
	return level == SOL_SOCKET && size >= sizeof(int) &&
	       (name == SO_ERROR || name == SO_EXCLUSIVEADDRUSE ||
		name == SO_DONTLINGER ||
		(is_time(level, name) && size < sizeof(struct timeval)));
}

int
portres_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	unsigned int number = 0;
	socklen_t room;

	if (usermem_read(&room, size, sizeof(room)) < 0 ||
	    !differs(level, name, room))
		return (int)wsa_plain(getsockopt(fd, level, name, value, size));
	if (wsa_plain(get_number(fd, name, &number)) < 0)
		return -1;
	room = sizeof(number);
	if (usermem_write(value, &number, sizeof(number)) < 0 ||
	    usermem_write(size, &room, sizeof(room)) < 0)
		return wsa_fail(EFAULT);
	return 0;
}
