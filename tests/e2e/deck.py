"""The installed command ``distrodeck`` on a root of its own, run by one user of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import host
from tests.tui.cli.conftest import Tty

if TYPE_CHECKING:
    from collections.abc import Iterator

Shown = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""What ``ls`` and ``images`` show."""

COMMAND = str(Path(sys.executable).with_name("distrodeck"))

KEPT = ("blobs/sha256/*", "distros", "ingest", "layers", "staging")
"""Folders of the store in which a refused command may leave nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    talk: str
    """Standard error."""

    @property
    def error(self) -> dict[str, str]:
        """The error object of ``--format json``, which comes last."""
        error: dict[str, str] = json.loads(self.talk.splitlines()[-1])["error"]
        return error


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """``distrodeck --root R``; every command under a deadline, for nothing may hang."""

    root: Path
    prefix: tuple[str, ...] = ()
    """What goes before the command, see :func:`tests.host.as_user`."""
    flags: tuple[str, ...] = ()

    def argv(self, *words: str) -> list[str]:
        return [*self.prefix, COMMAND, "--root", str(self.root), *self.flags, *words]

    def __call__(
        self,
        *words: str,
        given: str = "",
        cwd: str | Path = "/",
        seconds: float = 60,
        env: dict[str, str] | None = None,
    ) -> Ended:
        done = subprocess.run(
            self.argv(*words),
            input=given,
            capture_output=True,
            text=True,
            cwd=cwd,
            env=_environment(**(env or {})),
            timeout=seconds,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Ended(code=done.returncode, out=done.stdout, talk=done.stderr)

    def done(self, *words: str, given: str = "", cwd: str | Path = "/") -> Ended:
        """A command that has to succeed."""
        ended = self(*words, given=given, cwd=cwd)
        assert ended.code == 0, ended.talk
        return ended

    def refused(self, *words: str, env: dict[str, str] | None = None, seconds: float = 60) -> Ended:
        """A command that has to end with a whole error: the thing, the reason, the next step."""
        ended = self("--format", "json", *words, env=env, seconds=seconds)
        assert ended.code, ended.out
        assert not ended.out
        what, colon, why = ended.error["message"].partition(": ")
        assert what, ended.error
        assert colon, ended.error
        assert why, ended.error
        assert ended.error["hint"], ended.error
        return ended

    def items(self, *words: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self.done(*words, "--format", "json").out)["items"]
        return items

    def files(self) -> set[str]:
        """What lies in the store, by name."""
        data = self.root / "data"
        return {str(path.relative_to(data)) for kept in KEPT for path in data.glob(f"{kept}/*")}

    def shown(self) -> Shown:
        """What ``ls`` and ``images`` show, but for what passes."""
        passing = ("used", "state", "sessions", "size", "unique_size", "shared_size")
        distros, images = self.items("ls"), self.items("images")
        return [{k: v for k, v in one.items() if k not in passing} for one in distros], images

    @contextmanager
    def terminal(self, *words: str) -> Iterator[Tty]:
        """A command in a terminal of its own."""
        tty = Tty(self.argv(*words), _environment())
        try:
            yield tty
        finally:
            tty.close()


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "TERM": "xterm-256color", **more}


@contextmanager
def new_deck(
    user: host.User | None = None, *, flags: tuple[str, ...] = (), length: int = 0
) -> Iterator[Deck]:
    """A deck on a new root; in the end nothing refers to the root any more."""
    root = host.make_root(user, length=length)
    try:
        yield Deck(root=root, prefix=tuple(host.as_user(user)) if user else (), flags=flags)
    finally:
        host.clear_root(root)
