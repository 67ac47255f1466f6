"""What a native server does with good, bad, slow and vanished clients."""

from __future__ import annotations

import asyncio
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from core.domain import Job
from core.errors import DeckError, InvalidInput, Refused
from core.events import JobChanged
from core.serve.native.codec import HEADER, MAX_PAYLOAD, Kind, pack, pack_call, pack_value
from core.serve.native.server import MAX_CALLS
from core.serve.native.verbs import VERBS
from tests.core.serve.native.conftest import LARGE, answer, ask, hung_up, open_count

if TYPE_CHECKING:
    from tests.core.serve.native.conftest import Place

BROKEN = {
    "over the cap": HEADER.pack(MAX_PAYLOAD + 1, Kind.CALL, 1),
    "of no kind": HEADER.pack(0, 99, 1),
    "an answer": pack(Kind.RESULT, 1),
    "a second hello": pack(Kind.HELLO, 0),
    "a channel in use": pack_call(1, "result", ("a",)) + pack_call(1, "result", ("b",)),
    "cut short": pack_call(1, "distros", ())[:-1],
}


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def job_changed(done: int) -> JobChanged:
    return JobChanged(job=Job(id="pull-1", kind="pull", title="x", state="running", done=done))


async def test_the_caller_is_who_the_kernel_says_whatever_the_hello_claims(
    place: Place, serving
) -> None:
    async with serving() as scripted, place.line():
        (caller,) = scripted.callers
    assert (caller.uid, caller.pid) == (os.geteuid(), os.getpid())  # the hello said pid 1


async def test_calls_of_one_connection_do_not_wait_for_each_other(place: Place, serving) -> None:
    async with serving() as scripted, place.line() as link:
        await link.write(pack_call(1, "result", ("slow",)))
        assert await scripted.under_way.get() == "slow"
        assert await ask(link, 2, "distros") == []


async def test_a_cancelled_call_is_given_up_and_never_answered(place: Place, serving) -> None:
    async with serving() as scripted, place.line() as link:
        await link.write(pack_call(1, "result", ("slow",)))
        await scripted.under_way.get()
        await link.write(pack(Kind.CANCEL, 1))
        async with asyncio.timeout(10):
            assert await scripted.given_up.get() == "slow"
        assert await ask(link, 2, "distros") == []
        assert await ask(link, 1, "distros") == []  # the channel is free again


async def test_cancelling_what_is_over_or_never_was_does_nothing(place: Place, serving) -> None:
    async with serving(), place.line() as link:
        assert await ask(link, 1, "distros") == []
        await link.write(pack(Kind.CANCEL, 1) + pack(Kind.CANCEL, 77))
        assert await ask(link, 2, "distros") == []


async def test_an_answer_given_up_half_way_spoils_no_later_one(place: Place, serving) -> None:
    async with serving(), place.line() as link:
        await link.write(pack_call(1, "images", (None,)))
        assert (await link.read() or [None])[0] is Kind.RESULT
        await link.write(pack_call(2, "images", (None,)) + pack(Kind.CANCEL, 2))
        await link.write(pack_call(3, "distros", ()))
        async with asyncio.timeout(10):
            frame = await link.read()
            if frame and frame[1] == 2:
                assert len(frame[2]) > LARGE
                frame = await link.read()
        assert frame is not None
        assert (frame[0], frame[1]) == (Kind.RESULT, 3)


async def test_a_client_that_goes_gives_up_its_calls_and_counts_no_more(
    place: Place, serving
) -> None:
    async with serving() as scripted:
        async with place.line() as link:
            await link.write(pack_call(1, "result", ("a",)) + pack_call(2, "events", ()))
            await scripted.under_way.get()
        async with asyncio.timeout(10):
            assert await scripted.given_up.get() == "a"
            while scripted.clients != [1, 0]:
                await asyncio.sleep(0)


async def test_a_client_that_says_no_hello_is_dropped(place: Place, serving) -> None:
    async with serving(hello_seconds=0.1) as scripted:
        async with place.line(hello=False) as link:
            assert await hung_up(link)
        async with place.line(hello=False) as link:
            await link.write(HEADER.pack(40, Kind.HELLO, 0))  # and nothing after it
            assert await hung_up(link)
        assert scripted.callers == []
        assert scripted.clients == []
        await place.works()


@pytest.mark.parametrize(
    "first", [pack_call(1, "distros", ()), pack(Kind.HELLO, 0, b"\xc1"), b"GET / HTTP/1.1\r\n\r\n"]
)
async def test_a_client_that_begins_otherwise_is_dropped(
    place: Place, serving, first: bytes
) -> None:
    async with serving() as scripted:
        async with place.line(hello=False) as link:
            await link.write(first)
            assert await hung_up(link)
        assert scripted.callers == []
        await place.works()


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_a_frame_against_the_protocol_ends_its_connection_only(
    place: Place, serving, broken: bytes
) -> None:
    async with serving(), place.line() as other:
        async with place.line() as link:
            await link.write(broken)
            if broken is BROKEN["cut short"]:
                link.socket.shutdown(1)
            assert await hung_up(link)
        assert await ask(other, 1, "distros") == []
        await place.works()


