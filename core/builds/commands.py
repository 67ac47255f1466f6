"""RUN: the command, and the sandbox it runs in.

Dockerfile reference, "RUN"; here-documents and ``--mount`` as BuildKit has them.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.builds.confined import open_tree, split
from core.builds.ignore import parse_ignore
from core.builds.selection import Source, digest
from core.builds.stages import replaced
from core.images.changes import DEFAULT_SHELL
from core.runtimes.bwrap import bwrap_path
from core.runtimes.spec import Command, MountSpec, SandboxSpec
from core.store.build_caches import use_cache
from core.text import clean

if TYPE_CHECKING:
    from pathlib import Path

    from core.builds.context import Context
    from core.builds.dockerfile import Heredoc, Instruction
    from core.builds.spec import OverlaySpec, RunSpec
    from core.builds.state import State

_SCRIPTS = "/dev/pipes"
_KINDS = ("bind", "cache", "tmpfs")
_FIELDS = {
    "bind": ("type", "source", "src", "target", "dst", "destination", "readonly", "ro"),
    "cache": ("type", "id", "target", "dst", "destination", "sharing"),
    "tmpfs": ("type", "target", "dst", "destination", "size"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounting:
    """One ``--mount``."""

    kind: str
    target: str
    source: str = ""
    """``bind``: a path in the context; ``cache``: its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One RUN, understood."""

    step: Instruction
    argv: tuple[str, ...]
    script: str = ""
    """A here-document with a ``#!`` line, to be executed as a file."""
    mounts: tuple[Mounting, ...] = ()

    @property
    def described(self) -> list[str]:
        """What of it the cache's key is made of."""
        mounts = [f"{one.kind}:{one.target}:{one.source}" for one in self.mounts]
        return ["RUN", repr(self.argv), self.script, repr(mounts)]


def read_run(step: Instruction, state: State) -> Run:
    """Understand the instruction. Raises: InvalidInput, with file and line."""
    step.check_flags("mount", "network", "security")
    if step.flag("network", "default") not in ("default", "host"):
        raise step.fault("--network: commands have the host's network", hint="leave it out")
    if step.flag("security", "sandbox") != "sandbox":
        raise step.fault("--security: commands run in a sandbox", hint="leave it out")
    mounts = tuple(_mount(step, value, state) for name, value in step.flags if name == "mount")
    shell = tuple(state.config.get("Shell") or DEFAULT_SHELL)
    words = step.words()
    if words is not None:
        if not words:
            raise step.fault("an empty command")
        return Run(step=step, argv=tuple(words), mounts=mounts)
    text, script = step.text, ""
    if step.heredocs and _only_heredoc(step):
        text = step.heredocs[0].text
        if text.startswith("#!"):
            script = text
            return Run(step=step, argv=(f"{_SCRIPTS}/script",), script=script, mounts=mounts)
    else:
        text += "".join(_again(heredoc) for heredoc in step.heredocs)
    return Run(step=step, argv=(*shell, text), mounts=mounts)


def _only_heredoc(step: Instruction) -> bool:
    return len(step.heredocs) == 1 and step.text.startswith("<<") and len(step.text.split()) == 1


def _again(heredoc: Heredoc) -> str:
    """A here-document for the shell, which reads it itself."""
    return f"\n{heredoc.text}{heredoc.name}"


def _mount(step: Instruction, value: str, state: State) -> Mounting:
    fields: dict[str, str] = {}
    for part in value.split(","):
        name, equals, text = part.partition("=")
        fields[name.strip().lower()] = replaced(step, text, state.lookup) if equals else "true"
    kind = fields.get("type", "bind")
    if kind not in _KINDS:
        known = ", ".join(f"type={one}" for one in _KINDS)
        raise step.fault(f"--mount=type={clean(kind, 40)} is not supported", hint=f"known: {known}")
    for name in fields:
        if name not in _FIELDS[kind]:
            raise step.fault(f"--mount=type={kind}: {clean(name, 40)} is not supported")
    target = fields.get("target") or fields.get("dst") or fields.get("destination") or ""
    if not target:
        raise step.fault(f"--mount=type={kind} needs target=PATH")
    target = os.path.normpath(os.path.join("/", state.workdir, target))
    source = fields.get("source") or fields.get("src") or ""
    if kind == "cache":
        source = fields.get("id") or target
    if kind == "bind" and (fields.get("readonly") or fields.get("ro") or "true") != "true":
        raise step.fault("--mount=type=bind is for reading only")
    return Mounting(kind=kind, target=target, source=source)


def mount_specs(run: Run, folder: Path, caches: Path, context: Path) -> list[MountSpec]:
    """The mounts as folders of this host; makes those that are needed; blocks.

    Raises:
        FileNotFoundError, NotADirectoryError: a path is not in the context.
    """
    found = []
    for number, one in enumerate(run.mounts):
        if one.kind == "bind":
            source = _in_context(context, one.source)
        elif one.kind == "cache":
            source = use_cache(caches, one.source)
        else:
            source = folder / f"tmpfs-{number}"
            source.mkdir()
            source.chmod(0o1777)
        found.append(MountSpec(source=str(source), target=one.target, read_only=one.kind == "bind"))
    if run.script:
        path = folder / "script"
        path.write_text(run.script)
        path.chmod(0o755)
        target = f"{_SCRIPTS}/script"
        found.append(MountSpec(source=str(path), target=target, read_only=True))
    return found


def bound_files(run: Run, context: Context) -> list[str]:
    """Digests of what its bind mounts show, for the cache's key; blocks.

    What ``.dockerignore`` leaves out does not count.

    Raises:
        FileNotFoundError, NotADirectoryError: a path is not in the context.
        InvalidInput: a file cannot be read.
    """
    bound = [one.source for one in run.mounts if one.kind == "bind"]
    if not bound:
        return []
    ignore = parse_ignore(context.ignore.encode("utf-8", "surrogateescape"), ".dockerignore")
    tree = open_tree(os.fspath(context.root))
    try:
        sources = []
        for one in bound:
            path = tree.resolve(split(os.fsencode(one)))
            folder = stat.S_ISDIR(tree.lstat(path).st_mode)
            sources.append(Source(named=path, path=path, folder=folder))
        return [digest(tree, sources, ignore)]
    finally:
        os.close(tree.fd)


def _in_context(context: Path, path: str) -> Path:
    tree = open_tree(os.fspath(context))
    try:
        parts = tree.resolve(split(os.fsencode(path)))
        tree.lstat(parts)
    finally:
        os.close(tree.fd)
    return context.joinpath(*map(os.fsdecode, parts))


def run_spec(
    run: Run,
    state: State,
    overlay: OverlaySpec,
    *,
    namespaces: tuple[str, ...],
    mounts: list[MountSpec],
) -> RunSpec:
    """What the runner is told."""
    return {
        "folder": overlay["folder"],
        "sandbox": SandboxSpec(
            name="build",
            layers=overlay["layers"],
            upper=overlay["upper"],
            work=overlay["work"],
            namespaces=list(namespaces),
            bwrap=bwrap_path(),
            host_root=False,
            masks=[],
            mounts=mounts,
            bare=True,
        ),
        "command": Command(
            argv=list(run.argv),
            workdir=state.workdir,
            env=list(state.env.items()),
            user=str(state.config.get("User") or ""),
            binds=[],
            tty=False,
        ),
    }
