# SPDX-License-Identifier: MIT
"""A process that owns nothing makes no system call that it did not ask for."""

import subprocess

import pytest

from kits.compiling import library


START, COUNT = 24400, 4


@pytest.fixture
def trace(compiled, has, shim_env, bare_env, tmp_path):
    """trace(past, preload) -> the calls between the marks, as strace has them of
    the process that makes them."""
    if not has("strace"):
        pytest.skip("needs strace")
    program = compiled("passthrough/passthrough.c")

    def trace(past, preload):
        out = tmp_path / f"trace-{past}-{preload}"
        variables = [f"LD_PRELOAD={shim_env['LD_PRELOAD']}"] if preload else []
        run = subprocess.run(
            ["strace", "-ff", "-o", out, *(f"-E{v}" for v in variables)]
            + [program, past, str(START), str(COUNT)],
            env=bare_env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if "PTRACE_TRACEME" in run.stderr:
            pytest.skip("ptrace is not allowed here")
        assert run.returncode == 0, run.stderr
        if preload:
            assert run.stderr == "", run.stderr  # every acquire succeeded
        traces = [path.read_text() for path in tmp_path.glob(f"{out.name}.*")]
        (text,) = (text for text in traces if 'write(-1, "begin"' in text)
        lines = text.splitlines()
        (first,) = (i for i, x in enumerate(lines) if x.startswith('write(-1, "begin"'))
        (last,) = (i for i, x in enumerate(lines) if x.startswith('write(-1, "end"'))
        return lines[first + 1 : last]

    return trace


@pytest.mark.parametrize(
    "past",
    [
        "none",
        "closed",
        "released",
        "given back",
        "several",
        "dup",
        "associated",
        "bound",
        "serving",
        "handed over",
        "inherited",
        "storm",
    ],
)
def test_no_extra_system_call(trace, past):
    bare, ours = trace("none", False), trace(past, True)
    assert len(bare) > 60
    assert ours == bare


MANY_LOCKS = """
import fcntl, sys
kept = [open(f"{sys.argv[1]}/{i}", "w") for i in range(300)]
for f in kept:
    fcntl.flock(f, fcntl.LOCK_SH)
print("many", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("past", ["closed", "several", "dup", "associated"])
def test_no_extra_system_call_on_a_machine_with_many_locks(
    trace, start, bare_env, tmp_path, past
):
    """More of them than the kernel shows in one read."""
    others = start(["/usr/bin/python3", "-c", MANY_LOCKS, tmp_path], bare_env)
    assert others.line() == "many"
    assert trace(past, True) == trace("none", False)


def test_an_owner_does_make_some(trace):
    """So the comparison above can fail at all."""
    bare, ours = trace("none", False), trace("still", True)
    assert len(ours) > len(bare)


EARLY = r"""
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "portres.h"
static int bind_to(int fd, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}
void calls(const char *when)
{
	struct portres_instance block = {
		.start_port = htons(START + 10), .number_of_ports = 4};
	int fd = socket(AF_INET, SOCK_STREAM, 0), r;

	printf("%s: taken %d, ", when, bind_to(fd, START));
	printf("free %d, ", bind_to(fd, START + 20));
	printf("close %d, ", close(fd));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	r = ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block);
	printf("acquire %d, ", r < 0 ? errno : 0);
	printf("reserved %d, ", bind_to(fd, START + 10));
	printf("close %d\n", close(fd));
	fflush(stdout);
}
"""
CALLS = "taken 98, free 0, close 0, acquire 0, reserved 98, close 0"


@pytest.fixture
def neighbour(player):
    """Owns START+4."""
    neighbour = player()
    neighbour.tcp().acquire(START, COUNT)
    return neighbour


@pytest.fixture
def run_early(compiled, build, shim_env, neighbour, tmp_path):
    """run_early(main) -> exit code and lines of a program with that text, and
    a library that makes calls in its constructor and destructor."""

    def run_early(main):
        text = EARLY.replace("START", str(START)) + """
__attribute__((constructor)) static void first(void) { calls("constructor"); }
__attribute__((destructor)) static void last(void) { calls("destructor"); }
"""
        library(text, tmp_path / "libearly.so", f"-I{build}/include")
        program = compiled(
            "extern void calls(const char *when);\n" + main,
            flags=[f"-L{tmp_path}", "-learly", f"-Wl,-rpath,{tmp_path}"],
        )
        run = subprocess.run(
            [program], env=shim_env, capture_output=True, text=True, timeout=60
        )
        return run.returncode, run.stdout.splitlines()

    return run_early


def test_calls_before_our_constructor_and_after_the_end(run_early):
    code, lines = run_early(r"""
