"""A scripted shell for the demonstration: it echoes, and knows a handful of commands."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.domain import RunResult, Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_NEOFETCH = (
    "\x1b[1;32m   .--.    \x1b[0m\x1b[1mdistrodeck\x1b[0m demonstration\r\n"
    "\x1b[1;32m  |o_o |   \x1b[0mnothing here is real,\r\n"
    "\x1b[1;32m  |:_/ |   \x1b[0mnothing was downloaded\r\n"
)

_UBUNTU = (
    "Reading package lists... Done\r\n"
    "Building dependency tree... Done\r\n"
    "The following NEW packages will be installed:\r\n"
    "  build-essential g++ gcc make dpkg-dev libc6-dev\r\n"
    "0 upgraded, 6 newly installed, 0 to remove and 0 not upgraded.\r\n"
    "Need to get 58.9 MB of archives.\r\n"
    "Get:1 http://deb noble/main amd64 gcc [5,034 B]\r\n"
    "Get:2 http://deb noble/main amd64 g++ [1,100 B]\r\n"
    "Fetched 58.9 MB in 14s (4,102 kB/s)\r\n"
    "Setting up build-essential (12.10ubuntu1) ...\r\n"
)

_ALPINE = (
    "Mem: 1892340K used, 22312K free, 9044K shrd, 41200K buff\r\n"
    "CPU:   2% usr   1% sys   0% nic  96% idle   0% io\r\n"
    "Load average: 0.31 0.22 0.18 1/412 77\r\n"
    "\x1b[7m  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\x1b[0m\r\n"
    "    1     0 root     S     1732   0%   0   0% /bin/sh\r\n"
    "   77     1 root     R     1624   0%   1   0% top -bn1\r\n"
)

SCENES = {
    "ubuntu": (("apt-get install -y build-essential", _UBUNTU), ("make -j2", "  CC  main.o\r\n")),
    "alpine": (("top -bn1 | head -6", _ALPINE),),
}
"""What was typed, and what came, in the sessions that exist at the start (they have a title)."""


def reply(argv: list[str]) -> RunResult:
    """What the scripted system answers to a command."""
    match argv:
        case ["sh", "-c", line]:
            return reply(shlex.split(line))
        case ["echo", *words]:
            return _said(" ".join(words) + "\n")
        case ["uname", *_]:
            return _said("Linux demo 6.18.0 x86_64 GNU/Linux\n")
        case ["tty"]:
            return _said("/dev/pts/0\n")
        case ["ls", *_]:
            return _said("bin  boot  dev  etc  home  lib  opt  proc  root  run  srv  sys  tmp\n")
        case ["demo"]:
            return _said(_NEOFETCH.replace("\r\n", "\n"))
        case ["false"]:
            return RunResult(stdout=b"", stderr=b"", exit_code=1)
        case ["make", *_]:
            return RunResult(
                stdout=b"  CC  main.o\n  CC  net.o\n",
                stderr=b"net.c:41:9: error: 'sock' undeclared\nmake: *** [net.o] Error 1\n",
                exit_code=2,
            )
        case [name, *_]:
            missing = f"sh: {name}: not found\n".encode()
            return RunResult(stdout=b"", stderr=missing, exit_code=127)
        case _:
            return _said("")


def _said(text: str) -> RunResult:
    return RunResult(stdout=text.encode(), stderr=b"", exit_code=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One :class:`core.engine.Output` of a scripted session."""

    stream: int = 1
    data: bytes = b""
    size: tuple[int, int] = (0, 0)
    offset: int = 0
    replay: bool = False


