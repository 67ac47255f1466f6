"""What a holder does with sessions: real sandboxes, real terminals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.domain import ShellSpec
from core.errors import CommandNotFound, Conflict, DeckError, NotFound, Unreachable
from core.shells import dialing, frames
from core.shells.dialing import connect
from core.shells.launch import (
    HolderLink,
    dial,
    ended_sessions,
    ensure_holder,
    find_holders,
    forget_session,
    live_holders,
)
from core.shells.reaching import end_silent
from tests import host
from tests.core import distros
from tests.core.distros import Screen, attached, holding, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Session
    from core.shells.launch import HolderSpec

SH = ShellSpec(distro="test", argv=("sh",))


def command(script: str, **changes: object) -> ShellSpec:
    return ShellSpec(distro="test", argv=("sh", "-c", script), **changes)  # type: ignore[arg-type]


@pytest.fixture
def brief(spec: HolderSpec) -> HolderSpec:
    """A distro that stops soon after its last session."""
    return replace(spec, linger=1.0)


async def until(changes: AsyncIterator[Session], session: int, state: str) -> Session:
    async with asyncio.timeout(distros.LIMIT):
        async for change in changes:
            if change.id == session and change.state == state:
                return change
    raise AssertionError(f"session {session} was never {state}")


async def gone(pid: int) -> None:
    """Wait for a process that is not ours to end."""
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
        try:
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(fd, ended.set)
            async with asyncio.timeout(distros.LIMIT):
                await ended.wait()
            loop.remove_reader(fd)
        finally:
            os.close(fd)


async def pid_of(link: HolderLink) -> int:
    return int((await link.hello())["pid"])


async def test_an_exit_code_is_recorded_when_nobody_watched(
    link: HolderLink, spec: HolderSpec
) -> None:
    changes = link.changes()
    await link.open(2, command("exit 9"))
    ended = await until(changes, 2, "exited")
    assert ended.exit_code == 9
    assert ended_sessions(spec.run, running=frozenset({"d1"})) == [ended]
    forget_session(spec.run, "d1", 2)
    assert ended_sessions(spec.run) == []


async def test_a_signal_that_ended_it_is_128_and_more(link: HolderLink) -> None:
    assert await run(link, 2, ["sh", "-c", "kill -TERM $$"]) == (143, b"", b"")


async def test_a_second_engine_finds_the_sessions_of_the_first(
    link: HolderLink, spec: HolderSpec
) -> None:
    await link.open(2, SH)
    async with attached(link, 2) as first:
        screen = Screen(first)
        await screen.expect(b"# ")
        await screen.type(b"echo be''fore\r")
        await screen.expect(b"before")
    link.disconnect()
    (found,) = await find_holders(spec.run)
    async with found:
        assert [one.id for one in await found.sessions()] == [2]
        async with attached(found, 2) as second:
            screen = Screen(second)
            await screen.expect(b"before")
            await screen.type(b"exit 4\r")
            assert await screen.rest() == 4


async def test_a_holder_that_is_stopped_makes_nobody_else_wait(
    link: HolderLink, spec: HolderSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialing, "ANSWER_SECONDS", 0.3)
    pid = await pid_of(link)
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(5):
            assert await find_holders(spec.run) == []
            with pytest.raises(dialing.Silent):
                await ensure_holder(spec)
        assert live_holders(spec.run) == {"d1"}
        await asyncio.to_thread(end_silent, spec.folder)
        assert live_holders(spec.run) == frozenset()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def test_a_full_backlog_does_not_block_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialing, "ANSWER_SECONDS", 0.3)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind("sock")
        listener.listen(0)
        first.connect("sock")
        async with asyncio.timeout(5):
            with pytest.raises(dialing.Silent):
                await dial(tmp_path, 2)


async def test_killing_the_client_leaves_the_session_alone(
    link: HolderLink, spec: HolderSpec
) -> None:
    await link.open(2, SH)
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(link.folder)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert client.stdout
    assert await asyncio.to_thread(client.stdout.readline) == b"attached\n"
    client.kill()
    client.wait()
    client.stdout.close()
    async with attached(link, 2) as attachment:
        screen = Screen(attachment)
        await screen.type(b"echo al''ive\r")
        await screen.expect(b"alive")


CLIENT = """
import asyncio, pathlib, sys
from core.shells.launch import dial
async def main():
    connection = await dial(pathlib.Path(sys.argv[1]), 2)
    print("attached", flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""


async def test_twenty_starters_make_one_holder(spec: HolderSpec) -> None:
    async with holding(spec):
        links = await asyncio.gather(*(ensure_holder(spec) for _ in range(20)))
        pids = {await pid_of(one) for one in links}
        for one in links:
            one.disconnect()
    assert len(pids) == 1


async def test_it_stops_by_itself_without_sessions(brief: HolderSpec) -> None:
    async with holding(brief) as link:
        pid = await pid_of(link)
        await run(link, 2, ["true"])
        await gone(pid)
        assert host.leftovers(brief.run.parent) == []


async def test_a_daemon_keeps_the_distro_running_until_it_is_stopped(brief: HolderSpec) -> None:
    async with holding(brief) as link:
        pid = await pid_of(link)
        daemon = "setsid sh -c 'echo > /tmp/up; exec sleep 999' >/dev/null 2>&1 </dev/null &"
        await run(link, 2, ["sh", "-c", f"{daemon} while ! [ -e /tmp/up ]; do :; done"])
        await asyncio.sleep(2)  # longer than its linger time: that nothing happens is the point
        assert (await link.hello())["processes"] == 1
        await link.stop()
        await gone(pid)
        assert host.leftovers(brief.run.parent) == []


async def test_held_it_stays_until_it_is_let_go(brief: HolderSpec) -> None:
    async with holding(brief) as link:
        await link.hold(True)
        pid = await pid_of(link)
        await run(link, 2, ["true"])
        await asyncio.sleep(2)  # longer than its linger time
        assert await pid_of(link) == pid
        await link.hold(False)
        await gone(pid)


async def test_killing_the_holder_ends_all_and_the_next_one_starts_afresh(
    spec: HolderSpec,
) -> None:
    async with holding(spec) as link:
        await link.open(2, command("sleep 1000"))
        pid = await pid_of(link)
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
        with pytest.raises(Unreachable):
            await link.sessions()
        assert [one.state for one in ended_sessions(spec.run)] == ["lost"]
        async with await ensure_holder(spec) as fresh:
            assert await run(fresh, 3, ["echo", "again"]) == (0, b"again\n", b"")
            assert (await fresh.hello())["processes"] == 0


async def test_kill_all_typed_in_a_shell_ends_that_shell_at_most(link: HolderLink) -> None:
    await link.open(2, SH)
    async with attached(link, 2) as attachment:
        screen = Screen(attachment)
        await screen.expect(b"# ")
        await screen.type(b"kill -9 -1; echo st''ill\r")
        await screen.expect(b"still")
    assert await run(link, 3, ["echo", "fine"]) == (0, b"fine\n", b"")


async def test_close_hangs_up_and_kills_what_ignores_it(link: HolderLink) -> None:
    changes = link.changes()
    await link.open(
        2, command("trap '' HUP TERM; (trap '' HUP; echo ready; sleep 998) & sleep 999; wait")
    )
    await link.open(3, command("setsid sh -c 'echo ready; exec sleep 997' & sleep 996"))
    for session in (2, 3):
        async with attached(link, session) as attachment:
            await Screen(attachment).expect(b"ready")
    await link.close(2)
    await link.close(3)
    assert (await until(changes, 2, "exited")).exit_code == 137
    _, listing, _ = await run(link, 4, ["ps"])
    assert b"sleep 997" in listing
    assert b"sleep 998" not in listing
    assert b"sleep 996" not in listing
    await link.close(2)
    await link.close(99)


async def test_a_bound_session_ends_with_its_client(link: HolderLink, spec: HolderSpec) -> None:
    changes = link.changes()
    await link.open(2, command("sleep 1000", tty=False, bound=True))
    await until(changes, 2, "running")  # from here on every change is told
    async with attached(link, 2):
        pass
    assert (await until(changes, 2, "exited")).exit_code == 129
    assert ended_sessions(spec.run) == []


async def test_stop_ends_sessions_and_says_so(link: HolderLink, spec: HolderSpec) -> None:
    await link.open(2, command("trap '' TERM HUP; sleep 1000"))
    pid = await pid_of(link)
    await link.stop()
    await gone(pid)
    (ended,) = ended_sessions(spec.run)
    assert (ended.state, ended.exit_code) == ("exited", 137)
    assert host.leftovers(spec.run.parent) == []


async def test_output_before_the_exit_is_whole(link: HolderLink) -> None:
    code, out, _ = await run(link, 2, ["seq", "1", "300000"])
    assert code == 0
    assert out == b"".join(b"%d\n" % number for number in range(1, 300001))


async def test_large_input_reaches_the_command(link: HolderLink) -> None:
    data = bytes(range(256)) * 20_000
    code, out, _ = await run(link, 2, ["wc", "-c"], given=data)
    assert (code, out.strip()) == (0, b"%d" % len(data))


async def test_a_background_process_does_not_delay_the_exit(link: HolderLink) -> None:
    async with asyncio.timeout(5):
        code, out, _ = await run(link, 2, ["sh", "-c", "setsid sleep 1000 & echo done"])
    assert (code, out) == (0, b"done\n")


async def test_a_background_process_does_not_keep_a_terminal(link: HolderLink) -> None:
    await link.open(2, command("setsid sleep 1000 & echo done"))
    async with attached(link, 2) as attachment, asyncio.timeout(5):
        screen = Screen(attachment)
        assert await screen.rest() == 0
        assert b"done" in screen.seen


async def test_a_number_is_given_once(link: HolderLink) -> None:
    await link.open(2, SH)
    with pytest.raises(Conflict, match="session 2"):
        await link.open(2, SH)
    with pytest.raises(NotFound, match="session 7"):
        await link.resize(7, 30, 90)


async def test_an_image_without_a_shell_says_so(deck_root: Path) -> None:
    async with holding(distros.holder_spec(deck_root, [])) as link:
        with pytest.raises(CommandNotFound, match="the image has none") as raised:
            await link.open(2, ShellSpec(distro="test"))
    assert raised.value.hint


async def test_the_users_shell_is_found(link: HolderLink) -> None:
    await link.open(2, ShellSpec(distro="test"))
    async with attached(link, 2) as attachment:
        screen = Screen(attachment)
        await screen.expect(b"# ")
        await screen.type(b"echo $0 $PWD $TERM $HOME $USER\r")
        await screen.expect(b"-sh /root xterm-256color /root root")


async def test_another_user_is_refused(link: HolderLink, ordinary_user: host.User) -> None:
    for folder in (link.folder, *link.folder.parents):
        if folder.is_relative_to(link.folder.parents[2]):
            folder.chmod(0o777)
    (link.folder / "sock").chmod(0o666)
    script = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        "s.settimeout(5); s.sendall(b'x'); print(s.recv(9))"
    )
    done = subprocess.run(
        [*host.as_user(ordinary_user), sys.executable, "-c", script, str(link.folder / "sock")],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.stdout == "b''\n" or "BrokenPipe" in done.stderr or "Reset" in done.stderr


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\0\0\0\0",
        frames.HEADER.pack(frames.INPUT, 1 << 30),
        frames.pack(frames.INPUT, b"before attaching"),
        frames.pack(frames.CALL, b"not json"),
        frames.pack(frames.CALL, b"[]"),
        frames.pack(frames.CALL, b'{"seq": "x", "verb": 3}'),
        frames.pack(frames.ATTACH, b'{"session": "x"}'),
        frames.pack(frames.ATTACH, b"1"),
        frames.pack(frames.CALL, b"1"),
        frames.pack(frames.CALL, b'{"seq": 1, "verb": "open", "session": 5, "shell": {}}'),
    ],
)
async def test_nonsense_costs_only_its_own_connection(link: HolderLink, bad: bytes) -> None:
    connection = connect(link.folder)
    connection.settimeout(10)
    connection.sendall(bad)
    assert connection.recv(10) == b""
    connection.close()
    assert await run(link, 2, ["echo", "fine"]) == (0, b"fine\n", b"")


