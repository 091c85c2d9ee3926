# SPDX-License-Identifier: MIT
"""What the scripts of Debian's packages do with a guard. All else of them is tried
by `make check-packages`, in a clean root."""

import subprocess

import pytest


@pytest.fixture
def alone(arena):
    """With a file system for guards of its own: the scripts take all away."""
    subprocess.run([*arena.outside, "mount", "-t", "bpf", "bpf", "/sys/fs/bpf"], check=True)
    return arena


@pytest.fixture
def prerm(alone, root, build):
    def prerm(*words):
        subprocess.run([*alone.outside, "sh", root / "debian/portres.prerm", *words], check=True,
                       env={**alone.env, "PATH": f"{build}:/usr/sbin:/usr/bin:/sbin:/bin"})

    return prerm


def pinned(alone):
    said = subprocess.run([*alone.outside, "ls", "-A", "/sys/fs/bpf"], check=True,
                          capture_output=True, text=True).stdout
    return "portres" in said.split()


def test_a_removal_takes_the_guard_away(alone, prerm):
    """Put on by hand, it would stay, and nothing be left to take it off."""
    alone.on("--area", "40000-40009")
    assert pinned(alone)
    prerm("upgrade", "2.0-1")
    assert alone.status()["area"] == 10
    prerm("remove")
    assert alone.status() is None and not pinned(alone)
    kept = subprocess.run([*alone.outside, "cat", "/proc/sys/net/ipv4/ip_local_reserved_ports"],
                          check=True, capture_output=True, text=True).stdout
    assert "40000" not in kept


def test_a_removal_where_nothing_is_guarded(alone, prerm):
    prerm("remove")
    assert not pinned(alone)
