"""Verbs on images: ``images``, ``inspect``, ``history``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import NotFound
from core.verbs.storage import ImageQuery
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Distro, HistoryEntry, Image
    from core.engine import Engine
    from tui.cli.options import Settings

_IMAGE_COLUMNS = ("DIGEST", "PLATFORM", "LAYERS", "SIZE", "PULLED", "DISTROS")


@click.command(cls=Verb)
@click.option("-a", "--all", "everything", is_flag=True, help="Also the steps of builds.")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="KEY=VALUE",
    help="reference=PATTERN, dangling=true, before=IMAGE, since=IMAGE, label=KEY[=VALUE].",
)
@click.option("--digests", is_flag=True, help="Show under which digests they can be pulled.")
def images(*, everything: bool, filters: tuple[str, ...], digests: bool) -> int:
    """List images in the store, newest first."""
    settings = current()
    query = ImageQuery(all=everything, filters=tuple(_filter(text) for text in filters))

    async def work(engine: Engine) -> None:
        _write_images(settings, await engine.images(query), digests=digests)

    return call(settings, work)


def _filter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--filter {text}: write KEY=VALUE")
    return key, value


@click.command(cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
def inspect(names: tuple[str, ...]) -> int:
    """Show all that is known of a distro (with its image) or of an image.

    NAME is a distro, a reference, a digest or a unique part of one from its start.
    """
    settings = current()

    async def work(engine: Engine) -> None:
        found = [await _find(engine, name) for name in names]
        items = [_inspected(distro, image) for distro, image in found]
        if not output.write_json(settings, "inspect", items):
            for at, (distro, image) in enumerate(found):
                if at:
                    output.write_line("")
                output.write_pairs(_pairs(settings, distro, image))

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("name")
def history(name: str) -> int:
    """Show how an image was made, newest layer first."""
    settings = current()

    async def work(engine: Engine) -> None:
        _write_history(settings, await engine.history(name))

    return call(settings, work)


async def _find(engine: Engine, name: str) -> tuple[Distro | None, Image | None]:
    try:
        distro = await engine.distro(name)
    except NotFound:
        return None, await engine.image(name)
    return distro, await engine.image(distro.image_digest) if distro.image_digest else None


def _inspected(distro: Distro | None, image: Image | None) -> dict[str, Any]:
    if distro is None:
        return {"kind": "image", **output.plain(image)}
    return {"kind": "distro", **output.plain(distro), "image": output.plain(image)}


def _pairs(settings: Settings, distro: Distro | None, image: Image | None) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    if distro:
        pairs += [
            ("Distro", distro.name),
            ("State", distro.state),
            ("Shells", str(distro.sessions)),
            ("Source", distro.url),
            ("System", distro.os_name or distro.version),
            ("Platform", str(distro.platform)),
            ("Size", f"{output.size(distro.size)} ({output.size(distro.unique_size)} its own)"),
            ("Changes", distro.path),
            ("Created", output.rfc3339(distro.created) or ""),
            ("Used", output.rfc3339(distro.used) or "never"),
        ]
        pairs += [("Warning", warning) for warning in distro.warnings]
    if image:
        pairs += [
            ("Image", image.digest),
            *(("Reference", reference) for reference in image.references),
            *(("Repository", digest) for digest in image.repo_digests),
            ("Config", image.config_digest),
            ("Built", output.rfc3339(image.created) or ""),
            ("Pulled", output.rfc3339(image.pulled) or ""),
            ("Unpacked", output.size(image.size)),
            ("Transfer", output.size(image.transfer_size)),
            ("Distros", ", ".join(image.distros)),
        ]
        if not distro:
            pairs.insert(1, ("Platform", str(image.platform)))
        pairs += [
            ("Layer", f"{output.short_digest(settings, layer.digest)}  {output.size(layer.size)}")
            for layer in image.layers
        ]
    return pairs


def _write_images(settings: Settings, images: list[Image], *, digests: bool) -> None:
    if output.write_json(settings, "images", images):
        return
    if settings.quiet:
        output.write_names([output.short_digest(settings, image.digest) for image in images])
        return
    extra = ("PULLED AS",) if digests else ()
    output.write_table(
        settings,
        output.Table(
            headings=("REFERENCE", *extra, *_IMAGE_COLUMNS),
            right=frozenset({3 + len(extra), 4 + len(extra)}),
            rows=tuple(
                (
                    reference,
                    *([", ".join(image.repo_digests)] if digests else []),
                    output.short_digest(settings, image.digest),
                    str(image.platform),
                    str(len(image.layers)),
                    output.size(image.size),
                    output.age(image.pulled),
                    ",".join(image.distros),
                )
                for image in images
                for reference in (image.references or ("<none>",))
            ),
        ),
    )
    if not images:
        report.note("no images yet: distrodeck pull SOURCE")


def _write_history(settings: Settings, entries: list[HistoryEntry]) -> None:
    if output.write_json(settings, "history", entries):
        return
    if settings.quiet:
        output.write_names([entry.layer.digest for entry in entries if entry.layer])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("LAYER", "CREATED", "SIZE", "CREATED BY", "COMMENT"),
            right=frozenset({2}),
            rows=tuple(
                (
                    output.short_digest(settings, entry.layer.digest) if entry.layer else "-",
                    output.age(entry.created),
                    output.size(entry.size),
                    entry.created_by,
                    entry.comment,
                )
                for entry in entries
            ),
        ),
    )
