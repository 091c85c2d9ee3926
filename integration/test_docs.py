# SPDX-License-Identifier: MIT
"""What the documents name is there."""

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


def test_the_man_page_of_the_native_api_says_what_the_header_says(root):
    header = (root / "include/portres.h").read_text()
    page = (root / "docs/portres.3").read_text()
    names = set(re.findall(r"\b(?:portres_\w+(?=\()|PORTRES_[A-Z_]+(?= \d)|SIO_\w+)", header))
    assert len(names) > 14
    assert {name for name in names if name not in page} == set()
    errors = r"\bE[A-Z]{3,}\b"
    assert (set(re.findall(errors, page.partition(".SH ERRORS")[2])) - {"EXAMPLES"}
            == set(re.findall(errors, header)))
