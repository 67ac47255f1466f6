"""A full disk, folders that cannot be used, hosts that forbid: told, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.core.images.serving import tar
from tests.e2e.deck import Deck, new_deck
from tests.host import as_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.core.images.serving import Served
    from tests.host import User

FORBIDDING = """
echo 0 > /proc/sys/user/max_user_namespaces &&
exec setpriv --ambient-caps=-all --inh-caps=-all -- "$@"
"""
"""Run in a user namespace of the user's own, where it may set the limit; it ends with it."""


@contextmanager
def small_disk(size: str) -> Iterator[Deck]:
    """A deck on a disk of its own."""
    with new_deck() as deck:
        options = f"size={size},mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", deck.root], check=True)
        yield deck  # the end of the deck unmounts it


def test_a_pull_that_does_not_fit_is_told_and_harms_nothing(plain: str, served: Served) -> None:
    noise = {f"noise/{n}": os.urandom(1 << 20) for n in range(10)}
    served.add_image(tar(noise), compress=False)
    with small_disk("12m") as deck:
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        shown, files = deck.shown(), deck.files()
        ended = deck.refused("pull", f"{served.host}/lib/large")
        assert (ended.code, ended.error["code"]) == (10, "no_space")
        assert "free some space" in ended.error["hint"]
        assert deck.shown() == shown
        assert {name for name in deck.files() - files if not name.startswith("ingest/")} == set()
        assert deck.done("run", "bb", "--", "sh", "-c", "echo well > /x; cat /x").out == "well\n"
        subprocess.run(["mount", "-o", "remount,size=60m", deck.root], check=True)
        deck.done("pull", f"{served.host}/lib/large")


def test_an_export_that_does_not_fit_names_its_file_and_leaves_none(
    plain: str, tmp_path: Path
) -> None:
    with new_deck() as deck:
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", tmp_path], check=True)
        try:
            ended = deck.refused("export", "bb", "-o", str(tmp_path / "bb.tar"))
            assert (ended.code, ended.error["code"]) == (10, "no_space")
            assert ended.error["message"] == f"{tmp_path}/bb.tar: no space left on device"
            assert not list(tmp_path.iterdir())
        finally:
            subprocess.run(["umount", tmp_path], check=True)


def test_a_tarball_that_does_not_fit_leaves_room_to_remove_things(
    plain: str, fix: dict[str, Any]
) -> None:
    with small_disk("20m") as deck:
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        url = fix["http"]["files"]["debian-12-amd64.tar.xz"]["url"]
        ended = deck.refused("pull", url, "--name", "large")
        assert (ended.code, ended.error["code"]) == (10, "no_space")
        assert "of debian-12-amd64.tar.xz" in ended.error["kept"]
        assert shutil.disk_usage(deck.root).free > 500_000
        assert deck.done("run", "bb", "--", "echo", "well").out == "well\n"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_distro_can_be_listed_and_removed_on_a_full_disk(plain: str, restarted: bool) -> None:
    with small_disk("8m") as deck:
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        shown = deck.shown()
        if restarted:
            deck.done("serve", "--stop")
        with (deck.root / "fill").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        assert deck.shown() == shown
        if not restarted:  # else opening the store has spent the reserve, and there is some room
            ended = deck.refused("run", "bb", "--", "true")
            assert (ended.code, ended.error["code"]) == (125, "no_space")
        deck.done("rm", "--now", "--yes", "bb")
        assert deck.items("ls") == []


def test_a_store_cannot_be_made_on_a_full_disk(plain: str) -> None:
    with small_disk("1m") as deck:
        (deck.root / "fill").write_bytes(bytes((1 << 20) - 4096 * 2))
        for _ in range(2):
            ended = deck.refused("pull", f"{plain}/lib/busybox")
            assert (ended.code, ended.error["code"]) == (10, "no_space")


@pytest.mark.parametrize(
    ("root", "code"),
    [
        ("/etc/passwd", 2),
        ("/proc/deck", 2),
        ("/var/tmp/" + "x" * 256, 2),
        ("/root/deck", 9),
        ("/root", 9),
    ],
)
def test_a_root_that_cannot_be_used_is_named(single_uid_user: User, root: str, code: int) -> None:
    deck = Deck(root=Path(root), prefix=tuple(as_user(single_uid_user)))
    ended = deck.refused("ls")
    assert ended.code == code
    assert root in ended.error["message"]
    assert "--root" in ended.error["hint"]


def test_the_root_of_another_user_is_refused(single_uid_user: User, ordinary_user: User) -> None:
    with new_deck(ordinary_user) as theirs:
        theirs.done("ls")
        theirs.root.chmod(0o755)
        ours = Deck(root=theirs.root, prefix=tuple(as_user(single_uid_user)))
        ended = ours.refused("ls")
        assert (ended.code, ended.error["code"]) == (9, "refused")


@pytest.mark.parametrize(
    ("text", "line"), [("x = [", 1), ("[daemon]\nidle = 3\n", 2), ("[pull]\n\nfoo = 1", 3)]
)
def test_settings_that_cannot_be_read_are_named_by_line(text: str, line: int) -> None:
    with new_deck() as deck:
        (deck.root / "config").mkdir()
        (deck.root / "config" / "config.toml").write_text(text)
        ended = deck.refused("ls")
        assert (ended.code, ended.error["code"]) == (2, "invalid_input")
        assert f"config.toml:{line}: " in ended.error["message"]


