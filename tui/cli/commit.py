"""``commit`` and ``export``: a distro as an image, or as one archive."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import InvalidInput, Refused
from core.verbs.changes import CommitSpec, ExportSpec
from tui.cli import output
from tui.cli.call import call
from tui.cli.follow import follow
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.changes import Compression

_SUFFIXES: dict[str, Compression] = {".gz": "gzip", ".tgz": "gzip", ".zst": "zstd", ".tzst": "zstd"}
_COMPRESSIONS = ["none", "gzip", "zstd"]


@click.command(cls=Verb)
@click.argument("distro")
@click.argument("reference", required=False, default="")
@click.option("-m", "--message", default="", help="Say in the history what it is.")
@click.option("-a", "--author", default="", help="Say who made it.")
@click.option(
    "-c", "--change", "changes", multiple=True, metavar="LINE", help="Apply a line of a Dockerfile."
)
@click.option("--config", default="", metavar="JSON|@FILE", help="Replace the whole config.")
@click.option(
    "-p/-P", "--pause/--no-pause", default=True, help="Whether what runs in it waits. [pause]"
)
@click.option("--squash", is_flag=True, help="One layer in place of the image's and one more.")
@click.option(
    "--compress", type=click.Choice(_COMPRESSIONS), default="gzip", help="Of the layer's blob."
)
def commit(
    distro: str,
    reference: str,
    *,
    message: str,
    author: str,
    changes: tuple[str, ...],
    config: str,
    pause: bool,
    squash: bool,
    compress: Compression,
) -> int:
    """Make an image of DISTRO: its image's layers, and one more of what was written in it.

    REFERENCE is the image's name. Lines for --change: CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL
    ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR. The image's digest is written to standard output.
    """
    settings = current()
    spec = CommitSpec(
        distro=distro,
        reference=reference,
        message=message,
        author=author,
        changes=changes,
        config=_read_config(config),
        pause=pause,
        squash=squash,
        compression=compress,
    )

    async def work(engine: Engine) -> None:
        job = await follow(engine, await engine.commit(spec), settings)
        if settings.format == "table":
            output.write_names([job.result])
        else:
            output.write_json(settings, "images", [await engine.image(job.result)])

    return call(settings, work)


def _read_config(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InvalidInput(text[1:], why.lower(), hint="give a file with JSON") from None


@click.command(cls=Verb)
@click.argument("distro")
@click.option("-o", "--output", "target", default="-", metavar="FILE|-", help="Where to.")
@click.option(
    "--compress", type=click.Choice(_COMPRESSIONS), help="[by FILE's ending: .gz .tgz .zst]"
)
@click.option(
    "-p/-P", "--pause/--no-pause", default=True, help="Whether what runs in it waits. [pause]"
)
def export(distro: str, *, target: str, compress: Compression | None, pause: bool) -> int:
    """Write the root file system of DISTRO as one tar archive.

    `distrodeck pull ./FILE` and `podman import FILE` make a distro or an image of it.
    """
    settings = current()
    path = "" if target == "-" else str(Path(target).expanduser().absolute())
    spec = ExportSpec(
        distro=distro,
        path=path,
        compression=compress or _SUFFIXES.get(Path(target).suffix, "none"),
        pause=pause,
    )
    if not path and sys.stdout.isatty():
        raise Refused("standard output", "is a terminal", hint="redirect it, or use -o FILE")

    async def work(engine: Engine) -> None:
        if path:
            job = await follow(engine, await engine.export(spec), settings)
            if not output.write_json(settings, "files", [{"path": job.result}]):
                output.write_names([job.result])
            return
        async with engine.export_stream(spec) as pieces:
            async for piece in pieces:
                sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    return call(settings, work)
