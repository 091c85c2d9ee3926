/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/trouble.h"
#include "core/pool/store.h"
#include "shim/config.h"

static const struct {
	int r;
	const char *cause, *way_out; /* %1$s: the directory */
} known[] = {
	{-EMEDIUMTYPE,
	 "%1$s/persistent is no file, but a link, a directory, a FIFO, a "
	 "socket or a device",
	 "move it away, or put the file itself there"},
	{-EMLINK,
	 "%1$s/persistent is a hard link: that file has another name, too",
	 "put a copy of it there"},
	{-EFBIG,
	 "%1$s/persistent is larger than 1 MiB, or would be, or than your "
	 "limit (ulimit -f)",
	 "take lines out of it, or raise the limit"},
	{-EILSEQ, "%1$s/persistent is no text: control characters are in it",
	 "take them out, or move it away"},
	{-EISDIR,
	 "%1$s/persistent.lock or persistent.new is a directory, where a file "
	 "belongs",
	 "remove it"},
	{-ENOTDIR, "%1$s is no directory", "remove what is there"},
	{-EBUSY,
	 "the store %1$s is locked or changed by somebody else for too long",
	 "try again"},
	{-ENOSPC, "the disk of the store %1$s is full", "make room there"},
	{-EDQUOT, "your quota on the disk of the store %1$s is used up",
	 "make room there"},
	{-EROFS, "the file system of the store %1$s is read-only",
	 "mount it anew, with -o remount,rw"},
	{-ENOMEM, "no memory is left to read the store %1$s", "end programs"},
	{-EPERM, "you may not replace files in the store %1$s",
	 "see its mode and attributes, with ls -ld and lsattr -d"},
};

/* Two things need a right: to read the file, and to write the directory. */
static const char *
forbidden(const char *path)
{
	char file[300];

	snprintf(file, sizeof(file), "%s/persistent", path);
	return access(file, R_OK) < 0 && errno == EACCES
		       ? "you may not read %1$s/persistent"
		       : "you may not write the store %1$s";
}

void
trouble_of_store(int r, struct trouble *ret)
{
	const char *path = config_get()->store;
	const char *cause = NULL, *way_out = NULL;

	if (trouble_of_descriptors(r, ret))
		return;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].r == r) {
			cause = known[i].cause;
			way_out = known[i].way_out;
		}
	if (r == -EACCES) {
		cause = forbidden(path);
		way_out = "do it as its owner, or as root";
	}
	if (cause) {
		snprintf(ret->cause, sizeof(ret->cause), cause, path);
		snprintf(ret->way_out, sizeof(ret->way_out), way_out, path);
		return;
	}
	snprintf(ret->cause, sizeof(ret->cause),
		 "the store %s cannot be used: %s", path, strerror(-r));
	snprintf(ret->way_out, sizeof(ret->way_out),
		 "dmesg may tell what its disk has");
}
