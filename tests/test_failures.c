/* SPDX-License-Identifier: MIT */
/*
 * Every system call of every operation fails once, in every way that fits it.
 * Whatever the answer is then: nothing leaks, nothing stays locked, and the
 * books are in order. And no descriptor is ever open to an exec.
 */
#include "tests/failing.h"
#include "tests/failing_scene.h"

/* A block of ours, one of a dead socket, a listener; all else is free. */
static void
set_up(struct scene *scene, const struct sys_ops *sys)
{
	scene->pool = rig_pool();
	scene->sys = sys;
	scene->fd = tcp_socket();
	scene->mine = rig_reserve(&scene->pool, scene->fd, scene->first, 3);
	scene->dead = tcp_socket();
	rig_reserve(&scene->pool, scene->dead, scene->first + 10, 3);
	close(scene->dead);
	scene->pool.sys = sys;
}

static void
tear_down(struct scene *scene)
{
	close(scene->fd);
	pool_close(&scene->pool);
	unlink(rig_file());
}

static bool
is_live(const struct pool_file *file, uint32_t port)
{
	return slot_by_port((struct pool_file *)file, PROTOCOL_TCP, port);
}

/* While others' locks come and go quickly, the dead may seem alive. */
static void
reserve_in_the_end(struct scene *scene, uint32_t count)
{
	struct acquire wanted = rig_wanted(scene->fd, scene->first, count);
	struct reservation got;
	int r = -EADDRINUSE;

	for (int i = 0; i < 100 && r == -EADDRINUSE; i++)
		r = rig_acquire(&scene->pool, &wanted, &got);
	cr_assert_eq(r, 0, "%u+%u: %d", scene->first, count, r);
}

static void
check_after(struct scene *scene, const struct tidy *before, const char *what)
{
	const struct pool_file *file = scene->pool.file;
	struct pool_lock lock;

	tidy_compare(before);
	cr_assert_eq(rig_gate, 0, "%s: the gate is shut", what);
	cr_assert_eq(atomic_load(&file->header.dirty), 0, "%s: dirty", what);
	cr_assert(rig_marks_right(file), "%s: the books are wrong", what);
	scene->pool.sys = &sys_kernel;
	cr_assert_eq(pool_enter(&scene->pool, POOL_TRY, &lock), 0, "%s: locked",
		     what);
	pool_leave(&scene->pool, &lock);
	/* Nobody's ports are lost for good: those of the dead can be had. */
	if (!is_live(file, scene->first + 20))
		rig_reserve(&scene->pool, scene->fd, scene->first + 20, 3);
	close(scene->fd);
	scene->fd = tcp_socket();
	reserve_in_the_end(scene, 28);
}

static void
fail_once(struct scene *scene, operation *what, bool within, int turn, long nr,
	  int error, const char *name)
{
	struct kernel_failing kernel = {.ops = {.call = kernel_fail},
					.turn = turn,
					.fails = nr,
					.error = error};
	struct tidy before;
	int r;

	set_up(scene, &kernel.ops);
	before = tidy_look();
	r = within ? inside(scene, what) : what(scene);
	cr_assert_geq(r, -4095, "%s", name);
	check_after(scene, &before, name);
	tear_down(scene);
}

static int
fail_in_all_ways(struct scene *scene, operation *what, bool within, int turn,
		 const struct failing_way *way, const char *name)
{
	char text[80];
	int n;

	for (n = 0; n < FAILING_ERRORS && way->errors[n]; n++) {
		snprintf(text, sizeof(text), "%s: call %d (%ld) fails with %d",
			 name, turn, way->nr, way->errors[n]);
		fail_once(scene, what, within, turn, way->nr, way->errors[n],
			  text);
	}
	return n;
}

static void
fail_each_call(const char *name, operation *what, bool within)
{
	struct kernel_failing all = {.ops = {.call = kernel_fail}, .turn = -1};
	struct scene scene = {.first = own_ports()};
	int listener = tcp_socket(), failures = 0;

	cr_assert_eq(bind_to(listener, AF_INET, "127.0.0.1", scene.first + 30),
		     0);
	cr_assert_eq(listen(listener, 1), 0);
	set_up(&scene, &all.ops);
	if (within)
		inside(&scene, what);
	else
		what(&scene);
	tear_down(&scene);
	cr_assert_lt(all.calls, CALLS_MAX);
	for (int turn = 0; turn < all.calls; turn++)
		for (size_t w = 0; w < FAILING_WAYS; w++)
			if (failing_ways[w].nr == all.nr[turn])
				failures += fail_in_all_ways(
					&scene, what, within, turn,
					&failing_ways[w], name);
	cr_assert_gt(failures, 0);
	close(listener);
}

#define FAIL_INSIDE(name)                                                      \
	CHECK(failures, name)                                                  \
	{                                                                      \
		fail_each_call(#name, name, true);                             \
	}
#define FAIL_OUTSIDE(name)                                                     \
	CHECK(failures, name)                                                  \
	{                                                                      \
		fail_each_call(#name, name, false);                            \
	}

/* Asks of each descriptor whether a program would inherit it. Without kcmp()
 * a close has to open one more. */
static long
kernel_look(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_failing *self = (struct kernel_failing *)(void *)sys;
	long r = nr == SYS_kcmp ? -EPERM : kernel_real(nr, arg);

	if (r < 0 || (nr != SYS_openat && nr != SYS_socket &&
		      nr != SYS_epoll_create1 && nr != SYS_timerfd_create))
		return r;
	self->calls++;
	cr_assert(fcntl((int)r, F_GETFD) & FD_CLOEXEC, "call %ld", nr);
	return r;
}

/* Another thread may exec at any time: its program would have the lock. */
CHECK(failures, no_descriptor_is_open_to_an_exec)
{
	operation *const each[] = {
		acquire_free, acquire_used, acquire_any, acquire_swept,
		sweep,	      open_again,   open_new,	 closed,
	};
	struct scene scene = {.first = own_ports()};
	int listener = tcp_socket();

	cr_assert_eq(bind_to(listener, AF_INET, "127.0.0.1", scene.first + 30),
		     0);
	cr_assert_eq(listen(listener, 1), 0);
	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		struct kernel_failing kernel = {.ops = {.call = kernel_look}};

		set_up(&scene, &kernel.ops);
		each[i](&scene);
		cr_assert_gt(kernel.calls, 0, "operation %zu", i);
		tear_down(&scene);
	}
	close(listener);
}

FAIL_OUTSIDE(acquire_free)
FAIL_OUTSIDE(acquire_dead)
FAIL_OUTSIDE(acquire_used)
FAIL_OUTSIDE(acquire_any)
FAIL_OUTSIDE(acquire_swept)
FAIL_INSIDE(release)
FAIL_INSIDE(release_moved)
FAIL_OUTSIDE(look)
FAIL_OUTSIDE(sweep)
FAIL_OUTSIDE(open_again)
FAIL_OUTSIDE(open_new)
FAIL_OUTSIDE(announced)
