# SPDX-License-Identifier: MIT
"""The documents name tests and files that are there."""

import ast
import re

from kits.sources import comments


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


# Of the kernel, of libc and of other projects, and programs that a reader writes.
ELSEWHERE = {
    "fs/locks.c", "fs/seq_file.c", "intrin.h", "ipifcons.h", "search.h", "stdio.h",
    "version-gen.sh", "first.c", "train.py",
}
FILE = re.compile(r"(?<![\w/.$<{~*-])(?:[\w-]+/)*[\w-]+\.(?:c|h|def|py|md|svg|sh)\b")


def spoken(root):
    """What documents and comments say, by the file that says it."""
    for pattern in ("*.md", "docs/*.[1-8m]*", "integration/plugin/*.md"):
        for file in sorted(root.glob(pattern)):
            if file.name != "CHANGELOG.md":  # which tells of what was
                yield file, file.read_text()
    for folder in ("core", "shim", "cli", "guard", "winsock", "tests"):
        for file in sorted(root.glob(f"{folder}/**/*.[ch]")):
            yield file, "\n".join(comments(file))


def test_the_files_that_documents_and_comments_name(root):
    tops = [top for top in sorted(root.iterdir())
            if top.is_dir() and not top.name.startswith(("build", "."))]
    paths = [path.relative_to(root) for top in tops for path in (top, *top.rglob("*"))]
    there = {path.as_posix() for path in (*paths, *root.glob("*.*"))}
    # A unit goes by the name without its ending, a header of Windows by any case.
    there |= {str(path.with_suffix("")) for path in paths if path.suffix == ".c"}
    names = {path.name.lower() for path in (*paths, *root.glob("*.*"))} | ELSEWHERE
    top = "|".join(top.name for top in tops)
    place = re.compile(rf"(?<![\w/.$<{{~*-])(?:{top})/[\w/.-]*(?![\w/.*-])")
    named, gone = 0, set()
    for file, text in spoken(root):
        words = {word for word in FILE.findall(text) if word not in ELSEWHERE}
        gone |= {(file, word) for word in words
                 if (word not in there if "/" in word else word.lower() not in names)}
        places = {word.rstrip("/.-") for word in place.findall(text)}
        gone |= {(file, word) for word in places - there}
        named += len(words | places)
    assert not gone, sorted(f"{file.relative_to(root)}: {word}" for file, word in gone)
    assert named > 250


def test_the_page_of_the_functions_has_all_of_them(root):
    """The guard's requests are described in the header alone."""
    header = (root / "include/portres.h").read_text()
    names = set(re.findall(r"^#define (PORTRES_\w+)\b|^PORTRES_API int (\w+)\(", header, re.M))
    names = {name for pair in names for name in pair if name} - {"PORTRES_H", "PORTRES_API"}
    names = {name for name in names if not name.startswith("PORTRES_GUARD")}
    assert len(names) > 12
    page = (root / "docs/portres.3").read_text()
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", page)] == []
    ours = page.partition("marks what is ours:")[2].partition(".SH EXAMPLES")[0]
    flags = re.findall(r"For `flags`.*? Ours.*?#define (PORTRES_\w+)", header, re.S)
    assert len(flags) == 3
    assert [flag for flag in flags if flag not in ours] == []


def test_the_number_of_exported_names(root):
    """Those that were released."""
    symbols = (root / "debian/libportres0.symbols").read_text()
    table = (root / "docs/design.md").read_text()
    row = re.search(r"^\| exported names .*\| (\d+) \|$", table, re.M)
    assert int(row[1]) == len(re.findall(r"^ (?!PORTRES_)\w+@", symbols, re.M))


def test_the_keys_of_json_are_in_the_pages(root):
    keys, states = set(), set()
    for file in (root / "cli").glob("*.[ch]"):
        text = re.sub(r'"\s+"', "", file.read_text())
        keys |= set(re.findall(r'\\"(\w+)\\": ', text))
        if "state_name(" in text:
            names = text.partition("state_name(")[2].partition("};")[0]
            states |= set(re.findall(r'\] = "(\w+)"', names))
    assert len(keys) > 25 and len(states) == 6, (keys, states)
    list_, who, kept = (
        re.search(rf"^\.SS portres {name}\n.*?(?=^\.S[SH] )",
                  (root / "docs/portres.1").read_text(), re.M | re.S)[0]
        for name in ("list", "who", "persistent"))
    pages = (root / "docs/portres.1").read_text() + (root / "docs/portres-guard.8").read_text()
    assert [key for key in sorted(keys) if not re.search(rf"^\.IR? {key}\b|\({key}\b| {key} ",
                                                         pages, re.M)] == []
    for key in ("protocol", "start", "count", "reserved"):
        assert re.search(rf"^\.IR? {key}\b", kept, re.M), key
    for word in (*states, "pid", "command"):
        assert re.search(rf"(?:\b|lq){word}(?:\b|\\)", who), word
    assert "null" in list_


def test_what_python_has_is_in_its_document(root):
    """All that has no underscore: of the module, and of the object that it returns."""
    folder = root / "integration/plugin/portres"
    module = ast.parse((folder / "__init__.py").read_text())
    (public,) = [ast.literal_eval(node.value) for node in module.body
                 if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"]
    (block,) = [node for node in module.body
                if isinstance(node, ast.ClassDef) and node.name == "Reservation"]
    of_block = {node.name for node in block.body if isinstance(node, ast.FunctionDef)}
    of_block |= {node.target.id for node in block.body if isinstance(node, ast.AnnAssign)}
    of_block |= {node.targets[0].id for node in block.body if isinstance(node, ast.Assign)}
    of_block |= {node.attr for node in ast.walk(block) if isinstance(node, ast.Attribute)
                 and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
                 and node.value.id == "self"}
    names = [f"portres.{name}" for name in public]
    names += [f"r.{name}" for name in sorted(of_block) if name[0] != "_"]
    assert len(names) > 20
    text = (root / "docs/test-suites.md").read_text()
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)] == []
