"""``save``, ``load``, ``import``: images in files, and root file systems made images.

What the engine cannot open by a path, such as a pipe of this process, goes to it as a stream.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from core.errors import Refused
from core.verbs.archives import ArchiveCompression, ArchiveFormat, ImportSpec, LoadSpec, SaveSpec
from tui.cli import output
from tui.cli.call import call
from tui.cli.follow import follow, sending
from tui.cli.options import Format, Verb, current
from tui.cli.pump import Writer, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Job
    from core.engine import Engine
    from tui.cli.options import Settings

_ARCHIVES = ("docker-archive", "oci-archive", "oci-dir", "docker-dir")
_OUTPUTS = ("table", "json", "jsonl")


@click.command(cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option(
    "-o", "--output", "target", default="-", metavar="FILE", help="Where to; - is standard output."
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice([*_ARCHIVES, *_OUTPUTS]),
    help="Form of the archive, by default docker-archive; and as for all verbs.",
)
@click.option("--compress", type=click.Choice(["gzip", "zstd"]), help="Compress the whole file.")
def save(names: tuple[str, ...], *, target: str, formats: tuple[str, ...], compress: str) -> int:
    """Write images to one archive, which docker, podman and skopeo read too.

    NAME is a reference, a digest or a unique part of one from its start, or a distro, whose image
    is meant. The same images give the same bytes. A file that is there is replaced when the new
    one is whole.
    """
    settings = current()
    archive = [one for one in formats if one in _ARCHIVES]
    if told := [one for one in formats if one in _OUTPUTS]:
        settings = replace(settings, format=cast("Format", told[-1]))
    spec = SaveSpec(
        names=names,
        path="" if target == "-" else str(Path(target).expanduser().absolute()),
        format=cast("ArchiveFormat", archive[-1] if archive else "docker-archive"),
        compression=cast("ArchiveCompression", compress or ""),
    )
    if not spec.path and sys.stdout.isatty():
        raise Refused("archive", "standard output is a terminal", hint="add -o FILE")

    async def work(engine: Engine) -> None:
        if not spec.path:
            await _write_stream(engine, spec)
            return
        job = await follow(engine, await engine.save(spec), settings)
        if not output.write_json(settings, "archives", [_saved(job, spec)]):
            output.write_names([job.result])

    return call(settings, work)


@click.command(cls=Verb)
@click.option(
    "-i", "--input", "source", default="-", metavar="FILE", help="Archive, or folder; - is stdin."
)
@click.option("--platform", default="", metavar="OS/ARCH", help="Not this host's but another.")
def load(source: str, *, platform: str) -> int:
    """Read images from an archive of docker, podman, skopeo or buildah, compressed or not.

    All of its images come in, or none. Their names are written to standard output, digests for
    those without a name.
    """
    settings = current()
    path = engine_path(source)
    check_input(path)
    spec = LoadSpec(path=path, platform=platform)

    async def work(engine: Engine) -> None:
        if path:
            job = await engine.load(spec)
        else:
            async with sending(standard_input(source), "load", settings) as content:
                job = await engine.load(spec, content)
        await _write_loaded(engine, await follow(engine, job, settings), settings)

    return call(settings, work)


@click.command("import", cls=Verb)
@click.argument("source")
@click.argument("reference", default="")
@click.option("-m", "--message", default="", help="Comment for the image's history.")
@click.option(
    "-c", "--change", "changes", multiple=True, metavar="LINE", help="A line of a Dockerfile."
)
@click.option("--platform", default="", metavar="OS/ARCH", help="What it is for, if not this host.")
@click.option("--checksum", default="", metavar="sha256:HEX", help="What the file must have.")
def import_(
    source: str,
    reference: str,
    *,
    message: str,
    changes: tuple[str, ...],
    platform: str,
    checksum: str,
) -> int:
    """Make an image of a root file system: a tarball, compressed or not.

    SOURCE is a file, a URL, or - for standard input. REFERENCE is what to call the image. CMD,
    ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR are what -c takes. The
    image's name, or digest, is written to standard output.
    """
    settings = current()
    path = source if "://" in source else engine_path(source)
    check_input(path)
    spec = ImportSpec(
        source=path,
        reference=reference,
        message=message,
        changes=changes,
        platform=platform,
        checksum=checksum,
        plain_http=settings.plain_http,
    )

    async def work(engine: Engine) -> None:
        if path:
            job = await engine.import_image(spec)
        else:
            async with sending(standard_input(source), "import", settings) as content:
                job = await engine.import_image(spec, content)
        await _write_loaded(engine, await follow(engine, job, settings), settings)

    return call(settings, work)


def engine_path(source: str) -> str:
    """The absolute path of a file or folder that the engine can open; empty: a stream."""
    if source == "-":
        return ""
    path = Path(source).expanduser().absolute()
    try:
        mode = path.stat().st_mode
    except OSError:
        return str(path)  # the engine says what is wrong with it
    # /dev/stdin and <(…) are this process's own
    return str(path) if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else ""


def check_input(path: str) -> None:
    """Refuse to wait for a person to type an archive."""
    if not path and sys.stdin.isatty():
        raise Refused("archive", "standard input is a terminal", hint="add -i FILE")


async def standard_input(source: str) -> AsyncIterator[bytes]:
    """What comes through a pipe, this process's standard input if it is ``-``."""
    descriptor = 0 if source == "-" else os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    while piece := await read(descriptor):
        yield piece


async def _write_stream(engine: Engine, spec: SaveSpec) -> None:
    writer = Writer(1)
    async with engine.archive(spec) as pieces:
        async for piece in pieces:
            await writer.write(piece)
    await writer.flush()


def _saved(job: Job, spec: SaveSpec) -> dict[str, object]:
    path = Path(job.result)
    size = path.stat().st_size if path.is_file() else None
    return {"path": job.result, "format": spec.format, "size": size, "names": list(spec.names)}


async def _write_loaded(engine: Engine, job: Job, settings: Settings) -> None:
    images = [await engine.image(digest) for digest in job.result.split()]
    if output.write_json(settings, "images", images):
        return
    output.write_names([name for image in images for name in (image.references or (image.digest,))])
