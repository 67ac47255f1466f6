"""Carry out a Dockerfile, stage by stage, step by step.

A step that changes files works on a fresh upper directory over the layers so far, which is then
packed as a layer and committed as an image; the next build finds that image by the step's key. A
build that is killed leaves committed images and nothing else: what was being written lies in the
store's staging folder, which is emptied at its next opening.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from core.builds.dockerfile import parse_dockerfile
from core.builds.stages import PROXIES, SCRATCH, argument_pairs, plan, replaced
from core.builds.state import State
from core.builds.steps import Steps, located
from core.errors import NotFound
from core.images.assemble import assemble, stored_config, stored_layers
from core.images.changes import apply_change, changes_config
from core.images.reference import parse_platform, parse_reference
from core.verbs.builds import BuildLine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from core.builds.cache import StepCache
    from core.builds.context import Context
    from core.builds.dockerfile import Instruction
    from core.builds.stages import Plan, Stage
    from core.domain import Platform
    from core.images.reference import Reference
    from core.runtimes.idmap import IdMap
    from core.store.lease import Lease
    from core.store.store import Store
    from core.verbs.builds import BuildSpec


class Reporter(Protocol):
    """Who hears how a build goes."""

    def say(self, line: BuildLine) -> None:
        """One line."""
        ...

    def at(self, step: int, steps: int, doing: str) -> None:
        """A step begins."""
        ...

    def warn(self, text: str) -> None:
        """Something the person should know at the end, too."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a build works with."""

    store: Store
    lease: Lease
    idmap: IdMap
    cache: StepCache
    caches: Path
    """Folders of ``RUN --mount=type=cache``."""
    platform: Platform
    host: Platform
    fetch: Callable[[Reference, Platform | None], Awaitable[str]]
    """Brings an image into the store and gives its digest."""
    download: Callable[[str, Path], Awaitable[str]]
    """Brings a URL into a new file and gives its digest."""
    report: Reporter


@dataclass(slots=True)
class _Count:
    """Where a build is."""

    step: int = 0
    steps: int = 0
    began: float = 0.0
    built: dict[int, State] = field(default_factory=dict)


