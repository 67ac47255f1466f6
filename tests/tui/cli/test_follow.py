"""What a person sees of bytes that go to the engine before there is a job to follow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.core.conftest import SECONDS
from tui.cli.follow import sending
from tui.cli.options import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


async def bytes_of(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 1_000_000


async def test_a_stream_shows_how_much_of_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    shown = ""
    async with sending(bytes_of(5), "load", Settings(progress="tty")) as content:
        sent = sum([len(piece) async for piece in content])
        async with asyncio.timeout(SECONDS):
            while "5.0 MB" not in shown:
                await asyncio.sleep(0.01)
                shown += capsys.readouterr().err
    assert sent == 5_000_000
    assert "standard input  fetch" in shown


async def test_programs_hear_of_jobs_only(capsys: pytest.CaptureFixture[str]) -> None:
    async with sending(bytes_of(1), "load", Settings(progress="json")) as content:
        assert [len(piece) async for piece in content] == [1_000_000]
    assert capsys.readouterr().err == ""
