/* SPDX-License-Identifier: MIT */
#include "winsock/ioctl.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mstcpip.h"
#include "mswsock.h"
#include "winsock/address.h"
#include "winsock/error.h"
#include "winsock/event_select.h"
#include "winsock/route.h"
#include "winsock/socket.h"
#include "winsock/state.h"
#include "winsock/usermem.h"

#define LINUX_FIONBIO 0x5421u
#define LINUX_FIONREAD 0x541bu
#define WINDOWS_FIONBIO 0x8004667eu
#define WINDOWS_FIONREAD 0x4004667fu
#define KEEPALIVE_LONGEST 32767u /* seconds, the kernel's own limit */

/* Programs have either number, by the headers that they included last. */
static DWORD
one_number(DWORD code)
{
	switch (code) {
	case WINDOWS_FIONBIO:
		return LINUX_FIONBIO;
	case WINDOWS_FIONREAD:
		return LINUX_FIONREAD;
	default:
		return code;
	}
}

bool
ioctl_blocks(DWORD code)
{
	return code == SIO_ACQUIRE_PORT_RESERVATION ||
	       code == SIO_RELEASE_PORT_RESERVATION ||
	       code == SIO_ASSOCIATE_PORT_RESERVATION;
}

bool
ioctl_is_simple(DWORD code)
{
	code = one_number(code);
	return code == LINUX_FIONBIO || code == LINUX_FIONREAD;
}

bool
ioctl_known(DWORD code)
{
	return ioctl_blocks(code) || ioctl_is_simple(code) ||
	       code == SIO_KEEPALIVE_VALS || code == SIO_UDP_CONNRESET ||
	       code == SIO_CPU_AFFINITY ||
	       code == SIO_ROUTING_INTERFACE_QUERY ||
	       code == SIO_GET_EXTENSION_FUNCTION_POINTER;
}

/* Would a write succeed? Puts back what it finds: a failing call must not
 * change the buffer, which may be the input buffer too. */
static int
probe(void *user, size_t n)
{
	struct portres_instance found;

	return usermem_read(&found, user, n) < 0 ||
			       usermem_write(user, &found, n) < 0
		       ? WSAEFAULT
		       : 0;
}

static int
decode_acquire(const struct ioctl_buffers *buffers, struct request *ret)
{
	struct portres_range *range = &ret->in.range;

	if (buffers->in_size < sizeof(*range) ||
	    buffers->out_size < sizeof(struct portres_instance))
		return WSAEINVAL;
	if (usermem_read(range, buffers->in, sizeof(*range)) < 0)
		return WSAEFAULT;
	return probe(buffers->out, sizeof(struct portres_instance));
}

static int
decode_fixed(const struct ioctl_buffers *buffers, void *to, size_t n)
{
	return buffers->in_size < n || usermem_read(to, buffers->in, n) < 0
		       ? WSAEFAULT
		       : 0;
}

static int
decode_extension(const struct ioctl_buffers *buffers, struct request *ret)
{
	GUID which;

	if (buffers->in_size < sizeof(which) ||
	    buffers->out_size < sizeof(ret->in.function) ||
	    usermem_read(&which, buffers->in, sizeof(which)) < 0)
		return WSAEFAULT;
	ret->in.function = extension_find(&which);
	if (!ret->in.function)
		return WSAEINVAL;
	return probe(buffers->out, sizeof(ret->in.function));
}

/* The processor that a listening socket is for: taken, and up to the kernel. */
static int
decode_affinity(const struct ioctl_buffers *buffers)
{
	uint16_t processor;

	return decode_fixed(buffers, &processor, sizeof(processor));
}

/* The room for the answer is looked at when it is known how long that is. */
static int
decode_address(const struct ioctl_buffers *buffers, struct request *ret)
{
	struct sockaddr_storage *address = &ret->in.address;
	size_t size = buffers->in_size < sizeof(*address) ? buffers->in_size
							  : sizeof(*address);

	if (address_is_short(buffers->in, (socklen_t)size) ||
	    usermem_read(address, buffers->in, size) < 0)
		return WSAEFAULT;
	address->ss_family = (sa_family_t)linux_family(address->ss_family);
	return 0;
}

/* A u_long has 4 bytes on Windows and 8 here; ULONG and DWORD have 4. */
static size_t
number_size(size_t given)
{
	return given >= sizeof(u_long) ? sizeof(u_long) : sizeof(ULONG);
}

int
ioctl_decode(const struct ioctl_buffers *buffers, struct request *ret)
{
	ret->out = buffers->out;
	ret->out_size = buffers->out_size;
	memset(&ret->in, 0, sizeof(ret->in));
	switch (one_number(ret->code)) {
	case SIO_ACQUIRE_PORT_RESERVATION:
		return decode_acquire(buffers, ret);
	case SIO_RELEASE_PORT_RESERVATION:
	case SIO_ASSOCIATE_PORT_RESERVATION:
		return decode_fixed(buffers, &ret->in.token,
				    sizeof(ret->in.token));
	case LINUX_FIONBIO:
		return decode_fixed(buffers, &ret->in.number,
				    number_size(buffers->in_size));
	case SIO_KEEPALIVE_VALS:
		return decode_fixed(buffers, ret->in.keepalive,
				    sizeof(ret->in.keepalive));
	case SIO_UDP_CONNRESET:
		return decode_fixed(buffers, &ret->in.number, sizeof(BOOL));
	case SIO_CPU_AFFINITY:
		return decode_affinity(buffers);
	case SIO_ROUTING_INTERFACE_QUERY:
		return decode_address(buffers, ret);
	case SIO_GET_EXTENSION_FUNCTION_POINTER:
		return decode_extension(buffers, ret);
	case LINUX_FIONREAD:
		if (buffers->out_size < sizeof(ULONG))
			return WSAEFAULT;
		return probe(buffers->out, number_size(buffers->out_size));
	default:
		return WSAEOPNOTSUPP;
	}
}

