/* SPDX-License-Identifier: MIT */
#include "shim/config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/sys.h"
#include "core/text.h"

#define MACHINE_POOL "/run/portres"
#define USER_POOL "/dev/shm/portres-"

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

static void
choose_directory(struct config *config)
{
	const char *pool = secure_getenv("PORTRES_POOL");
	struct text text =
		text_in(config->directory, sizeof(config->directory));

	if (pool && *pool) {
		text_string(&text, pool);
		/* Cut short it would be another directory. */
		if (!text_ok(&text))
			config->directory[0] = '\0';
	} else if (is_directory(MACHINE_POOL)) {
		text_string(&text, MACHINE_POOL);
	} else {
		text_string(&text, USER_POOL);
		text_number(&text, sys_geteuid(&sys_kernel));
		config->make_directory = true;
	}
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

	choose_directory(config);
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
	if (atomic_compare_exchange_strong(&state, &unread, READING)) {
		load(&config);
		atomic_store_explicit(&state, READ, memory_order_release);
		return &config;
	}
	/* Another constructor's thread, or a signal handler, is too early:
	 * without a directory there is no pool yet. */
	return atomic_load(&state) == READ ? &config : &nothing;
}
