/* SPDX-License-Identifier: MIT */
#include "shim/config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernel/strbuf.h"
#include "core/kernel/sys.h"
#include "core/pool/persistent.h"
#include "core/pool/user_pool.h"

#define MACHINE_POOL "/run/portres"
#define MACHINE_STORE "/etc/portres"

static bool
is_directory(const char *path)
{
	const struct sys_ops *sys = &sys_kernel;
	int fd = sys_open(sys, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return false;
	sys_close(sys, fd);
	return true;
}

/* A path that was cut short would be another one. */
static void
or_nothing(struct strbuf *path)
{
	if (!strbuf_ok(path))
		path->buffer[0] = '\0';
}

/* Makes a relative path absolute now: programs change directory. */
static void
text_path(struct strbuf *text, const char *path)
{
	char here[256];

	if (*path != '/') {
		long n = SYS_CALL(&sys_kernel, SYS_getcwd, SYS_ARG_(here),
				  sizeof(here));

		/* "(unreachable)/…" is outside of our root directory. */
		if (n <= 0 || *here != '/') {
			text->cut = true;
			return;
		}
		strbuf_string(text, here);
		strbuf_char(text, '/');
	}
	strbuf_string(text, path);
}

/* $XDG_STATE_HOME/portres, or its default. */
static void
find_user_store(struct strbuf *store)
{
	const char *state = secure_getenv("XDG_STATE_HOME");
	const char *home = secure_getenv("HOME");

	if (state && *state == '/') {
		strbuf_string(store, state);
	} else if (home && *home == '/') {
		strbuf_string(store, home);
		strbuf_string(store, "/.local/state");
	} else {
		return;
	}
	strbuf_string(store, "/portres");
}

static void
find_directories(struct config *config)
{
	const char *given = secure_getenv("PORTRES_POOL");
	struct strbuf pool =
		strbuf_in(config->directory, sizeof(config->directory));
	struct strbuf store = strbuf_in(config->store, sizeof(config->store));

	if (given && *given) {
		config->why = "PORTRES_POOL says so";
		text_path(&pool, given);
		text_path(&store, given);
	} else if (is_directory(MACHINE_POOL)) {
		config->why = "the administrator made it";
		strbuf_string(&pool, MACHINE_POOL);
		strbuf_string(&store, MACHINE_STORE);
	} else {
		config->why = "there is no " MACHINE_POOL;
		strbuf_string(&pool, USER_POOL_PLACE "/" USER_POOL_PREFIX);
		strbuf_number(&pool, sys_geteuid(&sys_kernel));
		config->own = true;
		find_user_store(&store);
	}
	or_nothing(&pool);
	or_nothing(&store);
}

static bool
is_set(const char *name)
{
	const char *value = secure_getenv(name);

	return value && strcmp(value, "1") == 0;
}

static void
load(struct config *config)
{
	const char *wildcard = secure_getenv("PORTRES_WILDCARD");

	find_directories(config);
	config->strict = is_set("PORTRES_STRICT");
	config->debug = is_set("PORTRES_DEBUG");
	if (wildcard)
		range_list_parse(wildcard, &config->wildcard);
}

const struct config *
config_get(void)
{
	enum { UNREAD, READING, READ };
	static _Atomic int state;
	static struct config config;
	static const struct config nothing;
	int unread = UNREAD;

	if (atomic_load_explicit(&state, memory_order_acquire) == READ)
		return &config;
	/* The program's start has not set up the environment yet. */
	if (!environ)
		return &nothing;
	if (atomic_compare_exchange_strong(&state, &unread, READING)) {
		load(&config);
		atomic_store_explicit(&state, READ, memory_order_release);
		return &config;
	}
	/* Another constructor's thread, or a signal handler, while it is read:
	 * these find no pool yet. */
	return atomic_load(&state) == READ ? &config : &nothing;
}

int
config_open_pool(uint64_t netns, const struct fork_block *forks,
		 struct pool *ret_pool)
{
	const struct config *config = config_get();
	const struct pool_filling load = {persistent_load, config->store};
	const struct pool_filling *filling = config->store[0] ? &load : NULL;

	if (!config->directory[0])
		return -ENETDOWN;
	return config->own ? user_pool_open(&sys_kernel, USER_POOL_PLACE,
					    filling, netns, forks, ret_pool)
			   : pool_open(&sys_kernel, config->directory, false,
				       filling, netns, forks, ret_pool);
}

int
config_pool_directory(bool make, char to[POOL_PATH_MAX])
{
	const struct config *config = config_get();

	if (config->own && user_pool_find(&sys_kernel, USER_POOL_PLACE, make,
					  to, POOL_PATH_MAX) == 0)
		return 0;
	strcpy(to, config->directory);
	return config->own || !to[0] ? -ENETDOWN : 0;
}
