/* SPDX-License-Identifier: MIT */
/* Pointers of callers: wild, at the edge of what is mapped, read-only. */
#include "shim/usermem.h"

#include <sys/mman.h>

#include "tests/check.h"

#define PAGE 4096

/* Two pages, and after them nothing. */
static char *
edge(void)
{
	char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(at, MAP_FAILED);
	cr_assert_eq(munmap(at + 2 * PAGE, PAGE), 0);
	return at;
}

static const size_t sizes[] = {1,  2,  3,   4,	  7,	8,   9,
			       16, 24, 100, 4000, 4095, 4096};
#define EACH_SIZE(n)                                                           \
	size_t n, i_ = 0;                                                      \
	i_ < sizeof(sizes) / sizeof(*sizes) && (n = sizes[i_], true);          \
	i_++

CHECK(user, reads_what_is_there)
{
	char *memory = edge(), to[PAGE];

	for (int i = 0; i < 2 * PAGE; i++)
		memory[i] = (char)(i * 7);
	for (EACH_SIZE(n))
		for (size_t back = 0; back < 20; back++) {
			/* Up to the last byte, and over a page's edge. */
			char *from[] = {memory + 2 * PAGE - n - back,
					memory + PAGE - n / 2 - back % (n + 1)};

			for (int f = 0; f < 2; f++) {
				cr_assert(usermem_readable(from[f], n));
				memset(to, 0, sizeof(to));
				cr_assert_eq(usermem_read(to, from[f], n), 0);
				cr_assert_eq(memcmp(to, from[f], n), 0);
			}
		}
}

CHECK(user, refuses_what_is_not)
{
	char *memory = edge(), *end = memory + 2 * PAGE, buffer[PAGE];

	for (EACH_SIZE(n)) {
		const void *const wild[] = {NULL,
					    (void *)1,
					    (void *)4095,
					    end,
					    end + 8,
					    end - n + 1,
					    (void *)UINTPTR_MAX,
					    (void *)(UINTPTR_MAX - n + 1),
					    (void *)0xffff800000000000,
					    (void *)0x800000000000,
					    (void *)0xdeadbeefdeadbeef};

		for (size_t w = 0; w < sizeof(wild) / sizeof(*wild); w++) {
			cr_assert_not(usermem_readable(wild[w], n), "%p %zu",
				      wild[w], n);
			cr_assert_eq(usermem_read(buffer, wild[w], n), -EFAULT);
			cr_assert_eq(usermem_write((void *)wild[w], buffer, n),
				     -EFAULT, "%p %zu", wild[w], n);
		}
	}
	/* The last page's protection counts, too. */
	cr_assert_eq(mprotect(memory + PAGE, PAGE, PROT_NONE), 0);
	for (EACH_SIZE(n)) {
		cr_assert_not(usermem_readable(memory + PAGE - n + 1, n));
		cr_assert_eq(usermem_write(memory + PAGE - n + 1, buffer, n),
			     -EFAULT);
		cr_assert(usermem_readable(memory + PAGE - n, n));
	}
}

CHECK(user, writes_these_bytes_and_no_others)
{
	char *memory = edge(), from[PAGE];

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (char)(i * 5 + 1);
	for (EACH_SIZE(n))
		for (size_t back = 0; back < 20; back++) {
			char *to = memory + 2 * PAGE - n - back;

			if (back % 2)
				to = memory + PAGE - n / 2 - back % (n + 1);
			memset(memory, 'x', 2 * PAGE);
			cr_assert_eq(usermem_write(to, from, n), 0);
			cr_assert_eq(memcmp(to, from, n), 0);
			for (char *p = memory; p < memory + 2 * PAGE; p++)
				cr_assert(*p == 'x' || (p >= to && p < to + n),
					  "a neighbour changed");
		}
}

CHECK(user, does_not_write_into_constants)
{
	char *memory = edge(), from[PAGE] = {0};

	memset(memory, 'x', 2 * PAGE);
	cr_assert_eq(mprotect(memory + PAGE, PAGE, PROT_READ), 0);
	for (EACH_SIZE(n)) {
		cr_assert(usermem_readable(memory + 2 * PAGE - n, n));
		cr_assert_eq(usermem_write(memory + 2 * PAGE - n, from, n),
			     -EFAULT);
		cr_assert_eq(usermem_write(memory + PAGE - n + 1, from, n),
			     -EFAULT);
		cr_assert_eq(usermem_write(memory + PAGE - n, from, n), 0);
		memset(memory, 'x', PAGE);
	}
}

/* Memory whose beginning is missing is not touched at its end. */
CHECK(user, a_refused_write_leaves_the_rest_alone)
{
	char *memory = edge(), from[PAGE] = {0};

	memset(memory + PAGE, 'x', PAGE);
	cr_assert_eq(mprotect(memory, PAGE, PROT_NONE), 0);
	for (EACH_SIZE(n))
		for (size_t inside = 1; inside < n; inside++) {
			char *to = memory + PAGE - n + inside;

			cr_assert_eq(usermem_write(to, from, n), -EFAULT);
			cr_assert_eq(memory[PAGE], 'x');
			cr_assert_eq(memcmp(memory + PAGE, memory + PAGE + 1,
					    PAGE - 1),
				     0, "%zu of %zu", inside, n);
		}
}

/* The question is put with the signal mask, which must stay what it was. */
CHECK(user, asking_changes_nothing)
{
	static uint64_t word = UINT64_MAX, out; /* in no frame */
	sigset_t mine, now;

	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mine, NULL);
	errno = 4711;
	cr_assert(usermem_readable(&word, sizeof(word)));
	cr_assert_eq(usermem_read(&out, &word, sizeof(word)), 0);
	cr_assert_eq(usermem_write(&out, &word, sizeof(word)), 0);
	cr_assert_eq(usermem_write(NULL, &word, sizeof(word)), -EFAULT);
	cr_assert_eq(errno, 4711);
	sigprocmask(SIG_SETMASK, NULL, &now);
	cr_assert_eq(sigismember(&now, SIGUSR1), 1);
	cr_assert_eq(sigismember(&now, SIGTERM), 0);
	sigemptyset(&mine);
	sigprocmask(SIG_SETMASK, &mine, NULL);
}
