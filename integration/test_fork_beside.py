# SPDX-License-Identifier: MIT
"""A process forks while another of its threads is at work in the library: the
child has no descriptor that the program did not open."""

import ctypes
import os
import threading

import pytest

PROGRAM = r"""
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <portres.h>

#define BYTES 268435456
#define FIRST 27300

static const char *what;
static atomic_int stop, done;

static int
acquire(int fd, int start, int count)
{
	struct portres_instance block = {.start_port = htons(start),
					 .number_of_ports = count};

	return ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block);
}

static void
once(int fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET};

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (strcmp(what, "close") == 0) {
		acquire(fd, FIRST, 1);
	} else if (strcmp(what, "refused") == 0) {
		at.sin_port = htons(FIRST + 10);
		bind(fd, (struct sockaddr *)&at, sizeof(at));
	} else {
		at.sin_port = htons(9);
		connect(fd, (struct sockaddr *)&at, sizeof(at));
	}
}

static void *
work(void *nothing)
{
	while (!stop) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		once(fd);
		close(fd);
		done++;
	}
	return nothing;
}

static int
is_foreign(const char *file)
{
	return strstr(file, "eventpoll") || strstr(file, "timerfd") ||
	       strncmp(file, "/proc/", 6) == 0 || strstr(file, "/pool-");
}

/* The number of the directory itself is among them. */
static int
foreign_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(directory))) {
		char file[256] = "";

		if (atoi(entry->d_name) != dirfd(directory) &&
		    readlinkat(dirfd(directory), entry->d_name, file,
			       sizeof(file) - 1) > 0 &&
		    is_foreign(file))
			n += fprintf(stderr, "%s\n", file) > 0;
	}
	return n;
}

/* Some milliseconds of each fork go to its page tables. */
static void
grow(void)
{
	char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(at, BYTES, MADV_NOHUGEPAGE);
	memset(at, 1, BYTES);
}

int
main(int n, char **argument)
{
	int owner = socket(AF_INET, SOCK_STREAM, 0);
	int children = 1000, with = 0, status;
	pthread_t thread;

	what = argument[1];
	if (n > 2) {
		grow();
		children = 100;
	}
	if (acquire(owner, FIRST + 10, 1) < 0 ||
	    (strcmp(what, "connect") == 0 && acquire(owner, 40000, 5000) < 0))
		return 2;
	pthread_create(&thread, NULL, work, NULL);
	for (int i = 0; i < children || (done <= 100 && i < 100000); i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(foreign_descriptors() > 0);
		waitpid(child, &status, 0);
		with += status != 0;
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("%d %s\n", with, done > 100 ? "busy" : "idle");
	return 0;
}
"""


@pytest.mark.parametrize("what", ["close", "refused", "connect", "close large"])
def test_no_descriptor_of_ours_is_inherited(compile_program, start, namespace, what):
    program = compile_program(PROGRAM, "forks", flags=["-D_GNU_SOURCE", "-pthread"])
    forks = start([*namespace, program, *what.split()])
    assert forks.line() == "0 busy"
    assert forks.end() == 0


# A libc behind the library: in the close of one number a handler comes that
# forks. Its child goes on with the close, or becomes a daemon: that has other
# descriptors, and children, which have them too.
CLOSE = """
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int forking = -1, daemons, answer;
static void become_a_daemon(void)
{
	int n = 0, status;
	for (int fd = 3; fd < 60; fd++)
		syscall(SYS_close, fd);
	for (int fd = 3; fd < 40; fd++)
		dup(0);
	if (fork()) {
		wait(&status);
		_exit(WEXITSTATUS(status));
	}
	for (int fd = 3; fd < 40; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	_exit(n);
}
int close(int fd)
{
	if (fd == forking) {
		pid_t child = fork();

		forking = -1;
		if (child) {
			waitpid(child, &answer, 0);
			answer = WEXITSTATUS(answer);
		} else if (daemons) {
			become_a_daemon();
		} else {
			dup(0);
		}
	}
	return (int)syscall(SYS_close, fd);
}
"""


@pytest.fixture
def one(player, behind):
    """It has two threads."""
    def begin_a_thread():
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    one = player(behind(CLOSE))
    one.run(begin_a_thread)
    return one


@pytest.fixture
def a(one):
    a = one.tcp()
    a.acquire(27330, 2)
    return a


def set_variable(name, value):
    ctypes.c_int.in_dll(ctypes.CDLL(None), name).value = value


def get_variable(name):
    return ctypes.c_int.in_dll(ctypes.CDLL(None), name).value


def count_descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_a_handler_that_forks_in_the_middle_of_a_close(one, a, other, tmp_path):
    def close(sock, parent, said):
        sock.close()
        if os.getpid() != parent:
            with open(said, "w") as file:
                file.write(str(len(os.listdir("/proc/self/fd"))))
            os._exit(0)

    before = one.run(count_descriptors)
    one.run(set_variable, "forking", a.fileno())
    said = tmp_path / "said"
    one.run(close, a, one.pid, str(said))
    other.tcp().acquire(27330, 2)
    # One closed, the duplicate, and one opened to be written to.
    assert int(said.read_text()) == before + 1
    assert one.run(count_descriptors) == before - 1


def test_a_daemon_that_begins_in_the_middle_of_a_close(one, a):
    one.run(set_variable, "daemons", 1)
    one.run(set_variable, "forking", a.fileno())
    a.close()
    assert one.run(get_variable, "answer") == 40 - 3
