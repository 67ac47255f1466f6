"""Consoles at one session: restoring, controlling, falling behind."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.domain import ShellSpec
from core.engine import Attachment, Output
from core.errors import NotFound
from core.terminal.terminal import Terminal
from tests.core import distros
from tests.core.distros import Screen, attached, holding
from tests.core.shells.test_holder import SH, command, pid_of, until

if TYPE_CHECKING:
    from core.shells.attachment import HolderAttachment
    from core.shells.launch import HolderSpec
    from core.shells.link import HolderLink

FLOOD = "i=0; while :; do i=$((i+1)); echo line $i of a flood that does not end; done"


async def restored(attachment: HolderAttachment, wanted: str) -> Terminal:
    """What a console shows that attached and read until ``wanted`` is on its screen."""
    rows, columns = attachment.checkpoint_size
    terminal = Terminal(rows, columns)
    if attachment.checkpoint:
        terminal = Terminal.restore(attachment.checkpoint)
    async with asyncio.timeout(distros.LIMIT):
        async for piece in attachment.output():
            if piece.stream == 1:
                terminal.feed(piece.data)
            elif piece.stream == 0:
                terminal.resize(*piece.size)
            if any(wanted in line for line in terminal.text()):
                return terminal
    raise AssertionError(terminal.text())


def processor_time(pid: int) -> float:
    """Seconds that a process and the children it waited for have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


async def test_it_is_what_the_engine_promises(link: HolderLink) -> None:
    await link.open(2, command("echo x"))
    async with attached(link, 2) as attachment:
        assert isinstance(attachment, Attachment)
        async for piece in attachment.output():
            assert isinstance(piece, Output)


async def test_an_unknown_session_is_not_found(link: HolderLink) -> None:
    with pytest.raises(NotFound, match="session 9"):
        async with attached(link, 9):
            pass


async def test_history_is_marked_and_what_comes_is_not(link: HolderLink) -> None:
    await link.open(2, command("echo old; read x; echo new"))
    async with attached(link, 2) as attachment:
        await Screen(attachment).expect(b"old")
    async with attached(link, 2) as attachment:
        await attachment.write(b"\r")
        found = {piece.data.strip(): piece.replay async for piece in attachment.output()}
    assert found[b"old"] is True
    assert found[b"new"] is False


async def test_offsets_continue_across_attachments(link: HolderLink) -> None:
    await link.open(2, command("echo one; read x; echo two"))
    async with attached(link, 2) as attachment:
        screen = Screen(attachment)
        await screen.expect(b"one")
        await screen.type(b"\r")
        assert await screen.rest() == 0
    async with attached(link, 2) as first, attached(link, 2, viewer=True) as second:
        one = [(piece.offset, piece.data) async for piece in first.output()]
        two = [(piece.offset, piece.data) async for piece in second.output()]
    assert one == two
    assert [offset for offset, _ in one] == sorted({offset for offset, _ in one})


async def test_a_resize_reaches_the_program_and_the_log(link: HolderLink) -> None:
    await link.open(2, SH)
    async with attached(link, 2) as attachment:
        screen = Screen(attachment)
        await screen.expect(b"# ")
        await attachment.resize(31, 97)
        await attachment.resize(0, 5)
        await screen.type(b"stty size; exit\r")
        await screen.expect(b"31 97")
        await screen.rest()
    async with attached(link, 2) as attachment:
        sizes = [piece.size async for piece in attachment.output() if piece.stream == 0]
    assert sizes == [(31, 97)]


async def test_the_latest_is_the_controller_and_passes_it_on(link: HolderLink) -> None:
    await link.open(2, SH)
    async with attached(link, 2) as first:
        assert first.controller
        await first.resize(30, 90)
        screen = Screen(first)
        await screen.expect(b"# ")
        async with attached(link, 2) as second, attached(link, 2, viewer=True) as viewer:
            await second.resize(20, 70)
            await second.write(b"stty size\r")
            await screen.expect(b"20 70")
            assert (first.controller, second.controller, viewer.controller) == (False, True, False)
        await screen.type(b"echo; stty size\r")
        await screen.expect(b"30 90")
        assert first.controller


async def test_a_viewer_changes_nothing(link: HolderLink) -> None:
    await link.open(2, SH)
    async with attached(link, 2, viewer=True) as viewer, attached(link, 2) as master:
        screen = Screen(master)
        await screen.expect(b"# ")
        await viewer.write(b"exit 77\r")
        await viewer.resize(11, 11)
        await viewer.signal(9)
        await viewer.hand_in(b"lies", 10)
        await screen.type(b"stty size; exit 5\r")
        await screen.expect(b"24 80")
        assert await screen.rest() == 5