@pytest.mark.parametrize("tty", [True, False])
async def test_what_cannot_start_for_want_of_descriptors_leaks_none(
    link: HolderLink, *, tty: bool
) -> None:
    pid = await pid_of(link)
    await run(link, 2, ["true"])
    before = set(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - names, not paths
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    refused = 0
    for free in range(2, 12):
        limit = max(map(int, before)) + free
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, usual[1]))
        try:
            await link.open(10 + free, replace(SH, tty=tty))
        except DeckError:
            refused += 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        await link.close(10 + free)
    assert refused
    async with asyncio.timeout(distros.LIMIT):
        while {one.state for one in await link.sessions()} - {"exited"}:
            await asyncio.sleep(0.05)
    kept = {f"{link.folder}/sessions/{one.id}/log" for one in await link.sessions()}
    logs = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    assert {name for name in logs if name.endswith("/log")} == kept
    # A log for each session that there was, and nothing else of any attempt.
    after = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    assert after <= len(before) + len(kept)


@pytest.mark.parametrize(
    "bad",
    [
        frames.pack(frames.SIZE, b"x"),
        frames.pack(frames.SIGNAL),
        frames.pack(frames.HAND_IN, b"short"),
    ],
)
async def test_a_frame_cut_short_costs_only_its_own_attachment(
    link: HolderLink, bad: bytes
) -> None:
    await link.open(2, SH)
    connection = await dial(link.folder, 2)
    connection.setblocking(True)
    connection.settimeout(10)
    connection.sendall(bad)
    while connection.recv(1 << 16):
        pass
    connection.close()
    assert [one.id for one in await link.sessions()] == [2]


