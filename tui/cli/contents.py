"""Verbs that look into images and distros: ``files``, ``cat``, ``diff``, ``waste``."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.text import clean
from core.verbs.contents import ExtractSpec, FilesSpec
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.flow import items, pass_on
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.contents import FieldChange, FileChange, FileEntry, ImageWaste
    from tui.cli.options import Settings

_LAYER = click.option(
    "--layer", default="", metavar="N|DIGEST", help="Only this layer: 1 is the lowest."
)
_LETTERS = {"added": "A", "changed": "C", "removed": "D", "": " "}
_TYPES = {
    "file": stat.S_IFREG,
    "folder": stat.S_IFDIR,
    "symlink": stat.S_IFLNK,
    "fifo": stat.S_IFIFO,
    "character": stat.S_IFCHR,
    "block": stat.S_IFBLK,
    "socket": stat.S_IFSOCK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Out:
    """Where files are copied to."""

    folder: str | None
    archive: str | None
    force: bool


@click.command(cls=Verb)
@click.argument("name")
@click.argument("path", default="/")
@_LAYER
@click.option("-l", "--long", is_flag=True, help="Mode, owner, size and time too.")
@click.option("-r", "--recursive", is_flag=True, help="All that is below, too.")
@click.option("--cat", "show", is_flag=True, help="Write the file itself, as cat does.")
@click.option("--extract", is_flag=True, help="Copy the file or folder out, with --to or -o.")
@click.option("--to", "folder", metavar="DIR", help="Folder that --extract copies to.")
@click.option("-o", "--output", "archive", metavar="FILE", help="A tar archive instead; - a pipe.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.pass_context
def files(ctx: click.Context, /, name: str, path: str, layer: str, **how: bool) -> int:
    """List the files of an image or distro, or what one layer of it changed.

    With --layer a line begins with A, C or D: added, changed or removed by that layer.
    """
    settings = current()
    spec = FilesSpec(name=name, path=path, layer=layer, recursive=how["recursive"])
    out = _Out(
        folder=ctx.params["folder"], archive=ctx.params["archive"], force=ctx.params["force"]
    )
    if how["extract"] or out.folder or out.archive:
        return _copy_out(settings, spec, out)
    if how["show"]:
        return pass_on(settings, lambda engine: engine.read_file(spec))

    line = partial(_file_line, settings, spec, long=how["long"])

    async def work(engine: Engine) -> None:
        with items(settings, "files") as writer:
            async with engine.files(spec) as pieces:
                async for entry in (entry async for piece in pieces for entry in piece):
                    writer.write(entry, line)

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("name")
@click.argument("path")
@_LAYER
def cat(name: str, path: str, layer: str) -> int:
    """Write a file of an image or distro to standard output."""
    spec = FilesSpec(name=name, path=path, layer=layer)
    return pass_on(current(), lambda engine: engine.read_file(spec))


def _copy_out(settings: Settings, spec: FilesSpec, out: _Out) -> int:
    if bool(out.folder) == bool(out.archive):
        raise click.UsageError("--extract takes either --to DIR or -o FILE")
    if out.archive:
        return pass_on(
            settings, lambda engine: engine.pack(spec), out.archive, binary=True, force=out.force
        )
    to = str(Path(out.folder or "").absolute())

    async def work(engine: Engine) -> None:
        done = await engine.extract(
            ExtractSpec(name=spec.name, path=spec.path, layer=spec.layer, to=to, force=out.force)
        )
        for warning in done.warnings:
            report.note(warning)
        if not output.write_json(settings, "extracted", [done]):
            output.write_names([done.path])

    return call(settings, work)


def _file_line(settings: Settings, spec: FilesSpec, entry: FileEntry, *, long: bool) -> str:
    name = entry.path + ("/" if entry.type == "folder" else "")
    if settings.quiet:
        return entry.path
    if entry.link:
        name += f" -> {entry.link}"
    if entry.opaque:
        name += "  (hides what is below)"
    mark = f"{_LETTERS[entry.change]} " if spec.layer else ""
    if not long:
        return mark + name
    mode = stat.filemode(_TYPES[entry.type] | entry.mode) + ("+" if entry.xattrs else " ")
    size = entry.device or (output.size(entry.size) if entry.type == "file" else "-")
    time = (output.rfc3339(entry.mtime) or "")[:16].replace("T", " ")
    return f"{mark}{mode} {entry.uid:>5}:{entry.gid:<5} {size:>9}  {time:16}  {name}"


@click.command(cls=Verb)
@click.argument("old")
@click.argument("new", default="")
@click.option("-l", "--long", is_flag=True, help="Say what changed, and the sizes.")
def diff(old: str, new: str, *, long: bool) -> int:
    """Show what differs between two images or distros, or what a distro has changed.

    A line begins with A, C or D: added, changed or removed in NEW. Alone, a distro is compared
    with its own image. Times do not count. Fields of the configuration come last.
    """
    settings = current()

    async def work(engine: Engine) -> None:
        with items(settings, "diff") as writer:
            async with engine.diff(old, new) as pieces:
                async for change in (change async for piece in pieces for change in piece):
                    writer.write(change, partial(_change_line, long=long))
            for field in await engine.diff_config(old, new) if new else ():
                writer.write(field, _field_line)

    return call(settings, work)


def _field_line(change: FieldChange) -> str:
    return clean(f"C config {change.field}: {change.old or '-'} -> {change.new or '-'}")


def _change_line(change: FileChange, *, long: bool) -> str:
    name = change.path + ("/" if change.type == "folder" else "")
    line = f"{_LETTERS[change.kind]} {name}"
    if not long:
        return line
    sizes = "" if change.type == "folder" and change.kind != "removed" else _sizes(change)
    return "  ".join(part for part in (line, ",".join(change.why), sizes) if part)


def _sizes(change: FileChange) -> str:
    if change.kind == "added":
        return output.size(change.new_size)
    if change.kind == "removed":
        return output.size(change.old_size)
    return f"{output.size(change.old_size)} -> {output.size(change.new_size)}"


@click.command(cls=Verb)
@click.argument("name")
def waste(name: str) -> int:
    """Count the bytes of an image's layers that no one can see any more.

    They belong to files that a layer above replaces or removes.
    """
    settings = current()

    async def work(engine: Engine) -> None:
        found = await engine.waste(name)
        if not output.write_json(settings, "waste", [found]):
            _write_waste(settings, found)

    return call(settings, work)


def _write_waste(settings: Settings, found: ImageWaste) -> None:
    rows = tuple(
        (
            str(layer.number),
            output.short_digest(settings, layer.digest),
            output.size(layer.size),
            output.size(layer.wasted),
        )
        for layer in reversed(found.layers)
    )
    headings = ("LAYER", "DIGEST", "SIZE", "WASTED")
    table = output.Table(headings=headings, rows=rows, right=frozenset({0, 2, 3}))
    output.write_table(settings, table)
    for file in found.files[:10]:
        output.write_line(f"{output.size(file.size):>9}  {file.copies} x {file.path}")
    total = f"{output.size(found.wasted)} of {output.size(found.size)}"
    report.note(f"wasted {total}, {found.efficiency} % can be seen")
