"""An engine in memory whose sessions are real processes of this host, without any sandbox.

It shows what the command line does with bytes, signals and states; what the real engine does is
shown in its own tests and in ``test_end_to_end.py``.
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain import (
    Catalog,
    CatalogEntry,
    CatalogStatus,
    Check,
    Distro,
    EngineInfo,
    HistoryEntry,
    Image,
    Job,
    JobError,
    Layer,
    LayerState,
    PullSpec,
    Session,
    ShellSpec,
)
from core.errors import (
    CommandNotExecutable,
    CommandNotFound,
    Conflict,
    DaemonUnreachable,
    NotFound,
    by_code,
)
from core.verbs.contents import Inspection, RunDefaults
from core.verbs.registries import Login

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.verbs.registries import LoginSpec
    from core.verbs.storage import ImageQuery

DIGEST = "sha256:" + "ab12" * 16
LAYER = Layer(
    digest="sha256:" + "1f" * 32, diff_id="sha256:" + "2e" * 32, size=3_000_000, media_type="tar"
)
THEN = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class Piece:
    stream: int
    data: bytes
    size: tuple[int, int] = (0, 0)
    offset: int = 0
    replay: bool = False


async def ready(descriptor: int, *, to_write: bool = False) -> None:
    """Wait until a descriptor can be read or written."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    add, remove = (
        (loop.add_writer, loop.remove_writer) if to_write else (loop.add_reader, loop.remove_reader)
    )
    add(descriptor, event.set)
    try:
        await event.wait()
    finally:
        remove(descriptor)


class Process:
    """A process of this host with three pipes or a PTY, all of them non-blocking."""

    def __init__(self, spec: ShellSpec) -> None:
        self.argv = spec.argv or ("/bin/sh",)
        self.outputs: dict[int, int] = {}
        if spec.tty:
            self.input, child = pty.openpty()
            termios.tcsetwinsize(child, (spec.rows, spec.columns))
            self.outputs = {1: self.input}
            children = [child, child, child]
        else:
            inward, self.input = os.pipe()
            self.outputs[1], outward = os.pipe()
            self.outputs[2], errors = os.pipe()
            children = [inward, outward, errors]
        try:
            self.popen = subprocess.Popen(
                ["setsid", *(["--ctty"] if spec.tty else []), "env", *self.argv],
                stdin=children[0],
                stdout=children[1],
                stderr=children[2],
                cwd=spec.workdir or None,
                env={**os.environ, **dict(spec.env)},
            )
        finally:
            for descriptor in set(children):
                os.close(descriptor)
        self.pidfd = os.pidfd_open(self.popen.pid)
        for descriptor in {self.input, *self.outputs.values()}:
            os.set_blocking(descriptor, False)

    def end(self) -> None:
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        for descriptor in {self.input, self.pidfd, *self.outputs.values()} - {-1}:
            os.close(descriptor)


class HostAttachment:
    def __init__(self, session: Session, process: Process) -> None:
        self.session = session
        self.controller = True
        self.checkpoint = b""
        self.checkpoint_size = (session.rows, session.columns)
        self._process = process
        self._pieces: asyncio.Queue[Piece | None] = asyncio.Queue(8)

    async def read(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number, descriptor in self._process.outputs.items():
                group.create_task(self._read(number, descriptor))
        await self._pieces.put(None)

    async def _read(self, number: int, descriptor: int) -> None:
        while True:
            await ready(descriptor)
            try:
                data = os.read(descriptor, 65536)
            except OSError:  # a PTY that nobody has open any more
                data = b""
            if not data:
                return
            await self._pieces.put(Piece(number, data))

    async def output(self) -> AsyncIterator[Piece]:
        while piece := await self._pieces.get():
            yield piece

    async def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._process.input, rest) :]
            except BlockingIOError:
                await ready(self._process.input, to_write=True)
            except OSError:
                raise NotFound("session", "ended") from None

    async def eof(self) -> None:
        os.close(self._process.input)
        self._process.input = -1

    async def resize(self, rows: int, columns: int) -> None:
        if self.session.tty:
            termios.tcsetwinsize(self._process.input, (rows, columns))
            await self._pieces.put(Piece(0, b"", (rows, columns)))

    async def signal(self, number: int) -> None:
        try:
            os.killpg(self._process.popen.pid, number)
        except ProcessLookupError:
            raise NotFound("session", "ended") from None

    async def exit_code(self) -> int:
        await ready(self._process.pidfd)
        code = self._process.popen.wait()
        return code if code >= 0 else 128 - code


