# SPDX-License-Identifier: MIT
"""The promises of docs/limits.md about system calls, read from its table."""

import os
import pathlib
import re

TEXT = pathlib.Path(__file__).resolve().parents[2] / "docs/limits.md"
ROW = re.compile(r"^\| *(.+?) *\| *(?:and )?(.+?) *\| *(.+?) *\|$")


def rows():
    """Each kind of bind in the table, with the calls that it makes, and its end where
    they are forbidden."""
    found = [ROW.match(line) for line in TEXT.read_text().splitlines()]
    return {row[1]: (row[2].split(), row[3]) for row in found if row}


def goes_unchecked(call, answer):
    """Does it, where this call is forbidden?"""
    calls, _, of_users = answer.split(":")[0].partition(", and ")
    return "unchecked" in answer and (
        call in calls.split() or (os.geteuid() != 0 and call in of_users.split()))