async def test_a_call_that_is_no_good_costs_only_itself(place: Place, serving) -> None:
    async with serving(), place.line() as link:
        with pytest.raises(InvalidInput, match="no such verb"):
            await ask(link, 1, "__class__")
        with pytest.raises(InvalidInput, match="malformed"):
            await ask(link, 2, "distro", 7)
        await link.write(pack(Kind.CALL, 3, b"\xc1"))
        with pytest.raises(InvalidInput, match="malformed"):
            await answer(link, 3, "distros")
        assert await ask(link, 4, "distros") == []


async def test_a_defect_of_the_engine_is_told_and_costs_one_call(place: Place, serving) -> None:
    async with serving(), place.line() as link:
        with pytest.raises(DeckError, match="ZeroDivisionError"):
            await ask(link, 1, "info")
        assert await ask(link, 2, "distros") == []


async def test_one_connection_has_no_more_than_its_share_of_calls(place: Place, serving) -> None:
    async with serving(), place.line() as link:
        for channel in range(MAX_CALLS):
            await link.write(pack_call(channel + 1, "result", ("x",)))
        with pytest.raises(Refused, match="at once"):
            await ask(link, MAX_CALLS + 1, "distros")
        await link.write(pack(Kind.CANCEL, 1))
        async with asyncio.timeout(10):
            while True:
                try:
                    assert await ask(link, MAX_CALLS + 2, "distros") == []
                    break
                except Refused:
                    continue


async def test_descriptors_sent_to_a_server_are_not_kept(place: Place, serving) -> None:
    reading, writing = os.pipe()
    async with serving(), place.line() as link:
        for channel in range(1, 20):
            await link.write(pack_call(channel, "distros", ()), descriptor=writing)
            assert await answer(link, channel, "distros") == []
        os.close(writing)
        assert os.read(reading, 1) == b""  # nobody else has it
    os.close(reading)


async def test_attach_hands_a_socket_over_and_keeps_none(place: Place, serving) -> None:
    async with serving() as scripted, place.line() as link:
        await link.write(pack_call(1, "attach", (2, False)))
        assert await answer(link, 1, "attach") is None
        got = link.take_descriptor()
        (far,) = scripted.dialed
        os.write(got, b"typed")
        assert far.recv(10) == b"typed"
        os.close(got)
        assert far.recv(10) == b""


async def test_a_slow_reader_of_events_gets_the_newest_and_holds_up_nobody(
    place: Place, serving
) -> None:
    count = 20_000
    async with serving() as scripted, place.line() as slow:
        await slow.write(pack_call(1, "events", ()))
        await scripted.under_way.get()
        for done in range(count + 1):
            scripted.bus.publish(job_changed(done))
            if done % 100 == 0:
                await asyncio.sleep(0)  # let what can be sent be sent
        await place.works()
        got: list[int] = []
        async with asyncio.timeout(10):
            while not got or got[-1] < count:
                got.append((await answer(slow, 1, "events")).job.done)
    assert got == sorted(got)
    assert len(got) < count / 10


async def test_a_client_that_does_not_read_its_answers_holds_up_nobody(
    place: Place, serving
) -> None:
    async with serving(), place.line() as deaf:
        for channel in range(1, 6):
            await deaf.write(pack_call(channel, "images", (None,)))
        for _ in range(5):
            await place.works()


async def test_shutdown_names_who_asked(place: Place, serving) -> None:
    async with serving() as scripted, place.line() as link:
        assert await ask(link, 1, "shutdown") is None
    assert [caller.uid for caller in scripted.ended_by] == [os.geteuid()]


@pytest.mark.soak
async def test_malformed_frames_never_stop_the_server(place: Place, serving, soak: bool) -> None:
    frames = st.one_of(
        st.binary(min_size=1, max_size=200),
        st.tuples(
            st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary()
        ).map(lambda parts: struct.pack("!IBI", *parts[:3]) + parts[3]),
        st.tuples(st.sampled_from(Kind), st.integers(0, 9), st.binary(max_size=99)).map(
            lambda parts: pack(*parts)
        ),
        st.tuples(st.sampled_from(sorted(VERBS)), st.lists(st.integers() | st.text())).map(
            lambda parts: _call(*parts)
        ),
    )
    samples = _samples(frames, 10_000 if soak else 150)
    async with serving() as scripted:
        before, open_before = resident(), open_count()
        for at, sample in enumerate(samples):
            async with place.line(hello=at % 3 > 0) as link:
                await link.write(sample)
                if at % 2:
                    link.socket.shutdown(1)
                    await hung_up(link)
            if at % 10 == 0:
                await place.works()
        await place.works()
        async with asyncio.timeout(10):
            while scripted.clients[-1:] != [0]:
                await asyncio.sleep(0)
        grown = resident() - before
        assert open_count() <= open_before
    assert grown < 10 << 20


def _call(verb: str, arguments: list[object]) -> bytes:
    small = [one for one in arguments if isinstance(one, str) or -(2**63) <= one < 2**64]
    if verb in ("images", "shutdown"):
        verb = "nosuchverb"
    return pack_value(Kind.CALL, 1, (verb, small))


def _samples(strategy: st.SearchStrategy[bytes], count: int) -> list[bytes]:
    """Drawn beforehand: hypothesis and a running loop do not mix."""
    from hypothesis import given, settings

    found: list[bytes] = []

    @given(strategy)
    @settings(max_examples=count, deadline=None, derandomize=True, database=None)
    def draw(sample: bytes) -> None:
        found.append(sample)

    draw()
    return found
