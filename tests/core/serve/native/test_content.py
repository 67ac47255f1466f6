"""Long streams of bytes in both directions: whole, held back, broken off."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from core.errors import Cancelled, Corrupt, InvalidInput, NotFound
from core.serve.native.codec import Kind, pack, pack_call
from core.serve.native.content import PIECES, Content
from core.serve.native.verbs import VERBS, Verb
from tests.core.serve.native.conftest import answer, hung_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.core.serve.native.conftest import Place, Scripted

PIECE = bytes(range(256)) * 4096


@pytest.fixture(autouse=True)
def verbs(monkeypatch: pytest.MonkeyPatch, scripted: Scripted) -> dict[str, object]:
    """``take`` counts what comes, but refuses from ``most`` on; ``give`` gives pieces."""
    seen: dict[str, object] = {}

    async def take(most: int, content: AsyncIterator[bytes] | None = None) -> int:
        count = 0
        assert content is not None
        try:
            async for piece in content:
                count += len(piece)
                if count > most:
                    raise Corrupt("archive", "too long")
        except Cancelled as error:
            seen["cut"] = error
            raise
        finally:
            seen["count"] = count
            scripted.given_up.put_nowait("take")
        return count

    @asynccontextmanager
    async def give(pieces: int) -> AsyncIterator[AsyncIterator[bytes]]:
        async def stream() -> AsyncIterator[bytes]:
            for _ in range(pieces):
                yield PIECE
            if not pieces:
                raise NotFound("layer", "is not there")

        yield stream()

    monkeypatch.setitem(VERBS, "take", Verb((("most", int),), int, takes=True))
    monkeypatch.setitem(VERBS, "give", Verb((("pieces", int),), bytes, stream=True))
    scripted.take, scripted.give = take, give  # type: ignore[attr-defined]
    return seen


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE


async def test_content_comes_through_whole_however_large_its_pieces(place: Place, serving) -> None:
    async def large() -> AsyncIterator[bytes]:
        yield PIECE * 5 + b"end"

    async with serving(), place.client() as client:
        assert await client._feed("take", 1 << 30, content=pieces(9)) == 9 * len(PIECE)
        assert await client._feed("take", 1 << 30, content=large()) == 5 * len(PIECE) + 3
        assert await client._feed("take", 1 << 30, content=pieces(0)) == 0


async def test_a_verb_that_refuses_ends_the_call_before_the_content_does(
    place: Place, serving
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield PIECE

    async with serving(), place.client() as client, asyncio.timeout(20):
        with pytest.raises(Corrupt, match="too long"):
            await client._feed("take", len(PIECE), content=endless())
        assert await client.distros() == []


async def test_content_that_cannot_be_read_fails_the_call_with_its_own_error(
    place: Place, serving, scripted: Scripted, verbs: dict[str, object]
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PIECE
        raise InvalidInput("standard input", "cannot be read")

    async with serving(), place.client() as client, asyncio.timeout(20):
        with pytest.raises(InvalidInput, match="cannot be read"):
            await client._feed("take", 1 << 30, content=broken())
        await scripted.given_up.get()


async def test_a_client_that_goes_away_in_the_middle_does_not_look_like_the_end(
    place: Place, serving, scripted: Scripted, verbs: dict[str, object]
) -> None:
    async with serving(), asyncio.timeout(20):
        async with place.line() as link:
            await link.write(pack_call(1, "take", (1 << 30,), kind=Kind.FEED))
            await link.write(pack(Kind.ITEM, 1, PIECE))
        await scripted.given_up.get()
        assert isinstance(verbs.get("cut"), Cancelled | None)
        assert verbs["count"] in {0, len(PIECE)}


async def test_content_for_a_verb_that_takes_none_is_refused(place: Place, serving) -> None:
    async with serving(), place.line() as link:
        await link.write(pack_call(1, "distros", (), kind=Kind.FEED))
        with pytest.raises(InvalidInput, match="takes no content"):
            await answer(link, 1, "distros")
        await link.write(pack(Kind.ITEM, 1, b"late") + pack(Kind.END, 1))
        await link.write(pack_call(2, "distros", ()))
        assert await answer(link, 2, "distros") == []


async def test_bytes_come_out_whole_and_errors_in_their_place(place: Place, serving) -> None:
    async with serving(), place.client() as client, asyncio.timeout(20):
        async with client._stream("give", 3) as stream:
            assert [piece async for piece in stream] == [PIECE] * 3
        with pytest.raises(NotFound, match="not there"):
            async with client._stream("give", 0) as stream:
                assert [piece async for piece in stream] == []


async def test_whoever_does_not_read_on_is_not_sent_more_than_a_socket_holds(
    place: Place, serving
) -> None:
    async with serving():
        async with place.line() as link:
            await link.write(pack_call(1, "give", (10_000,)))
            frame = await link.read()
            assert frame == (Kind.ITEM, 1, PIECE)
        await place.works()


async def test_pieces_wait_until_there_is_room() -> None:
    content = Content()
    for _ in range(PIECES):
        await content.put(b"x")
    waiting = asyncio.ensure_future(content.put(b"y"))
    await asyncio.sleep(0)
    assert not waiting.done()
    stream = content.pieces()
    assert await anext(stream) == b"x"
    await waiting
    content.end()
    assert [piece async for piece in stream] == [b"x"] * (PIECES - 1) + [b"y"]


async def test_closing_lets_go_of_both_sides() -> None:
    content = Content()
    for _ in range(PIECES):
        await content.put(b"x")
    waiting = asyncio.ensure_future(content.put(b"y"))
    await asyncio.sleep(0)
    content.close()
    await waiting
    with pytest.raises(Cancelled, match="before its end"):
        assert [piece async for piece in content.pieces()] == []


async def test_an_item_without_a_call_is_thrown_away(place: Place, serving) -> None:
    async with serving(), place.line() as link:
        await link.write(pack(Kind.ITEM, 7, b"astray"))
        await link.write(pack_call(1, "distros", ()))
        assert await answer(link, 1, "distros") == []
        await link.write(pack(Kind.HELLO, 0))
        assert await hung_up(link)
