/* SPDX-License-Identifier: MIT */
#include "cli/guard.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bpf.h"
#include "cli/cli.h"
#include "cli/guard_adopt.h"
#include "shim/config.h"

#define QUOTA 16384

struct wish {
	const char *cgroup; /* NULL: the root */
	struct range area;  /* count 0: none */
	uint32_t quota;	    /* 0: not said */
	bool json, force, again;
};

/* The right to the machine's persistent blocks: that to their store. */
static void
note_store(struct guard_config *config)
{
	struct stat st;

	config->store_uid = 0;
	config->store_gid = (uint32_t)-1;
	if (stat(config_get()->store, &st) == 0) {
		config->store_uid = st.st_uid;
		if (st.st_mode & S_IWGRP)
			config->store_gid = st.st_gid;
	}
}

static void
say_adopted(const struct adopted *adopted)
{
	if (adopted->runtime || adopted->persistent)
		printf("it has %u blocks of running programs and %u "
		       "persistent ones\n",
		       adopted->runtime, adopted->persistent);
	if (adopted->left)
		caution("%u blocks are not the guard's: "
			"over a quota, reserved by another already, or in a "
			"pool of another user",
			adopted->left);
	if (adopted->busy)
		caution("%u blocks are not the guard's: their pools were "
			"locked by others all the time: portres guard on again",
			adopted->busy);
	if (adopted->unread)
		caution("%u files or directories of pools could not be opened",
			adopted->unread);
	if (adopted->keeping == -EBUSY)
		caution("the persistent blocks are not the guard's: somebody "
			"has been changing their store all the time: "
			"portres guard on again");
	else if (adopted->keeping < 0)
		caution("the persistent blocks are not the guard's: no process "
			"may join its cgroup, or the pool cannot be opened: "
			"see portres doctor, then portres guard on again");
	if (!adopted->whole)
		caution("the search for blocks of running programs was ended: "
			"some process kept it waiting");
}

static int
on_anew(const struct guard_place *place, const struct wish *wish)
{
	struct guard_config config = {
		.layout = GUARD_LAYOUT,
		.quota = wish->quota ? wish->quota : QUOTA,
		.build = guard_build,
		.store_namespace = guard_namespace(),
	};
	int r;

	if (getrandom(&config.number, sizeof(config.number), 0) < 0)
		return refuse("no random number: %m");
	snprintf(config.cgroup, sizeof(config.cgroup), "%.500s", place->cgroup);
	note_store(&config);
	r = guard_attach(place, &config);
	if (r < 0)
		return guard_explain(r);
	printf("%s is guarded\n", place->cgroup);
	return 0;
}

static int
refuse_area(int r)
{
	return refuse("the area cannot be kept from the system: %s: write "
		      "net.ipv4.ip_local_reserved_ports yourself, and leave "
		      "--area out",
		      strerror(-r));
}

/* ret_changed: something is other than it was. */
static int
on_again(const struct guard_place *place, struct guard_pinned *pinned,
	 const struct wish *wish, bool *ret_changed)
{
	struct guard_config *config = &pinned->config, before = *config;
	bool same = config->build == guard_build;
	int r;

	if (guard_keeps_other_books(pinned))
		return refuse("%s is guarded by programs that keep other "
			      "books: portres guard off --force, then on",
			      place->cgroup);
	if (wish->quota)
		config->quota = wish->quota;
	if (guard_namespace() == config->store_namespace)
		note_store(config);
	r = guard_renew(pinned);
	if (r == -ENOTSUP)
		return refuse("this build of the command cannot renew a "
			      "guard: portres guard off, then on");
	if (r < 0)
		return guard_explain(r);
	r = guard_area_renew(config);
	if (r < 0)
		return refuse_area(r);
	*ret_changed = r || wish->quota || wish->area.count ||
		       memcmp(&before, config, sizeof(before)) != 0;
	if (*ret_changed)
		printf("%s is guarded by %s\n", config->cgroup,
		       same ? "the same programs" : "renewed programs");
	return 0;
}

static int
take_area(struct guard_pinned *pinned, struct range area)
{
	int r = guard_area_take(area, pinned);

	if (r == -EXDEV)
		return refuse("%s was guarded from another network namespace: "
			      "say --area there",
			      pinned->config.cgroup);
	return r < 0 ? refuse_area(r) : 0;
}

