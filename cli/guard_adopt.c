/* SPDX-License-Identifier: MIT */
#include "cli/guard_adopt.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/open_pool.h"
#include "cli/process.h"
#include "core/kernel/guard.h"
#include "core/kernel/sock.h"
#include "core/pool/persistent.h"
#include "core/pool/slot.h"
#include "core/pool/user_pool.h"
#include "portres.h"
#include "shim/config.h"

/* A pool file, which any user may have written: it is read, never mapped. */
struct file {
	int fd;
	dev_t device;
	ino_t inode;
	uint64_t netns;
};

/* A runtime block that seems to live. */
struct wanted {
	uint32_t file;	 /* its index */
	uint32_t number; /* of the slot */
	struct slot slot;
	bool seen;
};

struct search {
	struct file *files;
	uint32_t file_count;
	struct wanted *wanted; /* by inode */
	uint32_t wanted_count;
	ino_t *mounts; /* mount namespaces whose usual places were looked at */
	uint32_t mount_count;
	struct adopted result;
};

static void *
grow(void *array, uint32_t count, size_t size)
{
	if (count & (count - 1)) /* it has room up to the next power of two */
		return array;
	array = realloc(array, (count ? 2 * (size_t)count : 1) * size);
	if (!array)
		abort();
	return array;
}

/* The files of a directory. */

static bool
is_pool(int fd, const struct stat *st)
{
	struct pool_header header;

	return S_ISREG(st->st_mode) &&
	       st->st_size == sizeof(struct pool_file) &&
	       pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       atomic_load(&header.magic) == POOL_MAGIC &&
	       header.layout == POOL_LAYOUT;
}

static void
add_file(struct search *search, int directory, const char *name)
{
	int fd = openat(directory, name,
			O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *end;

	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || !is_pool(fd, &st))
		goto leave;
	for (uint32_t i = 0; i < search->file_count; i++)
		if (search->files[i].device == st.st_dev &&
		    search->files[i].inode == st.st_ino)
			goto leave;
	search->files =
		grow(search->files, search->file_count, sizeof(struct file));
	search->files[search->file_count++] = (struct file){
		fd, st.st_dev, st.st_ino, strtoull(name + 5, &end, 10)};
	return;
leave:
	close(fd);
}

/* `prefix`: of the names that are looked for. */
static void
each_name(const char *path, const char *prefix,
	  void (*found)(struct search *, int directory, const char *name),
	  struct search *search)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			found(search, dirfd(directory), entry->d_name);
	if (directory)
		closedir(directory);
}

static void
add_directory(struct search *search, const char *path)
{
	each_name(path, "pool-", add_file, search);
}

static void
add_users(struct search *search, int directory, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory, name);
	add_directory(search, path);
}

/* /run/portres and /dev/shm/portres-UID, as that process sees them. */
static void
add_usual_places(struct search *search, uint32_t pid)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
	if (stat(path, &st) < 0)
		return;
	for (uint32_t i = 0; i < search->mount_count; i++)
		if (search->mounts[i] == st.st_ino)
			return;
	search->mounts =
		grow(search->mounts, search->mount_count, sizeof(ino_t));
	search->mounts[search->mount_count++] = st.st_ino;
	snprintf(path, sizeof(path), "/proc/%u/root/run/portres", pid);
	add_directory(search, path);
	snprintf(path, sizeof(path), "/proc/%u/root" USER_POOL_PLACE, pid);
	each_name(path, USER_POOL_PREFIX, add_users, search);
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
	char named[2048], path[PATH_MAX];

	add_usual_places(search, pid);
	if (*variable(pid, "PORTRES_POOL", named, sizeof(named)) != '/')
		return;
	snprintf(path, sizeof(path), "/proc/%u/root%s", pid, named);
	add_directory(search, path);
}

static void
find_files(struct search *search)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && (entry = readdir(processes)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			add_pools_of(search, (uint32_t)atoi(entry->d_name));
	if (processes)
		closedir(processes);
}

/* Their blocks. */

static off_t
place_of(uint32_t number)
{
	return (off_t)(offsetof(struct pool_file, slot) +
		       number * sizeof(struct slot));
}

static bool
read_slot(const struct file *file, uint32_t number, struct slot *ret)
{
	return pread(file->fd, ret, sizeof(*ret), place_of(number)) ==
	       sizeof(*ret);
}

static void
find_blocks(struct search *search, uint32_t file)
{
	struct slot slot;

	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		if (!read_slot(&search->files[file], i, &slot) ||
		    !slot_live(&slot) || slot_is_dead(&slot) ||
		    slot.kind != KIND_RUNTIME || !slot_range(&slot).count ||
		    slot.protocol >= PROTOCOL_COUNT)
			continue;
		search->wanted = grow(search->wanted, search->wanted_count,
				      sizeof(struct wanted));
		search->wanted[search->wanted_count++] =
			(struct wanted){.file = file, .number = i};
		memcpy(&search->wanted[search->wanted_count - 1].slot, &slot,
		       sizeof(slot));
	}
}

static int
by_inode(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return (x->slot.inode > y->slot.inode) -
	       (x->slot.inode < y->slot.inode);
}

/* Was the process started with the block, by `portres run`? */
static bool
is_heir(uint32_t pid, uint64_t token)
{
	char text[2048];
	char *next = variable(pid, "PORTRES_TOKENS", text, sizeof(text)), *end;

	for (;; next = end) {
		uint64_t one = strtoull(next, &end, 10);

		if (end == next || one == token)
			return end != next;
	}
}

