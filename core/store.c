/* SPDX-License-Identifier: MIT */
/* How the store is opened and closed, and who may write it. */
#include "core/store.h"

#include <errno.h>
#include <string.h>

#include "core/store_inside.h"
#include "core/text.h"

/* Makes the directory and those above it; what is there already is fine. */
static void
make_directories(const struct sys_ops *sys, const char *path)
{
	char part[256];
	struct text text = text_in(part, sizeof(part));

	for (const char *p = path; *p; p++) {
		if (*p == '/' && text.length)
			sys_mkdir(sys, part, 0755);
		text_char(&text, *p);
	}
	sys_mkdir(sys, part, 0755);
}

bool
store_right(const struct sys_ops *sys, const char *path)
{
	char part[256];
	struct text text = text_in(part, sizeof(part));
	int r;

	text_string(&text, path);
	if (!*path || !text_ok(&text))
		return false;
	/* What does not exist yet is as good as its parent. */
	while ((r = sys_access(sys, part, W_OK | X_OK)) == -ENOENT) {
		char *slash = strrchr(part, '/');

		if (!slash || slash == part)
			return sys_access(sys, "/", W_OK | X_OK) == 0;
		*slash = '\0';
	}
	return r == 0;
}

static int
open_directory(struct store *store, const char *path)
{
	struct stat st;
	int r;

	store->directory = sys_open(store->sys, path,
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (store->directory < 0)
		return store->directory;
	r = sys_fstat(store->sys, store->directory, &st);
	if (r < 0)
		return r;
	store->owner = st.st_uid;
	store->group = st.st_gid;
	store->shared = (st.st_mode & S_IWGRP) != 0;
	return 0;
}

int
store_open(const struct sys_ops *sys, const char *path, bool write,
	   struct store *ret)
{
	struct store store = {.sys = sys, .directory = -1, .lock = -1};
	int r;

	if (write) {
		if (!store_right(sys, path))
			return -EACCES;
		make_directories(sys, path);
	}
	r = open_directory(&store, path);
	if (r == 0 && write)
		r = store_lock(&store);
	if (r == 0)
		r = store_read(&store);
	else if (r == -ENOENT && !write)
		r = 0;
	if (r < 0) {
		store_close(&store);
		return r;
	}
	*ret = store;
	return 0;
}

void
store_close(struct store *store)
{
	if (store->text)
		sys_munmap(store->sys, store->text, STORE_MAX + 1);
	store->text = NULL;
	store_unlock(store);
	if (store->directory >= 0)
		sys_close(store->sys, store->directory);
	store->directory = -1;
}
