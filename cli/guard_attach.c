/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "cli/bpf.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/trouble.h"
#include "core/kernel/sys.h"

static const char *const map_name[GUARD_MAPS] = {
	[GUARD_MAP_CONFIG] = "config",
	[GUARD_MAP_COUNTERS] = "counters",
	[GUARD_MAP_NAMESPACES] = "namespaces",
	[GUARD_MAP_MARKS] = "marks",
	[GUARD_MAP_BLOCKS] = "blocks",
	[GUARD_MAP_USERS] = "users",
	[GUARD_MAP_SOCKETS] = "sockets",
	[GUARD_MAP_CO_OWNERS] = "co_owners",
};

static const struct {
	const char *name;
	enum bpf_attach_type type;
} program[GUARD_PROGRAMS] = {
	[GUARD_SOCK_RELEASE] = {"sock_release", BPF_CGROUP_INET_SOCK_RELEASE},
	[GUARD_BIND4] = {"bind4", BPF_CGROUP_INET4_BIND},
	[GUARD_BIND6] = {"bind6", BPF_CGROUP_INET6_BIND},
	[GUARD_POST_BIND4] = {"post_bind4", BPF_CGROUP_INET4_POST_BIND},
	[GUARD_POST_BIND6] = {"post_bind6", BPF_CGROUP_INET6_POST_BIND},
	[GUARD_SETSOCKOPT] = {"setsockopt", BPF_CGROUP_SETSOCKOPT},
};

void
guard_close(struct guard_pinned *pinned)
{
	for (int i = 0; i < GUARD_MAPS; i++)
		close(pinned->map[i]);
	for (int i = 0; i < GUARD_PROGRAMS; i++)
		close(pinned->link[i]);
}

/* Empty, if it is of a layout that we do not know: its map may be larger, and
 * has the number of its layout where ours has. 0, or -1 with errno. */
static int
read_config(int map, struct guard_config *ret)
{
	struct guard_config *value;
	uint32_t size = 0;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (bpf_value_size(map, &size) < 0)
		return -1;
	value = calloc(1, size > sizeof(*ret) ? size : sizeof(*ret));
	if (!value)
		return -1;
	r = bpf_read(map, 0, value);
	if (r == 0 && size == sizeof(*ret) &&
	    (value->layout == GUARD_LAYOUT ||
	     value->layout == GUARD_LAYOUT_BEFORE))
		*ret = *value;
	free(value);
	return r;
}

bool
guard_keeps_other_books(const struct guard_pinned *pinned)
{
	return pinned->config.layout == 0;
}

int
guard_open(const char *pins, struct guard_pinned *ret)
{
	char path[PATH_MAX];
	bool others = false;
	int fd;

	memset(ret, -1, sizeof(*ret));
	fd = bpf_open(
		guard_pin_path(pins, "map", map_name[GUARD_MAP_CONFIG], path));
	ret->map[GUARD_MAP_CONFIG] = fd;
	if (fd >= 0) {
		fd = read_config(fd, &ret->config);
		others = fd == 0 && guard_keeps_other_books(ret);
	}
	/* Theirs may have other names, and contents. */
	for (int i = GUARD_MAP_CONFIG + 1; i < GUARD_MAPS && fd >= 0 && !others;
	     i++)
		ret->map[i] = fd = bpf_open(
			guard_pin_path(pins, "map", map_name[i], path));
	for (int i = 0; i < GUARD_PROGRAMS && (fd >= 0 || others); i++)
		ret->link[i] = fd = bpf_open(
			guard_pin_path(pins, "link", program[i].name, path));
	if (fd >= 0 || others)
		return 0;
	fd = -errno;
	guard_close(ret);
	return fd;
}

/* All, whatever build has made them, and last of all what tells of the area. */
static int
remove_pins(const char *directory)
{
	char path[PATH_MAX], config[PATH_MAX];
	DIR *pins = opendir(directory);
	struct dirent *entry;

	guard_pin_path(directory, "map", map_name[GUARD_MAP_CONFIG], config);
	while (pins && (entry = readdir(pins))) {
		snprintf(path, sizeof(path), "%.3000s/%s", directory,
			 entry->d_name);
		if (strcmp(path, config) != 0)
			unlink(path);
	}
	if (pins)
		closedir(pins);
	unlink(config);
	return rmdir(directory) < 0 ? -errno : 0;
}

static int
pin_in(const char *directory, const struct guard_loaded *loaded,
       const int links[GUARD_PROGRAMS])
{
	char path[PATH_MAX];
	int r = 0;

	for (int i = 0; i < GUARD_MAPS && r == 0; i++)
		r = bpf_pin(loaded->map[i], guard_pin_path(directory, "map",
							   map_name[i], path));
	for (int i = 0; i < GUARD_PROGRAMS && r == 0; i++)
		r = bpf_pin(links[i], guard_pin_path(directory, "link",
						     program[i].name, path));
	return r < 0 ? -errno : 0;
}

