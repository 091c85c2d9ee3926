# SPDX-License-Identifier: MIT
"""Signals that end pytest without a teardown: a closed terminal's, timeout(1)'s.

They go to pytest's process group, and its programs have groups of their own:
they are killed before pytest dies of the signal as it always did. (Ctrl-C is an
exception in Python, and comes with a teardown.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import Any, List

import portres

_NUMBERS = (signal.SIGHUP, signal.SIGTERM)

_blocks: List[portres.Reservation] = []
_mask = threading.local()


def _by_default() -> None:
    with contextlib.suppress(ValueError):  # not the main thread
        for number in _NUMBERS:
            if signal.getsignal(number) is _end:
                signal.signal(number, signal.SIG_DFL)


def _end(number: int, _: Any) -> None:
    for block in _blocks:
        block.strike()
    _by_default()
    os.kill(os.getpid(), number)


def watch(block: portres.Reservation) -> None:
    _blocks.append(block)
    with contextlib.suppress(ValueError):
        for number in _NUMBERS:
            # What others do is theirs.
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _end)


def forget(block: portres.Reservation) -> None:
    with contextlib.suppress(ValueError):  # a child of fork
        _blocks.remove(block)
    if not _blocks:
        _by_default()


# A child that does not execute anything, as multiprocessing's, has no programs,
# and is often ended by such a signal. Python forgets those that come before it
# has come to itself.


def _before_fork() -> None:
    if _blocks:
        _mask.before = signal.pthread_sigmask(signal.SIG_BLOCK, _NUMBERS)


def _after_fork() -> None:
    if hasattr(_mask, "before"):
        signal.pthread_sigmask(signal.SIG_SETMASK, _mask.before)
        del _mask.before


def _in_child() -> None:
    _blocks.clear()
    _by_default()
    _after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
