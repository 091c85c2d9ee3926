/* SPDX-License-Identifier: MIT */
/*
 * RemoveIPC of logind.conf(5): when a user's last session ends, his files in
 * /dev/shm are removed, and with them the pool that his daemons go on to use.
 */
#include <ctype.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
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

static bool
removes_ipc(void)
{
	static const char *const more[] = {
		"/usr/lib/systemd/logind.conf.d/*.conf",
		"/run/systemd/logind.conf.d/*.conf",
		"/etc/systemd/logind.conf.d/*.conf",
	};
	struct setting setting = {.by_default = true, .set = -1};
	glob_t found;

	if (!read_file("/etc/systemd/logind.conf", &setting))
		read_file("/usr/lib/systemd/logind.conf", &setting);
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		if (glob(more[i], 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++)
			read_file(found.gl_pathv[j], &setting);
		globfree(&found);
	}
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
