"""Find a daemon or start one, and what is said when that cannot be."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from core import connect
from core.errors import DaemonUnreachable, InvalidInput, Refused
from core.paths import find_paths
from tests.core.conftest import Deck, process_ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def instead_of_a_daemon(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    command = [sys.executable, "-P", "-c", program]
    monkeypatch.setattr(connect, "daemon_command", lambda _paths: command)


async def test_nothing_is_started_for_somebody_who_only_looks(deck: Deck) -> None:
    with pytest.raises(DaemonUnreachable, match="none runs"):
        async with deck.open(start=False):
            pass
    assert not deck.paths.run.exists()


async def test_a_stale_socket_is_no_daemon(deck: Deck) -> None:
    async with deck.open():
        pass
    await deck.kill()
    assert deck.paths.socket.exists()
    with pytest.raises(DaemonUnreachable, match="none runs"):
        async with deck.open(start=False):
            pass
    async with deck.open() as engine:
        assert await engine.distros() == []


async def test_a_daemon_that_never_gets_ready_is_ended_and_told(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = deck.root / "pid"
    instead_of_a_daemon(
        monkeypatch,
        f"import os, time; os.fork() and os._exit(0);"
        f" open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(1000)",
    )
    monkeypatch.setattr(connect, "START_SECONDS", 1.0)
    with pytest.raises(DaemonUnreachable, match="did not become ready") as caught:
        async with deck.open():
            pass
    assert str(deck.paths.log) in caught.value.hint
    await process_ended(int(pid_file.read_text()))


async def test_a_daemon_that_ends_at_once_leaves_its_last_words_in_the_log(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_a_daemon(monkeypatch, "raise SystemExit('my last words')")
    with pytest.raises(DaemonUnreachable, match="ended at once") as caught:
        async with deck.open():
            pass
    assert str(deck.paths.log) in caught.value.hint
    assert "my last words" in deck.paths.log.read_text()


async def test_a_starter_that_takes_too_long_is_not_waited_for_for_ever(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "START_SECONDS", 0.2)
    deck.paths.make()
    with (
        connect._starting(deck.paths),
        pytest.raises(DaemonUnreachable, match="still starting"),
    ):
        async with deck.open():
            pass


async def test_a_caller_who_gives_up_leaves_a_daemon_and_no_connection(deck: Deck) -> None:
    async def come() -> None:
        async with deck.open():
            raise AssertionError("was to be given up")

    coming = asyncio.ensure_future(come())
    await asyncio.sleep(0)
    coming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await coming
    async with deck.open() as engine:
        assert await engine.distros() == []


async def test_a_root_that_cannot_be_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for embedded in (False, True):
        with pytest.raises(InvalidInput, match="file/") as caught:
            async with connect.open_engine(root=tmp_path / "file", embedded=embedded):
                pass
        assert "--root" in caught.value.hint


async def test_a_run_folder_of_somebody_else_is_refused(deck: Deck, single_uid_user) -> None:
    deck.paths.make()
    os.chown(deck.paths.run, single_uid_user.uid, single_uid_user.gid)
    with pytest.raises(Refused, match="another user"):
        async with deck.open():
            pass
    os.chown(deck.paths.run, 0, 0)


def test_a_daemon_takes_over_only_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("PATH", "/home/me/bin")
    monkeypatch.setenv("PYTHONPATH", "/home/me/core")
    monkeypatch.setenv("SECRET", "s3cret")
    kept = connect.clean_environment()
    assert kept["HTTPS_PROXY"] == "http://proxy:3128"
    assert "/home/me/bin" not in kept["PATH"]
    assert set(kept) <= {"PATH", *connect.KEPT_ENVIRONMENT}


def test_a_daemon_is_started_isolated_with_its_folders_spelled_out(
    make_root: Callable[..., Path],
) -> None:
    paths = find_paths(make_root())
    command = connect.daemon_command(paths)
    assert command[:4] == [sys.executable, "-P", "-m", "core.daemon"]
    assert f"--run={paths.run}" in command


def test_finding_a_daemon_loads_neither_network_nor_engine() -> None:
    program = "import sys, core.connect, core.serve.native.client; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True, cwd="/"
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"aiohttp", "sqlite3", "core.local", "core.store.store", "textual"}
