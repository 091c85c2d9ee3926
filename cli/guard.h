/* SPDX-License-Identifier: MIT */
/*
 * The parts of `portres guard`. Functions that speak to the kernel return 0 or
 * -Exxx; those that speak to people return a status, after a message.
 */
#ifndef PORTRES_CLI_GUARD_H
#define PORTRES_CLI_GUARD_H

#include "cli/guard_place.h"
#include "core/kernel/range.h"
#include "guard/load.h"
#include "guard/state.h"

/* Why this command has no programs: what was not there when it was made. NULL:
 * it has them. */
extern const char *const guard_lacking;

/* A guard as it is pinned. */
struct guard_pinned {
	int map[GUARD_MAPS];
	int link[GUARD_PROGRAMS];
	struct guard_config config;
};

/* -ENOENT, -EACCES or -EPERM, and others from the kernel. */
int guard_open(const char *pins, struct guard_pinned *ret);
/* Is it of a build with a layout that this one does not know? Then of all that
 * it holds nothing was opened, and the configuration is empty. */
bool guard_keeps_other_books(const struct guard_pinned *pinned);
void guard_close(struct guard_pinned *pinned);

/* Loads and attaches the programs, or nothing; then pins them. */
int guard_attach(const struct guard_place *place,
		 const struct guard_config *config);
/* Puts the programs of this command in the place of those that are attached:
 * no bind passes between, and blocks stay. */
int guard_renew(struct guard_pinned *pinned);
int guard_detach(const char *pins);
/* Does it guard anything, or has its cgroup gone? */
bool guard_attached(const struct guard_pinned *pinned);

/*
 * Takes away pins that guard nothing: those of an `on` or `off` that was
 * killed, and of cgroups that have gone; with GUARD_PINS locked. One that has
 * an area of another network namespace stays, but with `force` not that of the
 * cgroup `path`. Has it taken one away that was `path`'s? It may be NULL.
 */
bool guard_clear_remains(const char *path, bool force);

/* Finds the pins of the guard that was put on the cgroup with that path. */
bool guard_find_pinned(struct guard_place *place);

/* The areas of all guards but that one, in its network namespace. */
void guard_areas_of_others(const struct guard_config *than,
			   struct port_set *ret);

/* Says why a guard cannot be attached: a status. */
int guard_explain(int r);

/*
 * --area: keeps the system from choosing ports by
 * net.ipv4.ip_local_reserved_ports, and notes which of them nobody had kept
 * from it before but other guards, of which the last one gives them back;
 * -EXDEV: another network namespace than that of `on`, whose list is another.
 */
int guard_area_take(struct range area, struct guard_pinned *pinned);
/* Keeps it anew, if the list has been written since: 1 if it has, 0 or -Exxx.
 */
int guard_area_renew(const struct guard_config *config);
int guard_area_give_back(const struct guard_config *config);
uint32_t guard_area_size(const struct guard_config *config);

/* The network namespace of this process, 0 where it cannot be told. */
uint64_t guard_namespace(void);

/* All blocks that live; the number of them. `visit` may be NULL. */
typedef void guard_visit(void *context, const struct guard_block *block);
uint32_t guard_each_block(const struct guard_pinned *pinned, guard_visit *visit,
			  void *context);

int guard_status(const char *path, bool json);

#endif
