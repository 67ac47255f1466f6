"""The test suite's own hold on the machine: users, roots, and finding what was left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host import clear_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host import User

pytestmark = pytest.mark.root


def subids(user: User) -> list[str]:
    return [
        line
        for file in ("/etc/subuid", "/etc/subgid")
        for line in Path(file).read_text().splitlines()
        if line.startswith(f"{user.name}:")
    ]


def test_users_are_ordinary_and_differ_in_their_subuids(
    ordinary_user: User, single_uid_user: User, as_user: Callable[[User], list[str]]
) -> None:
    for user in (ordinary_user, single_uid_user):
        said = subprocess.run(
            [*as_user(user), "sh", "-c", "id -u; echo $HOME; echo $USER"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert said.stdout.split() == [str(user.uid), str(user.home), user.name]
        assert user.uid >= 1000
    assert len(subids(ordinary_user)) == 2
    assert not subids(single_uid_user)


def test_root_belongs_to_its_user_and_is_as_long_as_asked(
    make_root: Callable[..., Path], ordinary_user: User
) -> None:
    root = make_root(ordinary_user, length=130)
    assert len(str(root)) == 130
    assert root.stat().st_uid == ordinary_user.uid
    assert root.stat().st_mode & 0o777 == 0o700


LISTEN = """
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
time.sleep(60)
"""


def test_process_mount_and_socket_are_found_and_cleared(
    deck_root: Path, leftovers: Callable[[Path], list[str]]
) -> None:
    assert leftovers(deck_root) == []
    mounted = deck_root / "mounted"
    mounted.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", mounted], check=True)
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN, deck_root / "socket"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert {line.split()[0] for line in leftovers(deck_root)} == {"process", "mount", "socket"}
        clear_root(deck_root)
        assert process.wait() == -signal.SIGKILL
    assert leftovers(deck_root) == []
    assert not deck_root.exists()


def test_process_seen_only_by_its_own_mounts_is_found(
    deck_root: Path, leftovers: Callable[[Path], list[str]]
) -> None:
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-s"],
        env={"PATH": os.environ["PATH"]},  # as what the product starts: without this test's own
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"mount -t tmpfs none {deck_root} && echo mounted && exec sleep 60\n")
        process.stdin.close()
        process.stdout.readline()
        assert ["(mounts)" in line for line in leftovers(deck_root)] == [True]
        clear_root(deck_root)
        assert process.wait() == -signal.SIGKILL
