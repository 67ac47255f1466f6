"""A Dockerfile as stages: what each is built on, and which of them a target needs.

Dockerfile reference, "FROM", "ARG"; docs of multi-stage builds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.builds.words import expand
from core.errors import InvalidInput, NotFound
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.builds.dockerfile import Instruction

SCRATCH = "scratch"

PROXIES = tuple(
    spelled
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
    for spelled in (name, name.upper())
)
"""Build arguments that need no ARG, and are part of neither history nor cache key."""

_NAME = re.compile(r"[a-z][a-z0-9._-]*")
_FROM = re.compile(r"(\S+)(?:\s+(?i:as)\s+(\S+))?")


@dataclass(slots=True)
class Stage:
    """One FROM and what follows it."""

    number: int
    start: Instruction
    base: str
    """A reference, ``scratch``, or another stage's name."""
    name: str = ""
    """In lower case; empty where it has none."""
    platform: str = ""
    steps: list[Instruction] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All stages, and the arguments from before the first."""

    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]
    """Values of ARGs before the first FROM: defaults, or as given."""
    used: frozenset[str]
    """Names of given arguments that FROM lines or the ARGs before them use."""

    def find(self, name: str, before: int | None = None) -> Stage | None:
        """A stage by name or number, of those that come before ``before``."""
        known = self.stages[:before]
        for stage in reversed(known):
            if stage.name and stage.name == name.lower():
                return stage
        if name.isascii() and name.isdigit() and int(name[:9]) < len(known):
            return known[int(name[:9])]
        return None

    def target(self, name: str) -> Stage:
        """The stage to build; the last for an empty name. Raises: NotFound."""
        if not name:
            return self.stages[-1]
        found = self.find(name)
        if found is None:
            names = ", ".join(stage.name for stage in self.stages if stage.name)
            hint = f"there are {names}" if names else "no stage has a name: give its number from 0"
            raise NotFound(name, "no such stage", hint=hint)
        return found

    def base_stage(self, stage: Stage) -> Stage | None:
        """The stage that ``stage`` goes on from; None where it is an image."""
        found = self.find(stage.base, stage.number)
        return found if found and found.name == stage.base.lower() else None

    def needed(self, target: Stage) -> list[Stage]:
        """The stages that have to be built for ``target``, in the file's order."""
        todo, found = [target], dict[int, Stage]()
        while todo:
            stage = todo.pop()
            if stage.number in found:
                continue
            found[stage.number] = stage
            sources = [base] if (base := self.base_stage(stage)) else []
            for step in stage.steps:
                sources += [
                    one for name in sources_of(step) if (one := self.find(name, stage.number))
                ]
            todo += sources
        return [found[number] for number in sorted(found)]


def sources_of(step: Instruction) -> list[str]:
    """Where an instruction takes files from, besides the context: stages or images."""
    found = [value for name, value in step.flags if name == "from"]
    for name, value in step.flags:
        if name == "mount":
            found += [part[5:] for part in value.split(",") if part.startswith("from=")]
    return found


def plan(
    instructions: Sequence[Instruction], given: Mapping[str, str], platform: Mapping[str, str]
) -> Plan:
    """Put instructions into stages.

    ``given`` are build arguments, ``platform`` those like TARGETARCH that are always there.

    Raises:
        InvalidInput: something stands where it cannot; the error names file and line.
    """
    arguments: dict[str, str] = {}
    used: set[str] = set()
    stages: list[Stage] = []

    def lookup(name: str) -> str | None:
        if name in arguments:
            return arguments[name]
        if name in PROXIES:
            return given.get(name)
        return platform.get(name)

    for step in instructions:
        if step.keyword == "FROM":
            stages.append(_stage(step, len(stages), lookup, stages))
        elif stages:
            stages[-1].steps.append(step)
        elif step.keyword == "ARG":
            for name, default in argument_pairs(step):
                if name in given:
                    used.add(name)
                    arguments[name] = given[name]
                elif default is not None:
                    arguments[name] = replaced(step, default, lookup)
        else:
            raise step.fault("comes before the first FROM", hint="only ARG may stand there")
    if not stages:
        raise instructions[0].fault("there is no FROM", hint="begin with FROM")
    return Plan(stages=tuple(stages), arguments=arguments, used=frozenset(used))


def replaced(step: Instruction, text: str, lookup: Callable[[str], str | None]) -> str:
    """A word with its variables replaced. Raises: InvalidInput, with the line."""
    try:
        return expand(text, lookup, step.escape)
    except InvalidInput as error:
        raise step.fault(error.message, hint=error.hint) from None


def argument_pairs(step: Instruction) -> list[tuple[str, str | None]]:
    """Names and raw defaults of an ARG."""
    from core.builds.words import raw_words

    found: list[tuple[str, str | None]] = []
    for word in raw_words(step.text, step.escape):
        name, equals, value = word.partition("=")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise step.fault(f"{clean(name, 60)!r} is not a variable's name")
        found.append((name, value if equals else None))
    return found


def _stage(
    step: Instruction, number: int, lookup: Callable[[str], str | None], before: list[Stage]
) -> Stage:
    step.check_flags("platform")
    found = _FROM.fullmatch(step.text)
    if not found:
        raise step.fault("needs an image, and AS before a name", hint="FROM IMAGE [AS NAME]")
    base = replaced(step, found[1], lookup)
    if not base:
        raise step.fault(f"{clean(found[1], 60)} is empty", hint="give it with --build-arg")
    name = (found[2] or "").lower()
    if name:
        if not _NAME.fullmatch(name):
            raise step.fault(f"{clean(name, 60)!r} cannot be a stage's name")
        if name == SCRATCH or any(stage.name == name for stage in before):
            raise step.fault(f"the name {name} is taken")
    platform = replaced(step, step.flag("platform"), lookup)
    return Stage(number, step, base, name, platform)
