"""Real daemons: who starts them, who may talk to them, what they survive, when they end."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.connect import open_engine
from core.domain import Caller, PullSpec, RunSpec
from core.errors import Conflict, InvalidInput, Refused
from core.serve.native.link import connect
from tests.core.conftest import (
    SECONDS,
    Deck,
    busybox,
    install,
    open_shell,
    process_ended,
    read_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host import User

CANARY = "canary-5f0c1d"

KNOCK = """
import collections, json, socket, sys
from core.serve.native.codec import HEADER, PROTOCOL, Hello, Kind, pack_call, pack_value, unpack_failure
say = pack_value(Kind.HELLO, 0, Hello(PROTOCOL, "x", 1)) + pack_call(1, "distros", ())
found = collections.Counter()
for _ in range(100):
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect(sys.argv[1])
        except PermissionError:
            found["no way"] += 1
            continue
        try:
            sock.sendall(say)
        except BrokenPipeError:
            pass
        said = b""
        try:
            while piece := sock.recv(4096):
                said += piece
        except ConnectionResetError:
            pass
        length, kind, _ = HEADER.unpack_from(said)
        whole = len(said) == HEADER.size + length and kind == Kind.ERROR
        found[unpack_failure(said[HEADER.size:]).code if whole else repr(said)] += 1
print(json.dumps(found))
"""  # noqa: E501 - a program

START = """
import asyncio, sys
from pathlib import Path
from core.connect import open_engine
async def main():
    async with open_engine(root=Path(sys.argv[1])) as engine:
        print((await engine.info()).pid)
asyncio.run(main())
"""

LIVE = """
import asyncio, os, sys
from pathlib import Path
from core.connect import open_engine
from core.domain import PullSpec, ShellSpec
async def main():
    kept = os.open(sys.argv[2], os.O_RDONLY)
    os.set_inheritable(kept, True)
    async with open_engine(root=Path(sys.argv[1])) as engine:
        job = await engine.pull(PullSpec(name="box", source=sys.argv[3]))
        await engine.result(job.id)
        await engine.open(ShellSpec(distro="box", argv=("sleep", "1000")))
        print((await engine.info()).pid)
