# SPDX-License-Identifier: MIT
"""The terminal of a Windows program: keys, and what ends it."""

import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest

CONTROL = r"""
#include <windows.h>
#include <stdio.h>

static HANDLE stopped;

static BOOL WINAPI on_event(DWORD event)
{
	printf("event %lu\n", event);
	fflush(stdout);
	if (event != CTRL_C_EVENT)
		return event == CTRL_SHUTDOWN_EVENT;
	SetEvent(stopped);
	return TRUE;
}

static BOOL WINAPI last_added(DWORD event)
{
	printf("first asked %lu\n", event);
	fflush(stdout);
	return FALSE;
}

int main(void)
{
	stopped = CreateEvent(NULL, FALSE, FALSE, NULL);
	SetConsoleCtrlHandler(on_event, TRUE);
	SetConsoleCtrlHandler(last_added, TRUE);
	printf("none to take %d ", SetConsoleCtrlHandler(NULL, FALSE) &&
	       SetConsoleCtrlHandler((PHANDLER_ROUTINE)main, FALSE));
	printf("%lu\n", GetLastError());
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		WaitForSingleObject(stopped, INFINITE);
		SetConsoleCtrlHandler(last_added, FALSE);
		printf("stopped\n");
		fflush(stdout);
	}
}
"""


@pytest.fixture
def control(compile_program, start, under):
    # A shell's job in the background ignores two of the signals, and its children.
    program = start(["env", "--default-signal", *under,
                     compile_program(CONTROL, "control")])
    assert program.line() == "none to take 0 87"
    assert program.line() == "ready"
    return program


def test_handlers_run_until_one_says_true(control):
    """The last that was added is asked first; one that was taken away is not."""
    control.popen.send_signal(signal.SIGINT)
    assert [control.line() for _ in range(3)] == ["first asked 0", "event 0", "stopped"]
    control.popen.send_signal(signal.SIGINT)
    assert [control.line() for _ in range(2)] == ["event 0", "stopped"]


@pytest.mark.parametrize("number, event", [
    (signal.SIGQUIT, 1), (signal.SIGHUP, 2), (signal.SIGTERM, 6)])
def test_events_that_end_the_program(control, number, event):
    """Nobody handles the break; close and shutdown end it after any answer, as
    HandlerRoutine (console documentation) has it."""
    control.popen.send_signal(number)
    assert [control.line() for _ in range(2)] == [f"first asked {event}", f"event {event}"]
    assert control.popen.wait(60) == -number


def test_ignored_and_not_ignored(compile_program, run):
    ended = run(compile_program(r"""
#include <windows.h>
#include <signal.h>
#include <stdio.h>

int main(void)
{
	SetConsoleCtrlHandler(NULL, TRUE);
	raise(SIGINT);
	puts("ignored");
	fflush(stdout);
	SetConsoleCtrlHandler(NULL, FALSE);
	raise(SIGINT);
	return 1;
}
""", "ignored"))
    assert (ended.stdout, ended.returncode) == ("ignored\n", -signal.SIGINT)


def test_a_child_has_no_handlers(compile_program, run):
    """The thread that runs them is not in it."""
    ended = run(compile_program(r"""
#include <windows.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static BOOL WINAPI handle(DWORD event)
{
	return event == CTRL_C_EVENT;
}

int main(void)
{
	int status;

	SetConsoleCtrlHandler(handle, TRUE);
	if (fork() == 0) {
		raise(SIGINT);
		_exit(1);
	}
	wait(&status);
	raise(SIGINT);
	printf("%d\n", WTERMSIG(status));
	return 0;
}
""", "child"))
    assert (ended.stdout, ended.returncode) == (f"{int(signal.SIGINT)}\n", 0)


def test_a_handler_that_was_set_since_stays(compile_program, run):
    """What is given back is what was taken, not what the program has by now."""
    ended = run(compile_program(r"""
#include <windows.h>
#include <signal.h>
#include <unistd.h>

static BOOL WINAPI handle(DWORD event)
{
	return event == CTRL_C_EVENT;
}

static void own(int number)
{
	if (number == SIGINT)
		write(1, "own\n", 4);
}

int main(void)
{
	SetConsoleCtrlHandler(handle, TRUE);
	signal(SIGINT, own);
	SetConsoleCtrlHandler(handle, FALSE);
	raise(SIGINT);
	raise(SIGTERM);
	return 0;
}
""", "own"))
    assert (ended.stdout, ended.returncode) == ("own\n", -signal.SIGTERM)


