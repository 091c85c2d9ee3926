# SPDX-License-Identifier: MIT
"""The documents name tests that are there."""

import re


def defined(root, file):
    paths = [root / "tests" / file, root / "integration" / file]
    (text,) = [path.read_text() for path in paths if path.exists()]
    return re.findall(r"^(?:def |CHECK\(\w+, )(\w+)", text, re.M)


def test_the_tests_that_documents_name(root):
    text = "\n".join(path.read_text() for path in (root / "docs").glob("*.md"))
    named = set(re.findall(r"\b(test_\w+\.(?:py|c))::(\w+)", text))
    assert len(named) > 50
    assert [(f, n) for f, n in sorted(named) if n not in defined(root, f)] == []
    for file in set(re.findall(r"\btest_\w+\.(?:py|c)\b", text)):
        assert defined(root, file)


def test_every_pitfall_has_its_row(root):
    text = (root / "docs/pitfalls.md").read_text()
    rows = re.findall(r"^\| P(\d+) \| .+ \| .+ \| (.+) \|$", text, re.M)
    assert [int(number) for number, _ in rows] == list(range(1, 69))
    for number, held_by in rows:
        assert re.search(r"::|make |limits\.md|core/", held_by), number


def rows(text):
    """The tables' rows, each as its cells, without the heads."""
    lines = text.splitlines()
    for line, after in zip(lines, lines[1:] + [""]):
        if line.startswith("| ") and not after.startswith("|---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_every_row_of_the_contract_has_its_tests(root):
    found = list(rows((root / "docs/semantics.md").read_text()))
    assert len(found) > 80
    for *case, held_by in found:
        assert len(case) == 3, case
        assert re.fullmatch(r"(`test_\w+\.(py|c)::\w+` ?)+", held_by), case
