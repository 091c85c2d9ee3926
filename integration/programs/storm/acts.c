/* SPDX-License-Identifier: MIT */
/*
 * The acts of a member of storm.c, one after the other, by chance. Each
 * knows which answers are possible, and takes no other.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "crew.h"

static void
do_close(struct crew *crew, struct entry *entry)
{
	for (int i = 0; i < 2; i++)
		crew->me->reserved[entry->protocol] &= ~entry->block[i].mask;
	forget_port(crew, entry);
	entry->in_use = false;
	close(entry->fd);
}

static void
do_acquire(struct crew *crew, struct entry *entry)
{
	int count = 1 + (int)dice(crew->me, 6);
	int start = first + (int)dice(crew->me, (unsigned)(WINDOW - count));
	bool wildcard = dice(crew->me, 3) == 0;
	struct block *block = &entry->block[entry->block[0].mask != 0];
	struct portres_instance got;

	if (block->mask)
		return;
	if (acquire(entry->fd, wildcard ? 0 : start, count, &got) < 0) {
		if (errno != (wildcard ? ENOBUFS : EADDRINUSE))
			wrong("acquire: %s", strerror(errno));
		crew->me->done[refused]++;
		return;
	}
	start = ntohs(got.start_port);
	*block = (struct block){got.token, mask_of(start, count)};
	believe_reserved(crew->me, entry->protocol, block->mask);
	crew->me->done[wildcard ? anywhere : acquired]++;
}

static void
do_release(struct crew *crew, struct entry *entry)
{
	struct block *block = any_block(crew, entry->protocol, 0);

	if (!block)
		return;
	crew->me->reserved[entry->protocol] &= ~block->mask;
	block->mask = 0;
	if (ioctl(entry->fd, SIO_RELEASE_PORT_RESERVATION, &block->token))
		wrong("release: %s", strerror(errno));
	crew->me->done[released]++;
}

/* An associated socket waits for the pool's lock for 0.1 s, and not longer. */
static bool
is_busy(const struct entry *entry)
{
	return errno == ENETDOWN && entry->associated;
}

static void
do_bind(struct crew *crew, struct entry *entry)
{
	bool choose = dice(crew->me, 3) == 0;
	int port = choose ? 0 : first + (int)dice(crew->me, WINDOW);

	if (entry->port)
		return;
	if (bind_to(entry->fd, entry->family, dice(crew->me, 2), port) == 0)
		settle(crew, entry, choose ? chosen : named);
	else if (errno == EADDRINUSE ||
		 (errno == EADDRNOTAVAIL && entry->associated) ||
		 (choose && is_busy(entry)))
		crew->me->done[refused]++;
	else
		wrong("bind to %d: %s", port, strerror(errno));
}

static void
do_listen(struct crew *crew, struct entry *entry)
{
	if (entry->protocol || entry->listening)
		return;
	if (listen(entry->fd, 1) < 0) {
		if (errno != EADDRINUSE && errno != EINVAL && !is_busy(entry))
			wrong("listen: %s", strerror(errno));
		return;
	}
	entry->listening = true;
	if (!entry->port)
		settle(crew, entry, chosen);
}

static void
do_connect(struct crew *crew, struct entry *entry)
{
	union address to = address_of(entry->family, true, SERVER);
	socklen_t size =
		entry->family == AF_INET ? sizeof(to.v4) : sizeof(to.v6);

	/* Nor where TCP would choose among all ports: not exact to the instant,
	 * see docs/limits.md. */
	if (entry->listening || entry->port ||
	    (!entry->protocol && !block_of(crew, entry)))
		return;
	if (entry->protocol && dice(crew->me, 2))
		sendto(entry->fd, "", 1, 0, &to.any, size);
	else
		connect(entry->fd, &to.any, size);
	settle(crew, entry, connected);
}

static void
take_port(struct crew *crew, struct entry *entry)
{
	static void (*const take[])(struct crew *, struct entry *) = {
		do_bind, do_listen, do_connect};

	take[dice(crew->me, 3)](crew, entry);
}

static void
do_associate(struct crew *crew, struct entry *entry)
{
	struct block *block = any_block(crew, entry->protocol, 0);

	if (!block || entry->port)
		return;
	if (ioctl(entry->fd, SIO_ASSOCIATE_PORT_RESERVATION, &block->token))
		wrong("associate: %s", strerror(errno));
	entry->associated = block->token;
	crew->me->done[associated]++;
	/* Mostly there is something to be done with it. */
	if (dice(crew->me, 4))
		take_port(crew, entry);
}

static void
do_fork(struct crew *crew)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	crew->me->done[forked] += pid > 0;
}

static void
act(struct crew *crew)
{
	struct entry *entry = &crew->entry[dice(crew->me, ENTRIES)];
	static void (*const act[])(struct crew *, struct entry *) = {
		do_acquire,   do_acquire,   do_acquire, do_associate,
		do_associate, do_associate, do_bind,	do_bind,
		do_listen,    do_connect,   do_release, do_close,
		do_close};

	if (!entry->in_use)
		set_up(crew, entry);
	else if (dice(crew->me, 200) == 0)
		do_fork(crew);
	else
		act[dice(crew->me, sizeof(act) / sizeof(*act))](crew, entry);
}

void
work(struct member *me)
{
	struct crew crew = {.me = me};

	signal(SIGCHLD, SIG_IGN);
	while (!page->over)
		act(&crew);
	for (int i = 0; i < ENTRIES; i++)
		if (crew.entry[i].in_use)
			do_close(&crew, &crew.entry[i]);
}