/* Under another name first: a guard is pinned whole, or not at all. */
static int
pin(const struct guard_place *place, const struct guard_loaded *loaded,
    const int links[GUARD_PROGRAMS])
{
	char new[64];
	int r;

	snprintf(new, sizeof(new), GUARD_PINS "/new-%d", (int)getpid());
	if (mkdir(new, 0700) < 0)
		return -errno;
	r = pin_in(new, loaded, links);
	if (r == 0 && rename(new, place->pins) < 0)
		r = -errno;
	if (r < 0)
		remove_pins(new);
	return r;
}

static int
attach_loaded(const struct guard_place *place,
	      const struct guard_loaded *loaded)
{
	int links[GUARD_PROGRAMS], n = 0, r = 0;
	int cgroup = open(place->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup < 0)
		return -errno;
	for (; n < GUARD_PROGRAMS; n++) {
		links[n] =
			bpf_attach(loaded->program[n], cgroup, program[n].type);
		if (links[n] < 0)
			break;
	}
	/* Whether we may, was asked before; and they have been loaded. */
	if (n < GUARD_PROGRAMS)
		r = errno == EPERM ? -EBUSY : errno == E2BIG ? -EMLINK : -errno;
	else
		r = pin(place, loaded, links);
	/* Those that are not pinned go with their descriptors. */
	while (n > 0)
		close(links[--n]);
	close(cgroup);
	return r;
}

int
guard_attach(const struct guard_place *place, const struct guard_config *config)
{
	struct guard_loaded loaded;
	int r = guard_load(NULL, &loaded);

	if (r < 0)
		return r;
	if (bpf_write(loaded.map[GUARD_MAP_CONFIG], 0, config) < 0)
		r = -errno;
	if (r == 0)
		r = attach_loaded(place, &loaded);
	guard_unload(&loaded);
	return r;
}

int
guard_renew(struct guard_pinned *pinned)
{
	struct guard_loaded loaded;
	int r = guard_load(pinned->map, &loaded);

	if (r < 0)
		return r;
	for (int i = 0; i < GUARD_PROGRAMS && r == 0; i++)
		if (bpf_replace(pinned->link[i], loaded.program[i]) < 0)
			r = -errno;
	if (r == 0)
		pinned->config.build = guard_build;
	if (r == 0 &&
	    bpf_write(pinned->map[GUARD_MAP_CONFIG], 0, &pinned->config) < 0)
		r = -errno;
	guard_unload(&loaded);
	return r;
}

/* So that no bind is refused while requests are answered no longer. */
static void
let_all_pass(const char *pins)
{
	struct guard_config config;
	char path[PATH_MAX];
	int map = bpf_open(
		guard_pin_path(pins, "map", map_name[GUARD_MAP_CONFIG], path));

	if (map < 0)
		return;
	if (read_config(map, &config) == 0 && config.layout) {
		config.ending = 1;
		bpf_write(map, 0, &config);
	}
	close(map);
}

int
guard_detach(const char *pins)
{
	char path[PATH_MAX];

	let_all_pass(pins);
	/* The last to come is the first to go. */
	for (int i = GUARD_PROGRAMS - 1; i >= 0; i--) {
		int link = bpf_open(
			guard_pin_path(pins, "link", program[i].name, path));

		if (link < 0)
			continue;
		bpf_detach(link);
		close(link);
	}
	return remove_pins(pins);
}

bool
guard_attached(const struct guard_pinned *pinned)
{
	uint64_t cgroup = 0;

	/* The one that is attached last. */
	bpf_link_cgroup(pinned->link[GUARD_SETSOCKOPT], &cgroup);
	return cgroup != 0 && !pinned->config.ending;
}

/* True: there is no doubt, nor anything that it would take to give it up. Gives
 * back the area. */
static bool
may_clear(const char *pins, const char *path, bool force, bool *ret_is_that)
{
	struct guard_pinned pinned = {0};
	struct guard_config *config = &pinned.config;
	char name[PATH_MAX];
	int map = bpf_open(
		guard_pin_path(pins, "map", map_name[GUARD_MAP_CONFIG], name));
	int link = pinned.link[GUARD_SETSOCKOPT] = bpf_open(guard_pin_path(
		pins, "link", program[GUARD_SETSOCKOPT].name, name));
	bool gone = link < 0 && errno == ENOENT;

	*ret_is_that = map >= 0 && read_config(map, config) == 0 && path &&
		       strcmp(config->cgroup, path) == 0;
	if (link >= 0)
		gone = !guard_attached(&pinned);
	/* The area of other books is known to their command alone. */
	if (gone && map >= 0 && guard_keeps_other_books(&pinned))
		gone = force;
	else if (gone && guard_area_give_back(config) == -EXDEV)
		gone = *ret_is_that && force;
	close(link);
	close(map);
	return gone;
}

