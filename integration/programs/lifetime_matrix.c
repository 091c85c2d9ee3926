/* SPDX-License-Identifier: MIT */
/*
 * One row of the lifetime matrix, or its judge.
 *
 *	lifetime_matrix judge START COUNT
 *		answers each line with free, taken, or the error's number
 *	lifetime_matrix hammer START COUNT
 *		after a line, says so and asks until the next line comes or
 *		the block is free; then says taken or free, and how often
 *	lifetime_matrix actor WHERE DUP CLOSE START COUNT
 *		says what it has just done and waits for a line, until "end":
 *		owned	a socket owns the block
 *		left	our copies are closed, another's is open
 *		copied	the original is closed, a duplicate is open
 *		closed	nothing is open any more
 *		skip	this kernel cannot do it
 *	lifetime_matrix hold|after …
 *		the actor's new image, after exec
 *
 * In between it asks by itself whether it owns what it should own. Raw
 * read() and write() only: some of this runs in vfork children.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "portres.h"

#define ORIGINAL 100 /* above all copies, for closefrom() */
#define DUP2_COPY 20
#define DUP3_COPY 21
#define FCNTL_COPY 30
#define SPAWN_COPY 90

extern char **environ;
extern int __close(int fd);

static struct {
	const char *where, *dup, *close;
	int start, count;
	uint64_t token;
} row;

/* Where the duplicate is. */
struct copy {
	int fd;	     /* -1 when there is none, or it is a message */
	int pair[2]; /* the message's socket pair, or -1 */
};

static void
fail(const char *what)
{
	dprintf(2, "%s %s %s: %s: %s\n", row.where, row.dup, row.close, what,
		strerror(errno));
	_exit(1);
}

#define MUST(expression)                                                       \
	do {                                                                   \
		if ((expression) < 0)                                          \
			fail(#expression);                                     \
	} while (0)

/* Tells the test and waits for its go. */
static void
step(const char *word)
{
	char line[64];
	size_t n = strlen(word);

	memcpy(line, word, n);
	line[n++] = '\n';
	if (write(1, line, n) != (ssize_t)n)
		_exit(2);
	do {
		if (read(0, line, 1) != 1)
			_exit(2);
	} while (line[0] != '\n');
}

static void
end(void)
{
	if (write(1, "end\n", 4) != 4)
		_exit(2);
	_exit(0);
}

static void
skip(void)
{
	step("skip");
	end();
}

/* What an association with the block is answered: 0, EACCES, EINVAL. */
static void
expect_owner(int error)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r, port;

	MUST(fd);
	errno = 0;
	r = ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &row.token);
	if (errno != error || (r == 0) != (error == 0)) {
		dprintf(2, "wanted %d: ", error);
		fail("associate");
	}
	if (r == 0) {
		MUST(bind(fd, (struct sockaddr *)&at, size));
		MUST(getsockname(fd, (struct sockaddr *)&at, &size));
		port = ntohs(at.sin_port);
		if (port < row.start || port >= row.start + row.count)
			fail("bound outside of the block");
	}
	close(fd);
}

/* The owning socket, at a high number. */
static int
take(int flags)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)row.start),
		.number_of_ports = (uint16_t)row.count,
	};
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	MUST(fd);
	MUST(dup3(fd, ORIGINAL, flags & SOCK_CLOEXEC ? O_CLOEXEC : 0));
	close(fd);
	MUST(ioctl(ORIGINAL, SIO_ACQUIRE_PORT_RESERVATION, &block));
	row.token = block.token;
	step("owned");
	return ORIGINAL;
}

