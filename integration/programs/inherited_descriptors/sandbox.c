/* SPDX-License-Identifier: MIT */
/*
 *	inherited_sandbox ERRNO
 *
 * In a sandbox where close_range() fails with that number: opens a file at 20,
 * calls closefrom(3), and says which descriptors are left.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
forbid_close_range(unsigned int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int
main(int argc, char **argv)
{
	struct dirent *entry;
	DIR *directory;

	if (argc != 2 || dup2(0, 20) < 0 ||
	    forbid_close_range((unsigned int)atoi(argv[1])))
		return 1;
	errno = 4321;
	closefrom(3);
	printf("errno %d, left", errno);
	directory = opendir("/proc/self/fd");
	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' &&
		    atoi(entry->d_name) != dirfd(directory))
			printf(" %s", entry->d_name);
	puts("");
	return 0;
}
