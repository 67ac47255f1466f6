"""The main job in a real terminal: pull, live in shells, lose the console, come back, clean up."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.tmux import Tmux

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.host import User

DECK = Path(sys.executable).with_name("distrodeck")


def child(pid: int) -> int:
    (found,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found)


class Console:
    """Starts consoles of one user on one root."""

    def __init__(self, root: Path, prefix: list[str], folder: Path) -> None:
        self.root = root
        self._command = [*prefix, str(DECK), "--root", str(root)]
        self._folder = folder

    @contextmanager
    def open(self, columns: int, rows: int) -> Iterator[Tmux]:
        terminal = Tmux(self._folder, self._command, columns=columns, rows=rows)
        try:
            terminal.wait("NORMAL|SHELL")
            yield terminal
        finally:
            terminal.close()


@pytest.fixture(params=["root", "ordinary", "single uid"])
def console(
    request: pytest.FixtureRequest,
    make_root: Callable[..., Path],
    as_user: Callable[[User], list[str]],
    fix: dict[str, Any],
    tmp_path: Path,
) -> Console:
    user: User | None = None
    if request.param != "root":
        wanted = "ordinary_user" if request.param == "ordinary" else "single_uid_user"
        user = request.getfixturevalue(wanted)
    root = make_root(user)
    config = root / "config"
    config.mkdir()
    url = fix["registries"]["plain"]["url"]
    (config / "config.toml").write_text(
        f'[catalog.sources.fixture]\nkind = "registry"\nurl = "{url}"\n'
    )
    if user:
        for path in (config, config / "config.toml"):
            os.chown(path, user.uid, user.gid)
    prefix = [*as_user(user), "env", "TERM=xterm-256color", "LANG=C.UTF-8"] if user else []
    return Console(root, prefix, tmp_path)


def pull_dev(terminal: Tmux) -> None:
    terminal.wait(r"Available \((?!31\))\d+")
    terminal.keys("Tab")
    terminal.type("/lib/dev")
    terminal.wait(r"\+ lib/dev")
    terminal.keys("Enter")
    terminal.keys("Enter")
    terminal.wait(r"dev +\d+(\.\d+)?/42\.\d MB")
    terminal.wait("done, installed as dev", seconds=60)
    terminal.keys("Escape", "BTab")


def run_programs(terminal: Tmux) -> None:
    terminal.type("tty; stty size\n")
    terminal.wait(r"/dev/pts/\d+\s*│?\n.*\d+ \d+")
    terminal.type("vim.tiny /etc/passwd\n")
    terminal.wait(r'"/etc/passwd" 18L')
    terminal.type(":q\n")
    terminal.wait_gone("18L")
    terminal.type("less /etc/passwd\n")
    terminal.wait(r"/etc/passwd( \(END\))?\s")
    terminal.type("q")
    terminal.type("htop\n")
    terminal.wait("Load average")
    terminal.type("q")
    terminal.wait_gone("Load average")
    terminal.type("sleep 1000\n")
    terminal.wait("sleep 1000")
    terminal.keys("C-z")
    terminal.wait("Stopped")
    terminal.type("clear; fg\n")
    terminal.wait("^.*sleep 1000 *│?$")
    terminal.wait_gone("Stopped")
    terminal.keys("C-c")
    terminal.type("echo code $?\n")
    terminal.wait("code 130")


def wait_for_nothing(root: Path, leftovers: Callable[[Path], list[str]]) -> None:
    """Only the daemon may be there; it stays for the next client."""
    deadline = time.monotonic() + 20
    while found := [line for line in leftovers(root) if "core.daemon" not in line]:
        found = [line for line in found if "api.sock" not in line]
        if not found:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


@pytest.mark.timeout(240)
def test_the_main_job(console: Console, leftovers: Callable[[Path], list[str]]) -> None:
    with console.open(120, 40) as terminal:
        pull_dev(terminal)
        terminal.keys("Enter")
        terminal.wait("SHELL dev")
        terminal.wait(r"dev:~# ")
        run_programs(terminal)
        terminal.keys("C-]")
        terminal.type("n")
        terminal.wait(r"2 dev\*")
        terminal.wait(r"dev:~# ")
        terminal.type("tmux new-session 'echo in-tmux; exec cat'\n")
        terminal.wait("in-tmux")
        terminal.resize(80, 24)
        terminal.wait("SHELL dev 80x22")
        terminal.wait("in-tmux")
        os.kill(child(terminal.pid()), signal.SIGKILL)
        terminal.wait("ENDED WITH 137|Killed")
    with console.open(120, 40) as terminal:
        terminal.wait("1 dev.*2 dev")
        terminal.keys("1")
        terminal.wait("code 130")
        terminal.type("echo still $((6*7))\n")
        terminal.wait("still 42")
        terminal.keys("C-]")
        terminal.type("2")
        terminal.wait("in-tmux")
        terminal.type("typed\n")
        terminal.wait("typed")
        terminal.keys("C-d")
        terminal.wait(r"\[exited\]")
        terminal.keys("C-]")
        terminal.type("x")
        terminal.wait_gone("2 dev")
        terminal.wait(r"1 dev\*")
        terminal.type("exit 3\n")
        terminal.wait("exited with 3")
        terminal.keys("C-]")
        terminal.type("x")
        terminal.wait("NORMAL")
        terminal.type("x")
        terminal.wait("Remove dev")
        terminal.keys("Enter")
        terminal.wait(r"Installed \(0\)")
        terminal.type("q")
        terminal.wait("ENDED WITH 0")
    wait_for_nothing(console.root, leftovers)
