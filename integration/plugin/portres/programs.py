# SPDX-License-Identifier: MIT
"""Programs that popen() started, and how they are ended with all that they have
started themselves.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import Any, Sequence

# Those who said how a program is to be started; what preexec_fn does, setsid()
# perhaps, fails in a session of its own.
_SAID = ("start_new_session", "process_group", "preexec_fn")

# What is killed may be writing a core, or wait for a disk.
_PATIENCE = 10.0


def apart(kw: dict[str, Any]) -> dict[str, Any]:
    """Arguments of Popen for a process group of its own. Its own session too:
    in ours the terminal would stop a background group that reads from it."""
    if not any(said in kw for said in _SAID):
        kw["start_new_session"] = True
    return kw


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _runs_in(group: int, pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, _, its_group = file.read().rpartition(b")")[2].split()[:3]
    except OSError:
        return False
    return int(its_group) == group and state not in (b"Z", b"X")


def _runs(group: int) -> bool:
    """Zombies have closed their sockets, and may wait for an init for ever."""
    with contextlib.suppress(PermissionError):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
    return any(_runs_in(group, pid) for pid in os.listdir("/proc") if pid.isdigit())


class Program:
    def __init__(self, process: subprocess.Popen[Any]) -> None:
        self.process = process
        self.leads = False
        with contextlib.suppress(ProcessLookupError):
            self.leads = os.getpgid(process.pid) == process.pid

    def strike(self, number: int = signal.SIGKILL) -> bool:
        """Signals, and does not wait: signal handlers call it, in the middle of
        a wait() perhaps, which has a lock. Was there somebody?"""
        pid = self.process.pid
        # Once it is waited for, the number may be another's; not before, and
        # not while its group lives on.
        if self.process.poll() is not None and (not self.leads or _exists(pid)):
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            (os.killpg if self.leads else os.kill)(pid, number)
        return True

    def has_ended(self) -> bool:
        return self.process.poll() is not None and not (
            self.leads and _runs(self.process.pid))

    def end(self) -> None:
        if not self.strike():
            return
        self.process.wait()
        deadline = time.monotonic() + _PATIENCE
        while self.leads and _runs(self.process.pid) and time.monotonic() < deadline:
            time.sleep(0.001)


def stop(programs: Sequence[Program], timeout: float) -> None:
    """Asks all of them to end, by SIGTERM; those that have not after `timeout`
    seconds are killed."""
    deadline = time.monotonic() + timeout
    for program in programs:
        # A stopped program gets it when it goes on.
        if program.strike(signal.SIGTERM):
            program.strike(signal.SIGCONT)
    for program in programs:
        nap = 0.001
        while not program.has_ended() and time.monotonic() < deadline:
            time.sleep(nap)
            nap = min(2 * nap, 0.02)
        program.end()