KEYS = r"""
#include <conio.h>
#include <io.h>
#include <stdio.h>
#include <windows.h>

int main(void)
{
	char line[32];
	int c;

	setvbuf(stdout, NULL, _IONBF, 0);
	printf("hit %d\n", _kbhit());
	printf("keys\n");
	while ((c = _getch()) != 'q' && c != EOF)
		printf("key %d\n", c);
	if (c == EOF)
		return 5;
	printf("wait\n");
	while (!_kbhit())
		Sleep(5);
	printf("hit 1\n");
	if (fgets(line, sizeof(line), stdin))
		printf("line %s", line);
	printf("setmode %d %d\n", _setmode(_fileno(stdout), _O_BINARY),
	       _setmode(99, _O_BINARY));
	_ungetch('u');
	printf("again %c %d\n", _getch(), _isatty(_fileno(stdin)));
	ungetch('1');
	printf("older %c ", getch());
	_ungetch('2');
	_getche();
	ungetch('3');
	getche();
	_putch('4');
	putch('5');
	_ungetch('6');
	printf(" hit %d\n", kbhit());
	_getch();
	cprintf("%s", "older ");
	cputs("lines\n");
	_cprintf("%s", "end");
	_cputs("!\n");
	_getch();
	return 3;
}
"""


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, program, env, stdin):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if stdin is not None:
                os.dup2(stdin, 0)
            os.execve(program, [str(program)], env)
        self.text = ""

    def expect(self, text):
        """Reads on until the text was there."""
        while text not in self.text:
            assert select.select([self.fd], [], [], 60)[0], self.text
            self.text += os.read(self.fd, 1000).decode()
        before, self.text = self.text.split(text, 1)
        return before

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def wait_for_a_reader(self):
        """Of keys: the terminal does not echo."""
        until = time.monotonic() + 60
        while termios.tcgetattr(self.fd)[3] & termios.ECHO:
            assert time.monotonic() < until
            time.sleep(0.001)

    def end(self):
        """Its status; and the terminal collects lines and echoes them again."""
        while select.select([self.fd], [], [], 60)[0]:
            try:
                self.text += os.read(self.fd, 1000).decode()
            except OSError:  # nobody has the other end open
                break
        status = os.waitpid(self.pid, 0)[1]
        flags = termios.tcgetattr(self.fd)[3]
        os.close(self.fd)
        assert flags & termios.ICANON and flags & termios.ECHO
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def keys(compile_program):
    return compile_program(KEYS, "keys", flags=["-Wall", "-Wextra", "-Werror"])


@pytest.fixture
def terminal(keys, shim_env):
    opened = []

    def terminal(stdin=None):
        opened.append(Terminal(keys, shim_env, stdin))
        return opened[-1]

    yield terminal
    for one in opened:
        try:
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def test_keys(terminal):
    """One at a time and unseen, Enter 13 and Backspace 8; lines in between."""
    one = terminal()
    one.expect("keys\r\n")
    for key, number in ("a", 97), ("\r", 13), ("\x7f", 8), ("\x1b", 27):
        one.wait_for_a_reader()
        one.type(key)
        # Not seen: what comes is the program's.
        assert one.expect(f"key {number}\r\n").strip() == ""
    one.wait_for_a_reader()
    one.type("abc")
    for number in 97, 98, 99:
        one.expect(f"key {number}\r\n")
    one.type("q")
    one.expect("wait\r\n")
    one.type("l")
    one.expect("hit 1\r\n")
    one.type("ine\r")
    one.expect("line line\r\n")
    one.expect("setmode 32768 -1\r\n")
    one.expect("again u 1\r\n")
    one.expect("older 1 2345 hit 1\r\n")
    one.expect("older lines\r\n")
    one.expect("end!\r\n")
    one.type(" ")
    assert one.end() == 3


def test_control_c_while_it_waits_for_a_key(terminal):
    """It is a signal still, and the terminal is as it was."""
    one = terminal()
    one.expect("keys\r\n")
    one.type("a")
    one.expect("key 97\r\n")
    one.type("\x03")
    assert one.end() == -signal.SIGINT


def test_keys_are_the_terminals_although_stdin_is_not(terminal):
    ends = os.pipe()
    one = terminal(ends[0])
    one.expect("keys\r\n")
    one.type("x")
    one.expect("key 120\r\n")
    for end in ends:
        os.close(end)


def test_keys_without_a_terminal(keys, shim_env, under, tmp_path):
    (tmp_path / "typed").write_text("a\nqline")
    with open(tmp_path / "typed", encoding="ascii") as typed:
        ended = subprocess.run([*under, keys], stdin=typed, env=shim_env, text=True,
                               capture_output=True, check=False, timeout=60,
                               start_new_session=True)
    assert ended.stdout.splitlines()[:5] == ["hit 1", "keys", "key 97", "key 13", "wait"]


def test_the_end_of_stdin_ends_it(keys, shim_env, under):
    ended = subprocess.run([*under, keys], stdin=subprocess.DEVNULL, env=shim_env,
                           text=True, capture_output=True, check=False, timeout=60,
                           start_new_session=True)
    assert ended.returncode == 5
