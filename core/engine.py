"""The Engine protocol: every verb of distrodeck, whoever carries it out.

Four small protocols, one whole. The verbs of ``dev.avyos.distro`` are its spine: List, Pull,
Run, Remove, ShellOpen, ShellInput, ShellResize, ShellClose and the facts ShellOutput, ShellExit.

An engine object belongs to one caller (:class:`core.domain.Caller`); rights are checked inside
the engine. Every method raises :class:`core.errors.DeckError` and nothing else a caller could
act on. Cancelling a call leaves no half-made thing; cancelling a wait for a job leaves the job
running.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from core.errors import NoSpace
from core.verbs.archives import Archives
from core.verbs.builds import Builds
from core.verbs.changes import Changes
from core.verbs.contents import Contents
from core.verbs.registries import Registries
from core.verbs.storage import Storage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from core.domain import (
        Catalog,
        Check,
        Distro,
        EngineInfo,
        HistoryEntry,
        Image,
        Job,
        PullSpec,
        RunResult,
        RunSpec,
        Session,
        ShellSpec,
    )
    from core.events import Event
    from core.verbs.storage import ImageQuery


RESIZE, RESTORE = 0, 3
"""Kinds of :attr:`Output.stream` that are no text."""


@runtime_checkable
class Images(Protocol):
    """Images in the store. A ``name`` is a reference, a digest or unique prefix, or a distro."""

    async def images(self, query: ImageQuery | None = None) -> list[Image]:
        """The images that ``query`` lets through, newest first; None: all but steps of builds.

        Raises:
            InvalidInput: a filter that cannot be.
            NotFound: no such image as a filter names.
        """
        ...

    async def image(self, name: str) -> Image:
        """One image. Raises: NotFound."""
        ...

    async def history(self, name: str) -> list[HistoryEntry]:
        """Its history, newest first as ``podman history`` shows it. Raises: NotFound."""
        ...


@runtime_checkable
class Distros(Protocol):
    """Installed distros and what can be installed."""

    async def distros(self) -> list[Distro]:
        """All installed distros by name (List, Available = false)."""
        ...

    async def distro(self, name: str) -> Distro:
        """One distro. Raises: NotFound."""
        ...

    async def catalog(self) -> Catalog:
        """What can be installed (List, Available = true), from the cache; never waits."""
        ...

    async def refresh(self) -> Job:
        """Read the catalog's sources again."""
        ...

    async def pull(self, spec: PullSpec) -> Job:
        """Fetch and install; the same pull asked twice is one job.

        Raises:
            InvalidInput: malformed name or source; nothing was started.
            NotFound: the name is in no catalog.
            Conflict: the name is taken by something from another source.
        """
        ...

    async def remove(self, name: str, *, force: bool = False, now: bool = False) -> None:
        """Remove a distro and its writable layer; for a day ``undo`` brings it back.

        ``now``: nothing does, and its space is given back, with that of its image if nothing
        else uses it.

        Raises:
            NotFound: there is none.
            Conflict: sessions run in it and ``force`` is false.
        """
        ...

    async def start(self, name: str) -> Distro:
        """Start its sandbox and keep it up without sessions. Idempotent."""
        ...

    async def stop(self, name: str) -> Distro:
        """End every process in it; its changes stay. Idempotent."""
        ...

    async def restart(self, name: str) -> Distro:
        """Stop, then start."""
        ...


@runtime_checkable
class Attachment(Protocol):
    """One client's hold on a session.

    First read :attr:`checkpoint`, then :meth:`output`: fed in that order to an emulator they
    give the session's screen, whole. A *controller* may write, resize and hand in checkpoints;
    a viewer's calls of these are ignored.
    """

    @property
    def session(self) -> Session:
        """The session as it was when attached."""
        ...

    @property
    def controller(self) -> bool:
        """Whether this client answers the terminal's queries and hands in checkpoints."""
        ...

    @property
    def checkpoint(self) -> bytes:
        """Opaque state to restore first; empty: start from a blank screen."""
        ...

    @property
    def checkpoint_size(self) -> tuple[int, int]:
        """Rows and columns at the checkpoint, or at the start of the session without one."""
        ...

    def output(self) -> AsyncIterator[Output]:
        """What came since the checkpoint, then what comes, until the session ends."""
        ...

    async def write(self, data: bytes) -> None:
        """Input for the session; waits while the other side is not reading."""
        ...

    async def eof(self) -> None:
        """End of input (sessions without a TTY); a TTY gets ctrl+D from its client."""
        ...

    async def resize(self, rows: int, columns: int) -> None:
        """Set the size; values below 1 are ignored."""
        ...

    async def signal(self, number: int) -> None:
        """Send a signal to the session's foreground process group."""
        ...

    async def hand_in(self, checkpoint: bytes, offset: int) -> None:
        """Give the holder a checkpoint taken when ``offset`` was :attr:`Output.offset`."""
        ...

    async def exit_code(self) -> int:
        """Wait for the end; the command's exit code, 128 + signal if a signal ended it."""
        ...