/* The next guard's configuration and pins, if it has any. */
static bool
next_config(DIR *guards, struct guard_config *ret, char pins[PATH_MAX])
{
	struct guard_pinned pinned;
	struct dirent *entry;

	while (guards && (entry = readdir(guards))) {
		if (*entry->d_name < '0' || *entry->d_name > '9')
			continue;
		snprintf(pins, PATH_MAX, GUARD_PINS "/%s", entry->d_name);
		if (guard_open(pins, &pinned) < 0)
			continue;
		guard_close(&pinned);
		*ret = pinned.config;
		return true;
	}
	return false;
}

bool
guard_find_pinned(struct guard_place *place)
{
	DIR *guards = opendir(GUARD_PINS);
	struct guard_config config;
	bool found = false;

	while (!found && next_config(guards, &config, place->pins))
		found = strcmp(config.cgroup, place->cgroup) == 0;
	if (guards)
		closedir(guards);
	return found;
}

void
guard_areas_of_others(const struct guard_config *than, struct port_set *ret)
{
	DIR *guards = opendir(GUARD_PINS);
	struct guard_config config;
	char pins[PATH_MAX];

	memset(ret, 0, sizeof(*ret));
	while (next_config(guards, &config, pins))
		for (size_t i = 0;
		     config.number != than->number &&
		     config.store_namespace == than->store_namespace &&
		     i < PORT_COUNT / 64;
		     i++)
			ret->word[i] |= config.area[i];
	if (guards)
		closedir(guards);
}

bool
guard_clear_remains(const char *path, bool force)
{
	DIR *guards = opendir(GUARD_PINS);
	bool is_that, cleared = false;
	struct dirent *entry;
	char pins[PATH_MAX];

	while (guards && (entry = readdir(guards))) {
		snprintf(pins, sizeof(pins), GUARD_PINS "/%s", entry->d_name);
		/* Their maker had the lock that we have. */
		if (strncmp(entry->d_name, "new-", 4) == 0)
			guard_detach(pins);
		else if (*entry->d_name >= '0' && *entry->d_name <= '9' &&
			 may_clear(pins, path, force, &is_that))
			cleared |= guard_detach(pins) == 0 && is_that;
	}
	if (guards)
		closedir(guards);
	return cleared;
}

static bool
is_locked_down(void)
{
	char text[80] = "";
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");

	if (file && !fgets(text, sizeof(text), file))
		*text = '\0';
	if (file)
		fclose(file);
	return strstr(text, "[confidentiality]") != NULL;
}

/* Before Linux 5.11 maps count against the limit of locked memory, and root is
 * refused them as if without a right. */
static bool
has_right(void)
{
	return geteuid() == 0 && (bpf_first_program() == 0 || errno == ENOENT);
}

int
guard_explain(int r)
{
	struct utsname machine;

	if (refuse_descriptors(r))
		return STATUS_REFUSED;
	uname(&machine);
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return refuse("the kernel does not describe its types in "
			      "/sys/kernel/btf/vmlinux: use one with "
			      "CONFIG_DEBUG_INFO_BTF, as Debian's");
	if (r == -EPERM && is_locked_down())
		return refuse("the kernel is locked down, and reads nothing of "
			      "itself for programs: boot without "
			      "lockdown=confidentiality");
	if ((r == -EPERM || r == -EACCES) && !has_right())
		return refuse("the guard is the administrator's: become root, "
			      "outside of containers");
	if (r == -EEXIST || r == -ENOTEMPTY)
		return refuse("the guard has just been put there by another: "
			      "see portres guard status");
	if (r == -EBUSY)
		return refuse("a program that is attached to the cgroup, or to "
			      "one above it, suffers none beside itself: see "
			      "bpftool cgroup tree");
	if (r == -EMLINK)
		return refuse("as many programs as the kernel takes, 64 of a "
			      "kind, are attached to the cgroup: detach one: "
			      "see bpftool cgroup tree");
	if (r == -ENOMEM)
		return refuse("the kernel has no 20 MiB left for the guard");
	return refuse("the kernel %s does not take the guard's programs (%s): "
		      "use Linux 6.1 or later",
		      machine.release, strerror(-r));
}

uint32_t
guard_each_block(const struct guard_pinned *pinned, guard_visit *visit,
		 void *context)
{
	struct guard_counters counters = {0};
	struct guard_block block;
	uint32_t n = 0;

	if (bpf_read(pinned->map[GUARD_MAP_COUNTERS], 0, &counters) < 0)
		return 0;
	for (uint32_t i = 0; i < GUARD_BLOCKS && counters.blocks; i++) {
		if (bpf_read(pinned->map[GUARD_MAP_BLOCKS], i, &block) < 0 ||
		    !block.instance)
			continue;
		n++;
		if (visit)
			visit(context, &block);
	}
	return n;
}
