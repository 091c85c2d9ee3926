# SPDX-License-Identifier: MIT
"""What LD_PRELOAD can say. The linker splits it at blanks and colons, replaces
$LIB and $ORIGIN, and has no quotes: a path with such characters gets another
name, a link to it, as `portres run` does it (cli/library_link.c).
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
from typing import Iterator, Optional, Tuple

_SPECIAL = re.compile("[ :$]")


def words(value: str) -> list[str]:
    return [word for word in re.split("[ :]", value) if word]


def is_path(word: str) -> bool:
    """A name without a slash is looked for by the linker."""
    return "/" in word and "$" not in word


def is_our_name(word: str) -> bool:
    """With any version, or a link that name() or `portres run` has made: not what
    somebody else has put into a directory of such a name."""
    return bool(re.fullmatch(r"libportres(\.so(\..*)?|-[0-9a-f]+-[0-9a-f]+\.so)",
                             word.rpartition("/")[2]))


def is_runtime(word: str) -> bool:
    """AddressSanitizer's ends the program that has a library in front of it."""
    return word.rpartition("/")[2].startswith(("libasan.so", "libclang_rt.asan"))


def _same_file(a: os.stat_result, b: os.stat_result) -> bool:
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)


def means(word: str, path: str) -> bool:
    """Is the word of LD_PRELOAD this library?"""
    if not is_path(word):
        return is_our_name(word)
    try:
        return _same_file(os.stat(word), os.stat(path))
    except OSError:
        return False


def _leads_there(folder: int, link: str, file: os.stat_result) -> bool:
    try:
        return _same_file(os.stat(link, dir_fd=folder), file)
    except OSError:
        return False


def _link_at(folder: int, link: str, path: str, file: os.stat_result) -> bool:
    owner = os.fstat(folder)
    if owner.st_uid != os.geteuid() or owner.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False
    if not _leads_there(folder, link, file):
        # At once: others may be loading by it.
        fresh = f"{link}.{os.getpid()}.{threading.get_ident()}"
        os.symlink(path, fresh, dir_fd=folder)
        try:
            os.replace(fresh, link, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(fresh, dir_fd=folder)
            raise
    return _leads_there(folder, link, file)


def _link_in(where: str, make: bool, path: str) -> Optional[str]:
    if not os.path.isabs(where) or _SPECIAL.search(where):
        return None
    with contextlib.suppress(OSError):
        if make and not os.path.lexists(where):
            os.mkdir(where, 0o700)
        file = os.stat(path)
        link = f"libportres-{file.st_dev:x}-{file.st_ino:x}.so"
        # No link to a directory: its owner could turn it round.
        folder = os.open(where, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if _link_at(folder, link, path, file):
                return f"{where}/{link}"
        finally:
            os.close(folder)
    return None


def _places(pool: Optional[str]) -> Iterator[Tuple[str, bool]]:
    """Where nobody else can turn a link round, and whether to make it."""
    own = f"/dev/shm/portres-{os.geteuid()}"
    # In a user namespace the outside's /dev/shm has the directory under another
    # number, and one that we made would be taken for the pool.
    with contextlib.suppress(OSError):
        if os.stat("/dev/shm").st_uid not in (0, os.geteuid()):
            own = ""
    if pool:
        yield pool, False
    elif not os.path.isdir("/run/portres"):
        yield own, True
    yield "/run", False
    yield os.environ.get("XDG_RUNTIME_DIR", ""), False
    yield own, True


def name(path: str, pool: Optional[str]) -> Optional[str]:
    """What LD_PRELOAD can call the library; None when there is no place for a
    link. `pool` is PORTRES_POOL."""
    if not _SPECIAL.search(path):
        return path
    links = (_link_in(where, make, path) for where, make in _places(pool))
    return next(filter(None, links), None)