@runtime_checkable
class Output(Protocol):
    """A piece of what a session wrote, or a change of its size, in order."""

    @property
    def stream(self) -> int:
        """1 standard output or the PTY, 2 standard error, 0 a resize, 3 a checkpoint.

        3 comes to a client so slow that what it had not read is gone: like at the beginning,
        :attr:`data` is to be restored, at :attr:`size`, in place of the screen so far.
        """
        ...

    @property
    def data(self) -> bytes:
        """Raw bytes; empty for a resize."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns, for a resize or checkpoint; (0, 0) otherwise."""
        ...

    @property
    def offset(self) -> int:
        """Position in the session's log after this piece."""
        ...

    @property
    def replay(self) -> bool:
        """True while this is history: a terminal query in it must not be answered again."""
        ...


def check_whole(piece: Output) -> None:
    """For whoever must not miss a byte of a session without a terminal.

    Raises:
        NoSpace: the engine had to throw output away before it was read.
    """
    if piece.stream == RESTORE:
        raise NoSpace(
            "output", "some of it was lost", hint="the engine's disk is full: free some space"
        )


@runtime_checkable
class Shells(Protocol):
    """Sessions, and commands that run to their end."""

    async def sessions(self) -> list[Session]:
        """Live sessions and those that ended lately, by id."""
        ...

    async def open(self, spec: ShellSpec) -> Session:
        """Open a session (ShellOpen).

        Raises:
            NotFound: no such distro, user, or working directory.
            InvalidInput: a bind without a source.
            CommandNotFound: nothing to execute under that name, or no shell in the image.
            CommandNotExecutable: the kernel refuses it.
            HostForbids: this machine does not allow sandboxes.
        """
        ...

    def attach(
        self, session: int, *, viewer: bool = False
    ) -> AbstractAsyncContextManager[Attachment]:
        """Watch and (unless ``viewer``) control a session. Leaving it leaves the session be."""
        ...

    async def input(self, session: int, data: bytes) -> None:
        """ShellInput, for callers without an attachment."""
        ...

    async def resize(self, session: int, rows: int, columns: int) -> None:
        """ShellResize; values below 1 are ignored."""
        ...

    async def close(self, session: int) -> None:
        """ShellClose: SIGHUP, after a grace time SIGKILL; success also when it already ended."""
        ...

    async def run(self, spec: RunSpec) -> RunResult:
        """Run a command to its end and give what it wrote (Run)."""
        ...


@runtime_checkable
class Jobs(Protocol):
    """Long operations."""

    async def jobs(self) -> list[Job]:
        """Running jobs and those that ended lately, newest first."""
        ...

    def watch(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[Job]]:
        """The job as it is, then each newer state, until it ended."""
        ...

    async def result(self, job: str) -> Job:
        """Wait for the end. Raises: the job's own error, if it failed."""
        ...

    async def cancel(self, job: str) -> None:
        """Ask it to stop; what can be resumed is kept. Success also when it already ended."""
        ...

    async def pause(self, job: str) -> Job:
        """Hold it where it is; another one that waits may run. Idempotent.

        Raises:
            NotFound: there is no such job.
            Conflict: it has ended.
        """
        ...

    async def resume(self, job: str) -> Job:
        """Let a paused one go on, or wait for its turn. Idempotent. Raises: as :meth:`pause`."""
        ...


@runtime_checkable
class Engine(
    Images,
    Distros,
    Shells,
    Jobs,
    Archives,
    Builds,
    Changes,
    Contents,
    Registries,
    Storage,
    Protocol,
):
    """All of it."""

    async def info(self) -> EngineInfo:
        """What engine this is, and where it keeps its things."""
        ...

    async def doctor(self) -> list[Check]:
        """Try what distros need on this host; each check under a deadline of a second."""
        ...

    def events(self) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """First the state of everything as events, then what changes."""
        ...