#include <stdlib.h>
static void at_exit(void) { calls("atexit"); }
int main(void)
{
	atexit(at_exit);
	calls("main");
	exit(7);
}
""")
    whens = ("constructor", "main", "atexit", "destructor")
    assert lines == [f"{when}: {CALLS}" for when in whens]
    assert code == 7


def test_calls_before_all_constructors(run_early):
    """Then the environment is not there yet, so neither is our directory: such
    a bind goes unchecked, but later ones find the right pool."""
    _, lines = run_early(r"""
static void first(void) { calls("preinit"); }
__attribute__((section(".preinit_array"), used)) static void (*f)(void) = first;
int main(void) { calls("main"); }
""")
    assert lines[0].startswith("preinit: ") and "close 0" in lines[0]
    assert lines[1:] == [
        f"{when}: {CALLS}" for when in ("constructor", "main", "destructor")
    ]


@pytest.mark.parametrize("first", [True, False])
def test_a_malloc_that_closes_files(
    compiled, build, shim_env, neighbour, tmp_path, first
):
    """jemalloc reads its configuration while it starts, and closes the file."""
    malloc = library(r"""
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
static char heap[64 << 20] __attribute__((aligned(16)));
static size_t used;
void *malloc(size_t n)
{
	int saved = errno;
	size_t *at = (size_t *)(heap + used);

	close(-1);
	close(socket(AF_INET, SOCK_STREAM, 0));
	ioctl(-1, FIONREAD, NULL);
	bind(-1, NULL, 0);
	errno = saved;
	used += (n + 31) / 16 * 16;
	*at = n;
	return used < sizeof(heap) ? at + 2 : NULL;
}
void free(void *p) { close(-1); }
void *calloc(size_t a, size_t b) { return memset(malloc(a * b), 0, a * b); }
void *realloc(void *p, size_t n)
{
	void *q = malloc(n);
	size_t old = p ? ((size_t *)p)[-2] : 0;
	return memcpy(q, p ? p : q, old < n ? old : n);
}
""", tmp_path / "libmalloc.so", f"-I{build}/include")
    program = compiled(
        EARLY.replace("START", str(START)) + 'int main(void) { calls("main"); }'
    )
    preload = [str(malloc), shim_env["LD_PRELOAD"]]
    env = {**shim_env, "LD_PRELOAD": ":".join(preload if first else preload[::-1])}
    run = subprocess.run([program], env=env, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (0, f"main: {CALLS}\n")


def test_env_i_loses_us_and_keeps_the_reservation(owner, is_free):
    a = owner.tcp()
    a.acquire(START, COUNT)
    a.set_inheritable(True)
    shell = ["env", "-i", "/bin/sh", "-c", "echo $LD_PRELOAD.; exec /bin/cat"]
    owner.begin(owner.os.execv, "/usr/bin/env", shell)
    assert owner.line() == "."
    assert not is_free(START, COUNT)
    owner.end()
    assert is_free(START, COUNT)


STATIC = r"""
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "portres.h"
int main(void)
{
	struct portres_instance block = {.start_port = htons(START), .number_of_ports = 1};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(START)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), r;

	r = ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block);
	printf("ioctl %d %d ", r, errno);
	r = bind(fd, (struct sockaddr *)&at, sizeof(at));
	printf("bind %d close %d\n", r, close(fd));
	fflush(stdout);
	return getchar() != EOF;
}
"""


def test_a_static_program(compiled, start, owner, is_free, under_a_guard):
    """Nobody but a guard stops it, and nothing goes wrong; a socket that it inherits
    lives."""
    program = compiled(STATIC.replace("START", str(START)), flags=["-static"])
    plain = start([program])
    assert plain.line() == "ioctl -1 25 bind 0 close 0"
    assert plain.end() == 0
    a = owner.tcp()
    a.acquire(START, COUNT)
    a.set_inheritable(True)
    assert not is_free(START, COUNT)
    owner.begin(owner.os.execv, str(program), ["static"])
    assert owner.line() == f"ioctl -1 25 bind {-under_a_guard} close 0"
    assert not is_free(START, COUNT)
    assert owner.end() == 0
    assert is_free(START, COUNT)