asyncio.run(main())
"""


def python(program: str, *arguments: object, before: tuple[str, ...] = (), **options: Any) -> str:
    """What a program of our own prints; ``before`` runs it as somebody else."""
    command = [*before, sys.executable, "-P", "-c", textwrap.dedent(program)]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        **{"capture_output": True, "text": True, "cwd": "/", "timeout": 60, **options},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def holder_pids(deck: Deck) -> list[int]:
    pids = (deck.paths.run / "holders").glob("*/pid")
    return [json.loads(path.read_text())["pid"] for path in pids]


def descendants(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found += [int(path.parent.name), *descendants(int(path.parent.name))]
    return found


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def open_files(pid: int) -> set[str]:
    return {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}


# -- who may come in ------------------------------------------------------------------------


async def test_socket_log_and_folders_are_private(deck: Deck) -> None:
    async with deck.open():
        assert mode(deck.paths.socket) == 0o600
        assert mode(deck.paths.log) == 0o600
        for folder in (deck.paths.run, deck.paths.data, deck.paths.state, deck.paths.cache):
            assert mode(folder) == 0o700


async def test_another_user_is_refused_every_time_also_when_all_modes_are_open(
    deck: Deck, ordinary_user: User, as_user: Callable[[User], list[str]]
) -> None:
    knock = [KNOCK, deck.paths.socket]
    async with deck.open() as engine:
        found = await asyncio.to_thread(python, *knock, before=tuple(as_user(ordinary_user)))
        assert json.loads(found) == {"no way": 100}
        for path in (deck.root, deck.paths.run):
            path.chmod(0o777)
        deck.paths.socket.chmod(0o666)
        found = await asyncio.to_thread(python, *knock, before=tuple(as_user(ordinary_user)))
        assert json.loads(found) == {"refused": 100}
        assert await engine.distros() == []


async def test_a_client_tells_nothing_to_the_daemon_of_another_user(
    make_root: Callable[..., Path], ordinary_user: User, as_user: Callable[[User], list[str]]
) -> None:
    root = make_root(ordinary_user)
    pid = int(python(START, root, before=tuple(as_user(ordinary_user))))
    with pytest.raises(Refused, match="another user"):
        async with open_engine(root=root):
            pass
    os.kill(pid, 15)
    await process_ended(pid)


# -- one at a time --------------------------------------------------------------------------


async def test_twenty_starters_make_one_daemon(deck: Deck) -> None:
    async with asyncio.TaskGroup() as tasks:
        starters = [
            tasks.create_task(asyncio.to_thread(python, START, deck.root)) for _ in range(20)
        ]
    assert {int(one.result()) for one in starters} == {await deck.pid()}


async def test_a_daemon_is_nobodys_child(deck: Deck) -> None:
    async with deck.open():
        assert parent_of(await deck.pid()) != os.getpid()


async def test_a_second_daemon_on_a_store_is_refused_with_a_way_out(deck: Deck) -> None:
    async with deck.open() as engine:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-P", "-m", "tui", "--root", str(deck.root), "serve"],
            capture_output=True,
            text=True,
            cwd="/",
        )
        assert done.returncode == Conflict.exit_code
        assert "another engine daemon serves here" in done.stderr
        assert "serve --stop" in done.stderr
        assert await engine.distros() == []  # the first one did not lose its socket


async def test_an_embedded_engine_beside_a_daemon_is_refused_with_a_way_out(deck: Deck) -> None:
    async with deck.open():
        with pytest.raises(Conflict, match="another engine") as caught:
            async with deck.open(embedded=True):
                pass
        assert "serve --stop" in caught.value.hint


async def test_a_daemon_beside_an_embedded_engine_says_why_it_cannot_start(deck: Deck) -> None:
    async with deck.open(embedded=True):
        with pytest.raises(Conflict, match="another engine"):
            async with deck.open():
                pass
    async with deck.open() as engine:
        assert await engine.distros() == []


async def test_a_daemon_that_cannot_read_its_settings_says_where(deck: Deck) -> None:
    deck.configure("[daemon]\nidel_seconds = 3\n")
    with pytest.raises(InvalidInput, match=r"config\.toml:2") as caught:
        async with deck.open():
            pass
    assert "idle_seconds" in f"{caught.value.message} {caught.value.hint}"


async def test_whoever_comes_while_a_daemon_ends_finds_the_next_one(deck: Deck) -> None:
    pids = set()
    for _ in range(5):
        async with deck.open() as engine:
            pids.add((await engine.info()).pid)
            await engine.shutdown()
            assert await engine.distros() == []
    assert len(pids) > 1


async def test_only_an_administrator_ends_the_daemon(deck: Deck) -> None:
    from core.daemon import Daemon

    async with deck.open(embedded=True) as engine:
        daemon = Daemon(engine, 0)
        for role in ("viewer", "operator"):
            with pytest.raises(Refused, match="shutdown"):
                daemon.shutdown(Caller(uid=os.getuid(), role=role))


# -- what it carries with it ----------------------------------------------------------------


async def test_nothing_of_its_starter_leaks_into_daemon_holder_and_session(
    deck: Deck, fix: dict[str, Any], tmp_path: Path
) -> None:
    canary = tmp_path / CANARY
    canary.write_text("open in the starter")
    environment = {**os.environ, "REGISTRY_PASSWORD": CANARY, "LD_PRELOAD": "", "EDITOR": CANARY}
    daemon = int(python(LIVE, deck.root, canary, busybox(fix), env=environment, cwd=tmp_path))
    (holder,) = holder_pids(deck)
    inside = descendants(holder)
    assert inside
    for pid in (daemon, holder, *inside):
        assert CANARY.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        assert not any(CANARY in target for target in open_files(pid))
    for pid in (daemon, holder):
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
        terminals = {target for target in open_files(pid) if target.startswith(("/dev/tty", "pts"))}
        assert not terminals
    of_daemon = (str(deck.paths.data), str(deck.paths.socket), str(deck.paths.lock))
    assert not any(target.startswith(of_daemon) for target in open_files(holder))


async def test_a_folder_named_like_ours_in_the_working_directory_is_never_imported(
    deck: Deck, fix: dict[str, Any], tmp_path: Path
) -> None:
    for name in ("core", "widgets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')")
    (tmp_path / "tui").mkdir()
    script = Path(sys.executable).with_name("distrodeck")

    async def run(*words: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run, words, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    module = (sys.executable, "-m", "tui", "--root", str(deck.root))
    assert await run(*module, "ls", "--format", "json")
    await run(*module, "pull", busybox(fix), "--name", "box", "--quiet")
    # the console script's folder is first on its path, so even our own name does no harm
    (tmp_path / "tui" / "__init__.py").write_text("raise SystemExit('tui was imported')")
    assert "box" in await run(str(script), "--root", str(deck.root), "ls")
    said = await run(str(script), "--root", str(deck.root), "run", "box", "--", "echo", "fine")
    assert said == "fine\n"


# -- what it survives -----------------------------------------------------------------------


async def test_after_kill_9_an_open_client_goes_on_and_an_attachment_notices_nothing(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open() as engine:
        await install(engine, fix)
        session = await open_shell(engine)
        async with engine.attach(session.id) as attachment:
            await attachment.write(b"X=2; echo before-$X\n")
            await read_until(attachment, b"before-2")
            first = await deck.pid()
            await deck.kill()
            await attachment.write(b"echo during-$X\n")
            await read_until(attachment, b"during-2")
            assert [distro.name for distro in await engine.distros()] == ["box"]
            assert (await engine.info()).pid != first
            await attachment.write(b"echo after-$X\n")
            await read_until(attachment, b"after-2")
        (found,) = await engine.sessions()
        assert (found.id, found.state) == (session.id, "running")
        async with engine.attach(session.id) as again:
            seen = await read_until(again, b"after-2")
        assert b"before-2" in seen
        await engine.close(session.id)


async def test_a_session_that_ended_while_no_daemon_ran_is_told_with_its_exit_code(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open() as engine:
        await install(engine, fix)
        session = await open_shell(engine)
        async with engine.attach(session.id) as attachment:
            await deck.kill()
            await attachment.write(b"exit 5\n")
            assert [piece async for piece in attachment.output()]
            assert await attachment.exit_code() == 5
        (found,) = [one for one in await engine.sessions() if one.id == session.id]
        assert (found.state, found.exit_code) == ("exited", 5)


async def test_a_daemon_out_of_descriptors_serves_again_when_one_is_free(deck: Deck) -> None:
    async with deck.open() as engine:
        pid = (await engine.info()).pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        lowest = max(int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, hard))
        with connect(deck.paths.socket), connect(deck.paths.socket):
            while "Too many open files" not in deck.paths.log.read_text():
                await asyncio.sleep(0.02)
            assert await engine.distros() == []  # whoever is in stays in
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
            async with deck.open() as other:
                assert await other.distros() == []


async def test_a_flood_nobody_reads_holds_up_no_other_call(deck: Deck, fix: dict[str, Any]) -> None:
    async with deck.open() as engine:
        await install(engine, fix)
        flood = await open_shell(engine, "yes")
        async with engine.attach(flood.id) as attachment, deck.open() as other:
            output = attachment.output()
            await anext(output)
            async with asyncio.timeout(SECONDS):
                for _ in range(20):
                    assert len(await other.distros()) == 1
                    assert len(await other.sessions()) == 1
            await output.aclose()
        await engine.close(flood.id)


async def test_a_root_of_130_characters_works_for_everything(
    make_root: Callable[..., Path], leftovers: Callable[[Path], list[str]], fix: dict[str, Any]
) -> None:
    root = make_root(length=130)
    assert len(str(root)) >= 130
    deck = Deck(root)
    async with deck.open() as engine:
        await install(engine, fix)
        done = await engine.run(RunSpec(distro="box", argv=("cat",), input=b"hi"))
        assert (done.stdout, done.exit_code) == (b"hi", 0)
        session = await open_shell(engine)
        async with engine.attach(session.id) as attachment:
            await attachment.write(b"echo long-$((3*5))\n")
            await read_until(attachment, b"long-15")
        await engine.close(session.id)
    await deck.clear()
    async with asyncio.timeout(SECONDS):
        while leftovers(root):
            await asyncio.sleep(0.05)


# -- when it ends ---------------------------------------------------------------------------

SOON = "[daemon]\nidle_seconds = 0.3\n"


@pytest.fixture
def clock(make_root: Callable[..., Path]) -> Callable[[], Any]:
    """Waits as long as a daemon without any reason to stay takes to end."""

    async def idle_time_passed() -> None:
        other = Deck(make_root())
        other.configure(SOON)
        async with other.open() as engine:
            pid = (await engine.info()).pid
        await process_ended(pid)

    return idle_time_passed


async def test_a_daemon_nobody_needs_ends_and_the_next_need_starts_one(deck: Deck) -> None:
    deck.configure(SOON)
    async with deck.open() as engine:
        pid = (await engine.info()).pid
    await process_ended(pid)
    assert not deck.paths.socket.exists()
    async with deck.open() as engine:
        assert (await engine.info()).pid != pid


async def test_a_daemon_stays_while_a_client_is_there(deck: Deck, clock) -> None:
    deck.configure(SOON)
    async with deck.open() as engine:
        pid = (await engine.info()).pid
        await clock()
        assert (await engine.info()).pid == pid


async def test_a_daemon_stays_while_a_session_is_there(
    deck: Deck, fix: dict[str, Any], clock
) -> None:
    deck.configure(SOON)
    async with deck.open() as engine:
        await install(engine, fix)
        session = await open_shell(engine)
        pid = (await engine.info()).pid
    await clock()
    async with deck.open(start=False) as engine:
        assert (await engine.info()).pid == pid
        await engine.close(session.id)
    await process_ended(pid)


async def test_a_daemon_stays_while_a_job_is_there(deck: Deck, clock) -> None:
    deck.configure(SOON)
    asked = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        try:
            await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        async with deck.open() as engine:
            job = await engine.pull(PullSpec(source=f"{host}/lib/x"))
            pid = (await engine.info()).pid
        await asked.wait()
        await clock()
        async with deck.open(start=False) as engine:
            assert (await engine.info()).pid == pid
            await engine.cancel(job.id)
        await process_ended(pid)
