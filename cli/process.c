/* SPDX-License-Identifier: MIT */
#include "cli/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/kernel/proc_locks.h"

void
process_name(uint32_t pid, char to[17])
{
	char path[64];
	FILE *file;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (file) {
		n = fread(to, 1, 16, file);
		fclose(file);
	}
	if (n > 0 && to[n - 1] == '\n')
		n--;
	to[n] = '\0';
	if (n == 0)
		strcpy(to, "?");
}

uint32_t
process_user(uint32_t pid)
{
	uint32_t uid = UID_UNKNOWN;
	char path[64], line[256];
	FILE *file;

	/* Not the owner of /proc/PID: that of a program which changed its user
	 * is root's. */
	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file) &&
	       sscanf(line, "Uid: %*u %u", &uid) != 1)
		;
	if (file)
		fclose(file);
	return uid;
}

/* Numbers only: "1234" is one, "." and "self" are not. */
static int
next_number(DIR *directory)
{
	struct dirent *entry;

	while ((entry = readdir(directory)))
		if (*entry->d_name >= '0' && *entry->d_name <= '9')
			return atoi(entry->d_name);
	return -1;
}

void
process_each_fd(process_seen *seen, void *context)
{
	DIR *processes = opendir("/proc");
	int pid, fd;

	while (processes && (pid = next_number(processes)) >= 0) {
		char path[64];
		DIR *descriptors;

		snprintf(path, sizeof(path), "/proc/%d/fd", pid);
		descriptors = opendir(path);
		while (descriptors && (fd = next_number(descriptors)) >= 0)
			seen(context, (uint32_t)pid, fd);
		if (descriptors)
			closedir(descriptors);
	}
	if (processes)
		closedir(processes);
}

uint64_t
process_socket(uint32_t pid, int fd)
{
	char path[64], target[64];
	unsigned long long inode;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	return sscanf(target, "socket:[%llu]", &inode) == 1 ? inode : 0;
}

struct owners {
	struct entry *entries;
	size_t count;
	uint32_t pid;
	int fd;
};

static void
note_user(struct owners *owners, struct entry *entry)
{
	size_t n = entry->user_count;
	struct holder *users;

	/* The walk goes process by process. */
	if (n && entry->users[n - 1].pid == owners->pid)
		return;
	users = realloc(entry->users, (n + 1) * sizeof(*users));
	if (!users)
		abort();
	entry->users = users;
	entry->user_count = n + 1;
	users[n].pid = owners->pid;
	process_name(owners->pid, users[n].command);
	if (n == 0) {
		entry->pid = users->pid;
		memcpy(entry->command, users->command, sizeof(entry->command));
	}
}

static void
note_lease(void *context, uint64_t device, uint32_t inode, uint64_t token)
{
	struct owners *owners = context;

	for (size_t i = 0; i < owners->count; i++) {
		struct entry *entry = &owners->entries[i];

		if (entry->token == token && entry->kind == KIND_PERSISTENT)
			note_user(owners, entry);
		if (entry->token != token || entry->inode != inode ||
		    entry->device != (uint32_t)device || entry->own ||
		    entry->kind != KIND_RUNTIME)
			continue;
		/* The slot has the name that the acquirer had then. */
		process_name(owners->pid, entry->command);
		entry->pid = owners->pid;
		entry->fd = owners->fd;
		entry->own = true;
	}
}

/* Finds the entries whose leases are on this descriptor; there may be
 * thousands. */
static void
look(void *context, uint32_t pid, int fd)
{
	struct owners *owners = context;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return;
	owners->pid = pid;
	owners->fd = fd;
	while (fgets(line, sizeof(line), file))
		proc_locks_parse(line, strlen(line), note_lease, owners);
	fclose(file);
}

static void
look_at_socket(void *context, uint32_t pid, int fd)
{
	if (process_socket(pid, fd))
		look(context, pid, fd);
}

void
process_find_owners(struct entry *entries, size_t count)
{
	struct owners owners = {.entries = entries, .count = count};
	bool lost = false;

	for (size_t i = 0; i < count; i++) {
		lost |= entries[i].kind == KIND_PERSISTENT;
		if (entries[i].kind != KIND_RUNTIME)
			continue;
		if (!entries[i].own)
			look(&owners, entries[i].pid, entries[i].fd);
		lost |= !entries[i].own;
	}
	if (lost)
		process_each_fd(look_at_socket, &owners);
	for (size_t i = 0; i < count; i++) {
		char path[64];

		if (entries[i].kind != KIND_RUNTIME || entries[i].own)
			continue;
		snprintf(path, sizeof(path), "/proc/%u", entries[i].pid);
		if (access(path, F_OK) != 0)
			entries[i].pid = 0;
	}
	for (size_t i = 0; i < count; i++)
		if (entries[i].pid)
			entries[i].uid = process_user(entries[i].pid);
}