/* A copy of another process' descriptor. */
static int
take_fd(uint32_t pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	int taken;

	if (process < 0)
		return -1;
	taken = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	close(process);
	return taken;
}

/* Waits for the pool as a request does, but not for a stopped process. */
static bool
lock(const struct file *file)
{
	for (int i = 0; i < 100; i++) {
		if (flock(file->fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		sys_nanosleep(&sys_kernel, 10000000);
	}
	return false;
}

/* With the pool's lock: the slot must say that the guard has the block, or the
 * library would not ask for its sockets. */
static bool
adopt_locked(const struct file *file, struct wanted *wanted, uint32_t pid,
	     int fd, int socket)
{
	struct guarded block = slot_guarded(&wanted->slot);
	struct portres_guard request = {
		.token = block.token,
		.fd = is_heir(pid, block.token) ? fd : -1,
		.start_port = htons((uint16_t)block.range.start),
		.number_of_ports = (uint16_t)block.range.count,
		.uid = process_user(pid),
	};
	uint64_t number = guard_number(&sys_kernel, socket);
	struct slot now;

	if (!read_slot(file, wanted->number, &now) || !slot_live(&now) ||
	    atomic_load(&now.token) != block.token)
		return true; /* it has ended */
	block.number = number;
	if (atomic_load(&now.guard) == number &&
	    guard_lives(&sys_kernel, socket, &block) == 1)
		return true; /* it has come after the guard */
	if (setsockopt(socket, PORTRES_GUARD, PORTRES_GUARD_ADOPT, &request,
		       sizeof(request)) < 0)
		return errno == ENOPROTOOPT; /* of a cgroup without a guard */
	if (pwrite(file->fd, &number, sizeof(number),
		   place_of(wanted->number) + offsetof(struct slot, guard)) ==
	    sizeof(number))
		return true;
	guard_release(&sys_kernel, socket, &block);
	return false;
}

/*
 * The pool is locked before the socket is taken, and until it is closed here:
 * else its owner's close would not be the last one, and who reserves the ports
 * then would find them reserved. Returns false if the descriptor is not that
 * socket.
 */
static bool
take_and_adopt(const struct file *file, struct wanted *wanted, uint32_t pid,
	       int fd, bool *ret_done)
{
	int socket = take_fd(pid, fd);
	uint64_t netns;
	bool is_it;

	if (socket < 0)
		return false;
	is_it = sock_is(&sys_kernel, socket, wanted->slot.cookie) &&
		sock_netns(&sys_kernel, socket, &netns) == 0 &&
		netns == file->netns;
	if (is_it)
		*ret_done = adopt_locked(file, wanted, pid, fd, socket);
	close(socket);
	return is_it;
}

static void
adopt(struct search *search, struct wanted *wanted, uint32_t pid, int fd)
{
	const struct file *file = &search->files[wanted->file];
	bool done = false;

	if (!lock(file)) {
		wanted->seen = true;
		search->result.left++;
		return;
	}
	wanted->seen = take_and_adopt(file, wanted, pid, fd, &done);
	flock(file->fd, LOCK_UN);
	if (wanted->seen && done)
		search->result.runtime++;
	else if (wanted->seen)
		search->result.left++;
}

/* The first one of the socket's, or the end. */
static uint32_t
first_of(const struct search *search, uint64_t inode)
{
	uint32_t low = 0, high = search->wanted_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (search->wanted[middle].slot.inode < (uint32_t)inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
look(void *context, uint32_t pid, int fd)
{
	struct search *search = context;
	uint64_t inode = process_socket(pid, fd);
	uint32_t i = inode ? first_of(search, inode) : search->wanted_count;

	for (; i < search->wanted_count &&
	       search->wanted[i].slot.inode == (uint32_t)inode;
	     i++)
		if (!search->wanted[i].seen)
			adopt(search, &search->wanted[i], pid, fd);
}

static uint32_t
keep_persistent(void)
{
	const char *store = config_get()->store;
	struct pool pool;
	int r;

	if (!*store || open_pool(&pool) < 0)
		return 0;
	r = persistent_keep(&pool, store, NULL);
	pool_close(&pool);
	return r > 0 ? (uint32_t)r : 0;
}

static void
join(const char *cgroup)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%.4000s/cgroup.procs", cgroup);
	file = fopen(path, "we");
	if (!file)
		return;
	fprintf(file, "%d\n", (int)getpid());
	fclose(file);
}

/* Such a block is asked for by any socket, but one that was made in the guard's
 * cgroup: by a child that joins it. */
static uint32_t
keep_persistent_there(const char *cgroup)
{
	uint32_t count = 0;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return 0;
	child = fork();
	if (child == 0) {
		join(cgroup);
		count = keep_persistent();
		_exit(write(ends[1], &count, sizeof(count)) < 0);
	}
	close(ends[1]);
	if (child > 0 && read(ends[0], &count, sizeof(count)) < 0)
		count = 0;
	close(ends[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return count;
}

void
guard_adopt(const char *cgroup, struct adopted *ret)
{
	struct search search = {0};

	find_files(&search);
	for (uint32_t i = 0; i < search.file_count; i++)
		find_blocks(&search, i);
	if (search.wanted_count)
		qsort(search.wanted, search.wanted_count, sizeof(struct wanted),
		      by_inode);
	process_each_fd(look, &search);
	search.result.persistent = keep_persistent_there(cgroup);
	for (uint32_t i = 0; i < search.file_count; i++)
		close(search.files[i].fd);
	free(search.files);
	free(search.wanted);
	free(search.mounts);
	*ret = search.result;
}
