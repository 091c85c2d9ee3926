# SPDX-License-Identifier: MIT
"""pytest plugin: ports for tests that nobody else can take.

    def test_server(reserved_ports):
        r = reserved_ports()
        with r.popen(["server", "--port", str(r.port)]) as server:
            ...

`reserved_port` is one port, an int; `reserved_ports_module` and `reserved_ports_session` keep their blocks as long
as their names say. `--portres-lib PATH` names the library.
"""

from __future__ import annotations

import contextlib
from typing import Iterator, Protocol

import portres
import pytest
from portres import signals


class ReservedPorts(Protocol):
    """What the fixtures are: a call reserves a block."""

    def __call__(self, n: int = 1, proto: str = "tcp",
                 start: int = 0, align: int = 0) -> portres.Reservation: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("portres").addoption(
        "--portres-lib", metavar="PATH",
        help="libportres.so; else PORTRES_LIB, the one in LD_PRELOAD, that of "
        "the checkout, of the command portres, or where the linker looks",
    )


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--portres-lib")
    if path:
        try:
            portres.load(path)
        except portres.NoLibrary as error:
            raise pytest.UsageError(f"--portres-lib: {error.strerror}") from None


def _reserved_ports() -> Iterator[ReservedPorts]:
    try:
        portres.load()
    except portres.NoLibrary as error:
        # Where in our code that was helps nobody.
        pytest.fail(f"reserved_ports: {error.strerror}", pytrace=False)
    with contextlib.ExitStack() as stack:

        def reserve(n: int = 1, proto: str = "tcp",
                    start: int = 0, align: int = 0) -> portres.Reservation:
            block = portres.reserve(n, proto, start, align)
            stack.callback(block.release)
            # A test that fails leaves its server behind, and the next test
            # would meet it.
            block.apart = True
            stack.callback(signals.forget, block)
            stack.callback(block.stop)
            signals.watch(block)
            return block

        yield reserve


@pytest.fixture
def reserved_ports() -> Iterator[ReservedPorts]:
    """reserved_ports(n=1, proto='tcp', start=0, align=0) -> portres.Reservation,
    until the test ends."""
    yield from _reserved_ports()


@pytest.fixture
def reserved_port(reserved_ports: ReservedPorts) -> int:
    """A TCP port that is the test's: for a server in this process, or one that
    is not under portres."""
    return reserved_ports().port


@pytest.fixture(scope="module")
def reserved_ports_module() -> Iterator[ReservedPorts]:
    """The same until the module's last test has ended."""
    yield from _reserved_ports()


@pytest.fixture(scope="session")
def reserved_ports_session() -> Iterator[ReservedPorts]:
    """The same until the run has ended; with xdist, the worker's."""
    yield from _reserved_ports()