static void
post(const int pair[2], int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec byte = {.iov_base = "x", .iov_len = 1};
	struct msghdr message = {.msg_iov = &byte,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	MUST(sendmsg(pair[0], &message, 0));
}

static int
fetch(const int pair[2])
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec room = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &room,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int fd;

	MUST(recvmsg(pair[1], &message, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	close(pair[0]);
	close(pair[1]);
	return fd;
}

static struct copy
duplicate(int fd)
{
	const char *way = row.dup;
	struct copy copy = {-1, {-1, -1}};

	if (!strcmp(way, "none"))
		return copy;
	if (!strcmp(way, "dup"))
		copy.fd = dup(fd);
	else if (!strcmp(way, "dup2"))
		copy.fd = dup2(fd, DUP2_COPY);
	else if (!strcmp(way, "dup3"))
		copy.fd = dup3(fd, DUP3_COPY, 0);
	else if (!strcmp(way, "F_DUPFD"))
		copy.fd = fcntl(fd, F_DUPFD, FCNTL_COPY);
	else if (!strcmp(way, "F_DUPFD_CLOEXEC"))
		copy.fd = fcntl(fd, F_DUPFD_CLOEXEC, FCNTL_COPY);
	else {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, copy.pair));
		post(copy.pair, fd);
		if (!strcmp(way, "in flight"))
			return copy;
		copy.fd = fetch(copy.pair);
		copy.pair[0] = copy.pair[1] = -1;
	}
	MUST(copy.fd);
	return copy;
}

