/* SPDX-License-Identifier: MIT */
/*
 * A filter of system calls. Each rule is the name of a call, or NAME:I:N, a
 * call whose argument I, from 0 on, is N: "socket:0:10" is a socket of IPv6.
 */
#ifndef FILTER_H
#define FILTER_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define CALL(name)                                                             \
	{                                                                      \
#name, SYS_##name                                              \
	}
static const struct {
	const char *name;
	unsigned int nr;
} calls[] = {
	CALL(bind),	 CALL(clock_gettime), CALL(close),
	CALL(fallocate), CALL(fchmod),	      CALL(fcntl),
	CALL(flock),	 CALL(fstat),	      CALL(fstatfs),
	CALL(getpid),	 CALL(getsockopt),    CALL(get_robust_list),
	CALL(gettid),	 CALL(geteuid),	      CALL(linkat),
	CALL(madvise),	 CALL(mmap),	      CALL(munmap),
	CALL(openat),	 CALL(pread64),	      CALL(prlimit64),
	CALL(read),	 CALL(readlinkat),    CALL(rt_sigprocmask),
	CALL(socket),
};

static struct sock_filter filter[64];
static unsigned short length;

static void
add(struct sock_filter op)
{
	filter[length++] = op;
}

#define LOAD(what)                                                             \
	add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,             \
					 offsetof(struct seccomp_data, what)))

/* A call that does not match goes on behind the answer. */
#define UNLESS(value, steps)                                                   \
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,  \
					 steps))

static int
number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return (int)calls[i].nr;
	return -1;
}

/* Returns 0, or -1 for a rule that is none. */
static int
answer_to(const char *rule, int error)
{
	char name[32];
	unsigned int argument, value;
	int parts = sscanf(rule, "%31[a-z_0-9]:%u:%u", name, &argument, &value);
	int nr = parts > 0 ? number_of(name) : -1;

	if (nr < 0 || parts == 2 || length > 50)
		return -1;
	LOAD(nr);
	UNLESS((unsigned int)nr, parts == 3 ? 3 : 1);
	if (parts == 3) {
		LOAD(args[argument]);
		UNLESS(value, 1);
	}
	add((struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)error));
	return 0;
}

/* From now on. Returns 0 or -1. */
static int
put_filter_on(void)
{
	struct sock_fprog program = {.filter = filter};

	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	program.len = length;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#endif