class HostEngine:
    def __init__(self) -> None:
        self._distros = {
            "base": Distro(name="base", url="127.0.0.1:5600/lib/base", size=10, created=THEN),
            "dev": Distro(
                name="dev",
                url="127.0.0.1:5600/lib/dev",
                version="12",
                path="/var/lib/distrodeck/distros/dev",
                size=78_100_000,
                unique_size=100_000,
                shared_size=78_000_000,
                image_digest=DIGEST,
                sessions=1,
                state="running",
                created=THEN,
                used=THEN,
                os_name="Debian \x1b[31m12",
            ),
        }
        self._image = Image(
            digest=DIGEST,
            config_digest="sha256:" + "cd" * 32,
            references=("127.0.0.1:5600/lib/dev:latest",),
            created=THEN,
            pulled=THEN,
            layers=(LAYER,),
            size=78_000_000,
            transfer_size=3_000_000,
            distros=("dev",),
        )
        self._jobs: dict[str, Job] = {}
        self._cancelled = asyncio.Event()
        self._sessions: dict[int, tuple[Session, Process]] = {}

    async def distros(self) -> list[Distro]:
        return list(self._distros.values())

    async def distro(self, name: str) -> Distro:
        if name == "hang":
            await asyncio.Event().wait()
        if name == "gone":
            raise DaemonUnreachable("engine daemon", "the connection ended")
        if name not in self._distros:
            raise NotFound(name, "no such distro", hint="distrodeck ls")
        return self._distros[name]

    async def remove(self, name: str, *, force: bool = False, now: bool = False) -> None:
        if (await self.distro(name)).sessions and not force:
            raise Conflict(name, "1 session runs in it", hint="add --force")
        del self._distros[name]

    async def start(self, name: str) -> Distro:
        return replace(await self.distro(name), state="running")

    async def stop(self, name: str) -> Distro:
        return replace(await self.distro(name), state="stopped")

    restart = start

    async def images(self, query: ImageQuery | None = None) -> list[Image]:
        return [self._image]

    async def image(self, name: str) -> Image:
        if name not in (DIGEST, "dev", *self._image.references):
            raise NotFound(name, "no such image")
        return self._image

    async def inspect(self, name: str) -> Inspection:
        return Inspection(image=await self.image(name), config=RunDefaults(cmd=("sh",)))

    async def history(self, name: str) -> list[HistoryEntry]:
        await self.image(name)
        return [
            HistoryEntry(created=THEN, created_by="RUN apt-get install", layer=LAYER, size=9),
            HistoryEntry(created_by="ENV A=\x1b]52;c;aGk=\x07"),
        ]

    async def catalog(self) -> Catalog:
        return Catalog(
            entries=(
                CatalogEntry(name="host", source="host:", catalog="builtin", kind="host"),
                CatalogEntry(
                    name="debian/12",
                    source="http://127.0.0.1:5604/rootfs.tar.xz",
                    catalog="lab",
                    size=29_000_000,
                    checksum="sha256:feed",
                    kind="rootfs",
                ),
            ),
            sources=(
                CatalogStatus(name="builtin", kind="builtin", entries=1),
                CatalogStatus(name="lab", kind="simplestreams", entries=1, error="refused"),
            ),
        )

    async def refresh(self) -> Job:
        return self._add(Job(id="refresh-1", kind="refresh", title="catalog", state="done"))

    async def login(self, spec: LoginSpec) -> Login:
        return Login(host=spec.host, username=spec.credentials.username, kept="a test")

    async def pull(self, spec: PullSpec) -> Job:
        if seen := os.environ.get("HOST_ENGINE_SPECS"):
            Path(seen).write_text(json.dumps(asdict(spec)))
        title = spec.name or spec.source.rpartition("/")[2]
        return self._add(
            Job(id="pull-1", kind="pull", title=title, state="queued", started=time.time())
        )

    def _add(self, job: Job) -> Job:
        self._jobs[job.id] = job
        return job

    async def jobs(self) -> list[Job]:
        return list(self._jobs.values())

    @asynccontextmanager
    async def watch(self, job: str) -> AsyncIterator[AsyncIterator[Job]]:
        yield self._states(job)

    async def _states(self, name: str) -> AsyncIterator[Job]:
        job = self._jobs[name]
        if job.state == "done":
            yield job
            return
        for done in (0, 1_000_000, 3_000_000):
            layers = (LayerState(digest=LAYER.digest, phase="fetch", done=done, total=3_000_000),)
            job = replace(job, state="running", phase="fetch", layers=layers, done=done)
            job = self._add(replace(job, total=3_000_000))
            yield job
            if "slow" in job.title:
                await self._cancelled.wait()
                error = JobError(code="cancelled", message=f"{job.title}: cancelled", kept="1 MB")
                yield self._add(replace(job, state="cancelled", error=error))
                return
        if "private" in job.title:
            error = JobError(code="login_needed", message=f"{job.title}: 401", hint="--creds")
            yield self._add(replace(job, state="failed", error=error))
            return
        layers = (replace(layers[0], phase="done"),)
        self._distros[job.title] = Distro(name=job.title, url="x")
        yield self._add(
            replace(job, state="done", layers=layers, result=job.title, warnings=("one uid only",))
        )

    async def result(self, job: str) -> Job:
        found = self._jobs[job]
        if found.error:
            error = found.error
            raise by_code(error.code)(error.message, hint=error.hint, kept=error.kept)
        return found

    async def cancel(self, job: str) -> None:
        if job not in self._jobs:
            raise NotFound(job, "no such job")
        if "stubborn" not in self._jobs[job].title:
            self._cancelled.set()

    async def sessions(self) -> list[Session]:
        return [session for session, _ in self._sessions.values()]

    async def open(self, spec: ShellSpec) -> Session:
        await self.distro(spec.distro)
        argv = spec.argv or ("/bin/sh",)
        found = shutil.which(argv[0])
        if "/" in argv[0] and Path(argv[0]).exists() and not found:
            raise CommandNotExecutable(argv[0], "not executable")
        if not found:
            raise CommandNotFound(argv[0], "no such command in the distro")
        session = Session(
            id=2,
            distro=spec.distro,
            argv=argv,
            state="running",
            started=THEN,
            rows=spec.rows,
            columns=spec.columns,
            tty=spec.tty,
        )
        self._sessions[2] = (session, Process(spec))
        return session

    @asynccontextmanager
    async def attach(self, session: int, *, viewer: bool = False) -> AsyncIterator[HostAttachment]:
        if session not in self._sessions:
            raise NotFound(f"session {session}", "no such session")
        attachment = HostAttachment(*self._sessions[session])
        reading = asyncio.ensure_future(attachment.read())
        try:
            yield attachment
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def close(self, session: int) -> None:
        if session in self._sessions:
            with suppress(ProcessLookupError):
                os.killpg(self._sessions[session][1].popen.pid, signal.SIGKILL)

    def end(self) -> None:
        for _, process in self._sessions.values():
            process.end()

    async def info(self) -> EngineInfo:
        return EngineInfo(version="0.1.0", pid=os.getpid(), root="/var/lib/distrodeck")

    async def doctor(self) -> list[Check]:
        broken = Check(
            name="user namespaces",
            ok=not os.environ.get("HOST_ENGINE_BROKEN"),
            detail="refused",
            lost="rootless shells",
            repair="sysctl kernel.unprivileged_userns_clone=1",
            required=True,
        )
        return [broken, Check(name="kvm", ok=False, lost="VM runner")]


@asynccontextmanager
async def open_engine(
    *, root: Path | None = None, embedded: bool = False, start: bool = True
) -> AsyncIterator[HostEngine]:
    engine = HostEngine()
    try:
        yield engine
    finally:
        engine.end()


def main() -> int:
    """``distrodeck`` on this engine."""
    import core.connect

    core.connect.open_engine = open_engine  # type: ignore[assignment]
    from tui.cli.main import main as real

    return real()


if __name__ == "__main__":
    sys.exit(main())
