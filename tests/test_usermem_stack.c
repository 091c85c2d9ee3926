/* SPDX-License-Identifier: MIT */
/* Local variables are not asked for; what lies beyond the stack is. */
#include "shim/usermem.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "tests/check.h"
#include "tests/peer.h"

#define PAGE 4096

/* And after them nothing. */
static char *
two_pages(void)
{
	char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	child_assert(at != MAP_FAILED && munmap(at + 2 * PAGE, PAGE) == 0);
	return at;
}

/* To every question about memory the kernel says from now on: EFAULT. */
static bool
answer_no(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EFAULT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/*
 * On a stack of one page, its last: what begins on it and ends beyond, or lies
 * beyond, is asked for, and so is what is below our frame.
 */
static void
on_a_small_stack(char *page)
{
	uint64_t here[2] = {4, 5}, to[2] = {0, 0};

	child_assert(answer_no());
	child_assert(usermem_read(to, here, sizeof(here)) == 0);
	child_assert(to[0] == 4 && to[1] == 5);
	to[1] = 6;
	child_assert(usermem_write(here, to, sizeof(here)) == 0);
	child_assert(here[1] == 6);
	child_assert(usermem_readable(page + PAGE - 8, 8));
	child_assert(!usermem_readable(page + PAGE - 7, 8));
	child_assert(!usermem_readable(page + PAGE, 1));
	child_assert(!usermem_readable(page + PAGE - 1, SIZE_MAX));
	child_assert(usermem_write(page + PAGE - 7, to, 8) == -EFAULT);
	child_assert(usermem_write(page + PAGE, to, 8) == -EFAULT);
	child_assert(!usermem_readable(page, 8));
	_exit(0);
}

/* In a child process, on a stack of two pages and nothing above. */
static void
run_on_small_stack(void (*body)(char *last_page))
{
	struct peer peer = peer_fork();
	static ucontext_t here, there;

	if (peer.pid == 0) {
		char *page = two_pages() + PAGE;

		child_assert(getcontext(&there) == 0);
		there.uc_stack.ss_sp = page - PAGE;
		there.uc_stack.ss_size = (size_t)2 * PAGE;
		makecontext(&there, (void (*)(void))body, 1, page);
		swapcontext(&here, &there);
	}
	peer_verdict(peer_end(&peer));
}

CHECK(user_stack, local_variables_are_not_asked_for)
{
	run_on_small_stack(on_a_small_stack);
}

/* However many pages above us they begin; what is above the main stack's
 * frames, or below ours, is asked for. */
CHECK(user_stack, the_main_stack_is_known_to_its_bottom)
{
	char local[3 * PAGE], *bottom = (char *)getauxval(AT_RANDOM);
	char *frame = __builtin_frame_address(0);
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		usermem_start();
		memset(local, 7, sizeof(local));
		child_assert(answer_no());
		child_assert(usermem_readable(local, PAGE));
		child_assert(usermem_readable(local + 2 * PAGE, PAGE));
		child_assert(usermem_readable(bottom - 8, 8));
		child_assert(!usermem_readable(bottom - 8, 9));
		child_assert(!usermem_readable(bottom, 1));
		child_assert(!usermem_readable(frame - 16 * PAGE, 1));
		_exit(0);
	}
	peer_verdict(peer_end(&peer));
}
