/* SPDX-License-Identifier: MIT */
/*
 *	sandbox ERRNO RULE... -- COMMAND...
 *
 * Executes the command in a sandbox whose filter answers with that number to
 * what the rules name: a number of a system call, or family:N, a socket() of
 * that address family.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(what)                                                             \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))

static struct sock_filter filter[64];
static unsigned short length;

static void
add(struct sock_filter op)
{
	filter[length++] = op;
}

/* A call that does not match goes on behind the answer. */
static void
add_rule(const char *rule, unsigned int error)
{
	const char *family = strncmp(rule, "family:", 7) ? NULL : rule + 7;
	unsigned int nr = family ? SYS_socket : (unsigned int)atoi(rule);

	add((struct sock_filter)LOAD(nr));
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0,
					 family ? 3 : 1));
	if (family) {
		add((struct sock_filter)LOAD(args[0]));
		add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						 (unsigned int)atoi(family), 0,
						 1));
	}
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					 SECCOMP_RET_ERRNO | error));
}

int
main(int argc, char **argv)
{
	struct sock_fprog program = {.filter = filter};
	int i = 2;

	if (argc < 4)
		return 2;
	for (; i < argc && strcmp(argv[i], "--") && length < 50; i++)
		add_rule(argv[i], (unsigned int)atoi(argv[1]));
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	program.len = length;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("seccomp");
		return 3;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
