"""Frames: whole in, whole out, whatever the cuts; nonsense is refused early."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.shells import frames
from core.shells.frames import FrameError, FrameReader

SOME = st.lists(st.tuples(st.sampled_from([frames.INPUT, frames.CALL]), st.binary(max_size=200)))


def test_a_frame_on_the_wire() -> None:
    assert frames.pack(frames.INPUT, b"ls\n") == b"\x12\0\0\0\x03ls\n"
    assert frames.pack(frames.EOF) == b"\x13\0\0\0\0"


@given(SOME, st.integers(1, 50))
def test_frames_survive_any_cut(sent: list[tuple[int, bytes]], size: int) -> None:
    data = b"".join(frames.pack(kind, payload) for kind, payload in sent)
    reader = FrameReader(frames.CLIENT_LIMITS)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert [frame for piece in pieces for frame in reader.feed(piece)] == sent


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\0\0\0\0",
        frames.HEADER.pack(frames.INPUT, frames.INPUT_LIMIT + 1),
        frames.HEADER.pack(frames.REPLY, 2),
        frames.HEADER.pack(frames.EOF, 1),
    ],
)
def test_an_unknown_kind_or_length_is_refused_before_its_payload(data: bytes) -> None:
    with pytest.raises(FrameError):
        list(FrameReader(frames.CLIENT_LIMITS).feed(data))


@given(st.binary(max_size=300))
def test_random_bytes_are_frames_or_an_error(data: bytes) -> None:
    try:
        list(FrameReader(frames.CLIENT_LIMITS).feed(data))
    except FrameError:
        return
