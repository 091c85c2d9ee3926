/* SPDX-License-Identifier: MIT */
/* Files that may be a store and files that may not; the file that is made in
 * place of one. */
#include "core/pool/store.h"

#include <sys/resource.h>

#include "tests/store_kit.h"

#define NAME "persistent"
#define NEW "persistent.new"

/* For reading and for writing alike, and nothing is made of it. */
static void
expect_refused(int r, const char *what)
{
	struct stat before = kit_stat(NAME), after;

	for (int write = 0; write < 2; write++) {
		struct store store = {.length = 99};
		int got = store_open(&sys_kernel, temp_dir(), write, &store);

		cr_assert_eq(got, r, "%s: %d", what, got);
		cr_assert_eq(store.length, 99, "%s: *ret was touched", what);
	}
	cr_assert_eq(kit_add(&sys_kernel), r, "%s", what);
	after = kit_stat(NAME);
	cr_assert(after.st_ino == before.st_ino &&
			  after.st_mode == before.st_mode &&
			  after.st_size == before.st_size,
		  "%s was changed", what);
	cr_assert(kit_missing(NEW));
	cr_assert_eq(remove(kit_path(NAME)), 0);
}

CHECK(store_file, what_is_no_file_is_refused)
{
	static const struct {
		void (*make)(const char *);
		int r;
		const char *what;
	} things[] = {
		{kit_fifo, -EMEDIUMTYPE, "fifo"},
		{kit_directory, -EMEDIUMTYPE, "directory"},
		{kit_socket, -EMEDIUMTYPE, "socket"},
		{kit_symlink, -EMEDIUMTYPE, "symbolic link"},
		{kit_device, -EMEDIUMTYPE, "device"},
		{kit_hard_link, -EMLINK, "hard link"},
	};

	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		things[i].make(NAME);
		expect_refused(things[i].r, things[i].what);
	}
	cr_assert(kit_has("secret", SECRET));
}

CHECK(store_file, what_is_no_text_is_refused)
{
	char text[] = "tcp 5 1 # \n";

	for (unsigned c = 0; c < 256; c++) {
		struct store store;
		bool control = (c < 32 || c == 127) && !strchr("\t\n\f\r", c);

		if (c == 0)
			control = true; /* strchr() finds the end */
		text[9] = (char)c;
		kit_write(NAME, text, sizeof(text) - 1);
		if (control) {
			expect_refused(-EILSEQ, "a control character");
			continue;
		}
		cr_assert_eq(store_open(&sys_kernel, temp_dir(), false, &store),
			     0, "character %u", c);
		cr_assert_eq(store.length, sizeof(text) - 1);
		store_close(&store);
	}
}

/* The longest there may be, and one more byte. */
CHECK(store_file, what_is_too_large_is_refused)
{
	char *text = malloc(STORE_MAX + 1);

	memset(text, '#', STORE_MAX + 1);
	kit_write(NAME, text, STORE_MAX + 1);
	expect_refused(-EFBIG, "1 MiB and a byte");
	kit_write(NAME, text, STORE_MAX);
	/* It can be read, but another line would be the end of that. */
	cr_assert_eq(kit_add(&sys_kernel), -EFBIG);
	cr_assert_eq(kit_stat(NAME).st_size, STORE_MAX);
	cr_assert(kit_missing(NEW));
	free(text);
}

/* A limit on files would be a signal, and the program's end. */
CHECK(store_file, a_limit_on_files_is_an_error)
{
	const struct rlimit limit = {16, 16};

	kit_text(NAME, "# 16 bytes long\n");
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(kit_add(&sys_kernel), -EFBIG);
	cr_assert(kit_has(NAME, "# 16 bytes long\n"));
}

static void
unlink_file(void)
{
	unlink(kit_path(NAME));
}

static void
replace_file(void)
{
	unlink_file();
	kit_text(NAME, "udp 7 7\n");
}

/* A file that is looked at may have lost its name since it was opened. */
static struct kernel_meddling
after_opening(void (*meddle)(void))
{
	struct kernel_meddling kernel =
		kernel_meddling(SYS_openat, NAME, meddle, 1);

	kernel.after = true;
	return kernel;
}

/* A secret with one name again, which is not ours. */
CHECK(store_file, a_link_that_goes_while_we_look_is_not_written)
{
	struct kernel_meddling kernel = after_opening(unlink_file);

	kit_hard_link(NAME);
	cr_assert_eq(kit_add(&kernel.ops), -EBUSY);
	cr_assert_eq(kernel.times, 0);
	cr_assert(kit_missing(NAME) && kit_missing(NEW));
}

CHECK(store_file, readers_stand_beside_a_writer)
{
	struct kernel_meddling kernel = after_opening(replace_file);
	struct store store;

	kit_text(NAME, "tcp 5 1\n");
	cr_assert_eq(store_open(&kernel.ops, temp_dir(), false, &store), 0);
	cr_assert_eq(memcmp(store.text, "tcp 5 1\n", store.length), 0);
	cr_assert_eq(store.length, 8);
	store_close(&store);
}

CHECK(store_file, a_lease_on_it_holds_nobody_up)
{
	struct store store;
	int held;

	kit_text(NAME, "tcp 5 1\n");
	held = kit_lease(NAME);
	cr_assert_eq(store_open(&sys_kernel, temp_dir(), false, &store),
		     -EBUSY);
	cr_assert_eq(kit_add(&sys_kernel), -EBUSY);
	close(held);
	cr_assert_eq(kit_add(&sys_kernel), 0);
}
