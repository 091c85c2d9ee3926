/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The calling process: which sockets it holds, and what it may. Read from the
 * kernel's own structures, of which only the members named here matter: their
 * offsets are looked up in the running kernel's types.
 */
#ifndef PORTRES_GUARD_CALLER_H
#define PORTRES_GUARD_CALLER_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "guard/state.h"

#define OF_KERNEL __attribute__((preserve_access_index))

struct user_namespace {
	int level;
} OF_KERNEL;

struct local_ports {
	uint32_t range; /* the high one << 16 | the low one */
} OF_KERNEL;

struct netns_ipv4 {
	int sysctl_ip_prot_sock;
	struct local_ports ip_local_ports;
	unsigned long *sysctl_local_reserved_ports;
} OF_KERNEL;

struct net {
	struct netns_ipv4 ipv4;
	struct user_namespace *user_ns;
} OF_KERNEL;

typedef struct {
	struct net *net;
} OF_KERNEL possible_net_t;

struct sock_common {
	possible_net_t skc_net;
} OF_KERNEL;

struct sock {
	struct sock_common __sk_common;
} OF_KERNEL;

struct socket {
	struct sock *sk;
} OF_KERNEL;

struct inode {
	unsigned short i_mode;
} OF_KERNEL;

struct file {
	struct inode *f_inode;
	void *private_data;
} OF_KERNEL;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} OF_KERNEL;

struct files_struct {
	struct fdtable *fdt;
} OF_KERNEL;

typedef struct {
	uint32_t first;
} kernel_cap_t;

typedef struct {
	uint32_t val;
} kuid_t;

typedef struct {
	uint32_t val;
} kgid_t;

struct group_info {
	int ngroups;
	kgid_t gid[];
} OF_KERNEL;

struct cred {
	kuid_t euid;
	kgid_t egid;
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
	struct group_info *group_info;
} OF_KERNEL;

struct task_struct {
	struct task_struct *group_leader;
	uint64_t start_time;
	struct files_struct *files;
	const struct cred *cred;
} OF_KERNEL;

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define CAP_NET_BIND_SERVICE 10
#define CAP_NET_ADMIN 12
#define CAP_SYS_ADMIN 21
#define GROUPS_MAX 1024 /* of a user, looked at */

/* The kernel's address of a socket that a program was called with. The verifier
 * knows it for a pointer; read from memory it is a number. */
static __always_inline struct sock *
address_of(void *sk)
{
	void *given = sk;
	struct sock *address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &given);
	return address;
}

/* The socket at that descriptor, or 0. */
static __always_inline uint64_t
socket_at(int32_t fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = 0;
	struct socket *socket;

	if (fd < 0 || (uint32_t)fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file),
			      BPF_CORE_READ(table, fd) + fd);
	if (!file ||
	    (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return (uint64_t)BPF_CORE_READ(socket, sk);
}

/* When the calling process began: with its number, which may be another's when
 * it has ended, that is the process. */
static __always_inline uint64_t
caller_began(void)
{
	/* Asked by every bind of a TRIAL: a pointer that the verifier knows is
	 * read without a helper. */
	struct task_struct *task = bpf_get_current_task_btf();

	return task->group_leader->start_time;
}

static __always_inline uint32_t
caller_pid(void)
{
	return (uint32_t)(bpf_get_current_pid_tgid() >> 32);
}

/* The effective ids, as everywhere in the kernel; a helper has the real ones.
 */

static __always_inline uint32_t
caller_uid(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, cred, euid.val);
}

static __always_inline uint32_t
caller_gid(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, cred, egid.val);
}

/* The first 32 capabilities. */
static __always_inline uint32_t
capabilities(const struct cred *cred)
{
	uint32_t first = 0;

	bpf_probe_read_kernel(&first, sizeof(first), &cred->cap_effective);
	return first;
}

/* Is the caller the machine's root, with one of these capabilities? That of a
 * user namespace is not, and a container's has not got them. */
static __always_inline bool
is_root(uint32_t any)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = BPF_CORE_READ(task, cred);

	return caller_uid() == 0 && BPF_CORE_READ(cred, user_ns, level) == 0 &&
	       capabilities(cred) & any;
}

static __always_inline bool
is_administrator(void)
{
	return is_root(1 << CAP_SYS_ADMIN);
}

/* Has the caller root's right to the network? */
static __always_inline bool
is_network_root(void)
{
	return is_root(1 << CAP_NET_ADMIN | 1 << CAP_SYS_ADMIN);
}

/* The user whose quota the caller's blocks are of. */
static __always_inline uint32_t
payer(void)
{
	return is_network_root() ? GUARD_NOBODY : caller_uid();
}

/* May the caller bind the port, by its number? */
static __always_inline bool
may_bind(struct sock *sk, uint32_t port)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct net *net = BPF_CORE_READ(sk, __sk_common.skc_net.net);
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct user_namespace *own = BPF_CORE_READ(cred, user_ns);

	if (port >= (uint32_t)BPF_CORE_READ(net, ipv4.sysctl_ip_prot_sock))
		return true;
	if (own != BPF_CORE_READ(net, user_ns) && BPF_CORE_READ(own, level))
		return false;
	return capabilities(cred) >> CAP_NET_BIND_SERVICE & 1;
}

struct group_search {
	const kgid_t *groups;
	uint32_t gid;
	uint32_t found;
};

static long
is_that_group(uint32_t i, struct group_search *search)
{
	uint32_t gid = 0;

	bpf_probe_read_kernel(&gid, sizeof(gid), search->groups + i);
	if (gid != search->gid)
		return 0;
	search->found = 1;
	return 1;
}

/* Is the caller that user, or in that group, or root? A container's root is
 * not, though the store be root's, or its group's. */
static __always_inline bool
is_of(uint32_t uid, uint32_t gid)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct group_search search = {.gid = gid};
	struct group_info *groups;
	uint32_t n;

	if (caller_uid() == 0)
		return is_network_root();
	if (caller_uid() == uid)
		return true;
	if (gid == (uint32_t)-1)
		return false;
	if (caller_gid() == gid)
		return true;
	groups = BPF_CORE_READ(task, cred, group_info);
	search.groups = &groups->gid[0];
	n = (uint32_t)BPF_CORE_READ(groups, ngroups);
	bpf_loop(n < GROUPS_MAX ? n : GROUPS_MAX, is_that_group, &search, 0);
	return search.found;
}

#endif
