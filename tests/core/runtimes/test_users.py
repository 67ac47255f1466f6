"""Users and shells of a distro, read from its own files; runs chrooted in a child."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.errors import CommandNotFound, DeckError, NotFound
from core.runtimes import users
from core.runtimes.users import User

PASSWD = """\
root:x:0:0:root:/root:/bin/zsh
alice:x:1000:1000:Alice:/home/alice:/bin/missing
# a comment
bad:x:NaN:0::/:/bin/sh
huge:x:99999999999999999999:0::/:/bin/sh
"""
GROUP = "root:x:0:\nwheel:x:10:root,alice\naudio:x:63:alice\nalice:x:1000:\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The distro's /etc, where the functions look."""
    (tmp_path / "passwd").write_text(PASSWD)
    (tmp_path / "group").write_text(GROUP)
    read = users._rows

    def rows(path: str, width: int) -> list[list[str]]:
        return read(str(tmp_path / Path(path).name), width)

    monkeypatch.setattr(users, "_rows", rows)
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "uid", "gid", "groups", "home"),
    [
        ("", 0, 0, (10,), "/root"),
        ("alice", 1000, 1000, (10, 63), "/home/alice"),
        ("1000", 1000, 1000, (10, 63), "/home/alice"),
        ("1234", 1234, 0, (), "/"),
        ("alice:audio", 1000, 63, (), "/home/alice"),
        ("1234:77", 1234, 77, (), "/"),
    ],
)
@pytest.mark.usefixtures("files")
def test_a_user_is_found(
    wanted: str, uid: int, gid: int, groups: tuple[int, ...], home: str
) -> None:
    user = users.find_user(wanted)
    assert (user.uid, user.gid, user.groups, user.home) == (uid, gid, groups, home)


@pytest.mark.parametrize("wanted", ["mallory", "bad", "alice:nogroup", "-1", "²"])
@pytest.mark.usefixtures("files")
def test_an_unknown_user_or_group_is_named(wanted: str) -> None:
    with pytest.raises(NotFound) as raised:
        users.find_user(wanted)
    assert raised.value.what in wanted.split(":")


def test_without_a_passwd_there_is_root(files: Path) -> None:
    (files / "passwd").unlink()
    assert users.find_user("")[:3] == ("root", 0, 0)


def test_a_fifo_in_place_of_passwd_is_not_waited_for(files: Path) -> None:
    (files / "passwd").unlink()
    os.mkfifo(files / "passwd")
    assert users.find_user("").uid == 0


def test_the_environment_is_clean_and_the_later_value_wins() -> None:
    user = User("alice", 1000, 1000, (), "/home/alice", "/bin/sh")
    found = users.environment(user, [("PATH", "/a"), ("X", "1"), ("X", "2")], tty=True)
    assert found == {
        "PATH": "/a",
        "HOME": "/home/alice",
        "USER": "alice",
        "LOGNAME": "alice",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "container": "distrodeck",
        "X": "2",
    }
    assert "TERM" not in users.environment(user, [], tty=False)


def test_the_first_usual_shell_is_taken_if_passwds_is_missing(tmp_path: Path) -> None:
    for name, mode in (("bash", 0o644), ("fish", 0o755), ("sh", 0o755)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    user = User("alice", 1000, 1000, (), "/", "/bin/missing")
    assert users.find_shell(user, str(tmp_path)) == str(tmp_path / "fish")


def test_no_shell_is_told_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "PATH", "/nowhere")
    with pytest.raises(CommandNotFound) as raised:
        users.find_shell(User("root", 0, 0, (), "/", "/sbin/nologin"), "/nowhere")
    assert raised.value.hint
    assert isinstance(raised.value, DeckError)


def test_a_command_is_searched_as_execvp_does(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tool").touch()
    (tmp_path / "b" / "tool").chmod(stat.S_IRWXU)
    path = f"{tmp_path}/a:{tmp_path}/b"
    assert users.search("tool", path) == f"{tmp_path}/b/tool"
    assert users.search("tool", f"{tmp_path}/a") == f"{tmp_path}/a/tool"
    assert users.search("nothing", path) == ""
