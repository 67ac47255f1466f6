"""What the client does when the daemon goes, is replaced, or talks nonsense."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from core.background import background
from core.domain import RunSpec
from core.errors import DaemonUnreachable, InvalidInput, Refused
from core.serve.native.codec import (
    MAX_PAYLOAD,
    PROTOCOL,
    Hello,
    Kind,
    pack,
    pack_failure,
    pack_value,
    unpack_call,
)
from core.serve.native.link import Link, listen
from tests.core.serve.native.conftest import open_count

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.core.serve.native.conftest import Place

    Part = Callable[[Link], Awaitable[None]]

HELLO = pack_value(Kind.HELLO, 0, Hello(PROTOCOL, "1.0", 1))
NOTHING: list[object] = []


@asynccontextmanager
async def playing(place: Place, *parts: Part) -> AsyncIterator[None]:
    """A daemon that plays one part after another, each on a connection, then hangs up."""

    async def play() -> None:
        loop = asyncio.get_running_loop()
        for part in parts:
            sock, _address = await loop.sock_accept(listener)
            link = Link(sock)
            try:
                await part(link)
            finally:
                link.close()

    with listen(place.path) as listener:
        async with background() as tasks:
            tasks.start(play())
            yield


async def hang_up(_link: Link) -> None:
    pass


async def greet_and_go(link: Link) -> None:
    await link.write(HELLO)
    assert await link.read()


async def hear_one_call_and_go(link: Link) -> None:
    await greet_and_go(link)
    assert await link.read()


async def answer_nothing(link: Link) -> None:
    while await link.read():
        pass


async def answer_lists(link: Link) -> None:
    await greet_and_go(link)
    while frame := await link.read():
        _kind, channel, _payload = frame
        await link.write(pack_value(Kind.RESULT, channel, NOTHING))


async def test_a_question_is_asked_again_when_the_daemon_was_replaced(place: Place) -> None:
    async with playing(place, hear_one_call_and_go, answer_lists), place.client() as engine:
        assert await engine.distros() == []


async def test_a_change_is_not_repeated_when_it_may_have_been_made(place: Place) -> None:
    async with playing(place, hear_one_call_and_go, answer_lists), place.client() as engine:
        with pytest.raises(DaemonUnreachable, match="connection ended") as caught:
            await engine.stop("dev")
        assert caught.value.hint
        assert await engine.distros() == []  # on a new connection


async def test_a_change_the_daemon_cannot_have_heard_of_is_made_on_a_new_connection(
    place: Place,
) -> None:
    heard: list[str] = []

    async def hear(link: Link) -> None:
        await greet_and_go(link)
        while frame := await link.read():
            heard.append(unpack_call(frame[2])[0])
            await link.write(pack_value(Kind.RESULT, frame[1], None))

    async with playing(place, greet_and_go, hear), place.client() as engine:
        await engine.close(2)
        await engine.resize(2, 30, 100)
    assert heard == ["close", "resize"]


async def test_a_daemon_that_hangs_up_before_its_hello_is_tried_again(place: Place) -> None:
    async with playing(place, hang_up, hang_up, answer_lists), place.client() as engine:
        assert await engine.distros() == []


async def test_a_daemon_that_always_hangs_up_is_given_up(place: Place) -> None:
    async with playing(place, *[hang_up] * 3):
        with pytest.raises(DaemonUnreachable):
            async with place.client():
                pass


async def test_a_daemon_that_says_nothing_is_given_up(place: Place) -> None:
    async with playing(place, answer_nothing):
        with pytest.raises(DaemonUnreachable, match="does not answer"):
            async with place.client(greet_seconds=0.1):
                pass


@pytest.mark.parametrize(
    ("said", "kind", "why"),
    [
        (pack_value(Kind.HELLO, 0, Hello(PROTOCOL + 1, "9.9", 1)), DaemonUnreachable, "protocol"),
        (pack(Kind.HELLO, 0, b"\xc1"), DaemonUnreachable, "malformed"),
        (pack_failure(0, Refused("connection", "not you")), Refused, "not you"),
    ],
    ids=["another protocol", "nonsense", "refusal"],
)
async def test_a_greeting_that_is_none_says_what_is_wrong(
    place: Place, said: bytes, kind: type[Exception], why: str
) -> None:
    async def say(link: Link) -> None:
        await link.write(said)

    async with playing(place, say):
        with pytest.raises(kind, match=why):
            async with place.client():
                pass


async def test_an_answer_that_cannot_be_read_is_an_error_to_act_on(place: Place) -> None:
    async def nonsense(link: Link) -> None:
        await greet_and_go(link)
        while frame := await link.read():
            await link.write(pack_value(Kind.RESULT, frame[1], "not that"))

    async with playing(place, nonsense), place.client() as engine:
        with pytest.raises(DaemonUnreachable, match="does not know") as caught:
            await engine.distros()
        assert "serve --stop" in caught.value.hint


async def test_a_stream_tells_that_the_daemon_went(place: Place) -> None:
    daemon = playing(place, greet_and_go, hear_one_call_and_go)
    async with daemon, place.client() as engine, engine.events() as events:
        with pytest.raises(DaemonUnreachable):
            await anext(events)


async def test_an_attachment_without_its_socket_is_an_error(place: Place) -> None:
    async def forget(link: Link) -> None:
        await greet_and_go(link)
        await link.read()
        await link.write(pack_value(Kind.RESULT, 1, None))

    async with playing(place, greet_and_go, forget), place.client() as engine:
        with pytest.raises(InvalidInput, match="descriptor"):
            async with engine.attach(2):
                pass


async def test_what_the_daemon_would_not_take_is_refused_here(place: Place, serving) -> None:
    async with serving(), place.client() as engine:
        with pytest.raises(InvalidInput, match="at most"):
            await engine.run(RunSpec(distro="x", argv=("cat",), input=bytes(MAX_PAYLOAD)))
        assert await engine.distros() == []


async def test_a_cancelled_call_is_cancelled_in_the_daemon(place: Place, serving) -> None:
    async with serving() as scripted, place.client() as engine:
        asking = asyncio.ensure_future(engine.result("pull-1"))
        assert await scripted.under_way.get() == "pull-1"
        asking.cancel()
        async with asyncio.timeout(10):
            assert await scripted.given_up.get() == "pull-1"
        assert await engine.distros() == []


async def test_a_cancelled_large_call_leaves_the_connection_whole(place: Place, serving) -> None:
    async with serving(), place.client() as engine:
        for _ in range(5):
            sending = asyncio.ensure_future(engine.input(2, bytes(8 << 20)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            sending.cancel()
            await asyncio.wait([sending])
            assert await engine.distros() == []


async def test_leaving_the_client_ends_its_calls(place: Place, serving) -> None:
    async with serving() as scripted:
        async with place.client() as engine:
            result = asyncio.ensure_future(engine.result("pull-1"))
            await scripted.under_way.get()
            question = asyncio.ensure_future(engine.distros())
            await asyncio.sleep(0)
        for asking in (result, question):
            with pytest.raises(DaemonUnreachable):
                await asking


async def test_no_descriptor_is_left_of_many_calls_and_streams(place: Place, serving) -> None:
    async with serving() as scripted:
        before = open_count()
        async with place.client() as engine:
            for _ in range(5):
                async with engine.events():
                    await engine.distros()
        async with asyncio.timeout(10):
            while scripted.clients[-1] != 0:
                await asyncio.sleep(0)
        assert open_count() == before
