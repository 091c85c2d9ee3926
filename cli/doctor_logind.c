/* SPDX-License-Identifier: MIT */
/*
 * RemoveIPC of logind.conf(5): when a user's last session ends, his files in
 * /dev/shm are removed, and with them the pool that his daemons go on to use.
 */
#include <ctype.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check.h"
#include "shim/config.h"

#define SETTING "RemoveIPC"
#define FIRST_USER 1000 /* system users are left alone */

/* The last line that sets it counts. Comments in systemd's own file name the
 * default. */
struct setting {
	int by_default;
	int set; /* -1: nowhere */
};

static bool
is_no(const char *value)
{
	static const char *const no[] = {"no", "n", "false", "f", "off", "0"};
	size_t length = strcspn(value, " \t\r\n");

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (strlen(no[i]) == length &&
		    strncasecmp(value, no[i], length) == 0)
			return true;
	return false;
}

static void
read_line(const char *line, struct setting *setting)
{
	bool comment = *line == '#';

	line += comment;
	while (isblank(*line))
		line++;
	if (strncmp(line, SETTING, strlen(SETTING)) != 0)
		return;
	line += strlen(SETTING);
	while (isblank(*line))
		line++;
	if (*line++ != '=')
		return;
	while (isblank(*line))
		line++;
	*(comment ? &setting->by_default : &setting->set) = !is_no(line);
}

static bool
read_file(const char *path, struct setting *setting)
{
	FILE *file = fopen(path, "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file))
		read_line(line, setting);
	return file && fclose(file) == 0;
}

/* From the strongest: a file of the same name counts in the first alone. */
static const char *const places[] = {"/etc", "/run", "/usr/local/lib",
				     "/usr/lib"};
#define PLACES (sizeof(places) / sizeof(*places))

struct drop_in {
	char *path;
	const char *name;
	size_t place;
};

struct drop_ins {
	glob_t found[PLACES];
	struct drop_in *all;
	size_t count;
};

static int
by_name(const void *a, const void *b)
{
	const struct drop_in *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

static void
find_drop_ins(struct drop_ins *ret)
{
	char pattern[64];
	size_t count = 0;

	for (size_t i = 0; i < PLACES; i++) {
		snprintf(pattern, sizeof(pattern),
			 "%s/systemd/logind.conf.d/*.conf", places[i]);
		if (glob(pattern, 0, NULL, &ret->found[i]) != 0)
			ret->found[i].gl_pathc = 0;
		count += ret->found[i].gl_pathc;
	}
	ret->count = 0;
	ret->all = calloc(count + 1, sizeof(*ret->all));
	for (size_t i = 0; ret->all && i < PLACES; i++)
		for (size_t j = 0; j < ret->found[i].gl_pathc; j++) {
			char *path = ret->found[i].gl_pathv[j];

			ret->all[ret->count++] = (struct drop_in){
				path, strrchr(path, '/') + 1, i};
		}
	if (ret->all)
		qsort(ret->all, ret->count, sizeof(*ret->all), by_name);
}

/* They are read in the order of their names, wherever they are. */
static void
read_drop_ins(struct setting *setting)
{
	struct drop_ins found = {0};

	find_drop_ins(&found);
	for (size_t i = 0; i < found.count; i++)
		if (i == 0 ||
		    strcmp(found.all[i].name, found.all[i - 1].name) != 0)
			read_file(found.all[i].path, setting);
	free(found.all);
	for (size_t i = 0; i < PLACES; i++)
		globfree(&found.found[i]);
}

static bool
removes_ipc(void)
{
	struct setting setting = {.by_default = true, .set = -1};
	bool found = false;
	char path[64];

	for (size_t i = 0; !found && i < PLACES; i++) {
		snprintf(path, sizeof(path), "%s/systemd/logind.conf",
			 places[i]);
		found = read_file(path, &setting);
	}
	read_drop_ins(&setting);
	return setting.set < 0 ? setting.by_default : setting.set;
}

void
check_logind(void)
{
	const char *shm = "/dev/shm/";
	struct passwd *user = getpwuid(geteuid());
	const char *name = user ? user->pw_name : "USER";
	char linger[512];

	snprintf(linger, sizeof(linger), "/var/lib/systemd/linger/%s", name);
	if (geteuid() < FIRST_USER ||
	    strncmp(config_get()->directory, shm, strlen(shm)) != 0 ||
	    access("/run/systemd/system", F_OK) < 0 || !removes_ipc() ||
	    access(linger, F_OK) == 0)
		return;
	check(WARNING, "pool",
	      "when your last session ends, logind empties %s of what is yours "
	      "(" SETTING "), and what your programs have reserved is "
	      "forgotten: loginctl enable-linger %s, or have /run/portres made",
	      shm, name);
}
