"""Pulls that race, fail, are cancelled or asked again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.background import background
from core.domain import PullSpec
from core.errors import Cancelled, Conflict, InvalidInput, NotFound, Unreachable
from core.events import DistroChanged
from tests.core.conftest import SECONDS, Deck, busybox, install

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Gate:
    """A registry behind a door: requests wait until it is opened."""

    def __init__(self, host: str) -> None:
        self.source = f"{host}/lib/busybox"
        self.open = asyncio.Event()
        self.asked = asyncio.Event()


@asynccontextmanager
async def gate(fix: dict[str, Any]) -> AsyncIterator[Gate]:
    """The plain registry behind a gate; closed at first."""
    host, _, port = fix["registries"]["plain"]["host"].partition(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.asked.set()
        try:
            await found.open.wait()
            there_reader, there = await asyncio.open_connection(host, int(port))
        except BaseException:
            writer.close()
            raise
        async with asyncio.TaskGroup() as both:
            both.create_task(carry(reader, there))
            both.create_task(carry(there_reader, writer))

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.start(serve(reader, writer))

    async with background() as tasks:
        server = await asyncio.start_server(begin, "127.0.0.1", 0)
        found = Gate(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with server:
            yield found


async def test_two_pulls_of_one_name_from_two_sources_are_told_apart_at_once(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open(embedded=True) as engine, gate(fix) as slow:
        first = await engine.pull(PullSpec(name="x", source=slow.source))
        with pytest.raises(Conflict, match="another source"):
            await engine.pull(PullSpec(name="x", source=busybox(fix)))
        with pytest.raises(Conflict, match="another source"):
            await engine.pull(PullSpec(name="x", source="host:"))
        assert (await engine.pull(PullSpec(name="x", source=slow.source))).id == first.id
        other = await engine.pull(PullSpec(name="y", source=busybox(fix)))
        await engine.result(other.id)
        slow.open.set()
        await engine.result(first.id)
        assert [distro.name for distro in await engine.distros()] == ["x", "y"]


async def test_a_name_is_free_again_after_a_pull_that_failed_or_was_cancelled(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open(embedded=True) as engine, gate(fix) as slow:
        failed = await engine.pull(PullSpec(name="x", source="127.0.0.1:1/lib/x"))
        with pytest.raises(Unreachable):
            await engine.result(failed.id)
        never_begun = await engine.pull(PullSpec(name="x", source=slow.source))
        await engine.cancel(never_begun.id)
        begun = await engine.pull(PullSpec(name="x", source=slow.source))
        await slow.asked.wait()
        await engine.cancel(begun.id)
        for job in (never_begun, begun):
            with pytest.raises(Cancelled):
                await engine.result(job.id)
        assert await engine.distros() == []
        assert await engine.images() == []
        assert await install(engine, fix, "x") == "x"


async def test_a_name_that_was_taken_meanwhile_fails_the_pull_and_leaves_the_other(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open(embedded=True) as engine, gate(fix) as slow:
        job = await engine.pull(PullSpec(name="x", source=slow.source))
        await slow.asked.wait()
        await engine._parts.store.create_distro("x", None, url="host:")
        slow.open.set()
        with pytest.raises(Conflict, match="taken") as caught:
            await engine.result(job.id)
        assert "--name" in caught.value.hint
        (distro,) = await engine.distros()
        assert (distro.name, distro.url) == ("x", "host:")


async def test_removing_what_is_still_being_pulled_finds_nothing_and_stops_nothing(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open(embedded=True) as engine, gate(fix) as slow:
        job = await engine.pull(PullSpec(name="x", source=slow.source))
        await slow.asked.wait()
        with pytest.raises(NotFound):
            await engine.remove("x", force=True)
        slow.open.set()
        assert (await engine.result(job.id)).result == "x"


async def test_what_is_installed_from_the_same_source_is_not_fetched_again(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open(embedded=True) as engine:
        async with gate(fix) as slow:
            slow.open.set()
            first = await engine.pull(PullSpec(name="x", source=slow.source))
            await engine.result(first.id)
        again = await engine.pull(PullSpec(name="x", source=slow.source))  # the server is gone
        assert (await engine.result(again.id)).result == "x"
        for platform in ("linux/amd64", ""):
            spec = PullSpec(name="x", source=slow.source, platform=platform)
            await engine.result((await engine.pull(spec)).id)
        with pytest.raises(Conflict, match="linux/amd64"):
            await engine.pull(PullSpec(name="x", source=slow.source, platform="linux/arm64"))


async def test_another_checksum_is_another_pull(deck: Deck, fix: dict[str, Any]) -> None:
    url = fix["http"]["files"]["busybox-amd64.tar.gz"]["url"]
    async with deck.open(embedded=True) as engine:
        job = await engine.pull(PullSpec(name="x", source=url))
        with pytest.raises(Conflict, match="another source"):
            await engine.pull(PullSpec(name="x", source=url, checksum=f"sha256:{'00' * 32}"))
        await engine.result(job.id)


@pytest.mark.parametrize(
    "spec",
    [
        PullSpec(source="host:", image_only=True),
        PullSpec(source="quay.io/a/b", platform="nonsense/x/y/z"),
        PullSpec(source="/x.tar", checksum="md5:1"),
        PullSpec(source="https://u:p@h/x.tar"),
    ],
    ids=str,
)
async def test_what_cannot_be_meant_starts_no_job(deck: Deck, spec: PullSpec) -> None:
    async with deck.open(embedded=True) as engine:
        with pytest.raises(InvalidInput):
            await engine.pull(spec)
        assert await engine.jobs() == []


@pytest.mark.parametrize("phase", ["resolve", "fetch", "unpack", "commit"])
async def test_a_pull_cancelled_anywhere_makes_all_of_a_distro_and_tells_it_or_nothing(
    deck: Deck, fix: dict[str, Any], phase: str
) -> None:
    told: set[str] = set()
    async with deck.open(embedded=True) as engine, asyncio.timeout(SECONDS):
        async with engine.events() as events:
            job = await engine.pull(PullSpec(name="x", source=busybox(fix)))
            async with engine.watch(job.id) as states:
                async for state in states:
                    if state.phase == phase:
                        await engine.cancel(job.id)
            await engine.result((await engine.pull(PullSpec(name="end", source="host:"))).id)
            async for event in events:
                if isinstance(event, DistroChanged):
                    told.add(event.distro.name)
                if "end" in told:
                    break
        there = {distro.name for distro in await engine.distros()}
        assert told == there
        assert await install(engine, fix, "x") == "x"


async def test_an_image_that_is_here_is_used_without_asking_anybody(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open(embedded=True) as engine:
        source = busybox(fix)
        image = PullSpec(source=source, image_only=True)
        with pytest.raises(NotFound, match="not in the store"):
            await engine.result((await engine.pull(replace(image, policy="never"))).id)
        digest = (await engine.result((await engine.pull(image)).id)).result
        for policy in ("never", "if_not_present"):
            spec = PullSpec(name=policy.replace("_", "-"), source=source, policy=policy)
            job = await engine.result((await engine.pull(spec)).id)
            assert job.total == 0
            assert (await engine.distro(job.result)).image_digest == digest


async def test_an_image_of_another_platform_is_not_the_one_that_was_meant(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open(embedded=True) as engine:
        await engine.result((await engine.pull(PullSpec(source=busybox(fix)))).id)
        spec = PullSpec(name="x", source=busybox(fix), platform="linux/arm64", policy="never")
        with pytest.raises(NotFound, match="not in the store"):
            await engine.result((await engine.pull(spec)).id)


async def test_each_platform_of_a_reference_that_is_here_is_found(
    deck: Deck, fix: dict[str, Any]
) -> None:
    source = f"{fix['registries']['plain']['host']}/lib/multi"
    platforms = [
        f"linux/{one['platform']['architecture']}" for one in fix["images"]["multi"]["manifests"]
    ][:2]
    async with deck.open(embedded=True) as engine:
        images = [PullSpec(source=source, platform=one, image_only=True) for one in platforms]
        pulled = [(await engine.result((await engine.pull(one)).id)).result for one in images]
        found = [
            (await engine.result((await engine.pull(replace(one, policy="never"))).id)).result
            for one in images
        ]
        assert found == pulled
        assert len(set(found)) == 2


async def test_a_pull_beyond_the_limit_waits_and_a_paused_one_lets_it_go_first(
    deck: Deck, fix: dict[str, Any]
) -> None:
    deck.configure("[pull]\nparallel_jobs = 1\n")
    async with deck.open(embedded=True) as engine, gate(fix) as slow:
        first = await engine.pull(PullSpec(name="x", source=slow.source))
        await slow.asked.wait()
        second = await engine.pull(PullSpec(name="y", source=busybox(fix)))
        assert (first.state, second.state) == ("running", "queued")
        assert (await engine.pause(first.id)).state == "paused"
        assert (await engine.result(second.id)).result == "y"
        slow.open.set()
        assert (await engine.resume(first.id)).state == "running"
        assert (await engine.result(first.id)).result == "x"


async def test_a_paused_pull_brings_nothing_until_it_goes_on_or_is_cancelled(
    deck: Deck, fix: dict[str, Any]
) -> None:
    async with deck.open(embedded=True) as engine, gate(fix) as slow:
        job = await engine.pull(PullSpec(name="x", source=slow.source))
        await slow.asked.wait()
        await engine.pause(job.id)
        slow.open.set()
        async with engine.watch(job.id) as states:
            async for state in states:
                assert state.state == "paused"
                if state.phase == "fetch":
                    break
        await engine.cancel(job.id)
        with pytest.raises(Cancelled):
            await engine.result(job.id)
        with pytest.raises(Conflict, match="has ended"):
            await engine.resume(job.id)
        assert await engine.distros() == []
