# SPDX-License-Identifier: MIT
"""A program whose main thread has ended: /proc/self is empty then."""

import subprocess


def test_its_reservations_are_found(compile_program, shim_env):
    program = compile_program("main_thread/main_thread.c", "main_thread", flags=["-pthread"])
    said = subprocess.run(
        [program], env=shim_env, check=True, capture_output=True, text=True, timeout=30
    ).stdout
    assert said == "associate 0\nrelease 0\n"
