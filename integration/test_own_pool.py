# SPDX-License-Identifier: MIT
"""The pool of a user who names none: the same one for all programs, in user
namespaces too, and whatever others do to its name."""

import subprocess
from errno import EADDRINUSE, ENETDOWN

import pytest

from kits.cli import lines
from kits.playing import PYTHON, Player, refused

USER = 4242
START = 25500
HOLD = "mount -t tmpfs -o mode=1777 shm /dev/shm && echo mounted && read x"


@pytest.fixture
def inside(start, need):
    """A command prefix: runs in a mount namespace with a /dev/shm of its own."""
    need("mount", "become another user", "make a user namespace")
    holder = start(["unshare", "-m", "sh", "-c", HOLD])
    assert holder.line() == "mounted"
    return ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt"]


@pytest.fixture
def env(reachable_env):
    return {k: v for k, v in reachable_env.items() if k not in ("PORTRES_POOL", "HOME")}


@pytest.fixture
def env_of_the_command(env):
    return {k: v for k, v in env.items() if k != "LD_PRELOAD"}


AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
WAYS = {
    "root in there": ["unshare", "-r"],
    "nested": ["unshare", "-r", "unshare", "-r"],
    "himself in there": ["unshare", "-c"],
}


@pytest.fixture
def play(start, inside, reachable, env, env_of_the_command):
    """play(*prefix, **settings) -> a player of the user's."""
    def play(*prefix, **settings):
        preload = ["env", f"LD_PRELOAD={env['LD_PRELOAD']}"]
        return start([*inside, *AS_USER, *prefix, *preload, PYTHON, reachable / "player.py"],
                     {**env_of_the_command, **settings}, kind=Player, cwd="/")

    return play


@pytest.mark.parametrize("how", WAYS)
def test_inside_and_outside_share_one(play, how):
    outside = play()
    outside.tcp().acquire(START, 2)
    within = play(*WAYS[how])
    with refused(EADDRINUSE):
        within.tcp().bind(START)
    within.tcp().acquire(START + 4, 2)
    with refused(EADDRINUSE):
        outside.tcp().bind(START + 4)
    assert outside.os.listdir("/dev/shm") == [f"portres-{USER}"]


def test_a_user_namespace_takes_nobodys_name(play):
    """There is no directory of the user's yet, and none is made for root."""
    within = play("unshare", "-r", PORTRES_STRICT="1")
    x = within.tcp()
    with refused(ENETDOWN):
        x.bind(START)
    with refused(ENETDOWN):
        x.acquire(START, 1)
    assert within.os.listdir("/dev/shm") == []


def test_a_dev_shm_of_the_namespaces_own_is_used_as_ever(play):
    mount = "mount -t tmpfs shm /dev/shm && exec \"$@\""
    within = play("unshare", "-rm", "sh", "-c", mount, "sh")
    within.tcp().acquire(START, 1)
    assert within.os.listdir("/dev/shm") == ["portres-0"]


def test_a_squatter_has_no_part_in_it(play, inside, reachable, env_of_the_command):
    """Nor does he keep the user's programs apart."""
    squat = f"mkdir -m 777 /dev/shm/portres-{USER}"
    subprocess.run([*inside, "setpriv", "--reuid=4711", "sh", "-c", squat], check=True)
    one, two = play(), play()
    one.tcp().acquire(START, 2)
    with refused(EADDRINUSE):
        two.tcp().bind(START)
    assert one.os.listdir(f"/dev/shm/portres-{USER}") == []
    doctor = subprocess.run([*inside, *AS_USER, reachable / "portres", "doctor"],
                            env=env_of_the_command, capture_output=True, text=True, check=False)
    said = " ".join(doctor.stdout.split())
    assert f"/dev/shm/portres-{USER} was made by user 4711" in said
    assert f"your programs share /dev/shm/portres-{USER}.1" in said