class DemoSession:
    """A session whose other side is a script."""

    def __init__(self, session: Session, changed: Callable[[Session], None]) -> None:
        self.session = session
        self.checkpoint = (b"", 0, (session.rows, session.columns))
        self._changed = changed
        self._pieces: list[Piece] = []
        self._news = asyncio.Event()
        self._line = ""
        self._offset = 0
        host = session.distro
        self._prompt = f"\x1b[1;32mroot@{host}\x1b[0m:\x1b[1;34m~\x1b[0m# "
        for typed, came in SCENES.get(host, ()) if session.title else ():
            self._say(f"{self._prompt}{typed}\r\n{came}")
        self._say(self._prompt)

    def _say(self, text: str) -> None:
        self._add(Piece(data=text.encode()))

    def _add(self, piece: Piece) -> None:
        self._offset += len(piece.data)
        self._pieces.append(replace(piece, offset=self._offset))
        self._news.set()
        self._news = asyncio.Event()

    async def pieces(self) -> AsyncIterator[Piece]:
        """All output since the checkpoint, then what comes, until the end."""
        history = len(self._pieces)
        since = self.checkpoint[1]
        position = 0
        while True:
            news = self._news
            while position < len(self._pieces):
                piece = self._pieces[position]
                if piece.offset > since:
                    yield replace(piece, replay=position < history)
                position += 1
            if self.session.state != "running":
                return
            await news.wait()

    def resize(self, rows: int, columns: int) -> None:
        """Take the new size and note it in the output."""
        if rows < 1 or columns < 1 or (rows, columns) == (self.session.rows, self.session.columns):
            return
        self.session = replace(self.session, rows=rows, columns=columns)
        self._add(Piece(stream=0, size=(rows, columns)))
        self._changed(self.session)

    def type(self, data: bytes) -> None:
        """Take input as a terminal's line discipline and a shell would."""
        for character in data.decode(errors="replace"):
            if self.session.state != "running":
                return
            match character:
                case "\r" | "\n":
                    line, self._line = self._line, ""
                    self._say("\r\n")
                    self._enter(line)
                case "\x7f" if self._line:
                    self._line = self._line[:-1]
                    self._say("\b \b")
                case "\x03":
                    self._line = ""
                    self._say("^C\r\n" + self._prompt)
                case "\x04" if not self._line:
                    self._say("exit\r\n")
                    self.end(0)
                case _ if character.isprintable():
                    self._line += character
                    self._say(character)

    def _enter(self, line: str) -> None:
        try:
            argv = shlex.split(line)
        except ValueError as error:
            self._say(f"sh: {error}\r\n{self._prompt}")
            return
        match argv:
            case ["exit", *rest]:
                self.end(int(rest[0]) if rest and rest[0].isdigit() else 0)
            case ["clear"]:
                self._say("\x1b[H\x1b[2J" + self._prompt)
            case ["bell"]:
                self._say("\a" + self._prompt)
            case _:
                result = reply(argv)
                text = (result.stdout + result.stderr).decode().replace("\n", "\r\n")
                self._say(text + self._prompt)

    def end(self, code: int) -> None:
        """End the session with an exit code."""
        if self.session.state == "running":
            self.session = replace(self.session, state="exited", exit_code=code)
            self._news.set()
            self._news = asyncio.Event()
            self._changed(self.session)

    async def exit_code(self) -> int:
        """Wait for the end."""
        while self.session.exit_code is None:
            await self._news.wait()
        return self.session.exit_code


class DemoAttachment:
    """A hold on a scripted session: a :class:`core.engine.Attachment`."""

    def __init__(self, source: DemoSession, *, viewer: bool) -> None:
        self._source = source
        self.controller = not viewer
        self.session = source.session
        self.checkpoint, _, self.checkpoint_size = source.checkpoint

    def output(self) -> AsyncIterator[Piece]:
        """What came since the checkpoint, then what comes."""
        return self._source.pieces()

    async def write(self, data: bytes) -> None:
        """Type into the script."""
        if self.controller:
            self._source.type(data)

    async def eof(self) -> None:
        """End of input."""
        await self.write(b"\x04")

    async def resize(self, rows: int, columns: int) -> None:
        """Set the size."""
        if self.controller:
            self._source.resize(rows, columns)

    async def signal(self, number: int) -> None:
        """End the script as the signal would."""
        if self.controller:
            self._source.end(128 + number)

    async def hand_in(self, checkpoint: bytes, offset: int) -> None:
        """Keep a checkpoint."""
        if self.controller:
            size = (self._source.session.rows, self._source.session.columns)
            self._source.checkpoint = (checkpoint, offset, size)

    async def exit_code(self) -> int:
        """Wait for the end."""
        return await self._source.exit_code()
