/* SPDX-License-Identifier: MIT */
/*
 * The ground that every test program stands on. Each test is a process of its
 * own, and leaves as it came: CHECK() compares descriptors, signal mask and
 * children afterwards, and removes the test's directory.
 */
#ifndef PORTRES_TESTS_CHECK_H
#define PORTRES_TESTS_CHECK_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(Suite, Name)                                                     \
	static void Suite##_##Name##_body(void);                               \
	Test(Suite, Name, .fini = check_clean, .timeout = 60)                  \
	{                                                                      \
		const struct tidy before = tidy_look();                        \
                                                                               \
		Suite##_##Name##_body();                                       \
		tidy_compare(&before);                                         \
	}                                                                      \
	static void Suite##_##Name##_body(void)

/* Criterion does not print why a test is skipped. */
#define SKIP(Reason)                                                           \
	do {                                                                   \
		fprintf(stderr, "[SKIP] %s::%s: %s\n",                         \
			criterion_current_test->category,                      \
			criterion_current_test->name, Reason);                 \
		cr_skip_test("%s", Reason);                                    \
	} while (0)

static inline int
fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

struct tidy {
	int fds;
	sigset_t signals;
};

static inline struct tidy
tidy_look(void)
{
	struct tidy tidy = {.fds = fd_count()};

	sigemptyset(&tidy.signals);
	sigprocmask(SIG_SETMASK, NULL, &tidy.signals);
	return tidy;
}

/* In the body, not in .fini: Criterion does not count failures there. */
static inline void
tidy_compare(const struct tidy *before)
{
	struct tidy now = tidy_look();

	cr_assert_eq(now.fds, before->fds, "%d descriptors, %d before", now.fds,
		     before->fds);
	for (int s = 1; s < 65; s++)
		cr_assert_eq(sigismember(&now.signals, s),
			     sigismember(&before->signals, s),
			     "mask of signal %d", s);
	cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
		  "a child is left");
}

static char check_directory_path[64];

/* The test's own directory, made when first asked for. */
static inline const char *
temp_dir(void)
{
	char *path = check_directory_path;

	if (!*path) {
		strcpy(path, "/tmp/portres-test-XXXXXX");
		cr_assert_not_null(mkdtemp(path));
	}
	return path;
}

static inline int
check_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Forgets what else a test leaves with what is in its directory. */
static void (*check_clean_also)(void);

static inline void
check_clean(void)
{
	if (!*check_directory_path)
		return;
	if (check_clean_also)
		check_clean_also();
	nftw(check_directory_path, check_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/*
 * Chance that can be repeated. PORTRES_SEED tries another one; failures of
 * property tests print the seed.
 */
struct dice {
	uint64_t seed, state;
};

static inline struct dice
dice_from(uint64_t seed)
{
	const char *wish = getenv("PORTRES_SEED");

	if (wish)
		seed = strtoull(wish, NULL, 0);
	return (struct dice){seed, seed * 0x9e3779b97f4a7c15u + 1};
}

static inline uint64_t
dice_roll(struct dice *dice)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return dice->state * 0x2545f4914f6cdd1du;
}

/* 0 to n - 1 */
static inline uint32_t
dice_below(struct dice *dice, uint32_t n)
{
	return (uint32_t)((dice_roll(dice) >> 32) % n);
}

static inline bool
dice_chance(struct dice *dice, uint32_t percent)
{
	return dice_below(dice, 100) < percent;
}

#endif
