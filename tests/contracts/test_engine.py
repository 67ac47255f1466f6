"""What every engine promises, shown on a real registry and real sandboxes."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Mount, PullSpec, RunSpec, ShellSpec
from core.errors import (
    CommandNotExecutable,
    CommandNotFound,
    Conflict,
    InvalidInput,
    NotFound,
    Unreachable,
)
from core.events import DistroChanged, SessionChanged

if TYPE_CHECKING:
    from core.engine import Engine


async def install(engine: Engine, fix: dict[str, Any], name: str = "busybox") -> None:
    source = f"{fix['registries']['plain']['host']}/lib/{name}"
    job = await engine.pull(PullSpec(name=name, source=source))
    await engine.result(job.id)


async def read_until(engine: Engine, session: int, pattern: bytes, typed: bytes = b"") -> bytes:
    seen = b""
    async with engine.attach(session) as attachment, asyncio.timeout(20):
        if typed:
            await attachment.write(typed)
        async for piece in attachment.output():
            seen += piece.data
            if re.search(pattern, seen):
                return seen
    raise AssertionError(f"{pattern!r} not in {seen!r}")


async def test_a_pull_installs_a_distro_with_all_its_facts(opener, fix) -> None:
    async with opener() as engine:
        assert await engine.distros() == []
        await install(engine, fix)
        (distro,) = await engine.distros()
    host = fix["registries"]["plain"]["host"]
    assert (distro.name, distro.url) == ("busybox", f"{host}/lib/busybox")
    assert distro.version
    assert distro.path.startswith("/")
    assert distro.size == distro.unique_size + distro.shared_size > 500_000
    assert distro.image_digest.startswith("sha256:")
    assert distro.repo_digest == f"{host}/lib/busybox@{fix['images']['busybox']['digest']}"
    assert distro.state == "stopped"


async def test_a_pull_without_a_source_asks_the_catalog(opener, deck_config, fix) -> None:
    async with opener() as engine:
        job = await engine.pull(PullSpec(name="lib/busybox"))
        done = await engine.result(job.id)
        assert done.result == "busybox"
        assert "lib/dev" in {entry.name for entry in (await engine.catalog()).entries}
        assert [distro.name for distro in await engine.distros()] == [done.result]


async def test_a_pull_of_an_unknown_name_starts_nothing(opener) -> None:
    async with opener() as engine:
        with pytest.raises(NotFound, match="nosuchdistro"):
            await engine.pull(PullSpec(name="nosuchdistro"))
        assert await engine.jobs() == []


async def test_a_malformed_reference_is_refused(opener) -> None:
    async with opener() as engine:
        with pytest.raises(InvalidInput, match="UPPER"):
            await engine.pull(PullSpec(name="x", source="127.0.0.1:1/UPPER//x"))


async def test_a_failed_pull_leaves_nothing_behind(opener, fix) -> None:
    async with opener() as engine:
        host = fix["registries"]["plain"]["host"]
        job = await engine.pull(PullSpec(name="x", source=f"{host}/lib/busybox:nope"))
        with pytest.raises(NotFound, match="nope"):
            await engine.result(job.id)
        job = await engine.pull(PullSpec(name="x", source="127.0.0.1:1/lib/busybox"))
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
            await engine.result(job.id)
        assert await engine.distros() == []
        assert await engine.images() == []


async def test_a_taken_name_is_refused(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        host = fix["registries"]["plain"]["host"]
        with pytest.raises(Conflict, match="busybox"):
            await engine.pull(PullSpec(name="busybox", source=f"{host}/lib/edge"))


async def test_a_watched_pull_tells_phases_and_absolute_bytes(opener, fix) -> None:
    host = fix["registries"]["plain"]["host"]
    async with opener() as engine:
        job = await engine.pull(PullSpec(name="dev", source=f"{host}/lib/dev"))
        async with engine.watch(job.id) as states:
            seen = [state async for state in states]
    assert seen[-1].state == "done"
    assert seen[-1].result == "dev"
    assert seen[-1].done == seen[-1].total > 1_000_000
    assert len(seen[-1].layers) == 2
    done = [state.done for state in seen]
    assert done == sorted(done)


async def test_history_is_told_newest_first_with_layers(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix, "dev")
        history = await engine.history("dev")
        (image,) = await engine.images()
    layers = [entry.layer for entry in history if entry.layer]
    assert [layer.diff_id for layer in reversed(layers)] == [
        layer.diff_id for layer in image.layers
    ]
    assert image.distros == ("dev",)


async def test_run_keeps_streams_apart_and_gives_the_exit_code(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        result = await engine.run(
            RunSpec(distro="busybox", argv=("sh", "-c", "echo out; echo err >&2; exit 7"))
        )
        assert (result.stdout, result.stderr, result.exit_code) == (b"out\n", b"err\n", 7)
        result = await engine.run(RunSpec(distro="busybox", argv=("cat",), input=b"a\0b" * 50_000))
        assert result.stdout == b"a\0b" * 50_000
        result = await engine.run(RunSpec(distro="busybox", argv=("sh", "-c", "kill -9 $$")))
        assert result.exit_code == 137


async def test_run_honours_workdir_environment_and_binds(opener, fix, deck_root) -> None:
    shared = deck_root / "shared"
    shared.mkdir()
    (shared / "here").write_text("bound")
    async with opener() as engine:
        await install(engine, fix)
        result = await engine.run(
            RunSpec(
                distro="busybox",
                argv=("sh", "-c", "pwd; echo $NAME; cat /srv/here; echo x >/srv/new"),
                workdir="/etc",
                env=(("NAME", "some value"),),
                binds=(Mount(source=str(shared), target="/srv"),),
            )
        )
    assert result.stdout == b"/etc\nsome value\nbound"
    assert (shared / "new").read_text() == "x\n"


async def test_what_cannot_be_started_says_why(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        with pytest.raises(CommandNotFound, match="nosuch"):
            await engine.run(RunSpec(distro="busybox", argv=("nosuch",)))
        with pytest.raises(CommandNotExecutable, match="passwd"):
            await engine.run(RunSpec(distro="busybox", argv=("/etc/passwd",)))
        with pytest.raises(NotFound, match="/nowhere"):
            await engine.run(RunSpec(distro="busybox", argv=("true",), workdir="/nowhere"))
        bind = Mount(source="/no/such/source", target="/x")
        with pytest.raises(InvalidInput, match="/no/such/source"):
            await engine.run(RunSpec(distro="busybox", argv=("true",), binds=(bind,)))
        with pytest.raises(NotFound, match="nobody-there"):
            await engine.run(RunSpec(distro="nobody-there", argv=("true",)))


async def test_a_shell_has_a_terminal_of_its_own(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        session = await engine.open(ShellSpec(distro="busybox", rows=30, columns=100))
        assert session.id >= 2
        said = await read_until(engine, session.id, rb"/dev/pts/\d+\s+30 100", b"tty; stty size\n")
        assert b"job control" not in said
        await engine.close(session.id)


async def test_a_session_ends_with_its_exit_code_also_unwatched(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        session = await engine.open(ShellSpec(distro="busybox", argv=("sh", "-c", "exit 5")))
        async with engine.events() as events, asyncio.timeout(20):
            async for event in events:
                if (
                    isinstance(event, SessionChanged)
                    and event.session.id == session.id
                    and event.session.state == "exited"
                ):
                    break
        (found,) = [one for one in await engine.sessions() if one.id == session.id]
        assert (found.state, found.exit_code) == ("exited", 5)


async def test_input_and_resize_reach_a_session_without_an_attachment(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        session = await engine.open(ShellSpec(distro="busybox"))
        await engine.resize(session.id, 40, 120)
        await engine.resize(session.id, 0, 0)
        await engine.input(session.id, b"stty size\n")
        await read_until(engine, session.id, rb"40 120")
        await engine.close(session.id)
        await engine.close(session.id)


async def test_a_second_attachment_sees_what_the_first_saw(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        session = await engine.open(ShellSpec(distro="busybox"))
        await read_until(engine, session.id, rb"\r\nmark-1", b"echo mark-$((0+1))\n")
        await read_until(engine, session.id, rb"\r\nmark-1")
        await engine.close(session.id)


async def test_sessions_outlive_the_engine_object(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        session = await engine.open(ShellSpec(distro="busybox"))
        await read_until(engine, session.id, rb"\r\nbefore-2", b"X=2; echo before-$X\n")
    async with opener() as engine:
        assert session.id in {one.id for one in await engine.sessions() if one.state == "running"}
        await read_until(engine, session.id, rb"\r\nafter-2", b"echo after-$X\n")
        await engine.close(session.id)


async def test_stop_ends_everything_but_keeps_changes(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        assert (await engine.start("busybox")).state == "running"
        assert (await engine.start("busybox")).state == "running"
        await engine.run(RunSpec(distro="busybox", argv=("sh", "-c", "echo kept >/root/kept")))
        session = await engine.open(ShellSpec(distro="busybox"))
        assert (await engine.stop("busybox")).state == "stopped"
        assert (await engine.stop("busybox")).state == "stopped"
        states = {one.id: one.state for one in await engine.sessions()}
        assert states[session.id] == "exited"
        result = await engine.run(RunSpec(distro="busybox", argv=("cat", "/root/kept")))
        assert result.stdout == b"kept\n"
        assert (await engine.restart("busybox")).state == "running"
        assert (await engine.stop("busybox")).state == "stopped"


async def test_remove_is_refused_while_sessions_run(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        await engine.open(ShellSpec(distro="busybox"))
        with pytest.raises(Conflict, match="busybox"):
            await engine.remove("busybox")
        await engine.remove("busybox", force=True)
        assert await engine.distros() == []
        with pytest.raises(NotFound, match="busybox"):
            await engine.remove("busybox")


async def test_events_begin_with_what_is(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
    async with opener() as engine, engine.events() as events, asyncio.timeout(20):
        async for event in events:
            if isinstance(event, DistroChanged):
                assert event.distro.name == "busybox"
                break


async def test_what_is_written_in_a_distro_is_counted_when_it_stops(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix)
        before = (await engine.distro("busybox")).unique_size
        script = "head -c 3000000 /dev/urandom >/root/big"
        await engine.run(RunSpec(distro="busybox", argv=("sh", "-c", script)))
        async with engine.events() as events, asyncio.timeout(20):
            await engine.stop("busybox")
            async for event in events:
                if isinstance(event, DistroChanged) and event.distro.unique_size > before:
                    break
        assert (await engine.distro("busybox")).unique_size >= before + 3_000_000