static int
begin(const struct wish *wish, struct guard_place *ret)
{
	int r = guard_place_find(wish->cgroup, ret);

	if (r == 0 && geteuid() != 0)
		return guard_explain(-EPERM);
	if (r == 0)
		r = guard_place_prepare();
	return r ? r : guard_place_lock();
}

static int
on(const struct wish *wish)
{
	struct guard_pinned pinned;
	struct guard_place place;
	struct adopted adopted;
	bool anew, changed = true;
	int r = begin(wish, &place);

	if (r != 0)
		return r;
	guard_clear_remains(NULL, false);
	anew = !guard_place_taken(&place);
	if (anew && (r = on_anew(&place, wish)) != 0)
		return r;
	if ((r = guard_open(place.pins, &pinned)) < 0)
		return guard_explain(r);
	r = anew ? 0 : on_again(&place, &pinned, wish, &changed);
	if (r == 0 && wish->area.count)
		r = take_area(&pinned, wish->area);
	guard_close(&pinned);
	if (r != 0 && anew)
		guard_detach(place.pins);
	if (r != 0)
		return r;
	guard_adopt(place.cgroup, &adopted);
	changed |= adopted.runtime || adopted.persistent;
	if (!changed && !wish->again)
		return refuse("%s is guarded already, by these programs: see "
			      "portres guard status",
			      place.cgroup);
	say_adopted(&adopted);
	return finish(STATUS_OK);
}

/* Refuses for the sake of what would be lost. */
static int
check_loss(const struct guard_place *place, const struct guard_pinned *pinned)
{
	uint32_t blocks = guard_each_block(pinned, NULL, NULL);
	const struct guard_config *config = &pinned->config;

	if (guard_keeps_other_books(pinned))
		return refuse("%s is guarded by programs that keep other "
			      "books: say off by their command, or --force and "
			      "write net.ipv4.ip_local_reserved_ports yourself",
			      place->cgroup);
	if (blocks)
		return refuse("%s has %u block%s that every program could "
			      "bind in then: end their owners, or --force",
			      config->cgroup, blocks, blocks == 1 ? "" : "s");
	if (guard_area_size(config) &&
	    guard_namespace() != config->store_namespace)
		return refuse("the area of %s is another network namespace's: "
			      "say off there, or --force and write its "
			      "net.ipv4.ip_local_reserved_ports yourself",
			      config->cgroup);
	return 0;
}

/* That of the cgroup, which may be gone while sockets of it are left, and its
 * path that of another one by now. */
static int
find_guard(const char *path, struct guard_place *ret)
{
	bool gone = path && access(path, F_OK) < 0;
	int r = 0;

	if (gone)
		snprintf(ret->cgroup, sizeof(ret->cgroup), "%s", path);
	if (gone && guard_find_pinned(ret))
		return 0;
	r = guard_place_find(path, ret);
	if (r != 0 || guard_place_taken(ret) ||
	    (path && guard_find_pinned(ret)))
		return r;
	return refuse("%s is not guarded: see portres guard status",
		      ret->cgroup);
}

static int
off(const struct wish *wish)
{
	struct guard_pinned pinned;
	struct guard_place place;
	int r;

	if (geteuid() != 0)
		return guard_explain(-EPERM);
	if ((r = guard_place_lock()) != 0)
		return r;
	if (guard_clear_remains(wish->cgroup, wish->force) &&
	    access(wish->cgroup, F_OK) < 0) {
		printf("%s is no longer guarded\n", wish->cgroup);
		return finish(STATUS_OK);
	}
	if ((r = find_guard(wish->cgroup, &place)) != 0)
		return r;
	if ((r = guard_open(place.pins, &pinned)) < 0)
		return guard_explain(r);
	r = wish->force ? 0 : check_loss(&place, &pinned);
	guard_close(&pinned);
	if (r != 0)
		return r;
	r = guard_area_give_back(&pinned.config);
	if (r < 0 && !wish->force)
		return refuse("the area cannot be given back: %s: write "
			      "net.ipv4.ip_local_reserved_ports yourself, and "
			      "say --force",
			      strerror(-r));
	r = guard_detach(place.pins);
	if (r < 0)
		return guard_explain(r);
	printf("%s is no longer guarded\n", place.cgroup);
	return finish(STATUS_OK);
}

