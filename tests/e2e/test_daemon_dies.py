"""The daemon is killed while somebody types in a shell of the console."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_console import Console

if TYPE_CHECKING:
    from collections.abc import Callable


def daemon(root: Path) -> int:
    """The process that is the daemon of ``root``."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            arguments = (folder / "cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if "core.daemon" in arguments and any(str(root) in argument for argument in arguments):
            found.append(int(folder.name))
    (pid,) = found
    return pid


def gone(pid: int) -> None:
    """Wait until a process does not run any more."""
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.timeout(120)
def test_whoever_types_in_a_shell_types_on(
    make_root: Callable[..., Path], fix: dict[str, Any], tmp_path: Path
) -> None:
    root = make_root(None)
    host = fix["registries"]["plain"]["host"]
    with Console(root, [], tmp_path).open(120, 40) as terminal:
        terminal.wait(r"Available \(\d\d")
        terminal.type(f":pull {host}/lib/busybox")
        terminal.keys("Enter")
        terminal.wait("done, installed as busybox", seconds=60)
        terminal.keys("Enter")
        terminal.wait("SHELL busybox")
        terminal.wait("~ # ")
        terminal.type("kept=42; echo so far\n")
        terminal.wait("^.*so far *│?$")
        pid = daemon(root)
        os.kill(pid, signal.SIGKILL)
        terminal.type("echo typed on $((kept+1))\n")
        terminal.wait("typed on 43")
        gone(pid)
        terminal.type("echo and on $((kept+2))\n")
        terminal.wait("and on 44")
        terminal.keys("C-]")
        terminal.type("n")
        terminal.wait(r"1 busybox.*2 busybox\*")
        terminal.type("echo second $((6*7))\n")
        terminal.wait("second 42")
        assert daemon(root) != pid