/* close() by io_uring, with bare system calls; no liburing needed. */
static void
close_by_ring(int fd)
{
	struct io_uring_params p = {0};
	struct io_uring_sqe *sqe;
	char *rings;
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);

	if (ring < 0)
		skip(); /* ENOSYS, or EPERM by sysctl or seccomp */
	rings = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		     IORING_OFF_SQ_RING);
	sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (rings == MAP_FAILED || sqe == MAP_FAILED)
		fail("io_uring");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_CLOSE;
	sqe->fd = fd;
	((unsigned *)(rings + p.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(rings + p.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	MUST(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		     NULL, 0));
	munmap(rings, 4096);
	munmap(sqe, 4096);
	syscall(SYS_close, ring);
}

static void
close_by(int fd)
{
	const char *way = row.close;
	int null;

	if (!strcmp(way, "close")) {
		MUST(close(fd));
	} else if (!strcmp(way, "__close")) {
		MUST(__close(fd));
	} else if (!strcmp(way, "close_range")) {
		MUST(close_range((unsigned)fd, (unsigned)fd, 0));
	} else if (!strcmp(way, "close_range unshare")) {
		MUST(close_range((unsigned)fd, (unsigned)fd,
				 CLOSE_RANGE_UNSHARE));
	} else if (!strcmp(way, "closefrom")) {
		closefrom(fd);
	} else if (!strcmp(way, "dup2")) {
		MUST(null = open("/dev/null", O_RDWR));
		MUST(dup2(null, fd));
		close(null);
	} else if (!strcmp(way, "dup3")) {
		MUST(null = open("/dev/null", O_RDWR));
		MUST(dup3(null, fd, O_CLOEXEC));
		close(null);
	} else if (!strcmp(way, "fclose")) {
		MUST(fclose(fdopen(fd, "r+")));
	} else if (!strcmp(way, "freopen")) {
		if (!freopen("/dev/null", "r", fdopen(fd, "r+")))
			fail("freopen");
	} else if (!strcmp(way, "syscall")) {
		MUST(syscall(SYS_close, fd));
	} else if (!strcmp(way, "io_uring")) {
		close_by_ring(fd);
	} else {
		fail("no such way to close");
	}
}

/* The last act of whoever has the duplicate. */
static void
end_copy(struct copy copy)
{
	bool message = copy.pair[0] >= 0;

	if (message || copy.fd >= 0) {
		step("copied");
		/* What is in flight nobody holds. */
		expect_owner(message ? EACCES : 0);
		if (message)
			copy.fd = fetch(copy.pair);
		expect_owner(0);
		close_by(copy.fd);
	}
	step("closed");
	expect_owner(EINVAL);
}

/* Duplicates, closes the original, closes the duplicate. */
static void
hold(int fd)
{
	struct copy copy;

	expect_owner(0);
	copy = duplicate(fd);
	close_by(fd);
	end_copy(copy);
}

/* All of that without a word: another's copy is the last. */
static void
vanish(int fd)
{
	struct copy copy = duplicate(fd);

	close_by(fd);
	if (copy.pair[0] >= 0)
		copy.fd = fetch(copy.pair);
	if (copy.fd >= 0)
		close_by(copy.fd);
}

/* A pipe that ends when this process lets it. */
struct gate {
	int wait, open;
};

static struct gate
gate(void)
{
	int ends[2];

	MUST(pipe(ends));
	MUST(fcntl(ends[1], F_SETFD, FD_CLOEXEC));
	return (struct gate){ends[0], ends[1]};
}

static void
gate_wait(int fd)
{
	char c;

	if (read(fd, &c, 1) != 0)
		fail("gate");
	close(fd);
}

/* The words of a new image's command line. */
struct image {
	char number[5][24];
	char *argument[12];
};

static void
image_of(const char *what, struct copy copy, int wait, struct image *ret)
{
	char *argument[] = {
		"lifetime_matrix", (char *)what,   (char *)row.where,
		(char *)row.dup,   (char *)row.close, NULL};
	int n = 5;

	memcpy(ret->argument, argument, sizeof(argument));
	for (int i = 0; i < 5; i++)
		ret->argument[n++] = ret->number[i];
	ret->argument[n] = NULL;
	snprintf(ret->number[0], 24, "%d", row.start);
	snprintf(ret->number[1], 24, "%d", row.count);
	snprintf(ret->number[2], 24, "%lu", (unsigned long)row.token);
	snprintf(ret->number[3], 24, "%d,%d,%d", copy.fd, copy.pair[0],
		 copy.pair[1]);
	snprintf(ret->number[4], 24, "%d", wait);
}

static void
become(const char *what, struct copy copy)
{
	struct image image;

	image_of(what, copy, -1, &image);
	execv("/proc/self/exe", image.argument);
	fail("exec");
}

static void
wait_for(pid_t child)
{
	int status;

	MUST(waitpid(child, &status, 0));
	if (status != 0)
		fail("child");
}

/* Our copy goes, the other process' stays. */
static void
leave(int fd)
{
	close_by(fd);
	expect_owner(EACCES);
	step("left");
	expect_owner(EACCES);
}

static void
by_fork(int fd)
{
	struct gate g = gate();
	pid_t child;

	MUST(child = fork());
	if (child == 0) {
		close(g.open);
		gate_wait(g.wait);
		hold(fd);
		_exit(0);
	}
	leave(fd);
	close(g.open);
	wait_for(child);
}

static void
by_fork_child_first(int fd)
{
	pid_t child;

	MUST(child = fork());
	if (child == 0) {
		vanish(fd);
		expect_owner(EACCES);
		_exit(0);
	}
	wait_for(child);
	step("left");
	hold(fd);
}

static void
by_vfork(int fd)
{
	pid_t child;

	MUST(child = vfork());
	if (child == 0) {
		vanish(fd);
		_exit(0);
	}
	wait_for(child);
	step("left");
	hold(fd);
}

/* As Python's subprocess with pass_fds. */
static void
by_vfork_exec(int fd)
{
	struct copy self = {fd, {-1, -1}};
	struct gate g = gate();
	struct image image;
	pid_t child;

	image_of("hold", self, g.wait, &image);
	MUST(child = vfork());
	if (child == 0) {
		fcntl(fd, F_SETFD, 0);
		close_range((unsigned)fd + 1, ~0u, 0);
		execv("/proc/self/exe", image.argument);
		_exit(127);
	}
	leave(fd);
	close(g.open);
	wait_for(child);
}

static void
by_spawn(int fd)
{
	struct copy moved = {SPAWN_COPY, {-1, -1}};
	struct gate g = gate();
	posix_spawn_file_actions_t actions;
	struct image image;
	pid_t child;

	image_of("hold", moved, g.wait, &image);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, SPAWN_COPY);
	posix_spawn_file_actions_addclose(&actions, fd);
	errno = posix_spawn(&child, "/proc/self/exe", &actions, NULL,
			    image.argument, environ);
	MUST(-errno);
	leave(fd);
	close(g.open);
	wait_for(child);
}

/* A thread with a descriptor table of its own is as good as a process. */
struct loner {
	pthread_t thread;
	sem_t alone, go;
	int fd;
};

static void *
loner_main(void *argument)
{
	struct loner *self = argument;

	MUST(unshare(CLONE_FILES));
	sem_post(&self->alone);
	sem_wait(&self->go);
	hold(self->fd);
	return NULL;
}

