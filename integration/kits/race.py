# SPDX-License-Identifier: MIT
"""Races: programs whose members look for each other in a shared page."""

import pytest


@pytest.fixture
def slow_env(behind):
    """With a libc behind the library that takes its time between two looks."""
    return behind("race/slow.c")


@pytest.fixture
def race_program(compile_program):
    """race_program(file …) -> the program of these files below programs/."""

    def race_program(*files):
        flags = ["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pthread"]
        return compile_program(files, "race", flags=flags)

    return race_program
