"""This machine's own files as a distro."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import host
from tests.core import distros

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.shells.conftest import Person

LOOK = """
. /etc/os-release; echo $ID
ls /usr/bin/env /bin/sh
touch /usr/bin/probe-of-tests /etc/probe-of-tests /probe-of-tests && echo written
ls -A /home /root
cat /etc/shadow | cut -d: -f2 | sort -u
ls STORE
"""


@pytest.fixture
def plan(person: Person) -> dict[str, object]:
    return {"changes": {"host_root": True, "masks": [str(person.root)]}}


def test_it_shows_the_hosts_programs_and_keeps_changes_to_itself(
    person: Person, plan: dict[str, object]
) -> None:
    look = LOOK.replace("STORE", str(person.root))
    (result,) = person.play(steps=[{"argv": ["bash", "-c", look]}], **plan)
    lines = result["out"].splitlines()
    assert lines[1:3] == ["/bin/sh", "/usr/bin/env"]
    assert not Path("/usr/bin/probe-of-tests").exists()
    assert not Path("/etc/probe-of-tests").exists()
    assert not Path("/probe-of-tests").exists()
    assert "No such file" in result["err"].splitlines()[-1]
    if person.kind == "root":
        assert lines[3:] == ["written", "/home:", "", "/root:", "*"]
    else:
        # Files of the host's root belong to nobody there: readable, not writable.
        assert "written" not in lines
        assert "Permission denied" in result["err"]


def test_a_change_is_there_the_next_time(person: Person, plan: dict[str, object]) -> None:
    write = {"argv": ["sh", "-c", "echo kept > /root/kept"]}
    read = {"argv": ["cat", "/root/kept"]}
    person.play(steps=[write], **plan)
    plan["changes"] = {"host_root": True, "masks": [str(person.root)]}
    (result,) = person.play(steps=[read], first=9, **plan)
    assert result["out"] == "kept\n"
    host.wait_for_none_left(person.root)


def test_a_terminal_works_in_it(person: Person, plan: dict[str, object]) -> None:
    talk = [["# ", "tty; exit 6\r"]]
    (result,) = person.play(steps=[{"argv": ["bash", "--norc"], "talk": talk}], **plan)
    assert result["code"] == 6
    assert "/dev/pts/0" in result["out"]


def test_secrets_of_the_host_are_not_there(person: Person) -> None:
    if person.kind != "root":
        # The kernel keeps them: they belong to a user that this one is not.
        look = {"argv": ["cat", "/etc/shadow"]}
    else:
        look = {"argv": ["sh", "-c", "ls /etc/ssl/private /etc/shadow-; exit 1"]}
    changes = {"host_root": True, "masks": [str(person.root)]}
    (result,) = person.play(steps=[look], changes=changes)
    assert result["code"] == 1
    assert result["out"] == ""


SECRETS = """
cut -d: -f2 /etc/shadow /etc/gshadow | sort -u
ls -d /etc/ssh/*_key /etc/ssl/private /etc/shadow- /etc/distrodeck 2>/dev/null
test -r /etc/passwd && echo accounts
"""


@pytest.mark.parametrize("mask", ["/etc/distrodeck", "/etc/ssh/elsewhere", "/etc/ssl/private/x"])
def test_a_folder_of_ours_beside_the_secrets_does_not_show_them(
    make_root: Callable[..., Path], mask: str
) -> None:
    root = make_root()
    changes = {"host_root": True, "masks": [str(root), mask]}
    step = {"argv": ["sh", "-c", SECRETS]}
    (result,) = distros.play_as([], root, {"steps": [step], "changes": changes})
    assert result["out"] == "*\naccounts\n"


def test_links_planted_inside_change_nothing_outside(make_root: Callable[..., Path]) -> None:
    root, outside = make_root(), make_root()
    outside.chmod(0o755)
    plan = {"changes": {"host_root": True, "masks": [str(root), str(outside)]}}
    plant = f"""
    set -e
    rm -r /root; ln -s {outside} /root
    rm -r /etc/ssl; ln -s {outside} /etc/ssl
    """
    step = {"argv": ["sh", "-c", plant]}
    assert distros.play_as([], root, {"steps": [step], **plan})[0]["code"] == 0
    look = {"argv": ["readlink", "/root", "/etc/ssl"], "workdir": "/"}
    (result,) = distros.play_as([], root, {"steps": [look], "first": 9, **plan})
    assert result["out"].split() == [str(outside)] * 2
    assert outside.stat().st_mode & 0o777 == 0o755
    assert not list(outside.iterdir())
