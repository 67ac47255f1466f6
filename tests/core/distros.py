"""Real distros for tests: unpacked images, holders on them, conversations with shells.

Also a program, so that a test can play the same as another user::

    python -m tests.core.distros FOLDER < plan.json
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.domain import Mount, ShellSpec
from core.errors import DeckError, Unreachable
from core.runtimes.idmap import decide
from core.shells.attachment import HolderAttachment
from core.shells.launch import HolderSpec, dial, ensure_holder, find_holders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.shells.link import HolderLink

LIMIT = 20.0


def unpack(archive: Path, layer: Path) -> None:
    """Unpack a tarball with the ids that a distro of this user would have."""
    layer.mkdir(parents=True)
    owner = ["--no-same-owner"] if decide().kind == "single" else ["--same-owner"]
    command = [*decide().enter, "tar", *owner, "-xpf", str(archive), "-C", str(layer)]
    subprocess.run([*command, "--exclude=./dev/*"], check=True)


def fetch(fix: dict[str, Any], name: str, folder: Path) -> Path:
    """A file of the fixture's web server."""
    place = folder / name
    if not place.exists():
        with urllib.request.urlopen(fix["http"]["files"][name]["url"]) as answer:
            place.write_bytes(answer.read())
        place.chmod(0o644)
    return place


def holder_spec(root: Path, layers: Sequence[Path], **changes: Any) -> HolderSpec:
    """A distro in ``root`` on the given layers."""
    spec = HolderSpec(
        run=root / "run",
        distro="d1",
        name="test",
        layers=tuple(layers),
        upper=root / "upper",
        work=root / "work",
        idmap=decide(),
        linger=30,
    )
    return replace(spec, **changes)


@asynccontextmanager
async def holding(spec: HolderSpec) -> AsyncIterator[HolderLink]:
    """A running distro, stopped at the end."""
    spec.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    link = await ensure_holder(spec)
    try:
        yield link
    finally:
        link.disconnect()
        await stop_all(spec.run)


async def stop_all(run: Path) -> None:
    """Stop every distro of a run folder."""
    for link in await find_holders(run):
        async with link:
            try:
                await link.stop()
            except Unreachable:
                continue


@asynccontextmanager
async def attached(
    link: HolderLink, session: int, *, viewer: bool = False
) -> AsyncIterator[HolderAttachment]:
    """Attach to a session as a console does."""
    connection = await dial(link.folder, session, viewer=viewer)
    async with HolderAttachment.from_socket(connection) as attachment:
        yield attachment


class Screen:
    """What a person at a session would do: read until something is there, then type."""

    def __init__(self, attachment: HolderAttachment) -> None:
        self.attachment = attachment
        self.text = b""
        self.seen = b""
        self._output = attachment.output()

    async def expect(self, wanted: bytes) -> bytes:
        """Read until ``wanted`` appears; gives what came before it."""
        deadline = asyncio.get_running_loop().time() + LIMIT
        while wanted not in self.text:
            try:
                async with asyncio.timeout_at(deadline):
                    piece = await anext(self._output)
            except (StopAsyncIteration, TimeoutError):
                raise AssertionError(f"{wanted!r} never came in {self.seen!r}") from None
            if piece.stream == 1:
                self.text += piece.data
                self.seen += piece.data
        before, _, self.text = self.text.partition(wanted)
        return before

    async def type(self, data: bytes) -> None:
        """Send keys."""
        await self.attachment.write(data)

    async def rest(self) -> int:
        """Read to the end; gives the exit code."""
        async with asyncio.timeout(LIMIT):
            async for piece in self._output:
                if piece.stream == 1:
                    self.seen += piece.data
            return await self.attachment.exit_code()


async def run(
    link: HolderLink, session: int, argv: Sequence[str], *, given: bytes = b"", **spec: Any
) -> tuple[int, bytes, bytes]:
    """Run a command without a terminal: exit code, standard output, standard error."""
    order = ShellSpec(distro="test", argv=tuple(argv), tty=False, bound=True, **spec)
    await link.open(session, order)
    streams = {1: bytearray(), 2: bytearray()}
    async with attached(link, session) as attachment:
        await attachment.write(given)
        await attachment.eof()
        async with asyncio.timeout(60):
            async for piece in attachment.output():
                streams[piece.stream] += piece.data
            return await attachment.exit_code(), bytes(streams[1]), bytes(streams[2])


async def play(folder: Path, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Carry out a plan as the user of this process; see :func:`main`."""
    layers = [Path(layer) for layer in plan.get("layers", [])]
    changes = plan.get("changes", {})
    for archive in plan.get("archives", []):
        layer = folder / "layers" / Path(archive).name
        if not layer.exists():
            unpack(Path(archive), layer)
        layers.append(layer)
    masks = tuple(Path(path) for path in changes.pop("masks", ()))
    results: list[dict[str, Any]] = []
    async with holding(holder_spec(folder, layers, masks=masks, **changes)) as link:
        for number, step in enumerate(plan["steps"], plan.get("first", 2)):
            try:
                results.append(await _step(link, number, dict(step)))
            except DeckError as error:
                results.append({"error": error.code, "message": error.message, "hint": error.hint})
    return results


async def _step(link: HolderLink, number: int, step: dict[str, Any]) -> dict[str, Any]:
    talk = step.pop("talk", None)
    step["binds"] = tuple(Mount(**bind) for bind in step.get("binds", ()))
    step["env"] = tuple((name, value) for name, value in step.get("env", ()))
    if talk is None:
        code, out, err = await run(link, number, step.pop("argv"), **step)
        return {"code": code, "out": out.decode(), "err": err.decode()}
    step["argv"] = tuple(step.get("argv", ()))
    await link.open(number, ShellSpec(distro="test", **step))
    async with attached(link, number) as attachment:
        screen = Screen(attachment)
        for expected, keys in talk:
            await screen.expect(expected.encode())
            await screen.type(keys.encode())
        code = await screen.rest()
    return {"code": code, "out": screen.seen.decode()}


def play_as(prefix: list[str], folder: Path, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """:func:`play` in a process of another user; ``prefix`` is what makes it that user's."""
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "tests.core.distros", str(folder)],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def main() -> None:
    """Read a plan from standard input, print the result of each step."""
    os.umask(0o022)
    results = asyncio.run(play(Path(sys.argv[1]), json.load(sys.stdin)))
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