async def test_an_attached_connection_reaches_no_other_session(link: HolderLink) -> None:
    await link.open(2, SH)
    await link.open(3, SH)
    connection = await dial(link.folder, 2)
    connection.setblocking(True)
    connection.settimeout(10)
    connection.sendall(frames.pack(frames.ATTACH, json.dumps({"session": 3}).encode()))
    reader, told = frames.FrameReader(frames.HOLDER_LIMITS), []
    while data := connection.recv(1 << 16):
        told += [json.loads(body) for kind, body in reader.feed(data) if kind == frames.ATTACHED]
    connection.close()
    assert {record["id"] for record in told} == {2}


async def test_a_folder_named_core_in_the_working_directory_is_not_run(
    spec: HolderSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    async with holding(spec) as link:
        assert await run(link, 2, ["echo", "mine"]) == (0, b"mine\n", b"")


async def test_the_holder_is_small(link: HolderLink) -> None:
    status = Path(f"/proc/{await pid_of(link)}/status").read_text()
    resident = int(status.partition("VmRSS:")[2].split()[0])
    modules = {"asyncio", "dataclasses", "subprocess", "pyte", "msgspec"}
    listing = subprocess.run(
        [sys.executable, "-c", "import sys, core.shells.holder; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not modules & set(listing)
    assert resident < 20_000


async def test_what_is_frozen_goes_on_when_the_engine_goes_away(
    link: HolderLink, spec: HolderSpec
) -> None:
    async with await HolderLink.connect(link.folder) as other:
        await other.freeze()
    assert await run(link, 2, ["echo", "goes on"]) == (0, b"goes on\n", b"")


async def test_a_session_asked_for_in_a_frozen_distro_opens_when_it_goes_on(
    link: HolderLink, spec: HolderSpec
) -> None:
    await link.freeze()
    async with asyncio.TaskGroup() as group:
        opening = group.create_task(link.open(2, command("exit 9")))
        assert await link.sessions() == []
        await link.thaw()
    changes = link.changes()
    assert opening.result().id == 2
    assert (await until(changes, 2, "exited")).exit_code == 9


async def test_sessions_hear_of_a_new_name(link: HolderLink, spec: HolderSpec) -> None:
    await link.open(2, command("exit 9"))
    await until(link.changes(), 2, "exited")
    await link.rename("other")
    assert [one.distro for one in await link.sessions()] == ["other"]
    (ended,) = ended_sessions(spec.run, running=frozenset({"d1"}))
    assert (ended.distro, ended.exit_code) == ("other", 9)
