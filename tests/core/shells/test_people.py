"""The same facts for root, for a user with subuids and for one without."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from tests import host

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.shells.conftest import Person


def test_streams_are_apart_and_the_exit_code_arrives(person: Person, busybox_archive: Path) -> None:
    script = "cat; echo out; echo err >&2; exit 7"
    (result,) = person.play(archives=[str(busybox_archive)], steps=[{"argv": ["sh", "-c", script]}])
    assert result == {"code": 7, "out": "out\n", "err": "err\n"}


def test_a_shell_has_a_terminal_of_its_own_and_job_control(
    person: Person, debian_archive: Path
) -> None:
    talk = [
        ["# ", "tty; id -u; stty size\r"],
        ["24 80", "sh -c 'echo st''arted; exec sleep 100'\r"],
        ["started", "\x1a"],
        ["Stopped", "kill %1; fg; sh -c 'echo ag''ain; exec sleep 100'\r"],
        ["again", "\x03"],
        ["# ", "exit 3\r"],
    ]
    (result,) = person.play(archives=[str(debian_archive)], steps=[{"talk": talk}])
    assert result["code"] == 3
    assert "/dev/pts/0\r\n0\r\n24 80" in result["out"]
    assert "cannot set terminal process group" not in result["out"]
    assert "no job control" not in result["out"]


def test_what_was_written_is_there_after_a_stop(person: Person, busybox_archive: Path) -> None:
    archives = [str(busybox_archive)]
    person.play(archives=archives, steps=[{"argv": ["sh", "-c", "echo kept > /etc/kept"]}])
    steps = [{"argv": ["cat", "/etc/kept"]}]
    (result,) = person.play(archives=archives, first=3, steps=steps)
    assert result["out"] == "kept\n"


def test_errors_name_the_thing_and_what_to_do(person: Person, busybox_archive: Path) -> None:
    results = person.play(
        archives=[str(busybox_archive)],
        steps=[
            {"argv": ["nope"]},
            {"argv": ["/etc/passwd"]},
            {"argv": ["true"], "workdir": "/no/where"},
            {"argv": ["true"], "user": "stranger"},
            {"argv": ["true"], "binds": [{"source": "/no/such", "target": "/x"}]},
            {"argv": ["true"], "binds": [{"source": "relative", "target": "/x"}]},
        ],
    )
    assert [(one["error"], one["message"].split(":")[0]) for one in results] == [
        ("command_not_found", "nope"),
        ("command_not_executable", "/etc/passwd"),
        ("not_found", "/no/where"),
        ("not_found", "stranger"),
        ("invalid_input", "/no/such"),
        ("invalid_input", "relative"),
    ]
    assert all(one["hint"] for one in results if one["error"] != "command_not_executable")


def test_binds_show_the_host_and_only_where_asked(person: Person, busybox_archive: Path) -> None:
    shared = person.root / "shared"
    binds = [
        {"source": str(shared), "target": "/data/deep"},
        {"source": str(shared / "file"), "target": "/etc/single", "read_only": True},
    ]
    script = "cat /data/deep/file /etc/single; echo new > /data/deep/new; echo x > /etc/single"
    make = ["sh", "-c", f"mkdir -p {shared}; echo host > {shared}/file"]
    subprocess.run([*person.prefix, *make], check=True)
    first, second = person.play(
        archives=[str(busybox_archive)],
        steps=[
            {"argv": ["sh", "-c", script], "binds": binds},
            {"argv": ["ls", "/data/deep"]},
        ],
    )
    assert first["out"] == "host\nhost\n"
    assert "Read-only file system" in first["err"]
    assert (shared / "new").read_text() == "new\n"
    assert (shared / "file").read_text() == "host\n"
    assert second == {"code": 0, "out": "", "err": ""}


def test_nothing_is_left_behind(person: Person, busybox_archive: Path) -> None:
    daemon = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo started"
    (result,) = person.play(archives=[str(busybox_archive)], steps=[{"argv": ["sh", "-c", daemon]}])
    assert result == {"code": 0, "out": "started\n", "err": ""}
    deadline = time.monotonic() + 20
    while left := host.leftovers(person.root):  # a process that was told to end takes its time
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_a_path_of_130_characters_and_127_layers_work(
    person: Person, busybox_archive: Path
) -> None:
    root = person.root / ("long-" * 30)[: 131 - len(str(person.root))]
    script = (
        f"mkdir -p {root}/x; for n in $(seq 1 126); do mkdir -p {root}/x/layer-$n/only-$n; done"
    )
    subprocess.run([*person.prefix, "sh", "-c", script], check=True)
    layers = [str(root / "x" / f"layer-{n}") for n in range(1, 127)]
    (result,) = person._replace(root=root).play(
        layers=layers,
        archives=[str(busybox_archive)],
        steps=[{"argv": ["sh", "-c", "ls -d /only-* | wc -l; touch /written"]}],
    )
    assert len(str(root)) >= 130
    assert result == {"code": 0, "out": "126\n", "err": ""}
