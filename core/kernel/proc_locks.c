/* SPDX-License-Identifier: MIT */
/*
 * /proc/locks is read without gaps, however long it is.
 *
 * One read() of /proc/locks shows some lines, taken in one moment; the next
 * read goes on at the next line's number. When locks from earlier lines are
 * dropped between the two, the rest moves up and lines fall through: a living
 * lease would look dead. So two descriptors read in turns, half a page apart,
 * and each page must have lines that were seen before. A lock that is never
 * dropped keeps its place relative to other such locks (the kernel adds at the
 * front of its lists, one for each CPU, and removes). So if a page repeats a
 * line we have seen, nothing between them was skipped.
 *
 * A lock that was dropped and taken anew looks as if it had stayed, and stands
 * at the front of some CPU's list. So a line counts as seen before only near
 * the number that it had, and lines that look alike do not count; some in a row
 * must have moved alike, and the page must begin with such (lock_page.c). A
 * page with weaker signs, as beside long records, is taken, but the reading is
 * doubtful from then on.
 *
 * A page that does not join is no reason to begin anew: both descriptors step
 * back, further each time, until the lines there are known. A reading fails
 * only after many steps without progress, and never by the clock.
 *
 * A lock and its waiters are one record, which comes in one piece. Before a
 * long one a page ends early, for both descriptors at the same place. When the
 * list shrinks in that moment the reader is past its new end, and there is no
 * next page. So at the end a third descriptor looks back: if the bytes before
 * it are still the same, the lines' numbers included, nothing has moved.
 * Otherwise the end is read again: in other rounds or, if a round is long, in
 * this one.
 *
 * A lock can still be missed, by a coincidence within microseconds at a certain
 * place. So a list counts as read after several rounds: three when nothing
 * moved, 24 when something did or a round was doubtful. A lock that was seen in
 * any of them is there. A longer list gets fewer of these: a coincidence at one
 * place is no likelier in it, and a round takes time with the square of the
 * length. Each round must have shown a lock that is known to be there (struct
 * open_list).
 */
#include "core/kernel/proc_locks.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "core/kernel/lock_page.h"

static const char *
line_end(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	return newline ? newline : end;
}

static const char *
skip(const char *p, const char *end, char c)
{
	while (p < end && *p == c)
		p++;
	return p;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* The number at p; moves p past it. */
static uint64_t
number(const char **p, const char *end, int base)
{
	uint64_t n = 0;

	for (; *p < end && digit(**p) < base; (*p)++)
		n = n * (uint64_t)base + (uint64_t)digit(**p);
	return n;
}

/* "00:09:", in hexadecimal. */
static uint64_t
device(const char **p, const char *end)
{
	uint64_t part[2];

	for (int i = 0; i < 2; i++) {
		part[i] = number(p, end, 16);
		*p += *p < end; /* the colon */
	}
	return makedev((unsigned)part[0], (unsigned)part[1]);
}

/* "… OFDLCK ADVISORY  READ -1 00:09:7191 START END": device and inode are
 * field 4 after OFDLCK, the start is field 5. */
static void
parse_line(const char *p, const char *end, proc_locks_seen *seen, void *context)
{
	uint64_t of_device = 0;
	uint32_t inode = 0;

	p = memmem(p, (size_t)(end - p), "OFDLCK", 6);
	if (!p)
		return;
	for (int field = 0; field < 5; field++) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (!p)
			return;
		p = skip(p, end, ' ');
		if (field == 3) {
			of_device = device(&p, end);
			inode = (uint32_t)number(&p, end, 10);
		}
	}
	seen(context, of_device, inode, number(&p, end, 10));
}

void
proc_locks_parse(const char *lines, size_t n, proc_locks_seen *seen,
		 void *context)
{
	const char *end = lines + n;

	for (const char *p = lines; p < end; p = line_end(p, end) + 1)
		parse_line(p, line_end(p, end), seen, context);
}

/*
 * The descriptors that read the list, and a lock that is known to be on it.
 *
 * Something else may be mounted over /proc/locks: /dev/null, an empty file,
 * another file of procfs. Such a list shows no lease at all, so a list proves
 * nothing unless it is procfs' and shows a lock of ours, on the list's own
 * file, where nobody else has one.
 */
#define LOCK_FDS 3