/* LOW-HIGH. */
static int
read_area(const struct command *self, const char *text, struct range *ret)
{
	const char *rest = range_parse(text, ret);

	if (rest && !*rest && ret->start && strchr(text, '-'))
		return 0;
	return misused(self, "no area '%s': say LOW-HIGH, such as 40000-40999",
		       text);
}

static int
read_quota(const struct command *self, const char *text, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n == 0 || n > 2 * PORT_COUNT)
		return misused(self,
			       "no quota '%s': say a number of ports from 1 "
			       "to %u",
			       text, 2 * PORT_COUNT);
	*ret = (uint32_t)n;
	return 0;
}

static int
read_wish(const struct command *self, int argc, char **argv, struct wish *ret)
{
	static const struct option known[] = {
		{"again", no_argument, NULL, 'g'},
		{"area", required_argument, NULL, 'a'},
		{"cgroup", required_argument, NULL, 'c'},
		{"force", no_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{"json", no_argument, NULL, 'j'},
		{"quota", required_argument, NULL, 'q'},
		{0},
	};
	int option, r = 0;

	opterr = 0;
	while (r == 0) {
		const char *word;

		option = getopt_long(argc, argv, ":h", known, NULL);
		word = argv[optind - 1];
		if (option == -1)
			return -1;
		else if (option == 'h')
			return print_help(self);
		else if (option == 'g')
			ret->again = true;
		else if (option == 'a')
			r = read_area(self, optarg, &ret->area);
		else if (option == 'c')
			ret->cgroup = optarg;
		else if (option == 'f')
			ret->force = true;
		else if (option == 'j')
			ret->json = true;
		else if (option == 'q')
			r = read_quota(self, optarg, &ret->quota);
		else if (option == ':')
			r = misused(self, "%s wants a value", word);
		else
			r = misused(self, "guard does not know the option %s",
				    word);
	}
	return r;
}

/* Options that the verb does not have. */
static int
check_wish(const struct command *self, const char *verb,
	   const struct wish *wish)
{
	bool is_on = strcmp(verb, "on") == 0;

	if ((wish->area.count || wish->quota || wish->again) && !is_on)
		return misused(self, "--again, --area and --quota go with on");
	if (wish->force && strcmp(verb, "off") != 0)
		return misused(self, "--force goes with off");
	if (wish->json && strcmp(verb, "status") != 0)
		return misused(self, "--json goes with status");
	if (is_on || strcmp(verb, "off") == 0 || strcmp(verb, "status") == 0)
		return 0;
	return misused(self, "no '%s': say on, off or status", verb);
}

static int
guard_main(const struct command *self, int argc, char **argv)
{
	struct wish wish = {0};
	const char *verb;
	int r = read_wish(self, argc, argv, &wish);

	if (r >= 0)
		return r;
	if (optind == argc)
		return misused(self, "say on, off or status");
	verb = argv[optind++];
	if (optind < argc)
		return misused(self, "one operand too many: %s", argv[optind]);
	r = check_wish(self, verb, &wish);
	if (r != 0)
		return r;
	if (guard_lacking)
		return refuse("this command was made without %s: install that "
			      "and make it again",
			      guard_lacking);
	if (strcmp(verb, "status") == 0)
		return guard_status(wish.cgroup, wish.json);
	return strcmp(verb, "on") == 0 ? on(&wish) : off(&wish);
}

const struct command command_guard = {
	.name = "guard",
	.summary = "reservations that no program of this machine can take",
	.help = "guard on [--cgroup PATH] [--area LOW-HIGH] [--quota N] "
		"[--again]\n"
		"       portres guard off [--cgroup PATH] [--force]\n"
		"       portres guard status [--cgroup PATH] [--json]\n"
		"Lets the kernel refuse reserved ports to every program, under "
		"the library or not:\nstatic ones, other users', containers'. "
		"For root; once a boot; no process stays.\n\n"
		"  on             attaches the guard, or renews its programs\n"
		"  off            takes it away; with --force though blocks "
		"live\n"
		"  status         where it is, what it holds and has refused\n"
		"  --cgroup PATH  the processes of that cgroup, instead of "
		"all\n"
		"  --area L-H     ports that the system does not choose by "
		"itself from now on\n"
		"  --quota N      the ports that one user may have (16384)\n"
		"  --again        no error where it is on, and has all\n"
		"  --json         an array of objects: cgroup, attached, "
		"current, blocks,\n"
		"                 persistent, ports, namespaces, refused, "
		"quota, area\n",
	.main = guard_main,
};
