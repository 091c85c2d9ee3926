/* SPDX-License-Identifier: MIT */
#include "core/pool/user_pool.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "core/kernel/directory.h"
#include "core/kernel/strbuf.h"
#include "core/pool/lock.h"
#include "core/pool/pool.h"

#define NAME_MAX_ 48
#define PATH_SIZE 160
#define NAMES_MAX 1000	   /* that strangers can take */
#define OVERFLOW_UID 65534 /* where the kernel does not say otherwise */

struct search {
	const struct sys_ops *sys;
	const char *place;
	int fd; /* of the place */
	uid_t user;
	bool unmapped;	       /* the place is the outside's */
	char own[NAME_MAX_];   /* portres-UID */
	char found[NAME_MAX_]; /* the shortest name of ours, or "" */
};

/* The uid that stands for all users that are not mapped here. */
static uid_t
overflow_uid(const struct sys_ops *sys)
{
	char text[16];
	uint64_t n = 0;
	long size;
	int fd = sys_open(sys, "/proc/sys/kernel/overflowuid",
			  O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return OVERFLOW_UID;
	size = sys_read(sys, fd, text, sizeof(text));
	sys_close(sys, fd);
	for (long i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	return size > 0 ? (uid_t)n : OVERFLOW_UID;
}

/* portres-UID, or portres-UID. and a number; with the outside's /dev/shm any
 * UID. */
static bool
is_a_name(const struct search *search, const char *name)
{
	size_t n = strlen(search->own);

	if (strlen(name) >= NAME_MAX_)
		return false;
	if (search->unmapped)
		return strncmp(name, USER_POOL_PREFIX,
			       strlen(USER_POOL_PREFIX)) == 0;
	return strncmp(name, search->own, n) == 0 &&
	       (name[n] == '\0' || name[n] == '.');
}

static bool
is_ours(const struct search *search, const char *name)
{
	struct stat st;
	int fd = sys_openat(search->sys, search->fd, name,
			    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	bool ours;

	if (fd < 0)
		return false;
	ours = sys_fstat(search->sys, fd, &st) == 0 &&
	       st.st_uid == search->user && !(st.st_mode & S_IWOTH);
	sys_close(search->sys, fd);
	return ours;
}

static bool
comes_before(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b);

	return n == 0 || m < n || (m == n && strcmp(a, b) < 0);
}

static int
look_through(struct search *search)
{
	char page[512] __attribute__((aligned(8)));
	const struct sys_ops *sys = search->sys;
	long n;
	int dir = sys_openat(sys, search->fd, ".",
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (dir < 0)
		return dir;
	search->found[0] = '\0';
	while ((n = sys_getdents(sys, dir, page, sizeof(page))) > 0)
		for (long at = 0; at < n;) {
			const struct dirent64 *entry = (void *)(page + at);

			if (is_a_name(search, entry->d_name) &&
			    comes_before(entry->d_name, search->found) &&
			    is_ours(search, entry->d_name))
				strcpy(search->found, entry->d_name);
			at += entry->d_reclen;
		}
	sys_close(sys, dir);
	return (int)n;
}

/* Makes one under the first name that is free. */
static int
make_one(const struct search *search)
{
	for (uint32_t i = 0; i < NAMES_MAX; i++) {
		char path[PATH_SIZE];
		struct strbuf text = strbuf_in(path, sizeof(path));
		int r;

		strbuf_string(&text, search->place);
		strbuf_char(&text, '/');
		strbuf_string(&text, search->own);
		if (i > 0) {
			strbuf_char(&text, '.');
			strbuf_number(&text, i);
		}
		if (!strbuf_ok(&text))
			return -ENETDOWN;
		r = directory_make(search->sys, path, S_IRWXU);
		if (r != -EEXIST)
			return r;
	}
	return -ENETDOWN;
}

/* Opens the place, and finds out whether its owner is mapped here. */
static int
begin(struct search *search)
{
	const struct sys_ops *sys = search->sys;
	struct strbuf own = strbuf_in(search->own, sizeof(search->own));
	struct stat st;
	int r = search->fd = sys_open(sys, search->place,
				      O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (r < 0)
		return r;
	search->user = sys_geteuid(sys);
	strbuf_string(&own, USER_POOL_PREFIX);
	strbuf_number(&own, search->user);
	r = sys_fstat(sys, search->fd, &st);
	if (r == 0 && st.st_uid != 0 && st.st_uid != search->user)
		search->unmapped = st.st_uid == overflow_uid(sys);
	else if (r == 0 && st.st_uid != 0 && st.st_uid == overflow_uid(sys))
		r = -ENETDOWN; /* the user is not mapped either */
	if (r < 0)
		sys_close(sys, search->fd);
	return r;
}

static int
find_or_make(struct search *search, bool make)
{
	int r = begin(search);

	if (r < 0)
		return r;
	r = look_through(search);
	if (r == 0 && !search->found[0]) {
		r = search->unmapped || !make ? -ENETDOWN : make_one(search);
		if (r == 0)
			r = look_through(search);
	}
	sys_close(search->sys, search->fd);
	return r == 0 && !search->found[0] ? -ENETDOWN : r;
}

static int
path_of(const char *place, const char *name, char *to, size_t size)
{
	struct strbuf text = strbuf_in(to, size);

	strbuf_string(&text, place);
	strbuf_char(&text, '/');
	strbuf_string(&text, name);
	return strbuf_ok(&text) ? 0 : -ENETDOWN;
}

static int
find(const struct sys_ops *sys, const char *place, bool make, char *to,
     size_t size)
{
	struct search search = {.sys = sys, .place = place};
	int r = find_or_make(&search, make);

	return r < 0 ? r : path_of(place, search.found, to, size);
}

int
user_pool_find(const struct sys_ops *sys, const char *place, bool make,
	       char *to, size_t size)
{
	int r = find(sys, place, make, to, size);

	return r < 0 ? pool_unusable(r) : 0;
}

int
user_pool_open(const struct sys_ops *sys, const char *place,
	       const struct pool_filling *filling, uint64_t netns,
	       const struct fork_block *forks, struct pool *ret_pool)
{
	char path[PATH_SIZE];
	struct strbuf text = strbuf_in(path, sizeof(path));
	uid_t user = sys_geteuid(sys);
	_Atomic uint32_t *word = forks->word();
	struct fork_block_hold hold;
	int r;

	/* Nearly always it is there, and ours. The overflow uid seems to own
	 * files of all users that are not mapped. */
	strbuf_string(&text, place);
	strbuf_string(&text, "/" USER_POOL_PREFIX);
	strbuf_number(&text, user);
	if (!strbuf_ok(&text))
		return -ENETDOWN;
	r = user == OVERFLOW_UID ? -EPERM
				 : pool_open(sys, path, true, filling, netns,
					     forks, ret_pool);
	if (r != -ENOENT && r != -EPERM)
		return r;
	fork_block_hold(sys, word, FORK_BLOCK_HOLD_NS, &hold);
	r = find(sys, place, true, path, sizeof(path));
	fork_block_release(sys, word, &hold);
	if (r == 0)
		r = pool_open(sys, path, true, filling, netns, forks, ret_pool);
	return r < 0 ? pool_unusable(r) : 0;
}
