"""Steps that change files: RUN, COPY, ADD and WORKDIR."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.builds import copying
from core.builds.cache import step_key
from core.builds.commands import bound_files, mount_specs, read_run, run_spec
from core.builds.copying import Copy, context_group, folder_group, layers_group, read_copy
from core.builds.running import place, run
from core.builds.stages import PROXIES
from core.errors import Corrupt, DeckError, NotFound, by_code
from core.images.assemble import ImageLayer, assemble, stored_config, stored_layers
from core.images.download import file_name
from core.images.layering import copy_for_layer, pack_copy
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from core.builds.builder import Means
    from core.builds.context import Context
    from core.builds.dockerfile import Instruction
    from core.builds.spec import GroupSpec, OverlaySpec, PlaceSpec
    from core.builds.state import State
    from core.images.layering import PackedLayer
    from core.verbs.builds import BuildSpec

_TAIL = 3
_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
_KILLED = 128 + 9
"""Lines of a failed command's output that its error repeats."""


@contextmanager
def located(step: Instruction) -> Iterator[None]:
    """Let an error say where in the Dockerfile it came up."""
    try:
        yield
    except DeckError as error:
        if error.what.startswith((f"{step.file}:", "ONBUILD of ")):
            raise
        raise by_code(error.code)(
            f"{step.file}:{step.line}",
            f"{step.keyword}: {error.message}",
            hint=error.hint,
            kept=error.kept,
            retry_after=error.retry_after,
        ) from error


@contextmanager
def _mounting(step: Instruction) -> Iterator[None]:
    """Let a mount that cannot be say so."""
    try:
        yield
    except OSError as error:
        why = (error.strerror or "not there").lower()
        raise step.fault(f"--mount: {why}", hint="name what the context has") from None


