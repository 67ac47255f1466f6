"""Commands that cannot be run in a distro end as a shell would end them, for every kind of user."""

from __future__ import annotations

import io
import subprocess
import tarfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.host import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deck import Deck


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder where every user's files can be."""
    made = FOLDER / f"ddt-{uuid.uuid4().hex[:10]}"
    made.mkdir(mode=0o755)
    yield made
    subprocess.run(["rm", "-rf", made], check=True)


def rootfs(path: Path, *members: tuple[str, bytes], source: Path | None = None) -> None:
    """A tarball of these files and of what ``source`` has except shells."""
    with tarfile.open(path, "w") as made:
        if source:
            with tarfile.open(source) as given:
                for one in given:
                    if one.name.rpartition("/")[2] not in ("sh", "ash", "bash", "hush"):
                        made.addfile(one, given.extractfile(one) if one.isreg() else None)
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            made.addfile(entry, io.BytesIO(data))


def refused(deck: Deck, *words: str, code: int = 125) -> dict[str, str]:
    ended = deck.refused("run", "bb", *words)
    assert ended.code == code, ended.error
    return ended.error


def test_a_command_that_is_not_there_is_127(anyone: Deck) -> None:
    for name in ("nosuchcommand", "/no/such/command"):
        error = refused(anyone, "--", name, code=127)
        assert error["code"] == "command_not_found"
        assert error["message"] == f"{name}: no such command in the distro"


def test_a_command_that_cannot_be_executed_is_126(anyone: Deck) -> None:
    assert "not executable" in refused(anyone, "--", "/etc/passwd", code=126)["message"]
    assert "a folder" in refused(anyone, "--", "/etc", code=126)["message"]
    script = "echo 'echo never' > /tmp/x; chmod +x /tmp/x; exec /tmp/x"
    assert anyone("run", "bb", "--", "sh", "-c", script).out == "never\n"


def test_a_program_for_another_machine_is_126(anyone: Deck) -> None:
    made = "printf '\\177ELF\\2\\1\\1' > /root/alien; chmod +x /root/alien"
    anyone.done("run", "bb", "--", "sh", "-c", made)
    error = refused(anyone, "--", "/root/alien", code=126)
    assert "not a program for this machine" in error["message"]


def test_a_missing_workdir_is_told(anyone: Deck) -> None:
    for name in ("/nope", "/etc/passwd"):
        error = refused(anyone, "--workdir", name, "--", "pwd")
        assert error["code"] == "not_found"
        assert error["message"].startswith(f"{name}: ")


def test_a_bind_has_to_have_a_source(anyone: Deck, folder: Path) -> None:
    error = refused(anyone, "--bind", f"{folder}/nope:/mnt", "--", "true")
    assert error["code"] == "invalid_input"
    assert error["message"] == f"{folder}/nope: bind source does not exist"
    (folder / "locked").mkdir(mode=0o700)
    if anyone.prefix:
        error = refused(anyone, "--bind", f"{folder}/locked/x:/mnt", "--", "true")
        assert error["message"] == f"{folder}/locked/x: permission denied"


def test_a_bind_has_to_have_a_target_that_can_be_hidden(anyone: Deck, folder: Path) -> None:
    for target in ("/..", "/proc/sys"):
        error = refused(anyone, "--bind", f"{folder}:{target}", "--", "true")
        assert error["code"] == "invalid_input"


def test_a_folder_is_not_bound_to_a_file(anyone: Deck, folder: Path) -> None:
    (folder / "file").touch()
    for bind in (f"{folder}/file:/etc", f"{folder}:/etc/passwd"):
        error = refused(anyone, "--bind", bind, "--", "true")
        assert "cannot be a bind's target" in error["message"]


def test_a_user_has_to_be_in_the_distro(anyone: Deck) -> None:
    for user in ("nosuch", "0:nosuch"):
        error = refused(anyone, "--user", user, "--", "id")
        assert error["code"] == "not_found"
        assert "nosuch: no such" in error["message"]


def test_a_signal_is_128_and_its_number(anyone: Deck) -> None:
    assert anyone("run", "bb", "--", "sh", "-c", "kill -TERM $$").code == 128 + 15


def test_a_shell_needs_a_terminal(anyone: Deck) -> None:
    ended = anyone.refused("shell", "bb")
    assert ended.code == 125
    assert "run bb -- CMD" in ended.error["hint"]


def shell_of(deck: Deck, name: str) -> bytes:
    """What a person sees who opens a shell in a distro that has none."""
    with deck.terminal("shell", name) as tty:
        seen = tty.until(rb"try: [^\n]*\n")
        assert tty.wait() == 127
    return seen


def test_an_image_without_a_shell_is_told(anyone: Deck, folder: Path, fix: dict[str, Any]) -> None:
    rootfs(folder / "empty.tar", ("etc/os-release", b"ID=none\n"))
    busybox = Path(fix["dir"]) / "http" / "rootfs" / "busybox-amd64.tar.gz"
    rootfs(folder / "noshell.tar", source=busybox)
    for name in ("empty", "noshell"):
        anyone.done("pull", str(folder / f"{name}.tar"))
        assert b"shell: the image has none" in shell_of(anyone, name)
    ended = anyone.refused("run", "empty", "--", "true")
    assert (ended.code, ended.error["code"]) == (127, "command_not_found")
    ended = anyone.refused("run", "noshell", "--", "sh", "-c", "true")
    assert (ended.code, ended.error["code"]) == (127, "command_not_found")
    assert anyone.done("run", "noshell", "--", "echo", "well").out == "well\n"
    anyone.done("rm", "--now", "--yes", "empty", "noshell")


def test_an_image_without_layers_is_told(anyone: Deck, plain: str) -> None:
    anyone.done("pull", f"{plain}/lib/empty")
    ended = anyone.refused("run", "empty", "--", "true")
    assert (ended.code, ended.error["code"]) == (127, "command_not_found")
    anyone.done("rm", "--now", "--yes", "empty")


def test_killing_everything_in_a_shell_kills_nothing_else(anyone: Deck) -> None:
    with subprocess.Popen([*anyone.prefix, "sleep", "600"]) as bystander:
        try:
            with anyone.terminal("shell", "bb") as tty:
                tty.until(rb"leaves it running\r\n")
                tty.type(b"kill -9 -1\necho still $((6 * 7))\nexit 5\n")
                tty.until(rb"still 42")
                assert tty.wait() == 5
            assert bystander.poll() is None
        finally:
            bystander.kill()
    assert anyone.done("run", "bb", "--", "echo", "well").out == "well\n"


def test_killing_everything_as_the_first_process_kills_nothing_else(anyone: Deck) -> None:
    ended = anyone("run", "bb", "--", "sh", "-c", "kill -9 -1; kill -9 1; echo still")
    assert ended.out == "still\n"
    assert anyone.done("run", "bb", "--", "echo", "well").out == "well\n"


def test_after_all_of_that_a_good_command_runs(anyone: Deck) -> None:
    assert [one["name"] for one in anyone.items("ls")] == ["bb"]
    assert len(anyone.items("images")) == 1
    assert not [one for one in anyone.items("sessions") if one["state"] == "running"]
    assert anyone.done("run", "bb", "--", "echo", "well").out == "well\n"
