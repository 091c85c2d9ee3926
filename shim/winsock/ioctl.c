/* SPDX-License-Identifier: MIT */
/*
 * WSAIoctl and closesocket.
 *
 * A call with several things wrong with it gets the first error of this order:
 *
 *   1. no WSAStartup                           WSANOTINITIALISED
 *   2. lpcbBytesReturned NULL or not writable  WSAEFAULT
 *      It holds 0 from here on, until the operation succeeds.
 *   3. not a socket                            WSAENOTSOCK
 *   4. unknown code                            WSAEOPNOTSUPP
 *   5. buffers: acquire: a length too small    WSAEINVAL
 *               the others: the same           WSAEFAULT
 *               input not readable             WSAEFAULT
 *               acquire: output not writable   WSAEFAULT
 *   6. what the operation itself says
 *
 * lpOverlapped and lpCompletionRoutine are ignored, as Winsock does for a
 * socket without the overlapped attribute.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdint.h>

#include "mstcpip.h"
#include "shim/serve.h"
#include "shim/shim.h"
#include "shim/user.h"
#include "shim/winsock/error.h"
#include "shim/winsock/startup.h"
#include "winsock2.h"

struct request {
	int fd;
	const void *in;
	size_t in_size;
	void *out;
	size_t out_size;
};

/* Returns the descriptor or -errno. */
static int
socket_of(SOCKET s)
{
	int type;
	socklen_t size = sizeof(type);

	if (s > INT_MAX)
		return -ENOTSOCK;
	/* A descriptor may well be a file: closesocket must not close that. */
	if (getsockopt((int)s, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	return (int)s;
}

/* Would a write succeed? Puts back what it finds: a failing call must not
 * change the buffer, which may be the input buffer too. */
static int
probe(void *user)
{
	INET_PORT_RESERVATION_INSTANCE found;
	int r = user_read(&found, user, sizeof(found));

	return r < 0 ? r : user_write(user, &found, sizeof(found));
}

/* Each operation returns the number of bytes stored, or -errno. */
static int
acquire(const struct request *request, uint64_t *ret_token)
{
	INET_PORT_RESERVATION_INSTANCE instance = {0};
	struct reservation made;
	INET_PORT_RANGE range;
	struct range wanted;
	int r;

	if (request->in_size < sizeof(range) ||
	    request->out_size < sizeof(instance))
		return -EINVAL;
	r = user_read(&range, request->in, sizeof(range));
	if (r < 0)
		return r;
	r = probe(request->out);
	if (r < 0)
		return r;

	wanted.start = ntohs(range.StartPort);
	wanted.count = range.NumberOfPorts;
	r = serve_acquire(request->fd, wanted, POOL_WAIT, &made);
	if (r < 0)
		return r;

	instance.StartPort = htons((uint16_t)made.range.start);
	instance.NumberOfPorts = (USHORT)made.range.count;
	instance.Token = made.token;
	r = user_write(request->out, &instance, sizeof(instance));
	if (r < 0) {
		/* Unmapped meanwhile by another thread: nobody would ever
		 * learn the token. */
		serve_release(request->fd, made.token, POOL_WAIT);
		return r;
	}
	*ret_token = made.token;
	return sizeof(instance);
}

static int
by_token(const struct request *request,
	 int (*serve)(int fd, uint64_t token, enum pool_wait wait))
{
	uint64_t token;

	if (request->in_size < sizeof(token) ||
	    user_read(&token, request->in, sizeof(token)) < 0)
		return -EFAULT;
	return serve(request->fd, token, POOL_WAIT);
}

static int
dispatch(DWORD code, const struct request *request, uint64_t *ret_token)
{
	switch (code) {
	case SIO_ACQUIRE_PORT_RESERVATION:
		return acquire(request, ret_token);
	case SIO_RELEASE_PORT_RESERVATION:
		return by_token(request, serve_release);
	case SIO_ASSOCIATE_PORT_RESERVATION:
		return by_token(request, serve_associate);
	default:
		return -EOPNOTSUPP;
	}
}

int WSAAPI
WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	 LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	 LPWSAOVERLAPPED lpOverlapped,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct request request = {
		.in = lpvInBuffer,
		.in_size = cbInBuffer,
		.out = lpvOutBuffer,
		.out_size = cbOutBuffer,
	};
	int before = errno;
	uint64_t token = INVALID_PORT_RESERVATION_TOKEN;
	DWORD bytes = 0;
	int r;

	(void)lpOverlapped;
	(void)lpCompletionRoutine;

	if (!wsa_started()) {
		WSASetLastError(WSANOTINITIALISED);
		return SOCKET_ERROR;
	}
	r = user_write(lpcbBytesReturned, &bytes, sizeof(bytes));
	if (r < 0)
		return wsa_fail(-r);
	request.fd = socket_of(s);
	if (request.fd < 0)
		return wsa_fail(-request.fd);
	r = dispatch(dwIoControlCode, &request, &token);
	if (r < 0)
		return wsa_fail(-r);

	bytes = (DWORD)r;
	r = user_write(lpcbBytesReturned, &bytes, sizeof(bytes));
	if (r < 0) {
		if (token != INVALID_PORT_RESERVATION_TOKEN)
			serve_release(request.fd, token, POOL_WAIT);
		return wsa_fail(-r);
	}
	errno = before;
	return 0;
}

/*
 * Works without WSAStartup, unlike Windows': there WSACleanup has closed all
 * sockets already, here it has not, and refusing would leak the socket with
 * all the ports that it holds.
 */
int WSAAPI
closesocket(SOCKET s)
{
	int before = errno;
	int fd = socket_of(s);

	if (fd < 0)
		return wsa_fail(-fd);
	if (shim_close(fd) < 0)
		return wsa_fail(errno);
	errno = before;
	return 0;
}
