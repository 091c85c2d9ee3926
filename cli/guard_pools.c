/* SPDX-License-Identifier: MIT */
#include "cli/guard_pools.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/process.h"
#include "cli/seen.h"
#include "core/kernel/sys.h"
#include "core/pool/pool.h"
#include "core/pool/user_pool.h"

#define MACHINE_POOL "/run/portres"

struct search {
	guard_pool_found *found;
	void *context;
	struct seen seen;    /* directories and files */
	struct stat machine; /* MACHINE_POOL; st_ino 0: there is none */
	uint32_t failed;
};

/* Neither a link of /proc leads out of the process's root, nor any other. */
static int
open_below(int root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* A failure that says more than that there is nothing. */
static void
note_failure(struct search *search)
{
	search->failed += errno != ENOENT && errno != ENOTDIR && errno != ESRCH;
}

static bool
is_pool(int fd)
{
	struct pool_header header;

	return pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       atomic_load(&header.magic) == POOL_MAGIC &&
	       header.layout == POOL_LAYOUT;
}

/* Opens what `path` is: nothing but a file of the right size, on a file system
 * that answers by itself. */
static int
open_file(int path, const struct stat *st)
{
	char name[64];
	struct statfs fs;

	if (!S_ISREG(st->st_mode) || st->st_size != sizeof(struct pool_file) ||
	    fstatfs(path, &fs) < 0 || !pool_file_system_fits(fs.f_type)) {
		errno = ENOENT;
		return -1;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path);
	return open(name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void
add_file(struct search *search, int directory, const char *name, bool machines)
{
	int path = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct guard_pool pool = {.machines = machines};
	struct stat st;

	if (path < 0)
		return note_failure(search);
	if (fstat(path, &st) == 0 && !seen_before(&search->seen, &st)) {
		pool.fd = open_file(path, &st);
		pool.owner = st.st_uid;
		pool.netns = strtoull(name + strlen("pool-"), NULL, 10);
		if (pool.fd < 0)
			note_failure(search);
		else if (!is_pool(pool.fd) ||
			 !search->found(search->context, &pool))
			close(pool.fd);
	}
	close(path);
}

static void
add_directory(struct search *search, int root, const char *path)
{
	int fd = open_below(root, path, O_RDONLY | O_DIRECTORY);
	DIR *directory = NULL;
	struct dirent *entry;
	bool machines;
	struct stat st;

	if (fd < 0)
		return note_failure(search);
	if (fstat(fd, &st) == 0 && !seen_before(&search->seen, &st))
		directory = fdopendir(fd);
	machines = directory && st.st_ino == search->machine.st_ino &&
		   st.st_dev == search->machine.st_dev;
	while (directory && (entry = readdir(directory)))
		if (strncmp(entry->d_name, "pool-", 5) == 0)
			add_file(search, fd, entry->d_name, machines);
	if (directory)
		closedir(directory);
	else
		close(fd);
}

/* Those of users, in the directory where each has one. */
static void
add_users(struct search *search, int root)
{
	int fd = open_below(root, USER_POOL_PLACE, O_RDONLY | O_DIRECTORY);
	DIR *directory = NULL;
	struct dirent *entry;
	char path[PATH_MAX];
	struct stat st;

	if (fd < 0)
		return note_failure(search);
	if (fstat(fd, &st) == 0 && !seen_before(&search->seen, &st))
		directory = fdopendir(fd);
	while (directory && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, USER_POOL_PREFIX,
			    strlen(USER_POOL_PREFIX)) != 0)
			continue;
		snprintf(path, sizeof(path), USER_POOL_PLACE "/%s",
			 entry->d_name);
		add_directory(search, root, path);
	}
	if (directory)
		closedir(directory);
	else
		close(fd);
}

/* The value of a variable of that process, "" where it has none. */
static char *
variable(uint32_t pid, const char *name, char *to, size_t size)
{
	char path[64], *text = NULL;
	size_t room = 0, length = strlen(name);
	FILE *file;

	*to = '\0';
	snprintf(path, sizeof(path), "/proc/%u/environ", pid);
	file = fopen(path, "re");
	while (file && getdelim(&text, &room, '\0', file) > 0)
		if (strncmp(text, name, length) == 0 && text[length] == '=')
			snprintf(to, size, "%s", text + length + 1);
	free(text);
	if (file)
		fclose(file);
	return to;
}

static void
add_pools_of(struct search *search, uint32_t pid)
{
	char named[2048], path[64];
	int root;

	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		/* Not one that we may look into. */
		search->failed += errno == EMFILE || errno == ENFILE;
		return;
	}
	add_directory(search, root, MACHINE_POOL);
	add_users(search, root);
	if (*variable(pid, "PORTRES_POOL", named, sizeof(named)) == '/')
		add_directory(search, root, named);
	close(root);
}

static void
each_process(struct search *search, bool roots)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && (entry = readdir(processes))) {
		uint32_t pid = (uint32_t)atoi(entry->d_name);

		if (pid && (process_user(pid) == 0) == roots)
			add_pools_of(search, pid);
	}
	if (processes)
		closedir(processes);
}

uint32_t
guard_pools_each(guard_pool_found *found, void *context)
{
	struct search search = {.found = found, .context = context};

	if (stat(MACHINE_POOL, &search.machine) < 0)
		search.machine.st_ino = 0;
	/* Reading the environment of another user's process may last as long as
	 * he likes. */
	each_process(&search, true);
	each_process(&search, false);
	seen_free(&search.seen);
	return search.failed;
}