class Steps:
    """Carries them out, or finds them done."""

    def __init__(
        self,
        spec: BuildSpec,
        context: Context,
        means: Means,
        source_layers: Callable[[str, int], Awaitable[tuple[list[Path], str]]],
    ) -> None:
        self._spec = spec
        self._context = context
        self._means = means
        self._source_layers = source_layers

    async def workdir(self, state: State, step: Instruction) -> str:
        """Make the working directory if it is not there."""

        async def work(folder: Path, overlay: OverlaySpec) -> None:
            user = str(state.config.get("User") or "")
            await self._place(folder, overlay, [], state.workdir, owner=user)

        return await self._change(state, step, ["WORKDIR", state.workdir], work)

    async def run(self, state: State, step: Instruction, say: Callable[[str, int], None]) -> str:
        """Run a command."""
        command = read_run(step, state)

        async def work(folder: Path, overlay: OverlaySpec) -> None:
            with _mounting(step):
                mounts = await asyncio.to_thread(
                    mount_specs, command, folder, self._means.caches, self._context.root
                )
            namespaces = self._means.idmap.namespaces
            told = run_spec(command, state, overlay, namespaces=namespaces, mounts=mounts)
            told["command"]["env"] = [
                *((name, value) for name, value in self._proxies()),
                *told["command"]["env"],
            ]
            last: list[str] = []

            def hear(text: str, stream: int) -> None:
                if text.strip():
                    last[:] = [*last[1 - _TAIL :], text]
                say(text, stream)

            code = await run(told, folder / "run.json", hear)
            if code:
                said = f": {clean(' / '.join(last), 300)}" if last else ""
                where = f"{step.file}:{step.line}"
                why = f"RUN ended with exit code {code}{said}"
                raise DeckError(where, why, hint=_what_to_try(code, state.image))

        with _mounting(step):
            bound = await asyncio.to_thread(bound_files, command, self._context)
        parts = [*command.described, *state.used_arguments(), *bound]
        return await self._change(state, step, parts, work)

    def _proxies(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self._spec.arguments if name in PROXIES]

    async def copy(self, state: State, step: Instruction, stage: int) -> str:
        """COPY or ADD."""
        copy = read_copy(step, state)
        inputs = self._means.store.intake.new_stage()
        try:
            groups, parts = await self._gather(copy, inputs, stage)

            async def work(folder: Path, overlay: OverlaySpec) -> None:
                await self._place(
                    folder, overlay, groups, copy.target, owner=copy.owner, mode=copy.mode
                )

            parts += [step.keyword, copy.target, copy.owner, str(copy.mode)]
            return await self._change(state, step, parts, work)
        finally:
            self._means.store.layout.discard(inputs)

    async def _gather(
        self, copy: Copy, folder: Path, stage: int
    ) -> tuple[list[GroupSpec], list[str]]:
        """Where files come from, and digests of all of them."""
        groups: list[GroupSpec] = []
        parts: list[str] = []
        if copy.source:
            if copy.urls or not copy.paths or copy.documents:
                raise copy.step.fault("--from goes with paths alone")
            layers, name = await self._source_layers(copy.source, stage)
            return [layers_group(layers, copy.paths)], [name, *copy.paths]
        if copy.paths:
            group, found = await asyncio.to_thread(context_group, copy, self._context)
            groups.append(group)
            parts += [found, *copy.paths]
        for number, url in enumerate(copy.urls):
            name, digest, group = await self._download(copy, url, folder / f"url-{number}")
            groups.append(group)
            parts += [name, digest]
        if copy.documents:
            group = await asyncio.to_thread(copying.write_documents, copy, folder / "documents")
            groups.append(group)
            parts += [part for name, data in copy.documents for part in (name, data.decode())]
        return groups, parts

    async def _download(self, copy: Copy, url: str, folder: Path) -> tuple[str, str, GroupSpec]:
        await asyncio.to_thread(folder.mkdir)
        name = file_name(url.partition("?")[0])
        if url.partition("?")[0].endswith("/") and copy.target.endswith("/"):
            raise copy.step.fault("the URL names no file", hint="give the target a name")
        digest = await self._means.download(url, folder / name)
        if copy.checksum and copy.checksum != digest:
            raise Corrupt(clean(url, 200), f"has the digest {digest}, not the one that was given")
        return name, digest, folder_group(folder, [copying.literal(name)])

    async def _place(
        self,
        folder: Path,
        overlay: OverlaySpec,
        groups: list[GroupSpec],
        target: str,
        *,
        owner: str = "",
        mode: int = -1,
    ) -> None:
        spec: PlaceSpec = {
            "overlay": overlay,
            "groups": groups,
            "target": target,
            "owner": owner,
            "mode": mode,
            "owners": self._means.store.owners,
            "limits": asdict(self._means.store.limits),
        }
        namespaces = self._means.idmap.namespaces
        for warning in await place(spec, folder / "place.json", namespaces=namespaces):
            self._means.report.warn(warning)

    # -- what they have in common ---------------------------------------------------------

    async def _change(
        self,
        state: State,
        step: Instruction,
        parts: list[str],
        work: Callable[[Path, OverlaySpec], Awaitable[None]],
    ) -> str:
        """Do ``work`` on the stage's files and make a layer of it, unless that was done before."""
        means, store = self._means, self._means.store
        key = step_key(state.key, *parts)
        if self._spec.cache:
            known = await asyncio.to_thread(means.cache.get, key)
            if known and await self._adopt(state, known):
                state.key = key
                return "cached"
        layers = store.layer_paths(state.image) if state.image else []
        folder = store.intake.new_stage()
        overlay: OverlaySpec = {
            "folder": str(folder / "mount"),
            "layers": [str(path) for path in layers],
            "upper": str(folder / "upper"),
            "work": str(folder / "work"),
        }
        (folder / "mount").mkdir()
        try:
            await work(folder, overlay)
            packed = await self._pack(folder / "upper")
        except BaseException as error:
            if self._spec.keep_failed and isinstance(error, DeckError):
                error.kept = f"what it wrote is in {folder / 'upper'} until the engine ends"
            else:
                store.layout.discard(folder)
            raise
        store.layout.discard(folder)
        await self._commit(state, step, packed)
        state.key = key
        await asyncio.to_thread(means.cache.put, key, state.image)
        return "done"

    async def _pack(self, upper: Path) -> PackedLayer | None:
        store = self._means.store
        copied = await copy_for_layer(store, upper)
        if copied.empty:
            store.layout.discard(copied.folder)
            return None
        return await pack_copy(store, self._means.lease, copied)

    async def _commit(self, state: State, step: Instruction, packed: PackedLayer | None) -> None:
        means, store = self._means, self._means.store
        layers = list(stored_layers(store, state.image)) if state.image else []
        state.note(step.original, packed.layer if packed else None)
        if packed:
            layers.append(ImageLayer(layer=packed.layer, key=packed.key))
            for warning in packed.warnings:
                means.report.warn(warning)
        made = await assemble(
            store,
            state.document,
            layers,
            lease=means.lease,
            name=f"{step.file}:{step.line}",
            origin="build",
            parent=state.image,
            intermediate=True,
            pinned=True,
        )
        state.image = made.digest

    def usable(self, digest: str) -> bool:
        """Whether an image that a cache names is there, whole."""
        try:
            return not self._means.store.image(digest).broken
        except NotFound:
            return False

    async def _adopt(self, state: State, digest: str) -> bool:
        """Go on from what an earlier build came to at this step."""
        store = self._means.store
        await store.intake.hold(self._means.lease, {digest})
        if not self.usable(digest):
            return False
        state.document = json.loads(stored_config(store, digest))
        state.image = digest
        return True


def _what_to_try(code: int, image: str) -> str:
    """The next step after a command that ended with ``code`` on top of ``image``."""
    if code == _NOT_FOUND:
        return "install the command in a step before, or look at its spelling"
    if code == _NOT_EXECUTABLE:
        return "make the file executable (chmod +x), or name its interpreter"
    if code == _KILLED:
        return "it was killed, for want of memory perhaps: dmesg would tell"
    if not image:
        return "look at what the command says above"
    short = image.partition(":")[2][:12]
    return f"do it by hand on the step before: distrodeck create try {short}, distrodeck shell try"