struct open_list {
	int fd[LOCK_FDS];
	uint64_t device;
	uint32_t inode;
	uint64_t start;
};

static void
hold(const struct sys_ops *sys, const struct fork_block *forks,
     struct fork_block_hold *ret)
{
	if (forks)
		fork_block_hold(sys, forks->word(), FORK_BLOCK_HOLD_NS, ret);
}

static void
unhold(const struct sys_ops *sys, const struct fork_block *forks,
       const struct fork_block_hold *held)
{
	if (forks)
		fork_block_release(sys, forks->word(), held);
}

static void
close_some(const struct sys_ops *sys, const struct open_list *list, int n)
{
	while (n-- > 0)
		sys_close(sys, list->fd[n]);
}

static int
open_all(const struct sys_ops *sys, const struct fork_block *forks,
	 struct open_list *ret)
{
	for (int n = 0; n < LOCK_FDS; n++) {
		int fd = sys_open(sys, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);

		if (fd < 0) {
			close_some(sys, ret, n);
			return fd;
		}
		ret->fd[n] = fd;
	}
	if (forks && forks->lend)
		forks->lend(ret->fd, LOCK_FDS);
	return 0;
}

/*
 * Odd, because tokens are even. Two threads of two processes can have the same
 * number, but not in the same nanosecond.
 */
static uint64_t
own_start(const struct sys_ops *sys)
{
	uint64_t mixed = sys_clock(sys, CLOCK_MONOTONIC) * 0x9e3779b97f4a7c15u;

	mixed ^= mixed >> 32 ^ sys_gettid(sys) * 0xd6e8feb86659fd93u;
	return mixed >> 2 | 1;
}

static int
put_known_lock(const struct sys_ops *sys, struct open_list *list)
{
	struct flock lock = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_len = 1,
	};
	struct statfs system;
	struct stat st;
	int r = sys_fstatfs(sys, list->fd[0], &system);

	if (r < 0)
		return r;
	if (system.f_type != PROC_SUPER_MAGIC)
		return -ENOENT;
	r = sys_fstat(sys, list->fd[0], &st);
	if (r < 0)
		return r;
	list->device = st.st_dev;
	list->inode = (uint32_t)st.st_ino;
	list->start = own_start(sys);
	lock.l_start = (off_t)list->start;
	return sys_fcntl(sys, list->fd[0], F_OFD_SETLK, &lock);
}

static void
open_list_end(const struct sys_ops *sys, const struct fork_block *forks,
	      const struct open_list *list)
{
	struct fork_block_hold held;

	hold(sys, forks, &held);
	if (forks && forks->take_back)
		forks->take_back(list->fd, LOCK_FDS);
	close_some(sys, list, LOCK_FDS);
	unhold(sys, forks, &held);
}

static int
open_list(const struct sys_ops *sys, const struct fork_block *forks,
	  struct open_list *ret)
{
	struct fork_block_hold held;
	int r;

	hold(sys, forks, &held);
	r = open_all(sys, forks, ret);
	unhold(sys, forks, &held);
	if (r < 0)
		return r;
	r = put_known_lock(sys, ret);
	if (r < 0)
		open_list_end(sys, forks, ret);
	return r;
}

#define ROUNDS_MOST 24

/* Mapped, because it is too large for a signal stack. */
struct reading {
	const struct sys_ops *sys;
	proc_locks_seen *seen;
	void *context;
	struct open_list list;

	/* The round */
	struct lineset set; /* the lines of pages that joined */
	uint64_t seed;
	struct reader reader[2];
	struct page page;
	bool joined; /* that page */
	bool shown;  /* the lock that is known to be there */
	uint32_t ends;
	uint32_t chase; /* pages that ended with the list and had nothing new */

	/* All rounds */
	size_t length; /* of the list, when it ended last */
	bool restless; /* something moved, or might move unseen */
	bool doubtful; /* a page that may not have joined was taken */
	size_t furthest;
	uint32_t failures; /* since then */

	/* Steps back */
	uint32_t in_a_row;
	size_t lost_at;
	size_t step, helped; /* pages */
};

#define PAGES_SHORT 64 /* each is read twice in a round */
#define PAGES_LONG 512