/* Turns the answer of the native API, or the kernel's, into a code. */
static int
answer(int r)
{
	if (r < 0 && errno == EAGAIN)
		return IOCTL_BUSY;
	return r < 0 ? wsa_code(errno) : 0;
}

static int
acquire(const struct request *request, unsigned int flags,
	struct ioctl_result *ret)
{
	/* The same structure as INET_PORT_RESERVATION_INSTANCE. */
	struct portres_instance made = {
		.start_port = request->in.range.start_port,
		.number_of_ports = request->in.range.number_of_ports,
	};
	int code = answer(portres_acquire(request->fd, &made, flags));

	if (code)
		return code;
	ret->token = made.token;
	ret->bytes = sizeof(made);
	if (usermem_write(request->out, &made, sizeof(made)) == 0)
		return 0;
	/* Unmapped meanwhile by another thread: nobody would ever learn the
	 * token. */
	ioctl_undo(request, ret);
	return WSAEFAULT;
}

/* AcceptEx is not to wait: what accept() does then is in ported.c. */
static int
set_blocking(const struct request *request)
{
	int on = request->in.number != 0;

	if (!on && event_select_active(request->fd))
		return WSAEINVAL;
	if (!on && state_channel(request->fd) && socket_listens(request->fd)) {
		state_change(request->fd, STATE_QUIET_NONBLOCK, 0);
		on = 1;
	} else {
		state_change(request->fd, 0, STATE_QUIET_NONBLOCK);
	}
	return answer(ioctl(request->fd, LINUX_FIONBIO, &on));
}

static int
tell_function(const struct request *request, struct ioctl_result *ret)
{
	ret->bytes = sizeof(request->in.function);
	return usermem_write(request->out, &request->in.function,
			     sizeof(request->in.function)) < 0
		       ? WSAEFAULT
		       : 0;
}

static int
tell_resets(const struct request *request)
{
	bool on = request->in.number != 0;

	if (socket_type(request->fd) != SOCK_DGRAM)
		return WSAEINVAL;
	state_change(request->fd, on ? 0 : STATE_NO_RESETS,
		     on ? STATE_NO_RESETS : 0);
	return 0;
}

static int
tell_route(const struct request *request, struct ioctl_result *ret)
{
	struct sockaddr_storage from;
	socklen_t size;
	int code = route_query(&request->in.address, &from, &size);

	if (code)
		return code;
	windows_address((struct sockaddr *)&from, size);
	if (request->out_size < size ||
	    usermem_write(request->out, &from, size) < 0)
		return WSAEFAULT;
	ret->bytes = (DWORD)size;
	return 0;
}

static int
readable(const struct request *request, struct ioctl_result *ret)
{
	size_t size = number_size(request->out_size);
	u_long number;
	int bytes = 0;

	if (ioctl(request->fd, LINUX_FIONREAD, &bytes) < 0)
		return wsa_code(errno);
	number = (u_long)bytes;
	ret->bytes = (DWORD)size;
	return usermem_write(request->out, &number, size) < 0 ? WSAEFAULT : 0;
}

static int
set_option(int fd, int level, int name, uint32_t value)
{
	return answer(setsockopt(fd, level, name, &value, sizeof(value)));
}

/* Milliseconds there, whole seconds from one on here. */
static uint32_t
seconds(uint32_t ms)
{
	uint32_t rounded = ms / 1000 + (ms % 1000 != 0);

	if (rounded == 0)
		return 1;
	return rounded > KEEPALIVE_LONGEST ? KEEPALIVE_LONGEST : rounded;
}

static int
keep_alive(const struct request *request)
{
	const uint32_t *in = request->in.keepalive;
	int code = 0;

	if (in[0])
		code = set_option(request->fd, IPPROTO_TCP, TCP_KEEPIDLE,
				  seconds(in[1]));
	if (in[0] && code == 0)
		code = set_option(request->fd, IPPROTO_TCP, TCP_KEEPINTVL,
				  seconds(in[2]));
	if (code == 0)
		code = set_option(request->fd, SOL_SOCKET, SO_KEEPALIVE,
				  in[0] != 0);
	return code == WSAENOPROTOOPT ? WSAEOPNOTSUPP : code;
}

int
ioctl_perform(const struct request *request, unsigned int flags,
	      struct ioctl_result *ret)
{
	memset(ret, 0, sizeof(*ret));
	switch (one_number(request->code)) {
	case SIO_ACQUIRE_PORT_RESERVATION:
		return acquire(request, flags, ret);
	case SIO_RELEASE_PORT_RESERVATION:
		return answer(
			portres_release(request->fd, request->in.token, flags));
	case SIO_ASSOCIATE_PORT_RESERVATION:
		return answer(portres_associate(request->fd, request->in.token,
						flags));
	case LINUX_FIONBIO:
		return set_blocking(request);
	case LINUX_FIONREAD:
		return readable(request, ret);
	case SIO_GET_EXTENSION_FUNCTION_POINTER:
		return tell_function(request, ret);
	case SIO_UDP_CONNRESET:
		return tell_resets(request);
	case SIO_CPU_AFFINITY:
		return socket_type(request->fd) < 0 ? WSAENOTSOCK : 0;
	case SIO_ROUTING_INTERFACE_QUERY:
		return tell_route(request, ret);
	default:
		return keep_alive(request);
	}
}

void
ioctl_undo(const struct request *request, const struct ioctl_result *result)
{
	if (result->token != PORTRES_INVALID_TOKEN)
		portres_release(request->fd, result->token, 0);
}