static void
by_thread(int fd)
{
	struct loner loner = {.fd = fd};

	sem_init(&loner.alone, 0, 0);
	sem_init(&loner.go, 0, 0);
	MUST(-pthread_create(&loner.thread, NULL, loner_main, &loner));
	sem_wait(&loner.alone);
	leave(fd);
	sem_post(&loner.go);
	pthread_join(loner.thread, NULL);
}

static void
act(void)
{
	const char *where = row.where;
	struct copy copy = {-1, {-1, -1}};
	int fd;

	if (!strcmp(where, "same")) {
		hold(take(0));
	} else if (!strcmp(where, "fork")) {
		by_fork(take(0));
	} else if (!strcmp(where, "fork child first")) {
		by_fork_child_first(take(0));
	} else if (!strcmp(where, "vfork")) {
		by_vfork(take(0));
	} else if (!strcmp(where, "vfork exec")) {
		by_vfork_exec(take(SOCK_CLOEXEC));
	} else if (!strcmp(where, "spawn")) {
		by_spawn(take(SOCK_CLOEXEC));
	} else if (!strcmp(where, "thread")) {
		by_thread(take(0));
	} else if (!strcmp(where, "daemon")) {
		fd = take(0);
		MUST(daemon(1, 1));
		hold(fd);
	} else if (!strcmp(where, "exec")) {
		copy.fd = take(0);
		become("hold", copy);
	} else if (!strcmp(where, "exec FIONCLEX")) {
		copy.fd = take(SOCK_CLOEXEC);
		MUST(ioctl(copy.fd, FIONCLEX));
		become("hold", copy);
	} else if (!strcmp(where, "exec SOCK_CLOEXEC")) {
		become("after", duplicate(take(SOCK_CLOEXEC)));
	} else if (!strcmp(where, "exec F_SETFD")) {
		fd = take(0);
		MUST(fcntl(fd, F_SETFD, FD_CLOEXEC));
		become("after", duplicate(fd));
	} else if (!strcmp(where, "exec FIOCLEX")) {
		fd = take(0);
		MUST(ioctl(fd, FIOCLEX));
		become("after", duplicate(fd));
	} else {
		fail("no such place");
	}
}

/* The new image: holds what it was given, or what is left of it. */
static void
resume(const char *what, const char *token, const char *fds, int wait)
{
	struct copy copy;

	row.token = strtoul(token, NULL, 10);
	sscanf(fds, "%d,%d,%d", &copy.fd, &copy.pair[0], &copy.pair[1]);
	if (wait >= 0)
		gate_wait(wait);
	if (!strcmp(what, "hold")) {
		hold(copy.fd);
		end();
	}
	/* The kernel knows what came through. */
	if (fcntl(ORIGINAL, F_GETFD) >= 0)
		fail("close-on-exec");
	if (fcntl(copy.fd, F_GETFD) < 0)
		copy.fd = -1;
	end_copy(copy);
	end();
}

/* Is the block free? */
static const char *
ask(int start, int count)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)start),
		.number_of_ports = (uint16_t)count,
	};
	static char number[16];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r = ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block);

	snprintf(number, sizeof(number), "%d", errno);
	if (r < 0 && errno != EADDRINUSE)
		return number;
	close(fd);
	return r == 0 ? "free" : "taken";
}

static void
judge(int start, int count)
{
	char line[64];

	while (read(0, line, sizeof(line)) > 0)
		dprintf(1, "%s\n", ask(start, count));
	exit(0);
}

static void
hammer(int start, int count)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	char line[64];

	while (read(0, line, sizeof(line)) > 0) {
		const char *answer = "taken";
		long times = 0;

		dprintf(1, "hammering\n");
		for (; !strcmp(answer, "taken") && !poll(&input, 1, 0); times++)
			answer = ask(start, count);
		if (read(0, line, sizeof(line)) <= 0)
			break;
		dprintf(1, "%s %ld\n", answer, times);
	}
	exit(0);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "judge"))
		judge(atoi(argv[2]), atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "hammer"))
		hammer(atoi(argv[2]), atoi(argv[3]));
	if (argc < 7)
		return 1;
	row.where = argv[2];
	row.dup = argv[3];
	row.close = argv[4];
	row.start = atoi(argv[5]);
	row.count = atoi(argv[6]);
	if (argc == 10)
		resume(argv[1], argv[7], argv[8], atoi(argv[9]));
	act();
	end();
}
