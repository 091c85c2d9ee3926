# SPDX-License-Identifier: MIT
"""The announcement protocol under C11's memory model, by herd7 (herdtools7): that
the forbidden end of each litmus test cannot be, and can where an order is missing."""

import re
import subprocess

import pytest

TESTS = ["bind", "choice", "clear-range"]


@pytest.fixture
def allowed(has, root, tmp_path):
    """allowed(text) -> does the model allow what the litmus test asks about?"""
    if not has("herd7"):
        pytest.skip("needs herd7 (herdtools7, from opam)")

    def allowed(text):
        file = tmp_path / "test.litmus"
        file.write_text(text)
        said = subprocess.run(["herd7", "-model", "rc11.cat", file], check=True,
                              capture_output=True, text=True).stdout
        return {"Never": False, "Sometimes": True}[
            re.search(r"^Observation \S+ (\w+) ", said, re.M)[1]]

    return allowed


@pytest.mark.parametrize("name", TESTS)
def test_one_of_the_two_sees_the_other(allowed, root, name):
    text = (root / f"tests/litmus/{name}.litmus").read_text()
    assert not allowed(text)


@pytest.mark.parametrize("name,order", [
    ("bind", "(what, 1, memory_order_seq_cst)"),
    ("bind", "(mark, memory_order_seq_cst)"),
    ("bind", "atomic_thread_fence(memory_order_seq_cst);\n  int binder"),
    ("choice", "(count, memory_order_seq_cst)"),
    ("clear-range", "atomic_thread_fence(memory_order_seq_cst);\n  int seen"),
])
def test_the_order_is_needed(allowed, root, name, order):
    text = (root / f"tests/litmus/{name}.litmus").read_text()
    assert text.count(order) == 1
    weaker = order.replace("seq_cst", "relaxed")
    assert allowed(text.replace(order, weaker))
