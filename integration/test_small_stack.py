# SPDX-License-Identifier: MIT
"""bind() may be called in a signal handler, whose stack may be small: 8 KiB, of
which the kernel has taken half for the registers. So a page must do."""

import pytest

import checkers

ANSWERS = {"living": "EADDRINUSE", "dead": "bound", "chosen": "bound",
           "waiting": "bound", "stored": "EADDRINUSE"}


@pytest.mark.parametrize("block", ANSWERS)
def test_bind_on_a_small_stack(
    compile_program, shim_env, start, build, namespace, pool, block
):
    if checkers.sanitizer(build):
        pytest.skip("sanitizers want a large one")
    program = compile_program("small_stack/small_stack.c", "small", flags=["-D_GNU_SOURCE"])
    if block == "stored":
        (pool / "persistent").write_text("tcp 26400 3\n")
    bind = start([*namespace, program, block])
    assert bind.line() == ANSWERS[block]
    assert bind.end() == 0
