/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>

#include "core/pool/persistent.h"
#include "iphlpapi.h"
#include "shim/config.h"
#include "shim/pools.h"
#include "shim/usermem.h"

static ULONG
win32_error(int r)
{
	switch (r) {
	case 0:
	case 1: /* done, but the disk did not confirm it: Windows has no word */
		return NO_ERROR;
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return ERROR_ACCESS_DENIED;
	case -EINVAL:
	case -EFAULT:
		return ERROR_INVALID_PARAMETER;
	case -EADDRINUSE:
		return ERROR_SHARING_VIOLATION;
	case -ENOENT:
		return ERROR_NOT_FOUND;
	case -ENOBUFS:
	case -ENOMEM:
		return ERROR_NOT_ENOUGH_MEMORY;
	case -ENOSPC:
	case -EDQUOT:
		return ERROR_DISK_FULL;
	case -ENETDOWN:
	case -ESTALE:
		return WSAENETDOWN;
	default:
		return ERROR_WRITE_FAULT;
	}
}

static struct block
block_of(enum protocol protocol, USHORT start, USHORT count)
{
	return (struct block){protocol, {ntohs(start), count}};
}

/*
 * The pool of this thread's network namespace, which a socket tells; entered,
 * so that it is not one whose file has been replaced. Who only looks does not
 * wait for a stopped process inside.
 */
static int
open_pool(enum pool_wait wait, struct pool **ret)
{
	int fd = sys_socket(&sys_kernel, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pool_lock lock;
	int r;

	if (fd < 0)
		return fd;
	r = pools_enter_how(fd, wait, ret, &lock);
	if (r == 0)
		pool_leave(*ret, &lock);
	else if (r == -EBUSY)
		r = pools_find(fd, ret);
	sys_close(&sys_kernel, fd);
	return r;
}

static ULONG
create(struct block block, PULONG64 token)
{
	const char *store = config_get()->store;
	struct pool *pool;
	uint64_t made;
	int r;

	if (!token || !block_valid(block))
		return ERROR_INVALID_PARAMETER;
	r = open_pool(POOL_PATIENT, &pool);
	if (r == 0)
		r = persistent_add(pool, store, block, &made);
	if (r >= 0 && usermem_write(token, &made, sizeof(made)) < 0) {
		persistent_delete(pool, store, block);
		r = -EFAULT;
	}
	return win32_error(r);
}

static ULONG
erase(struct block block)
{
	struct pool *pool;
	int r;

	if (!block_valid(block))
		return ERROR_INVALID_PARAMETER;
	r = open_pool(POOL_PATIENT, &pool);
	if (r == 0)
		r = persistent_delete(pool, config_get()->store, block);
	return win32_error(r);
}

static ULONG
lookup(struct block block, PULONG64 token)
{
	struct pool *pool;
	uint64_t found;
	int r;

	if (!token || !block_valid(block))
		return ERROR_INVALID_PARAMETER;
	r = open_pool(POOL_BRIEF, &pool);
	if (r == 0)
		r = persistent_lookup(pool, block, &found);
	if (r == 0)
		r = usermem_write(token, &found, sizeof(found));
	return win32_error(r);
}

ULONG WSAAPI
CreatePersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token)
{
	return create(block_of(PROTOCOL_TCP, StartPort, NumberOfPorts), Token);
}

ULONG WSAAPI
CreatePersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token)
{
	return create(block_of(PROTOCOL_UDP, StartPort, NumberOfPorts), Token);
}

ULONG WSAAPI
DeletePersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts)
{
	return erase(block_of(PROTOCOL_TCP, StartPort, NumberOfPorts));
}

ULONG WSAAPI
DeletePersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts)
{
	return erase(block_of(PROTOCOL_UDP, StartPort, NumberOfPorts));
}

ULONG WSAAPI
LookupPersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token)
{
	return lookup(block_of(PROTOCOL_TCP, StartPort, NumberOfPorts), Token);
}

ULONG WSAAPI
LookupPersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token)
{
	return lookup(block_of(PROTOCOL_UDP, StartPort, NumberOfPorts), Token);
}
