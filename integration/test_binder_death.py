# SPDX-License-Identifier: MIT
"""A binder that dies in the middle of a bind, in a child of one that has bound.

What a thread remembers of itself came along with the child's memory and is its
parent's: an announcement in that name would outlive the child.
"""

import subprocess

import pytest

DEADLY = 21800

# A libc behind the library; a bind to one port is the process' last.
BIND = f"""
#include <netinet/in.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
int bind(int fd, const struct sockaddr *address, socklen_t size)
{{
	if (((const struct sockaddr_in *)address)->sin_port == htons({DEADLY}))
		kill(getpid(), SIGKILL);
	return (int)syscall(SYS_bind, fd, address, size);
}}
"""
FORKS = {
    "fork": "os.fork()",
    "_Fork": "C._Fork()",
    # SYS_clone, of x86-64 or ARM, with SIGCHLD.
    "clone": "C.syscall(56 if os.uname().machine == 'x86_64' else 220, 17, 0, 0, 0, 0)",
}


@pytest.mark.parametrize("how", FORKS)
def test_its_announcement_dies_with_it(player, shim_env, tmp_path, how):
    (tmp_path / "deadly.c").write_text(BIND)
    subprocess.run(
        ["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "deadly.c", "-o", "deadly.so"],
        cwd=tmp_path,
        check=True,
    )
    preload = f"{shim_env['LD_PRELOAD']} {tmp_path}/deadly.so"
    parent = player({**shim_env, "LD_PRELOAD": preload})
    parent.ask("__import__('builtins').__dict__.update(C=__import__('ctypes').CDLL(None))")
    parent.ask("tcp('x') and tcp('y') and tcp('a')")
    assert parent.ask(f"bind('x', {DEADLY + 1})") == str(DEADLY + 1)
    child = f"(lambda p: p or bind('y', {DEADLY}))({FORKS[how]})"
    assert parent.ask(f"os.waitpid({child}, 0)[1]") == "9"
    assert parent.ask(f"acquire(S['a'], {DEADLY}, 1)")[0] == "("
