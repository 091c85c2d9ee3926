/* SPDX-License-Identifier: MIT */
/* The calls of bpf(2) that the guard needs once its programs are loaded. Each
 * returns the kernel's answer: >= 0, or -1 with errno. */
#ifndef PORTRES_CLI_BPF_H
#define PORTRES_CLI_BPF_H

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int
bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* Which program the kernel has first; ENOENT: none. Those who may load programs
 * are told. */
static inline int
bpf_first_program(void)
{
	union bpf_attr a = {0};

	return bpf(BPF_PROG_GET_NEXT_ID, &a);
}

static inline int
bpf_pin(int fd, const char *path)
{
	union bpf_attr a = {.pathname = (uintptr_t)path, .bpf_fd = (__u32)fd};

	return bpf(BPF_OBJ_PIN, &a);
}

/* A descriptor of what is pinned there. */
static inline int
bpf_open(const char *path)
{
	union bpf_attr a = {.pathname = (uintptr_t)path};

	return bpf(BPF_OBJ_GET, &a);
}

/* Attaches a program to a cgroup, beside others: a descriptor of the link, with
 * which it goes. */
static inline int
bpf_attach(int program, int cgroup, enum bpf_attach_type type)
{
	union bpf_attr a = {0};

	a.link_create.prog_fd = (__u32)program;
	a.link_create.target_fd = (__u32)cgroup;
	a.link_create.attach_type = type;
	return bpf(BPF_LINK_CREATE, &a);
}

/* Puts another program in the place of the link's, at once. */
static inline int
bpf_replace(int link, int program)
{
	union bpf_attr a = {0};

	a.link_update.link_fd = (__u32)link;
	a.link_update.new_prog_fd = (__u32)program;
	return bpf(BPF_LINK_UPDATE, &a);
}

/* Ends it now, whoever has a descriptor: without that a link goes some time
 * after its pin. */
static inline int
bpf_detach(int link)
{
	union bpf_attr a = {0};

	a.link_detach.link_fd = (__u32)link;
	return bpf(BPF_LINK_DETACH, &a);
}

static inline int
bpf_info(int fd, void *info, size_t size)
{
	union bpf_attr a = {0};

	a.info.bpf_fd = (__u32)fd;
	a.info.info_len = (__u32)size;
	a.info.info = (uintptr_t)info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &a);
}

/* The cgroup that a link is attached to; 0: none any more. */
static inline int
bpf_link_cgroup(int link, uint64_t *ret)
{
	struct bpf_link_info info = {0};
	int r = bpf_info(link, &info, sizeof(info));

	if (r == 0)
		*ret = info.cgroup.cgroup_id;
	return r;
}

/* How large a value of the map is, for a read fills in all of it. */
static inline int
bpf_value_size(int map, uint32_t *ret)
{
	struct bpf_map_info info = {0};
	int r = bpf_info(map, &info, sizeof(info));

	if (r == 0)
		*ret = info.value_size;
	return r;
}

static inline int
bpf_read(int map, uint32_t key, void *value)
{
	union bpf_attr a = {0};

	a.map_fd = (__u32)map;
	a.key = (uintptr_t)&key;
	a.value = (uintptr_t)value;
	return bpf(BPF_MAP_LOOKUP_ELEM, &a);
}

static inline int
bpf_write(int map, uint32_t key, const void *value)
{
	union bpf_attr a = {0};

	a.map_fd = (__u32)map;
	a.key = (uintptr_t)&key;
	a.value = (uintptr_t)value;
	return bpf(BPF_MAP_UPDATE_ELEM, &a);
}

#endif
