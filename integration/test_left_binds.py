# SPDX-License-Identifier: MIT
"""A signal handler leaves the bind that it has interrupted, by siglongjmp(): bind() is
one of the functions in which it may. Nobody ends the announcement then. One that the
handler returns to is under way as before, whatever the handler has bound."""

from errno import EADDRINUSE

import pytest

from kits.playing import refused

START = 26600
HANDLER, SHALLOW, DEEP = "handler", "shallow", "deep"

# A libc behind the library: a signal comes in the middle of each bind.
SIGNAL = """
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	raise(SIGUSR1);
	return (int)syscall(SYS_bind, fd, address, size);
}
"""

# Each pair of arguments is a bind: how, and to which port. Those but the last are left,
# from below a large frame or not, or are made and left by the handler of another one.
PROGRAM = r"""
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static sigjmp_buf out;
static int leaves, nested;

static __attribute__((noinline)) void bind_to(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		perror("bind");
	close(fd);
}

static __attribute__((noinline)) void bind_below(int port)
{
	volatile char room[16384];

	room[0] = room[sizeof(room) - 1] = 0;
	bind_to(port);
	room[1] = room[0];
}

static void on_signal(int number)
{
	int port = nested;

	(void)number;
	nested = 0;
	if (port)
		bind_to(port);
	else if (leaves)
		siglongjmp(out, 1);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};

	sigaction(SIGUSR1, &action, NULL);
	for (volatile int i = 1; i + 1 < argc; i += 2) {
		int port = atoi(argv[i + 1]);

		leaves = i + 3 < argc;
		if (sigsetjmp(out, 1))
			continue;
		if (strcmp(argv[i], "handler") == 0) {
			nested = port;
			port++;
		}
		(strcmp(argv[i], "deep") == 0 ? bind_below : bind_to)(port);
	}
	puts("done");
	fflush(stdout);
	return getchar() < 0;
}
"""


@pytest.fixture
def run(compiled, start, behind):
    program, env = compiled(PROGRAM), behind(SIGNAL)

    def run(*binds):
        words = [str(word) for how, port in binds for word in (how, port)]
        running = start([program, *words], env)
        assert running.line() == "done"
        return running

    return run


@pytest.mark.parametrize("how", [SHALLOW, DEEP])
def test_the_next_bind_ends_it(run, is_free, how):
    running = run((how, START), (how, START + 1))
    assert is_free(START, 2)
    assert running.popen.poll() is None


LEFT = {
    "once": [SHALLOW],
    "each further in": [SHALLOW, DEEP],
    "each further out": [DEEP, SHALLOW],
    "in a handler": [HANDLER],
    "again and again": [HANDLER, DEEP, SHALLOW, HANDLER, DEEP] * 60,
}


@pytest.mark.parametrize("ways", LEFT)
def test_it_ends_with_its_process(run, is_free, ways):
    """And so do all others of the same thread."""
    running = run(*[(how, START + 2 * i) for i, how in enumerate(LEFT[ways])], (SHALLOW, 26599))
    running.kill()
    assert is_free(START, 2 * len(LEFT[ways]))


def test_one_that_two_handlers_have_interrupted_is_under_way(compiled, start, behind, player):
    """The first of them before it was announced."""
    program, env = compiled("left_binds/in_between.c"), behind(SIGNAL)
    binder = start([program, START], env)
    assert binder.line() == "under way"
    with refused(EADDRINUSE):
        player().tcp().acquire(START, 1)
    assert binder.ask("") == "done"