def test_an_index_that_is_none_is_told_and_left_alone() -> None:
    with new_deck() as deck:
        (deck.root / "data").mkdir(parents=True)
        index = deck.root / "data" / "index.sqlite"
        index.write_bytes(b"no database" * 1000)
        ended = deck.refused("ls")
        assert (ended.code, ended.error["code"]) == (7, "corrupt")
        assert index.read_bytes().startswith(b"no database")


def test_only_one_engine_has_the_store() -> None:
    with new_deck() as deck:
        deck.done("ls")
        ended = deck.refused("--embedded", "ls")
        assert (ended.code, ended.error["code"]) == (4, "conflict")


@pytest.mark.parametrize("flags", [(), ("--embedded",)], ids=["daemon", "embedded"])
def test_a_folder_of_our_name_in_the_working_directory_is_not_run(
    plain: str, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    for name in ("core", "tui", "widgets", "json", "asyncio"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not ours')")
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not ours')")
    with new_deck(flags=flags) as deck:
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb", cwd=tmp_path)
        assert deck.done("run", "bb", "--", "echo", "well", cwd=tmp_path).out == "well\n"
        assert deck("run", "bb", "--", "nope", cwd=tmp_path).code == 127


def test_a_root_of_130_characters_holds_all_sockets(plain: str) -> None:
    with new_deck(length=130) as deck:
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        assert deck.done("run", "bb", "--", "echo", "well").out == "well\n"
        with deck.terminal("shell", "bb") as tty:
            tty.until(rb"leaves it running\r\n")
            tty.type(b"tty; exit 3\n")
            tty.until(rb"/dev/pts/\d+\r\n")
            assert tty.wait() == 3
        assert deck.refused("run", "bb", "--", "nope").code == 127


@pytest.mark.parametrize(
    ("kind", "flags"),
    [("ordinary_user", ()), ("single_uid_user", ()), ("ordinary_user", ("--embedded",))],
)
def test_forbidden_user_namespaces_are_told_and_doctor_still_answers(
    request: pytest.FixtureRequest, kind: str, flags: tuple[str, ...], plain: str
) -> None:
    user: User = request.getfixturevalue(kind)
    with new_deck(user, flags=flags) as made:
        inside = ("unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-c")
        deck = Deck(root=made.root, prefix=(*made.prefix, *inside, FORBIDDING, "sh"), flags=flags)
        for words, code in (
            (("ls",), 11),
            (("pull", f"{plain}/lib/busybox"), 11),
            (("run", "bb", "--", "true"), 125),
        ):
            ended = deck.refused(*words, seconds=20)
            assert (ended.code, ended.error["code"]) == (code, "host_forbids")
            assert ended.error["message"].startswith("user namespaces: ")
            assert "sysctl" in ended.error["hint"]
        ended = deck("doctor", seconds=30)
        assert ended.code == 11
        assert "!!  user namespaces" in ended.out
        left = subprocess.run(
            ["pgrep", "-u", user.name, "-r", "DRS", "-x", "unshare"],
            capture_output=True,
            check=False,
        )
        assert not left.stdout


@contextmanager
def own_limits() -> Iterator[tuple[str, ...]]:
    """What runs a command in a user namespace with all ids and with limits of its own."""
    wait = ["unshare", "--user", "sh", "-c", "echo; exec sleep 600"]
    with subprocess.Popen(wait, stdout=subprocess.PIPE) as keeper:
        try:
            assert keeper.stdout
            assert keeper.stdout.readline()
            for kind in ("uid", "gid"):
                Path(f"/proc/{keeper.pid}/{kind}_map").write_text("0 0 4294967295")
            yield ("nsenter", f"--user=/proc/{keeper.pid}/ns/user")
        finally:
            keeper.kill()


@pytest.mark.parametrize("kind", ["ordinary_user", "single_uid_user"])
def test_a_running_daemon_tells_namespaces_forbidden_meanwhile(
    request: pytest.FixtureRequest, kind: str, plain: str
) -> None:
    user: User = request.getfixturevalue(kind)
    with own_limits() as inside, new_deck(user) as made:
        deck = Deck(root=made.root, prefix=(*inside, *made.prefix))
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        limit = [*inside, "sh", "-c", "echo $0 > /proc/sys/user/max_user_namespaces"]
        subprocess.run([*limit, "0"], check=True)
        ended = deck.refused("run", "bb", "--", "true", seconds=15)
        assert (ended.code, ended.error["code"]) == (125, "host_forbids")
        assert "user.max_user_namespaces" in ended.error["message"]
        if kind == "ordinary_user":  # whoever has one uid unpacks without a namespace
            ended = deck.refused("pull", f"{plain}/lib/many", "--name", "x", seconds=15)
            assert (ended.code, ended.error["code"]) == (11, "host_forbids")
            assert "user.max_user_namespaces" in ended.error["message"]
        subprocess.run([*limit, "1000"], check=True)
        assert deck.done("run", "bb", "--", "echo", "well").out == "well\n"
        deck.done("rm", "--now", "--yes", "bb")
