# SPDX-License-Identifier: MIT
"""The announcement protocol under C11's memory model, by herd7 (herdtools7): that
the forbidden end of each litmus test cannot be, and can where an order is missing."""

import pathlib
import re
import subprocess

import pytest

LITMUS = pathlib.Path(__file__).parents[1] / "tests/litmus"
TESTS = ["bind", "choice", "clear-range", "dead", "generation"]


@pytest.fixture
def allowed(has, tmp_path):
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


def test_each_is_run():
    assert sorted(file.stem for file in LITMUS.iterdir()) == TESTS


@pytest.mark.parametrize("name", TESTS)
def test_one_of_the_two_sees_the_other(allowed, name):
    assert not allowed((LITMUS / f"{name}.litmus").read_text())


@pytest.mark.parametrize("name,order", [
    ("bind", "(what, 1, memory_order_seq_cst)"),
    ("bind", "(mark, memory_order_seq_cst)"),
    ("bind", "atomic_thread_fence(memory_order_seq_cst);\n  int binder"),
    ("choice", "(count, memory_order_seq_cst)"),
    ("clear-range", "atomic_thread_fence(memory_order_seq_cst);\n  int seen"),
    ("dead", "(mark, memory_order_seq_cst)"),
    ("dead", "(state, memory_order_seq_cst)"),
    ("dead", "atomic_thread_fence(memory_order_seq_cst);\n  int binder"),
    ("generation", "int kept = atomic_load_explicit(generation, memory_order_seq_cst)"),
    ("generation", "int seen = atomic_load_explicit(generation, memory_order_seq_cst)"),
    ("generation", "(generation, 1, memory_order_seq_cst)"),
])
def test_the_order_is_needed(allowed, name, order):
    text = (LITMUS / f"{name}.litmus").read_text()
    assert text.count(order) == 1
    weaker = order.replace("seq_cst", "relaxed")
    assert allowed(text.replace(order, weaker))
