/* SPDX-License-Identifier: MIT */
#include "winsock/duplicate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "winsock/error.h"
#include "winsock/protocol.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/state.h"
#include "winsock/usermem.h"

/* In the place of the provider's number; the process is in the one reserved for
 * providers. */
struct name {
	uint64_t cookie;
	uint32_t fd;
	uint32_t unused;
};

_Static_assert(sizeof(struct name) == sizeof(GUID), "");

bool
duplicate_named(const WSAPROTOCOL_INFOA *info)
{
	return info->dwProviderReserved != 0;
}

/* The kernel gives it to those who may trace that process. */
static int
take_from(pid_t pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	int taken = process < 0 ? -1
				: (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	int err = errno;

	if (process >= 0)
		close(process);
	return taken >= 0 ? taken : -(err == EPERM ? EACCES : err);
}

int
duplicate_take(const WSAPROTOCOL_INFOA *info, bool close_on_exec)
{
	pid_t pid = (pid_t)info->dwProviderReserved;
	struct name name;
	int taken;

	memcpy(&name, &info->ProviderId, sizeof(name));
	if (pid == getpid()) {
		taken = fcntl((int)name.fd, F_DUPFD_CLOEXEC, 0);
		taken = taken < 0 ? -errno : taken;
	} else {
		taken = take_from(pid, (int)name.fd);
	}
	if (taken < 0)
		return taken == -EBADF || taken == -ESRCH ? -EINVAL : taken;
	/* The number may be another's by now. */
	if (socket_cookie(taken) != name.cookie) {
		close(taken);
		return -EINVAL;
	}
	if (!close_on_exec)
		fcntl(taken, F_SETFD, 0);
	if (pid == getpid())
		state_change(taken,
			     state_flags((int)name.fd,
					 ~(uint32_t)STATE_NOT_OVERLAPPED),
			     0);
	return taken;
}

static int
duplicate(SOCKET s, DWORD pid, bool wide, void *to)
{
	WSAPROTOCOL_INFOW info;
	struct name name = {0};
	int fd = socket_of(s);

	if (!wsa_started())
		return WSANOTINITIALISED;
	if (fd < 0)
		return wsa_code(-fd);
	if (pid == 0 || (kill((pid_t)pid, 0) < 0 && errno == ESRCH) ||
	    !protocol_of(fd, wide, &info))
		return WSAEINVAL;
	name.cookie = socket_cookie(fd);
	name.fd = (uint32_t)fd;
	memcpy(&info.ProviderId, &name, sizeof(name));
	info.dwProviderReserved = (DWORD)getpid();
	return usermem_write(to, &info,
			     wide ? sizeof(WSAPROTOCOL_INFOW)
				  : sizeof(WSAPROTOCOL_INFOA)) < 0
		       ? WSAEFAULT
		       : 0;
}

int WSAAPI
WSADuplicateSocketA(SOCKET s, DWORD dwProcessId,
		    LPWSAPROTOCOL_INFOA lpProtocolInfo)
{
	int before = errno;

	return wsa_end(duplicate(s, dwProcessId, false, lpProtocolInfo),
		       before);
}

int WSAAPI
WSADuplicateSocketW(SOCKET s, DWORD dwProcessId,
		    LPWSAPROTOCOL_INFOW lpProtocolInfo)
{
	int before = errno;

	return wsa_end(duplicate(s, dwProcessId, true, lpProtocolInfo), before);
}