def test_the_command_says_why_there_is_none(inside, reachable, env_of_the_command):
    run = subprocess.run([*inside, *AS_USER, "unshare", "-r", reachable / "portres", "list"],
                         env=env_of_the_command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "is outside of this user namespace" in run.stderr
    assert "set PORTRES_POOL" in run.stderr


@pytest.mark.parametrize("mask", ["0777", "0700", "0300"])
def test_the_umask_of_who_makes_it_keeps_nobody_out(play, inside, reachable, env_of_the_command,
                                                    mask):
    """Of the store neither: the user's own programs, that is."""
    masked = ["sh", "-c", f"umask {mask}; exec \"$@\"", "sh"]
    play(*masked).tcp().acquire(START, 2)
    with refused(EADDRINUSE):
        play().tcp().bind(START)
    for start, prefix in (START + 4, masked), (START + 6, []):
        subprocess.run([*inside, *AS_USER, *prefix, reachable / "portres", "persistent", "add",
                        "tcp", str(start), "2"], check=True,
                       env={**env_of_the_command, "XDG_STATE_HOME": "/dev/shm/state/of/mine"})


OWN_SHM = 'mount -t tmpfs shm /dev/shm && exec "$@"'
# How a user's sandbox is made: are its ports the host's, and its /dev/shm not?
SANDBOXES = {
    "its own": (["unshare", "-rm", "sh", "-c", OWN_SHM, "sh"], True),
    # Its root is that of the one above: nothing can be told.
    "nested": (["unshare", "-rm", "sh", "-c", OWN_SHM, "sh", "unshare", "-r"], False),
    # As bubblewrap does: it mounts as root, and then is the user again.
    "itself again": (["unshare", "-rm", "sh", "-c", OWN_SHM, "sh", "unshare", f"--map-user={USER}"],
                     True),
    "with ports of its own": (
        ["unshare", "-rmn", "sh", "-c", f"ip link set lo up; {OWN_SHM}", "sh"], False),
    "none": (["env"], False),
    "in a directory of its own": (["env", "PORTRES_POOL=/mnt/pool", *["unshare", "-rm", "sh", "-c",
                                   f"mount -t tmpfs t /mnt; mkdir -m 700 /mnt/pool; {OWN_SHM}"],
                                   "sh"], False),
}


@pytest.mark.parametrize("how", SANDBOXES)
def test_doctor_names_a_sandbox_with_a_pool_of_its_own(inside, reachable, env_of_the_command, how):
    prefix, warns = SANDBOXES[how]
    run = subprocess.run([*inside, *AS_USER, *prefix, reachable / "portres", "doctor"],
                         env=env_of_the_command, capture_output=True, text=True, check=False)
    warnings = " ".join(" ".join(lines(run.stdout, "warning")).split())
    assert "/pool-" in run.stdout, run
    says = "/dev/shm is this sandbox's own, and its ports are the host's" in warnings
    assert says == warns, run
    assert ("--bind /run/portres /run/portres" in warnings) == warns


def test_doctor_is_not_misled_by_roots_own_user_namespace(inside, reachable, env_of_the_command):
    """Its root is the host's, and so is /dev/shm, though it seems to be of the namespace."""
    run = subprocess.run([*inside, "unshare", "-rm", reachable / "portres", "doctor"],
                         env=env_of_the_command, capture_output=True, text=True, check=False)
    assert "/dev/shm/portres-0/pool-" in run.stdout and "sandbox" not in run.stdout, run


def test_doctor_says_who_has_all_the_names(inside, reachable, env_of_the_command):
    squat = f"mkdir /dev/shm/portres-{USER} $(seq -f /dev/shm/portres-{USER}.%g 1000)"
    subprocess.run([*inside, "setpriv", "--reuid=4711", "sh", "-c", squat], check=True)
    run = subprocess.run([*inside, *AS_USER, reachable / "portres", "doctor"],
                         env=env_of_the_command, capture_output=True, text=True, check=False)
    said = " ".join(" ".join(lines(run.stdout, "error")).split())
    assert f"/dev/shm/portres-{USER}, of user 4711, and all names after it are taken" in said, run
    assert "have root remove them, or set PORTRES_POOL" in said
    run = subprocess.run([*inside, *AS_USER, reachable / "portres", "list"],
                         env=env_of_the_command, capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "of user 4711" in run.stderr


def test_doctor_says_why_no_name_can_be_had(inside, reachable, env_of_the_command):
    """Nobody has them."""
    full = 'mount -o remount,ro /dev/shm && exec "$@"'
    run = subprocess.run([*inside, "unshare", "-m", "sh", "-c", full, "sh", *AS_USER,
                          reachable / "portres", "doctor"],
                         env=env_of_the_command, capture_output=True, text=True, check=False)
    assert "no pool directory can be made in /dev/shm" in run.stdout, run
