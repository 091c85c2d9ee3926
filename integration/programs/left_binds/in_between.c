/* SPDX-License-Identifier: MIT */
/*
 * A signal comes while a bind is about to be announced, and another one, of which the
 * stack is as deep, while it is made. in_between PORT: the handler of the first binds to
 * PORT + 1, that of the second to PORT + 2, says "under way" and waits for a line. The
 * signal that raise() makes in bind() behind the library is SIGUSR1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define WORDS(of) (sizeof(of) / sizeof(*(of)))
#define OF_CALL(member) (offsetof(struct seccomp_data, member))

static volatile int first, second;

static __attribute__((noinline)) void bind_to(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		perror("bind");
	close(fd);
}

/* Further in than the other handler's. */
static __attribute__((noinline)) void bind_below(int port)
{
	volatile char room[1500];

	room[0] = room[sizeof(room) - 1] = 0;
	bind_to(port);
	room[1] = room[0];
}

static void on_question(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;
	int port = first, later = second;

	(void)number, (void)info;
	first = second = 0;
	if (port)
		bind_below(port);
	second = later;
#ifdef __aarch64__
	at->uc_mcontext.regs[0] = -EINVAL;
#else
	at->uc_mcontext.gregs[REG_RAX] = -EINVAL;
#endif
}

static void on_bind(int number)
{
	int port = second;

	(void)number;
	second = 0;
	if (first || !port)
		return;
	bind_to(port);
	puts("under way");
	fflush(stdout);
	getchar();
}

/* "Is this readable?" is a signal, too: no `how` is -1. */
static int trap_questions(void)
{
	struct sock_filter words[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OF_CALL(nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OF_CALL(args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)-1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {WORDS(words), words};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0;
}

int main(int argc, char **argv)
{
	struct sigaction bind = {.sa_handler = on_bind, .sa_flags = SA_NODEFER};
	struct sigaction question = {.sa_sigaction = on_question,
				     .sa_flags = SA_SIGINFO | SA_NODEFER};
	int port = argc == 2 ? atoi(argv[1]) : 0;

	sigaction(SIGUSR1, &bind, NULL);
	sigaction(SIGSYS, &question, NULL);
	bind_to(port + 3); /* opens the pool */
	if (trap_questions())
		return 1;
	first = port + 1;
	second = port + 2;
	bind_to(port);
	puts("done");
	return 0;
}
