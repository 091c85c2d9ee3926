# SPDX-License-Identifier: MIT
"""Completion in three shells: options of run's, then the command behind them."""

import os
import pty
import re
import shutil
import signal
import subprocess

import pytest

# The words that are typed, and the one that is completed or offered.
LINES = [
    ("portres persis", "persistent"),
    ("portres run --ali", "--align"),
    ("portres run --tcp 1 -- printen", "printenv"),
    ("portres run --both 0+2 printen", "printenv"),
    ("portres run --wait 5 --ports-file x -- cat a_single_f", "a_single_file"),
    ("portres persistent ad", "add"),
    ("portres doctor --js", "--json"),
    ("portres guard sta", "status"),
    ("portres guard on --qu", "--quota"),
]


@pytest.fixture
def env(tmp_path):
    """A home without settings. fish makes files there."""
    kept = {"PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C"}
    (tmp_path / "a_single_file").touch()
    return {**kept, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}


def need(has, shell):
    if not has(shell):
        pytest.skip(f"no {shell}")


BASH = """
. "$0"
[ -z "$1" ] || . "$1"
read -ra COMP_WORDS <<<"$2"
COMP_LINE=$2 COMP_POINT=${#2} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_portres portres "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("typed,wanted", LINES)
@pytest.mark.parametrize("loaded", ["alone", "bash-completion"])
def test_bash(root, env, loaded, typed, wanted):
    library = "/usr/share/bash-completion/bash_completion"
    if loaded == "alone" or not os.path.exists(library):
        library = ""
    if loaded != "alone" and not library:
        pytest.skip("no bash-completion")
    run = subprocess.run(["bash", "-c", BASH, root / "cli/portres.bash", library, typed],
                         cwd=env["HOME"], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert wanted in [word.strip() for word in run.stdout.splitlines()], run


@pytest.mark.parametrize("typed,wanted", LINES)
def test_fish(root, env, has, typed, wanted):
    need(has, "fish")
    run = subprocess.run(
        ["fish", "--no-config", "-c", f"source '{root}/cli/portres.fish'; complete -C '{typed}'"],
        cwd=env["HOME"], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert run.stderr == ""
    assert wanted in [line.split("\t")[0] for line in run.stdout.splitlines()]


# A terminal: what is typed, a tab, and what the line becomes.
ZSH = """
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "fpath=($1 \\$fpath); autoload -U compinit; compinit -D -u; print REA''DY"
zpty -r z line '*READY*'
zpty -w z 'tell() { zle complete-word; print -r -- "<$BUFFER>" }; zle -N tell; bindkey "^I" tell; print REA""DY'
zpty -r z line '*READY*'
zpty -w -n z "$2"$'\\t'
zpty -r z line '*<*>*' && print -r -- $line
"""


@pytest.mark.parametrize("typed,wanted", LINES)
def test_zsh(root, env, has, tmp_path, typed, wanted):
    need(has, "zsh")
    shutil.copy(root / "cli/portres.zsh", tmp_path / "_portres")
    run = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", tmp_path, typed], cwd=tmp_path,
                         env=env, capture_output=True, text=True, check=False, timeout=60)
    assert re.search(rf"<.*{wanted} ?>", run.stdout), run


# What is typed, and what a tab makes of it.
WITH_VALUES = [
    ("portres run --tcp=1 -- printen", "-- printenv"),
    ("portres run --wait=5 --tcp 1 printen", "1 printenv"),
    ("portres run --tcp=1 --ali", "1 --align"),
    ("portres run --tcp 1 --ports-file=a_single_f", "--ports-file=a_single_file"),
    ("portres run --tcp 1 --ports-file a_fold", "--ports-file a_folder/"),
    ("portres run --tcp 1 --ports-file my", "--ports-file my\\ file"),
    ("portres run --tcp 1 -- cat my", "-- cat my\\ file"),
]


def typed_into_bash(library, root, env, typed):
    """At a terminal, because readline parts the words; what the line becomes."""
    shell, terminal = pty.fork()
    if shell == 0:
        os.chdir(env["HOME"])
        os.execvpe("bash", ["bash", "--norc", "-i"], env)
    try:
        for line in (f". '{library}'" if library else ":", f". '{root}/cli/portres.bash'",
                     "bind -x '\"\\C-t\": printf \"<%s>\" \"$READLINE_LINE\"'", "echo REA''DY"):
            os.write(terminal, line.encode() + b"\n")
        said = b""
        while b"READY" not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, typed.encode() + b"\t\x14")
        while not (found := re.search(rb"<(portres[^<>]*)>", said)):
            said += os.read(terminal, 4096)
        return found[1].decode()
    finally:
        os.kill(shell, signal.SIGKILL)
        os.waitpid(shell, 0)
        os.close(terminal)


@pytest.mark.parametrize("shell,typed,wanted", [
    (shell, *line) for shell in ("bash", "bash-completion", "zsh") for line in WITH_VALUES
    if shell != "zsh" or "file=" not in line[0]])  # to zsh a blank is before the file
def test_values_and_files(root, env, has, tmp_path, shell, typed, wanted):
    (tmp_path / "a_folder").mkdir()
    (tmp_path / "my file").touch()
    library = "/usr/share/bash-completion/bash_completion" if shell == "bash-completion" else ""
    if library and not os.path.exists(library):
        pytest.skip("no bash-completion")
    if shell == "zsh":
        need(has, "zsh")
        shutil.copy(root / "cli/portres.zsh", tmp_path / "_portres")
        run = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", tmp_path, typed], cwd=tmp_path,
                             env=env, capture_output=True, text=True, check=False, timeout=60)
        assert re.search(rf"<.*{re.escape(wanted)} ?>", run.stdout), run
    else:
        assert typed_into_bash(library, root, env, typed).endswith((wanted, wanted + " "))


def subcommands(build):
    said = subprocess.run([build / "portres", "--help"], capture_output=True, text=True,
                          check=True).stdout
    return re.findall(r"^  ([a-z]+) ", said, re.M)


def options_of(build, subcommand):
    """(the words before them, the options) of each of its usage lines."""
    said = subprocess.run([build / "portres", subcommand, "--help"], capture_output=True,
                          text=True, check=True).stdout
    for usage in re.findall(rf"^(?:usage:|      ) portres {subcommand} (.*)$", said, re.M):
        options = {"--help", *re.findall(r"--[\w-]+", usage)}
        if "[OPTION]" in usage:
            options.update(re.findall(r"^  (--[\w-]+)", said, re.M))
        verbs = re.split("  |\\[", usage)[0] if re.match("[a-z]", usage) else ""
        for verb in re.findall("[a-z]+", verbs) or [""]:
            yield f"portres {subcommand} {verb}".split(), options


def by_bash(root, env, words):
    text = '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _portres; echo "${COMPREPLY[@]}"'
    return subprocess.run(["bash", "-c", text, root / "cli/portres.bash", *words], env=env,
                          capture_output=True, text=True, check=True).stdout.split()


def by_fish(root, env, words):
    run = subprocess.run(
        ["fish", "--no-config", "-c",
         f"source '{root}/cli/portres.fish'; complete -C '{' '.join(words)}'"],
        cwd=env["HOME"], env=env, capture_output=True, text=True, check=True, timeout=60)
    return [line.split("\t")[0] for line in run.stdout.splitlines()]


def by_zsh(root, env, words):
    """The function's words to _arguments: a list on a terminal would be cut."""
    text = """
_arguments() { print -r -- $@ }
_describe() { print -r -- ${(P)@[-1]} }
_normal() { }
compadd() { print -r -- $@ }
words=("$@"); CURRENT=$#
. "$0"
"""
    said = subprocess.run(["zsh", "-f", "-c", text, root / "cli/portres.zsh", *words], env=env,
                          capture_output=True, text=True, check=True).stdout
    return re.findall(r"(?:^|\s)[*]?(--[a-z-]+)", said) + re.findall(r"\(([^-)]*)\)", said)


SHELLS = {"bash": by_bash, "fish": by_fish, "zsh": by_zsh}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shells_know_each_option_there_is(root, build, env, has, shell):
    """And no other: of each subcommand, behind each of its verbs."""
    need(has, shell)
    seen = 0
    for subcommand in subcommands(build):
        for words, options in options_of(build, subcommand):
            offered = SHELLS[shell](root, env, [*words, "--"])
            assert {word for word in offered if word.startswith("--")} == options, words
            seen += 1
    assert seen == 11


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shells_know_each_verb_there_is(root, build, env, has, shell):
    need(has, shell)
    for subcommand in subcommands(build):
        verbs = {words[2] for words, _ in options_of(build, subcommand) if len(words) > 2}
        if verbs:
            offered = " ".join(SHELLS[shell](root, env, ["portres", subcommand, ""]))
            assert verbs <= set(offered.split()), subcommand
