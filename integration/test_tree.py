# SPDX-License-Identifier: MIT
"""Rules of the tests' own files, so that each can be read alone."""

import re

import pytest

from checkers import CANNOT

# Not to be had in these files.
FORBIDDEN = {
    "an import from another test": (
        r"^\s*(?:from|import) (?:\w+\.)?test_\w+", "integration/**/*.py"),
    "a check that is switched off": (r"#\s*noqa", "**/*.py"),
    "a .c that includes a .c": (
        r'^\s*#\s*include\s*["<][^">]+\.(?:c|cc|cpp)[">]', "**/*.[ch]*"),
    "a skip without its reason": (r"\bcr_skip", "tests/test_*.c"),
}


def offenders(folder, what):
    pattern, files = FORBIDDEN[what]
    return [f"{path.relative_to(folder)}: {line.strip()}"
            for path in sorted(folder.glob(files))
            if path.is_file() and path.suffix in (".py", ".c", ".h", ".cpp", ".cc", ".hpp")
            for line in path.read_text().splitlines() if re.search(pattern, line)]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_tree_is_free_of(root, what):
    assert offenders(root, what) == []


@pytest.mark.parametrize("what,name,line", [
    ("an import from another test", "integration/test_a.py", "from test_b import c"),
    ("an import from another test", "integration/kits/a.py", "    import test_b"),
    ("a check that is switched off", "bench/a.py", "import os  # no" + "qa: F401"),
    ("a .c that includes a .c", "integration/programs/a/a.c", '#include "../b/b.c"'),
    ("a .c that includes a .c", "tests/a.h", '# include "b.cpp"'),
    ("a skip without its reason", "tests/test_a.c", "\tcr_skip_test();"),
])
def test_what_would_be_found(tmp_path, what, name, line):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(f"\n{line}\n")
    assert offenders(tmp_path, what) == [f"{name}: {line.strip()}"]


def test_what_checkers_cannot_look_at_is_there(root):
    text = "".join(path.read_text() for path in (root / "integration").glob("test_*.py"))
    names = {name.partition("[")[0] for of in CANNOT.values() for name in of}
    assert [name for name in sorted(names) if f"def {name}" not in text] == []


def test_every_folder_of_programs_is_a_tests(root):
    here = root / "integration"
    folders = [path.name for path in (here / "programs").iterdir() if path.is_dir()]
    assert "race" in folders
    for name in folders:
        assert (here / f"test_{name}.py").exists() or (here / f"{name}.sh").exists(), name