/* The number of rounds that are needed. */
static size_t
rounds_wanted(const struct reading *reading)
{
	size_t pages = reading->length / LOCK_PAGE + 1;
	size_t least = pages > PAGES_LONG ? 2 : 3;
	size_t rounds =
		ROUNDS_MOST * PAGES_SHORT * PAGES_SHORT / (pages * pages);

	if (reading->doubtful)
		return ROUNDS_MOST;
	if (!reading->restless || rounds < least)
		return least;
	return rounds < ROUNDS_MOST ? rounds : ROUNDS_MOST;
}

#define FAILURES_MAX 256 /* in a row, without progress */
#define FURTHER (LOCK_PAGE / 2)
#define REACH 256      /* lines; those of a page are 60 to 80 */
#define REACH_STEP 128 /* more for each page that was stepped back */
#define STEP_MIN 2u    /* pages */
#define ENDS_IN_PLACE 6
#define CHASE_MAX 4 /* two, when nothing moves */
#define NAP_NS 200000

static void
note(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	struct reading *reading = context;
	const struct open_list *list = &reading->list;

	if (device == list->device && inode == list->inode &&
	    start == list->start)
		reading->shown |= reading->joined;
	else
		reading->seen(reading->context, device, inode, start);
}

/*
 * The next reader, and the bytes that it reads: the one behind, which gets half
 * a page ahead. One that is nearly a page behind, because both were at one
 * place, takes a short step; or is moved by one, if it has read nothing before
 * its place. At the end, where both are at one place, the one whose buffer had
 * room.
 */
static struct reader *
next_reader(struct reader reader[2], size_t *ret_size)
{
	bool second =
		reader[1].place.at < reader[0].place.at ||
		(reader[1].place.at == reader[0].place.at && reader[1].room);
	struct reader *next = &reader[second];
	size_t behind = reader[!second].place.at - next->place.at;

	*ret_size = LOCK_PAGE_MAX;
	if (behind <= LOCK_PAGE * 3 / 4)
		return next;
	if (place_is_new(&next->place))
		reader_put(next, next->place.at + behind / 2);
	else
		*ret_size = behind / 2;
	return next;
}

static void
begin(struct reading *reading)
{
	lineset_clear(&reading->set);
	reading->seed++;
	reading->shown = false;
	reading->in_a_row = 0;
	for (int n = 0; n < 2; n++) {
		reading->reader[n].fd = reading->list.fd[n];
		reader_put(&reading->reader[n], 0);
	}
}

static void
step_back(struct reading *reading, size_t from, size_t bytes)
{
	if (from <= bytes) {
		begin(reading);
		return;
	}
	for (int n = 0; n < 2; n++)
		reader_put(&reading->reader[n], from - bytes);
}

static int
fail(struct reading *reading)
{
	reading->restless = true;
	return ++reading->failures > FAILURES_MAX ? -EAGAIN : 0;
}

/* As many pages as helped last, but not back to the start at once. */
static size_t
first_step(const struct reading *reading)
{
	size_t half = reading->lost_at / LOCK_PAGE / 2;
	size_t step = reading->helped < half ? reading->helped : half;

	return step > STEP_MIN ? step : STEP_MIN;
}

/* Steps back, towards lines that are known. */
static int
lose(struct reading *reading, size_t at)
{
	if (reading->in_a_row++ == 0) {
		reading->lost_at = at;
		reading->step = first_step(reading);
	} else {
		reading->step *= 2;
	}
	step_back(reading, reading->lost_at, reading->step * LOCK_PAGE);
	return fail(reading);
}

static int
keep(struct reading *reading, size_t end)
{
	/* Some process takes a lock between any two reads: without a nap that
	 * could go on for ever. */
	if (reading->chase > CHASE_MAX)
		sys_nanosleep(reading->sys, NAP_NS);
	if (reading->in_a_row > 1)
		reading->helped = reading->step;
	else if (reading->in_a_row == 1) /* a shorter one might have, too */
		reading->helped = reading->step - reading->step / 4;
	reading->in_a_row = 0;
	if (end > reading->furthest + FURTHER) {
		reading->furthest = end;
		reading->failures = 0;
	}
	return page_remember(&reading->set, &reading->page);
}

/* To look back takes as long as to step back: only beside waiters, and now and
 * then. */
