"""``record`` and ``replay``: a session as an asciicast file, and such a file in this terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from core.engine import RESTORE
from core.errors import Conflict
from core.terminal.asciicast import Header, Reader, Writer, parse_speed
from core.terminal.checkpoint import CheckpointError
from core.terminal.terminal import Terminal
from tui.cli import report
from tui.cli.call import call
from tui.cli.choosing import choose_session
from tui.cli.options import Verb, current
from tui.cli.outer import Switches
from tui.cli.painter import paint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.engine import Attachment, Engine, Output
    from tui.cli.options import Settings

STEP = 0.05
"""Seconds between two pieces of a session's past: its log does not tell when they came."""
STANDARD = "-"


@click.command(cls=Verb)
@click.argument("session", metavar="ID|DISTRO")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to; - for stdout.")
@click.option("--history", is_flag=True, help="Begin with what the session's log still holds.")
@click.option("-f", "--force", is_flag=True, help="Write over FILE if it is there.")
def record(session: str, output: str, *, history: bool, force: bool) -> int:
    """Record a session as an asciicast file, until it ends or ctrl+C.

    The recording begins with the screen as it is. ID is a number from `distrodeck sessions`, or
    the name of a distro with one live session. Recording does not disturb who works in it.
    """
    settings = current()

    async def work(engine: Engine) -> None:
        found = choose_session(await engine.sessions(), session)
        async with engine.attach(found.id, viewer=True) as attachment:
            title = found.title or found.distro
            with open_recording(output, force=force) as file:
                recorder = Recorder(file, attachment, title=title, history=history)
                _tell(settings, f"recording session {found.id} to {output}; ctrl+C ends it")
                await recorder.run()
        _tell(settings, f"recorded {recorder.seconds:.1f} s to {output}")

    return call(settings, work)


def _tell(settings: Settings, text: str) -> None:
    if not settings.quiet:
        report.note(text)


@contextmanager
def open_recording(name: str, *, force: bool) -> Iterator[IO[str]]:
    """The file to write, readable by its owner only: a screen may show secrets."""
    if name == STANDARD:
        yield sys.stdout
        return
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        descriptor = os.open(name, flags, 0o600)
    except FileExistsError:
        raise Conflict(name, "is there already", hint="--force writes over it") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield file


class Recorder:
    """Writes one attachment's output to a file."""

    def __init__(self, file: IO[str], attachment: Attachment, *, title: str, history: bool) -> None:
        self._file = file
        self._attachment = attachment
        self._title = title
        self._history = history
        self._terminal = _restored(attachment.checkpoint, attachment.checkpoint_size)
        self._writer: Writer | None = None
        self._began = time.monotonic()
        self._past = 0.0

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self._past + time.monotonic() - self._began

    async def run(self) -> None:
        """Record until the session ends or SIGINT comes."""
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        loop.add_signal_handler(signal.SIGINT, stopped.set)
        recording = asyncio.ensure_future(self._record())
        stopping = asyncio.ensure_future(stopped.wait())
        try:
            await asyncio.wait((recording, stopping), return_when=asyncio.FIRST_COMPLETED)
            if recording.done():
                recording.result()
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            for task in (recording, stopping):
                task.cancel()
            await asyncio.gather(recording, stopping, return_exceptions=True)
            self._begin().end(self.seconds)
            self._file.flush()

    async def _record(self) -> None:
        if self._history:
            self._begin()
        async for piece in self._attachment.output():
            if piece.replay and not self._history:
                self._follow(piece)
            else:
                self._write(self._begin(), piece)

    def _begin(self) -> Writer:
        """The writer; it starts with the screen as it is now."""
        if self._writer is None:
            size = self._terminal.rows, self._terminal.columns
            now = int(time.time())
            header = Header(rows=size[0], columns=size[1], timestamp=now, title=self._title)
            self._writer = Writer(self._file, header, os.environ)
            self._writer.output(0.0, paint(self._terminal, whole=False))
        return self._writer

    def _follow(self, piece: Output) -> None:
        if piece.stream == RESTORE:
            self._terminal = _restored(piece.data, piece.size)
        elif piece.stream == 0:
            self._terminal.resize(*piece.size)
        else:
            self._terminal.feed(piece.data)

    def _write(self, writer: Writer, piece: Output) -> None:
        if piece.replay:
            self._past += STEP
        moment = self.seconds
        if piece.stream == RESTORE:
            writer.resize(moment, *piece.size)
            screen = paint(_restored(piece.data, piece.size), whole=True)
            writer.output(moment, b"\x1bc" + screen)
        elif piece.stream == 0:
            writer.resize(moment, *piece.size)
        else:
            writer.output(moment, piece.data)


def _restored(checkpoint: bytes, size: tuple[int, int]) -> Terminal:
    try:
        return Terminal.restore(checkpoint)
    except CheckpointError:
        return Terminal(*size)


@click.command(cls=Verb)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-s", "--speed", default="1", metavar="N", help="Times as fast.")
@click.option("-i", "--idle-limit", type=float, metavar="SECONDS", help="Longest rest.")
def replay(file: Path, *, speed: str, idle_limit: float | None) -> int:
    """Play an asciicast file in this terminal; ctrl+C ends it.

    Where the output is no terminal, all of it is written at once. The console plays recordings
    too, with pause and seek: `:replay FILE`.
    """
    factor = parse_speed(speed)
    with file.open("rb") as source:
        reader = Reader(source, str(file))
        if not os.isatty(1):
            _write_at_once(reader)
            return report.OK
        switches = Switches()
        try:
            with _listening_to_nothing():
                _play(reader, switches, factor, idle_limit)
        finally:
            _send(switches.undo())
    return report.OK


def _write_at_once(reader: Reader) -> None:
    for event in reader:
        _send(event.data.encode("utf-8", "replace"))


def _play(reader: Reader, switches: Switches, factor: float, idle: float | None) -> None:
    due = time.monotonic()
    before = 0.0
    for event in reader:
        rest = event.time - before
        before = event.time
        due += (rest if idle is None else min(rest, idle)) / factor
        time.sleep(max(0.0, due - time.monotonic()))
        data = event.data.encode("utf-8", "replace")
        switches.see(data)
        _send(data)


def _send(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@contextmanager
def _listening_to_nothing() -> Iterator[None]:
    """Drop what the terminal answers to a recording's questions; signals stay."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    silent = termios.tcgetattr(0)
    silent[3] &= ~(termios.ECHO | termios.ICANON)
    try:
        termios.tcsetattr(0, termios.TCSADRAIN, silent)
        yield
    finally:
        termios.tcflush(0, termios.TCIFLUSH)
        termios.tcsetattr(0, termios.TCSADRAIN, before)
