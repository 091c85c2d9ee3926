/* SPDX-License-Identifier: MIT */
/* Lines of /proc/locks and fdinfo; how the list is read: test_proc_locks_gaps.
 */
#include "core/kernel/proc_locks.h"

#include <sys/sysmacros.h>

#include "tests/kernel.h"

struct found {
	size_t n;
	uint64_t device[64];
	uint32_t inode[64];
	uint64_t start[64];
};

static void
keep(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	struct found *found = context;

	if (found->n < 64) {
		found->device[found->n] = device;
		found->inode[found->n] = inode;
		found->start[found->n] = start;
	}
	found->n++;
}

static struct found
parse(const char *text, size_t n)
{
	struct found found = {0};
	char *exact = malloc(n + !n); /* a step too far is the sanitizer's */

	memcpy(exact, text, n);
	proc_locks_parse(exact, n, keep, &found);
	free(exact);
	return found;
}

static struct found
parse_text(const char *text)
{
	return parse(text, strlen(text));
}

CHECK(locklist, finds_ofd_locks_among_others)
{
	struct found found = parse_text(
		"1: POSIX  ADVISORY  WRITE 3568 fe:01:2531452 0 EOF\n"
		"2: OFDLCK ADVISORY  READ -1 00:09:3655061 49151 49151\n"
		"3: FLOCK  ADVISORY  WRITE 11924 fe:00:10953120 0 EOF\n"
		"3: -> FLOCK  ADVISORY  WRITE 11929 fe:00:10953120 0 EOF\n"
		"3:  -> FLOCK  ADVISORY  WRITE 11930 fe:00:10953120 0 EOF\n"
		"4: LEASE  ACTIVE    READ 4711 fe:01:2531 0 EOF\n"
		"5: DELEG  BREAKING  READ 4711 fe:01:2531 0 EOF\n"
		"6: ACCESS *NOINODE* WRITE 4711 <none>:0 1073741826 EOF\n"
		"1000: OFDLCK ADVISORY  WRITE -1 103:02:18446744073709551615 "
		"9223372036854775807 9223372036854775807\n"
		"1001: OFDLCK ADVISORY  WRITE -1 00:09:7 0 EOF\n");

	cr_assert_eq(found.n, 3);
	cr_assert(found.inode[0] == 3655061 && found.start[0] == 49151);
	cr_assert_eq(found.device[0], makedev(0, 9));
	cr_assert_eq(found.device[1], makedev(0x103, 2));
	cr_assert(found.inode[1] == UINT32_MAX && found.start[1] == INT64_MAX);
	cr_assert(found.inode[2] == 7 && found.start[2] == 0);
}

CHECK(locklist, finds_locks_in_fdinfo)
{
	struct found found = parse_text(
		"pos:\t0\nflags:\t02\nmnt_id:\t10\nino:\t3655061\n"
		"lock:\t1: OFDLCK ADVISORY  READ -1 00:09:3655061 77 77\n"
		"lock:\t2: OFDLCK ADVISORY  READ -1 00:09:3655061 99 99\n");

	cr_assert_eq(found.n, 2);
	cr_assert_eq(found.inode[1], 3655061);
	cr_assert(found.start[0] == 77 && found.start[1] == 99);
}

/* A lock that somebody waits for is held by another: it is not a lease. */
CHECK(locklist, finds_nothing_where_nothing_is)
{
	static const char *const empty[] = {
		"",
		"\n",
		"\n\n\n",
		"OFDLCK",
		"1: OFDLCK\n",
		"1: OFDLCK ",
		"1: OFDLCK ADVISORY  READ -1 00:09:3655061",
		"1: OFDLCK ADVISORY  READ -1\n 00:09:3655061 5 5\n",
		"lock:\t",
		"1: POSIX  ADVISORY  READ 1 00:09:36 49151 49151\n",
		" ",
		":"};

	for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++)
		cr_assert_eq(parse_text(empty[i]).n, 0, "\"%s\"", empty[i]);
}

CHECK(locklist, last_line_needs_no_newline)
{
	struct found found =
		parse_text("1: OFDLCK ADVISORY  READ -1 00:09:36 5 5\n"
			   "2: OFDLCK ADVISORY  READ -1 00:09:36 6 6");

	cr_assert_eq(found.n, 2);
	cr_assert_eq(found.start[1], 6);
}

/* Cut anywhere: the whole lines before the cut are still found. */
CHECK(locklist, a_cut_text_keeps_its_whole_lines)
{
	static const char text[] =
		"1: OFDLCK ADVISORY  READ -1 00:09:36 123456 123456\n"
		"1: -> OFDLCK ADVISORY  WRITE -1 00:09:36 123456 123456\n"
		"2: OFDLCK ADVISORY  READ -1 00:09:36 777777 777777\n";

	for (size_t n = 0; n < sizeof(text); n++) {
		struct found found = parse(text, n);

		cr_assert_leq(found.n, 3);
		if (n >= 51)
			cr_assert_eq(found.start[0], 123456, "cut at %zu", n);
		if (n >= sizeof(text) - 1)
			cr_assert_eq(found.start[found.n - 1], 777777);
	}
}

CHECK(locklist, numbers_without_end_and_noise_do_no_harm)
{
	static const char letters[] = "OFDLCK ADVISORY -1 0:9\n\n  \t>->EOF";
	struct dice dice = dice_from(13);
	char text[400];

	parse_text("1: OFDLCK ADVISORY  READ -1 0:0:0 "
		   "99999999999999999999999999999999999999999999999 1\n");
	for (int i = 0; i < 20000; i++) {
		size_t n = dice_below(&dice, sizeof(text));

		for (size_t c = 0; c < n; c++)
			text[c] = letters[dice_below(&dice, sizeof(letters))];
		for (int w = 0; n > 40 && w < 3; w++)
			memcpy(text + dice_below(&dice, (uint32_t)n - 30),
			       "1: OFDLCK ADVISORY  READ -1 0",
			       dice_below(&dice, 30));
		parse(text, n);
	}
}

/* Every error of the kernel is handed on, and no descriptor stays behind. */
CHECK(locklist, read_says_what_failed)
{
	struct found found = {0};
	const struct {
		long nr;
		int error;
	} each[] = {{SYS_openat, -EMFILE},  {SYS_openat, -EACCES},
		    {SYS_openat, -ENOENT},  {SYS_openat, -ENFILE},
		    {SYS_fstatfs, -ENOSYS}, {SYS_fstat, -EIO},
		    {SYS_fcntl, -ENOLCK},   {SYS_mmap, -ENOMEM},
		    {SYS_pread64, -EIO},    {SYS_pread64, -ENOMEM}};

	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		struct kernel_refusing kernel =
			kernel_refusing(each[i].nr, each[i].error, NULL);
		int fds = fd_count();

		cr_assert_eq(proc_locks_read(&kernel.ops, NULL, keep, &found),
			     each[i].error);
		cr_assert_eq(kernel.asked, 1);
		cr_assert_eq(fd_count(), fds);
	}
	cr_assert_eq(found.n, 0);
}