static bool
held_still(const struct reading *reading)
{
	const struct page *page = &reading->page;

	return (page_has_waiters(page) || place_has_waiters(&page->place) ||
		reading->failures % 8 == 7) &&
	       place_held_still(reading->sys, reading->list.fd[2],
				&page->place);
}

static bool
joins(struct reading *reading, const struct reader *reader)
{
	const struct page *page = &reading->page;
	bool found = reading->in_a_row == 0;
	size_t reach = found ? REACH : REACH + reading->step * REACH_STEP;
	enum joining joining = page_joins(&reading->set, page, reach, found);

	reading->restless |= page_has_waiters(page);
	reading->doubtful |= joining == JOINS_PERHAPS;
	if (joining == JOINS_WHOLLY && reader->room)
		reading->chase++;
	else
		reading->chase = 0;
	return joining != JOINS_NOT || held_still(reading);
}

/*
 * 1 when the round is complete, else 0 or -EAGAIN. An end that does not hold
 * still is read again: that of a short list in other rounds, that of a long one
 * in this round, in place and after a step back.
 */
static int
come_to_end(struct reading *reading, const struct reader *reader)
{
	const struct place *place = &reader->place;
	bool still = false;

	if (place_is_new(place))
		return lose(reading, place->at);
	reading->length = place->at;
	if (reading->ends == 0 || !reader->room)
		still = place_held_still(reading->sys, reading->list.fd[2],
					 place);
	if (still && reader->room)
		return 1;
	if (!still && !reader->room) {
		/* Another distance each time, because of long records. */
		size_t pieces = reading->failures % 12 + 1;

		step_back(reading, place->at, pieces * LOCK_ROOM);
		return fail(reading);
	}
	reading->restless = true;
	if (++reading->ends >= ROUNDS_MOST / rounds_wanted(reading))
		return 1;
	sys_nanosleep(reading->sys, NAP_NS);
	if (reading->ends % ENDS_IN_PLACE == 0)
		step_back(reading, place->at, STEP_MIN * LOCK_PAGE);
	return 0;
}

/* Reads the next page. 1 when the round is complete, else 0 or -Exxx. */
static int
go_on(struct reading *reading)
{
	struct page *page = &reading->page;
	size_t size;
	struct reader *next = next_reader(reading->reader, &size);
	int got = page_read(reading->sys, next, size, reading->seed, page);

	if (got < 0)
		return got;
	if (got == 0)
		return come_to_end(reading, next);
	reading->joined = joins(reading, next);
	/* A lock that was seen is there, whatever was skipped. */
	proc_locks_parse(page->text, page->n, note, reading);
	return reading->joined ? keep(reading, next->place.at)
			       : lose(reading, page->place.at);
}

static int
round_read(struct reading *reading)
{
	int r;

	begin(reading);
	reading->ends = 0;
	do
		r = go_on(reading);
	while (r == 0);
	return r < 0 ? r : 0;
}

static int
read_rounds(struct reading *reading)
{
	size_t rounds = 0, vain = 0;

	do {
		int r = round_read(reading);

		if (r < 0)
			return r;
		reading->furthest = 0;
		reading->failures = 0;
		if (reading->shown)
			rounds++;
		else if (++vain > ROUNDS_MOST)
			return -EAGAIN;
		reading->restless |= !reading->shown;
	} while (rounds < rounds_wanted(reading));
	return 0;
}

static int
read_opened(struct reading *reading, const struct fork_block *forks)
{
	int r = open_list(reading->sys, forks, &reading->list);

	if (r < 0)
		return r;
	r = read_rounds(reading);
	open_list_end(reading->sys, forks, &reading->list);
	return r;
}

int
proc_locks_read(const struct sys_ops *sys, const struct fork_block *forks,
		proc_locks_seen *seen, void *context)
{
	long at = sys_mmap_private(sys, sizeof(struct reading));
	struct reading *reading = (struct reading *)at;
	int r;

	if (at < 0)
		return (int)at;
	reading->sys = sys;
	reading->seen = seen;
	reading->context = context;
	r = lineset_make(sys, &reading->set);
	if (r == 0) {
		r = read_opened(reading, forks);
		lineset_free(&reading->set);
	}
	sys_munmap(sys, reading, sizeof(*reading));
	return r;
}