class Build:
    """One build."""

    def __init__(self, spec: BuildSpec, context: Context, means: Means) -> None:
        """Raises: InvalidInput, NotFound: the Dockerfile cannot be understood."""
        self._spec = spec
        self._context = context
        self._means = means
        self._given = dict(spec.arguments)
        self._used: set[str] = set()
        self._count = _Count()
        instructions = parse_dockerfile(context.dockerfile, context.file)
        self._plan: Plan = plan(instructions, self._given, self._platform_arguments())
        self._target = self._plan.target(spec.target)
        self._used |= self._plan.used
        needed = self._plan.needed(self._target)
        self._count.steps = sum(1 + len(stage.steps) for stage in needed)
        self._steps = Steps(spec, context, means, self._source_layers)

    def _platform_arguments(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for prefix, one in (("TARGET", self._means.platform), ("BUILD", self._means.host)):
            found |= {
                f"{prefix}PLATFORM": str(one),
                f"{prefix}OS": one.os,
                f"{prefix}ARCH": one.architecture,
                f"{prefix}VARIANT": one.variant,
            }
        return found

    async def run(self) -> str:
        """Build the target and give the image's digest.

        Raises:
            DeckError: what went wrong, with file and line where it belongs to one.
        """
        state = await self._stage(self._target)
        for name in sorted(self._given.keys() - self._used - set(PROXIES)):
            self._means.report.warn(f"nothing in the Dockerfile uses the build argument {name}")
        return await self._commit(state)

    # -- stages ---------------------------------------------------------------------------

    async def _stage(self, stage: Stage) -> State:
        """What a stage comes to; built once, when it is first needed."""
        if stage.number in self._count.built:
            return self._count.built[stage.number]
        below = self._plan.base_stage(stage)
        before = await self._stage(below) if below else None
        self._begin(stage.start)
        with located(stage.start):
            state = before.next_stage() if before else await self._base(stage)
        self._end("done")
        for step in self._triggers(state, stage):
            self._count.steps += 1
            await self._step(stage, state, step)
        for step in stage.steps:
            await self._step(stage, state, step)
        self._count.built[stage.number] = state
        return state

    async def _base(self, stage: Stage) -> State:
        if stage.base == SCRATCH:
            return State.scratch(self._means.platform)
        digest = await self._image(stage.base, stage.platform)
        return self._load(digest)

    def _load(self, digest: str) -> State:
        store = self._means.store
        document = json.loads(stored_config(store, digest))
        return State.on_image(document, digest, store.image(digest).config_digest)

    async def _image(self, name: str, platform: str = "") -> str:
        """Digest of an image, from the store or its registry; held until the build is over."""
        store, means = self._means.store, self._means
        wanted = means.platform
        if platform:
            wanted = parse_platform(platform)
        found = "" if self._spec.pull else self._stored(name, wanted)
        asked = wanted if platform or self._spec.platform else None
        found = found or await means.fetch(parse_reference(name), asked)
        await store.intake.hold(means.lease, {found})
        return found

    def _stored(self, name: str, platform: Platform) -> str:
        store = self._means.store
        bare = name.removeprefix("sha256:")
        by_digest = len(bare) >= 12 and all(char in "0123456789abcdef" for char in bare)
        try:
            if by_digest:
                return store.find_image(name).digest
            reference = parse_reference(name)
            full = f"{reference.name}@{reference.digest}" if reference.digest else str(reference)
            image = store.find_image(full)
        except NotFound:
            return ""
        same = (image.platform.os, image.platform.architecture)
        suits = same == (platform.os, platform.architecture) and not image.broken
        return image.digest if suits else ""

    def _triggers(self, state: State, stage: Stage) -> list[Instruction]:
        """What the base has put off until something is built on it."""
        lines = state.config.pop("OnBuild", None) or []
        found: list[Instruction] = []
        for line in lines:
            found += parse_dockerfile(str(line).encode(), f"ONBUILD of {stage.base}")
        return found

    async def _source_layers(self, name: str, before: int) -> tuple[list[Path], str]:
        """The layers of a stage or an image that files are copied from, and what they are."""
        store = self._means.store
        if stage := self._plan.find(name, before):
            state = await self._stage(stage)
            digest = state.image
        elif name.isdigit():
            raise NotFound(name, "no such stage before this one", hint="stages count from 0")
        else:
            digest = await self._image(name)
        layers = store.layer_paths(digest) if digest else []
        return layers, store.image(digest).config_digest if digest else "scratch"

    # -- steps ----------------------------------------------------------------------------

    async def _step(self, stage: Stage, state: State, step: Instruction) -> None:
        from_stages = [name for name, _ in step.flags if name == "from"]
        if from_stages and (source := self._plan.find(step.flag("from"), stage.number)):
            await self._stage(source)  # its steps come before this one is told
        self._begin(step)
        ended = "done"
        with located(step):
            if step.keyword == "ARG":
                self._argument(state, step)
            elif step.keyword == "MAINTAINER":
                state.document["author"] = step.text
                state.note(step.original)
                state.chain(step.original)
            elif changes_config(step.keyword):
                apply_change(state.config, step, state.lookup, keep_cmd=state.keep_cmd)
                state.keep_cmd = state.keep_cmd or step.keyword == "CMD"
                state.chain(step.keyword)
                if step.keyword == "WORKDIR":
                    ended = await self._steps.workdir(state, step)
                else:
                    state.note(step.original)
            elif step.keyword == "RUN":
                ended = await self._steps.run(state, step, self._said)
            elif step.keyword in ("COPY", "ADD"):
                ended = await self._steps.copy(state, step, stage.number)
            else:
                raise step.fault("cannot stand here")
        self._end(ended)

    def _argument(self, state: State, step: Instruction) -> None:
        platform = self._platform_arguments()
        for name, default in argument_pairs(step):
            if name in self._given:
                self._used.add(name)
                state.arguments[name] = self._given[name]
            elif default is not None:
                state.arguments[name] = replaced(step, default, state.lookup)
            elif name in self._plan.arguments:
                state.arguments[name] = self._plan.arguments[name]
            elif name in platform:
                state.arguments[name] = platform[name]
        state.note(step.original)

    def _begin(self, step: Instruction) -> None:
        self._count.step += 1
        self._count.began = time.monotonic()
        self._means.report.at(self._count.step, self._count.steps, step.original)
        self._tell("step", step.original, line=step.line)

    def _end(self, how: str) -> None:
        seconds = time.monotonic() - self._count.began
        self._tell("cached" if how == "cached" else "done", "", seconds=seconds)

    def _said(self, text: str, stream: int) -> None:
        self._tell("output" if stream == 1 else "error", text)

    def _tell(self, kind: Any, text: str, **more: Any) -> None:
        line = BuildLine(
            kind=kind, text=text, step=self._count.step, steps=self._count.steps, **more
        )
        self._means.report.say(line)

    # -- the end --------------------------------------------------------------------------

    async def _commit(self, state: State) -> str:
        """Commit what the target came to, under its names."""
        means, store = self._means, self._means.store
        references = [str(parse_reference(tag)) for tag in self._spec.tags]
        if self._spec.labels:
            labels = {**(state.config.get("Labels") or {}), **dict(self._spec.labels)}
            state.config["Labels"] = labels
            state.note(" ".join(["LABEL", *(f"{k}={v}" for k, v in self._spec.labels)]))
        state.chain("image")
        known = await self._known(state.key)
        if known:
            state = self._load(known)
        layers = stored_layers(store, state.image) if state.image else ()
        config = stored_config(store, known) if known else state.document
        made = await assemble(
            store,
            config,
            layers,
            lease=means.lease,
            name=self._spec.tags[0] if self._spec.tags else self._context.file,
            origin="build",
            references=references,
            parent=state.image if not known else "",
            pinned=True,
        )
        for warning in made.warnings:
            means.report.warn(warning)
        if not known:
            await asyncio.to_thread(means.cache.put, state.key, made.digest)
        return made.digest

    async def _known(self, key: str) -> str:
        """The image that an earlier build made of the same."""
        if not self._spec.cache:
            return ""
        found = await asyncio.to_thread(self._means.cache.get, key)
        await self._means.store.intake.hold(self._means.lease, {found})
        return found if found and self._steps.usable(found) else ""
