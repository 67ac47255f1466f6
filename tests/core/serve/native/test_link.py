"""Frames and descriptors over real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from core.errors import InvalidInput
from core.serve.native.codec import HEADER, MAX_PAYLOAD, Kind, pack
from core.serve.native.link import Link, connect, listen, peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE = bytes(4 << 20)
"""More than a socket buffers."""


@contextmanager
def pair(*, descriptors: bool = True) -> Iterator[tuple[Link, Link]]:
    near, far = socket.socketpair()
    links = Link(near), Link(far, descriptors=descriptors)
    try:
        yield links
    finally:
        for link in links:
            link.close()


async def blocked(link: Link, frame: bytes) -> asyncio.Task[None]:
    """A writer that waits for the other side to read."""
    writing = asyncio.ensure_future(link.write(frame))
    while link.socket.fileno() >= 0 and not link._out:
        await asyncio.sleep(0)
    return writing


async def test_frames_arrive_in_order_however_they_are_cut() -> None:
    near, far = socket.socketpair()
    link = Link(far)
    sent = pack(Kind.CALL, 1, b"one") + pack(Kind.CANCEL, 1) + pack(Kind.CALL, 2, b"two")
    with near:
        for byte in sent:
            near.send(bytes([byte]))
        assert await link.read() == (Kind.CALL, 1, b"one")
        assert await link.read() == (Kind.CANCEL, 1, b"")
        assert await link.read() == (Kind.CALL, 2, b"two")
    assert await link.read() is None
    link.close()


async def test_a_cancelled_writer_leaves_its_frame_whole() -> None:
    with pair() as (near, far):
        writing = await blocked(near, pack(Kind.RESULT, 1, LARGE))
        writing.cancel()
        await asyncio.wait([writing])
        near.post(pack(Kind.CANCEL, 1))
        after = asyncio.ensure_future(near.write(pack(Kind.RESULT, 2, b"after")))
        async with asyncio.timeout(10):
            assert await far.read() == (Kind.RESULT, 1, LARGE)
            assert await far.read() == (Kind.CANCEL, 1, b"")
            assert await far.read() == (Kind.RESULT, 2, b"after")
            await after


async def test_a_writer_cancelled_before_its_turn_sends_nothing() -> None:
    with pair() as (near, far):
        first = await blocked(near, pack(Kind.RESULT, 1, LARGE))
        second = asyncio.ensure_future(near.write(pack(Kind.RESULT, 2, b"never")))
        third = asyncio.ensure_future(near.write(pack(Kind.RESULT, 3, b"third")))
        await asyncio.sleep(0)
        second.cancel()
        async with asyncio.timeout(10):
            assert (await far.read() or [0, 0])[1] == 1
            assert await far.read() == (Kind.RESULT, 3, b"third")
            await asyncio.gather(first, third)
        assert second.cancelled()


async def test_a_writer_is_told_when_the_other_side_goes() -> None:
    with pair() as (near, far):
        writing = await blocked(near, pack(Kind.RESULT, 1, LARGE))
        far.close()
        with pytest.raises(ConnectionError):
            await writing
        with pytest.raises(ConnectionError):
            await near.write(pack(Kind.RESULT, 2))


async def test_closing_a_link_tells_its_writer() -> None:
    with pair() as (near, _far):
        writing = await blocked(near, pack(Kind.RESULT, 1, LARGE))
        near.close()
        with pytest.raises(ConnectionError):
            await writing


async def test_a_connection_that_ends_inside_a_frame_is_an_error() -> None:
    near, far = socket.socketpair()
    link = Link(far)
    with near:
        near.send(pack(Kind.CALL, 1, b"whole") + pack(Kind.CALL, 2, b"cut off")[:-1])
    assert await link.read() == (Kind.CALL, 1, b"whole")
    with pytest.raises(ConnectionError):
        await link.read()
    link.close()


async def test_a_length_over_the_cap_is_refused_before_its_bytes_come() -> None:
    near, far = socket.socketpair()
    link = Link(far)
    with near:
        near.send(HEADER.pack(MAX_PAYLOAD + 1, Kind.CALL, 1))
        with pytest.raises(InvalidInput, match="at most"):
            await link.read()
    link.close()


async def test_a_descriptor_comes_with_its_frame_and_is_not_inherited() -> None:
    with pair() as (near, far):
        reading, writing = os.pipe()
        await near.write(pack(Kind.RESULT, 1), descriptor=writing)
        os.close(writing)
        assert await far.read() == (Kind.RESULT, 1, b"")
        got = far.take_descriptor()
        assert not os.get_inheritable(got)
        os.write(got, b"through")
        os.close(got)
        assert os.read(reading, 10) == b"through"
        assert os.read(reading, 10) == b""  # no other copy is open
        os.close(reading)


async def test_a_descriptor_nobody_took_is_closed_with_the_link() -> None:
    with pair() as (near, far):
        reading, writing = os.pipe()
        await near.write(pack(Kind.RESULT, 1), descriptor=writing)
        os.close(writing)
        await far.read()
        far.close()
        assert os.read(reading, 1) == b""
        os.close(reading)


async def test_a_descriptor_nobody_wants_is_not_even_received() -> None:
    with pair(descriptors=False) as (near, far):
        reading, writing = os.pipe()
        await near.write(pack(Kind.CALL, 1), descriptor=writing)
        os.close(writing)
        assert await far.read() == (Kind.CALL, 1, b"")
        assert os.read(reading, 1) == b""
        os.close(reading)
        with pytest.raises(InvalidInput, match="without the descriptor"):
            far.take_descriptor()


async def test_a_socket_is_private_and_knows_who_is_there(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    path.write_text("stale")
    with listen(path), connect(path) as sock:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert peer(sock) == (os.getpid(), os.geteuid())


async def test_a_path_may_be_longer_than_a_socket_address(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 130)
    folder.mkdir()
    with listen(folder / "api.sock"), connect(folder / "api.sock") as sock:
        assert peer(sock)[0] == os.getpid()