async def test_a_signal_goes_to_the_foreground(link: HolderLink) -> None:
    await link.open(2, SH)
    async with attached(link, 2) as attachment:
        screen = Screen(attachment)
        await screen.expect(b"# ")
        await screen.type(b"sh -c 'echo ru''nning; exec sleep 1000'\r")
        await screen.expect(b"running")
        await attachment.signal(2)
        await screen.type(b"exit 8\r")
        assert await screen.rest() == 8


async def test_queries_are_answered_while_nobody_looks(link: HolderLink) -> None:
    ask = r"stty raw -echo; printf '\033[c\033[5n'; dd bs=1 count=13 2>/dev/null | od -c; exit"
    changes = link.changes()
    await link.open(2, command(ask))
    assert (await until(changes, 2, "exited")).exit_code == 0
    async with attached(link, 2) as attachment:
        text = b"".join([piece.data async for piece in attachment.output()])
    assert b"[   ?   6   2   ;   2   2   c 033   [   0   n" in text


async def test_a_controller_is_left_to_answer(link: HolderLink) -> None:
    ask = r"read x; stty raw -echo; printf '\033[c'; dd bs=1 count=3 2>/dev/null"
    await link.open(2, command(ask))
    async with attached(link, 2) as attachment:
        screen = Screen(attachment)
        await screen.type(b"\r")
        await screen.expect(b"\x1b[c")
        await screen.type(b"abc")
        await screen.expect(b"abc")


async def test_a_checkpoint_restores_the_screen(link: HolderLink) -> None:
    await link.open(2, command("for i in 1 2 3; do echo row $i; done; read x; echo after; cat"))
    async with attached(link, 2) as attachment:
        terminal = Terminal(24, 80)
        async for piece in attachment.output():
            terminal.feed(piece.data)
            if any("row 3" in line for line in terminal.text()):
                await attachment.hand_in(terminal.checkpoint(), piece.offset)
                break
        await attachment.write(b"\r")
    async with attached(link, 2) as attachment:
        assert attachment.checkpoint
        found = await restored(attachment, "after")
    assert [line.strip() for line in found.text()[:3]] == ["row 1", "row 2", "row 3"]


async def test_a_flood_that_nobody_watches_does_not_burn_a_core(spec: HolderSpec) -> None:
    async with holding(spec) as link:
        await link.open(2, command(FLOOD))
        pid = await pid_of(link)
        place = link.folder / "sessions" / "2"
        async with asyncio.timeout(60):
            while not list(place.glob("checkpoint-*[0-9]")):
                await asyncio.sleep(0.1)
        begin, used = time.monotonic(), processor_time(pid)
        await asyncio.sleep(3)  # a rate is measured over some time
        share = (processor_time(pid) - used) / (time.monotonic() - begin)
        assert share < 0.5
        assert (place / "log").stat().st_size <= 5 << 20
        async with attached(link, 2) as attachment:
            assert attachment.checkpoint
            await attachment.write(b"\x03")
            screen = Screen(attachment)
            assert await screen.rest() == 130


async def test_a_client_that_does_not_read_stops_neither_program_nor_others(
    link: HolderLink,
) -> None:
    await link.open(2, command("read x; seq 1 400000; echo the end; read y"))
    async with attached(link, 2), attached(link, 2) as reader:
        screen = Screen(reader)
        await screen.type(b"\r")
        await screen.expect(b"the end")


async def test_a_client_that_fell_behind_starts_from_a_checkpoint(link: HolderLink) -> None:
    script = "read x; seq 1 1500000; echo the end; read y"
    await link.open(2, command(script))
    async with attached(link, 2, viewer=True) as slow:
        async with attached(link, 2) as fast:
            terminal, handed = Terminal(24, 80), 0
            await fast.write(b"\r")
            async for piece in fast.output():
                if piece.offset - handed > 1 << 20:
                    handed = piece.offset
                    await fast.hand_in(terminal.checkpoint(), handed)
                if b"the end" in piece.data:
                    break
        pieces = slow.output()
        async with asyncio.timeout(distros.LIMIT):
            while (await anext(pieces)).stream != 3:
                pass


async def test_a_reader_of_pipes_gets_every_byte_however_slow(spec: HolderSpec) -> None:
    async with holding(spec) as link:
        await link.open(2, replace(command("seq 1 1200000"), tty=False, bound=True))
        data = bytearray()
        async with attached(link, 2) as attachment:
            await asyncio.sleep(3)  # longer than a client may stall before it counts as hung
            async for piece in attachment.output():
                data += piece.data
    lines = bytes(data).split()
    assert len(lines) == 1_200_000
    assert lines[-1] == b"1200000"


async def test_typing_at_a_program_that_does_not_read_holds_only_the_typist(
    link: HolderLink,
) -> None:
    await link.open(2, ShellSpec(distro="test", argv=("sleep", "1000"), tty=False))
    await link.open(3, SH)
    async with attached(link, 2) as deaf, attached(link, 3) as other:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await deaf.write(bytes(8 << 20))
        screen = Screen(other)
        await screen.type(b"echo fi''ne\r")
        await screen.expect(b"fine")
