/* SPDX-License-Identifier: MIT */
/* GetAdaptersAddresses: the kernel's interfaces, their addresses and gateways,
 * and the resolver's servers. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "iphlpapi.h"
#include "winsock/address.h"
#include "winsock/socket.h"
#include "winsock/usermem.h"

#define MEGABIT 1000000u

/* Everything is put behind each other into one buffer, the program's; or, to
 * know the size, into none. */
struct arena {
	char *base;
	size_t used;
	size_t size;
};

/* Zeroed; NULL where there is no room, which is counted all the same. */
static void *
take(struct arena *arena, size_t n)
{
	size_t at = (arena->used + 7) & ~(size_t)7;

	arena->used = at + n;
	if (arena->used > arena->size)
		return NULL;
	return memset(arena->base + at, 0, n);
}

static char *
narrow(struct arena *arena, const char *text)
{
	char *to = take(arena, strlen(text) + 1);

	return to ? strcpy(to, text) : NULL;
}

static WCHAR *
wide(struct arena *arena, const char *text)
{
	size_t n = strlen(text) + 1;
	WCHAR *to = take(arena, n * sizeof(*to));

	for (size_t i = 0; to && i < n; i++)
		to[i] = (unsigned char)text[i];
	return to;
}

static INT
size_of(const struct sockaddr *address)
{
	return address->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

static void
put_address(struct arena *arena, SOCKET_ADDRESS *to,
	    const struct sockaddr *address)
{
	INT size = size_of(address);
	void *copy = take(arena, (size_t)size);

	if (!copy)
		return;
	memcpy(copy, address, (size_t)size);
	windows_address(copy, (socklen_t)size);
	if (to)
		*to = (SOCKET_ADDRESS){copy, size};
}

/* An item of a list, whose head is the same in all; `last` is where its pointer
 * goes, NULL when there was no room before. */
static void *
put_item(struct arena *arena, size_t size, void ***last,
	 const struct sockaddr *address)
{
	IP_ADAPTER_ANYCAST_ADDRESS *item = take(arena, size);

	put_address(arena, item ? &item->Address : NULL, address);
	if (!item)
		return NULL;
	item->Length = (ULONG)size;
	**last = item;
	*last = (void **)&item->Next;
	return item;
}

static unsigned int
prefix_length(const struct sockaddr *mask)
{
	const struct sockaddr_in *four = (const void *)mask;
	const struct sockaddr_in6 *six = (const void *)mask;
	const unsigned char *bytes;
	unsigned int n = 0;

	if (!mask)
		return 0;
	bytes = mask->sa_family == AF_INET ? (const void *)&four->sin_addr
					   : (const void *)&six->sin6_addr;
	for (size_t i = 0; i < (mask->sa_family == AF_INET ? 4u : 16u); i++)
		n += (unsigned int)__builtin_popcount(bytes[i]);
	return n;
}

/* One call's question. */
struct question {
	const struct ifaddrs *all;
	int family; /* Linux' */
	ULONG flags;
	struct arena arena;
};

static bool
asked_for(const struct question *question, const struct ifaddrs *at)
{
	int family = at->ifa_addr ? at->ifa_addr->sa_family : AF_UNSPEC;

	return (family == AF_INET || family == AF_INET6) &&
	       (question->family == AF_UNSPEC || question->family == family);
}

static void
put_unicast(struct question *question, const char *name,
	    IP_ADAPTER_ADDRESSES *to)
{
	PIP_ADAPTER_UNICAST_ADDRESS none;
	PIP_ADAPTER_UNICAST_ADDRESS item;
	void **last = (void **)(to ? &to->FirstUnicastAddress : &none);

	for (const struct ifaddrs *at = question->all; at; at = at->ifa_next) {
		if (strcmp(at->ifa_name, name) != 0 || !asked_for(question, at))
			continue;
		if (to)
			to->Flags |= at->ifa_addr->sa_family == AF_INET
					     ? IP_ADAPTER_IPV4_ENABLED
					     : IP_ADAPTER_IPV6_ENABLED;
		if (question->flags & GAA_FLAG_SKIP_UNICAST)
			continue;
		item = put_item(&question->arena, sizeof(*item), &last,
				at->ifa_addr);
		if (item)
			item->OnLinkPrefixLength =
				(UINT8)prefix_length(at->ifa_netmask);
	}
}

static void
clear_host_part(struct sockaddr_in6 *address, const struct sockaddr *mask)
{
	struct sockaddr_in *four = (void *)address;
	const struct sockaddr_in *four_mask = (const void *)mask;
	const struct sockaddr_in6 *six_mask = (const void *)mask;

	if (mask->sa_family == AF_INET)
		four->sin_addr.s_addr &= four_mask->sin_addr.s_addr;
	else
		for (int i = 0; i < 16; i++)
			address->sin6_addr.s6_addr[i] &=
				six_mask->sin6_addr.s6_addr[i];
}

static void
put_prefixes(struct question *question, const char *name,
	     IP_ADAPTER_ADDRESSES *to)
{
	PIP_ADAPTER_PREFIX none;
	PIP_ADAPTER_PREFIX item;
	void **last = (void **)(to ? &to->FirstPrefix : &none);
	struct sockaddr_in6 start;

	for (const struct ifaddrs *at = question->all; at; at = at->ifa_next) {
		if (strcmp(at->ifa_name, name) != 0 ||
		    !asked_for(question, at) || !at->ifa_netmask)
			continue;
		memcpy(&start, at->ifa_addr, (size_t)size_of(at->ifa_addr));
		clear_host_part(&start, at->ifa_netmask);
		item = put_item(&question->arena, sizeof(*item), &last,
				(struct sockaddr *)&start);
		if (item)
			item->PrefixLength = prefix_length(at->ifa_netmask);
	}
}

#ifdef __GLIBC__

/* The interface is not asked: the resolver has one list. */
static void
put_servers(struct question *question, IP_ADAPTER_ADDRESSES *to)
{
	PIP_ADAPTER_DNS_SERVER_ADDRESS none;
	void **last = (void **)(to ? &to->FirstDnsServerAddress : &none);
	struct __res_state state = {0};

	if (res_ninit(&state) < 0)
		return;
	for (int i = 0; i < state.nscount; i++) {
		struct sockaddr_in *server = &state.nsaddr_list[i];

		/* Those of IPv6 stand elsewhere, and have no family here. */
		if (server->sin_family == AF_INET &&
		    question->family != AF_INET6)
			put_item(&question->arena,
				 sizeof(IP_ADAPTER_DNS_SERVER_ADDRESS), &last,
				 (struct sockaddr *)server);
	}
	res_nclose(&state);
}

#else

/* musl does not tell which servers it asks. */
static void
put_servers(struct question *question, IP_ADAPTER_ADDRESSES *to)
{
	(void)question;
	(void)to;
}

#endif

static void
put_gateways(struct question *question, const char *name,
	     IP_ADAPTER_ADDRESSES *to)
{
	PIP_ADAPTER_GATEWAY_ADDRESS none;
	void **last = (void **)(to ? &to->FirstGatewayAddress : &none);
	struct sockaddr_in gateway = {.sin_family = AF_INET};
	FILE *routes = fopen("/proc/thread-self/net/route", "re");
	char line[256], device[IFNAMSIZ + 1];
	unsigned int target;

	while (routes && fgets(line, sizeof(line), routes)) {
		if (sscanf(line, "%16s %x %x", device, &target,
			   &gateway.sin_addr.s_addr) == 3 &&
		    strcmp(device, name) == 0 && gateway.sin_addr.s_addr)
			put_item(&question->arena,
				 sizeof(IP_ADAPTER_GATEWAY_ADDRESS), &last,
				 (struct sockaddr *)&gateway);
	}
	if (routes)
		fclose(routes);
}

static IFTYPE
type_of(unsigned int hardware)
{
	switch (hardware) {
	case ARPHRD_LOOPBACK:
		return IF_TYPE_SOFTWARE_LOOPBACK;
	case ARPHRD_ETHER:
		return IF_TYPE_ETHERNET_CSMACD;
	case ARPHRD_PPP:
		return IF_TYPE_PPP;
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
		return IF_TYPE_TUNNEL;
	default:
		return IF_TYPE_OTHER;
	}
}

static ULONG
mtu_of(const char *name)
{
	struct ifreq ask = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(ask.ifr_name, name, sizeof(ask.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &ask) < 0)
		ask.ifr_mtu = 0;
	if (fd >= 0)
		close(fd);
	return (ULONG)ask.ifr_mtu;
}

static ULONG64
speed_of(const char *name)
{
	char path[64 + IFNAMSIZ];
	long megabits = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/speed", name);
	file = fopen(path, "re");
	if (file && fscanf(file, "%ld", &megabits) != 1)
		megabits = -1;
	if (file)
		fclose(file);
	return megabits < 0 ? ~(ULONG64)0 : (ULONG64)megabits * MEGABIT;
}

/* The interface's own entry of the kernel's list. */
static void
describe(IP_ADAPTER_ADDRESSES *to, const struct ifaddrs *at)
{
	const struct sockaddr_ll *link = (const void *)at->ifa_addr;
	size_t n = link->sll_halen < sizeof(to->PhysicalAddress)
			   ? link->sll_halen
			   : sizeof(to->PhysicalAddress);

	to->Length = sizeof(*to);
	to->IfIndex = to->Ipv6IfIndex = (IF_INDEX)link->sll_ifindex;
	to->IfType = type_of(link->sll_hatype);
	if (to->IfType != IF_TYPE_SOFTWARE_LOOPBACK) {
		memcpy(to->PhysicalAddress, link->sll_addr, n);
		to->PhysicalAddressLength = (ULONG)n;
	}
	if (!(at->ifa_flags & IFF_MULTICAST))
		to->Flags |= IP_ADAPTER_NO_MULTICAST;
	to->Mtu = mtu_of(at->ifa_name);
	to->OperStatus =
		at->ifa_flags & IFF_RUNNING ? IfOperStatusUp : IfOperStatusDown;
	to->TransmitLinkSpeed = to->ReceiveLinkSpeed = speed_of(at->ifa_name);
	for (size_t i = 0; i < 16; i++)
		to->ZoneIndices[i] = to->IfIndex;
}

static bool
has_address(const struct question *question, const char *name)
{
	for (const struct ifaddrs *at = question->all; at; at = at->ifa_next)
		if (strcmp(at->ifa_name, name) == 0 && asked_for(question, at))
			return true;
	return false;
}

static IP_ADAPTER_ADDRESSES *
put_interface(struct question *question, const struct ifaddrs *at)
{
	struct arena *arena = &question->arena;
	IP_ADAPTER_ADDRESSES *to = take(arena, sizeof(*to));
	char *name = narrow(arena, at->ifa_name);
	WCHAR *suffix = wide(arena, "");
	WCHAR *description = wide(arena, at->ifa_name);
	WCHAR *friendly = question->flags & GAA_FLAG_SKIP_FRIENDLY_NAME
				  ? NULL
				  : wide(arena, at->ifa_name);

	if (to) {
		describe(to, at);
		to->AdapterName = name;
		to->DnsSuffix = suffix;
		to->Description = description;
		to->FriendlyName = friendly;
	}
	put_unicast(question, at->ifa_name, to);
	if (question->flags & GAA_FLAG_INCLUDE_PREFIX)
		put_prefixes(question, at->ifa_name, to);
	if (!(question->flags & GAA_FLAG_SKIP_DNS_SERVER) &&
	    !(at->ifa_flags & IFF_LOOPBACK))
		put_servers(question, to);
	if (question->flags & GAA_FLAG_INCLUDE_GATEWAYS &&
	    question->family != AF_INET6)
		put_gateways(question, at->ifa_name, to);
	return to;
}

static void
put_all(struct question *question)
{
	IP_ADAPTER_ADDRESSES *before = NULL;

	question->arena.used = 0;
	for (const struct ifaddrs *at = question->all; at; at = at->ifa_next) {
		IP_ADAPTER_ADDRESSES *to;

		if (!at->ifa_addr || at->ifa_addr->sa_family != AF_PACKET ||
		    (!(question->flags & GAA_FLAG_INCLUDE_ALL_INTERFACES) &&
		     !has_address(question, at->ifa_name)))
			continue;
		to = put_interface(question, at);
		if (before)
			before->Next = to;
		before = to;
	}
}

static ULONG
answer(struct question *question, ULONG room, PVOID to, PULONG size)
{
	ULONG needed;

	put_all(question);
	needed = (ULONG)question->arena.used;
	if (needed == 0)
		return ERROR_NO_DATA;
	if (usermem_write(size, &needed, sizeof(needed)) < 0)
		return ERROR_INVALID_PARAMETER;
	if (!to || room < needed)
		return ERROR_BUFFER_OVERFLOW;
	question->arena.base = to;
	question->arena.size = needed;
	put_all(question);
	return NO_ERROR;
}

ULONG WSAAPI
GetAdaptersAddresses(ULONG Family, ULONG Flags, PVOID Reserved,
		     PIP_ADAPTER_ADDRESSES AdapterAddresses, PULONG SizePointer)
{
	struct question question = {.family = linux_family((int)Family),
				    .flags = Flags};
	int before = errno;
	struct ifaddrs *all;
	ULONG room;
	ULONG code;

	(void)Reserved;
	if ((question.family != AF_UNSPEC && question.family != AF_INET &&
	     question.family != AF_INET6) ||
	    usermem_read(&room, SizePointer, sizeof(room)) < 0)
		return ERROR_INVALID_PARAMETER;
	if (getifaddrs(&all) < 0)
		code = ERROR_NOT_ENOUGH_MEMORY;
	else {
		question.all = all;
		code = answer(&question, room, AdapterAddresses, SizePointer);
		freeifaddrs(all);
	}
	errno = before;
	return code;
}
