/* SPDX-License-Identifier: MIT */
/*
 *	filtered CALL PORT [EARLIER-PORT]
 *	filtered CALL listen
 *
 * Binds to the earlier port, puts a filter on itself that answers EPERM to that
 * system call, and binds to the port, or listens on descriptor 0. Its exit
 * status is 0 or the errno.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define CALL(name)                                                             \
	{                                                                      \
#name, SYS_##name                                              \
	}
static const struct {
	const char *name;
	unsigned int nr;
} calls[] = {
	CALL(clock_gettime), CALL(close),      CALL(fallocate),
	CALL(fchmod),	     CALL(fstat),      CALL(fstatfs),
	CALL(getpid),	     CALL(getsockopt), CALL(get_robust_list),
	CALL(gettid),	     CALL(geteuid),    CALL(linkat),
	CALL(madvise),	     CALL(mmap),       CALL(munmap),
	CALL(openat),	     CALL(pread64),    CALL(prlimit64),
	CALL(read),	     CALL(readlinkat), CALL(rt_sigprocmask),
};

static int
bind_to(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}

static int
forbid(const char *call)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};
	size_t i = 0;

	while (strcmp(calls[i].name, call) != 0)
		if (++i == sizeof(calls) / sizeof(*calls))
			return -1;
	filter[1].k = calls[i].nr;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int
main(int argc, char **argv)
{
	if (argc < 3 || (argc > 3 && bind_to(argv[3]) != 0) ||
	    forbid(argv[1]) < 0)
		return 255;
	if (strcmp(argv[2], "listen") == 0)
		return listen(0, 1) < 0 ? errno : 0;
	return bind_to(argv[2]);
}
