"""List images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from core.verbs.storage import ImageQuery
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Image
    from core.engine import Engine
    from tui.cli.options import Settings

_COLUMNS = ("REFERENCE", "DIGEST", "PLATFORM", "LAYERS", "SIZE", "PULLED", "DISTROS")
_SPARE = (2, 3, 6, 5)
"""Platform, layers, distros, age: a window too narrow for all of them keeps the names whole."""


@click.command(cls=Verb)
@click.argument("name", default="")
@click.option("-a", "--all", "everything", is_flag=True, help="Also the steps of builds.")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="KEY=VALUE",
    help="reference=PATTERN, dangling=true, before=IMAGE, since=IMAGE, label=KEY[=VALUE].",
)
@click.option("--digests", is_flag=True, help="Show under which digests they can be pulled.")
def images(name: str, *, everything: bool, filters: tuple[str, ...], digests: bool) -> int:
    """List images in the store, newest first.

    With NAME only those whose reference it fits, as --filter reference=NAME does: `busybox`,
    `busybox:1`, `lib/*`.
    """
    settings = current()
    asked = [f"reference={name}"] if name else []
    query = ImageQuery(all=everything, filters=tuple(_filter(text) for text in (*asked, *filters)))

    async def work(engine: Engine) -> None:
        found = await engine.images(query)
        _write_images(settings, found, digests=digests)
        if not found and settings.format == "table" and not settings.quiet:
            none = "no image fits" if query.filters else "no images yet: distrodeck pull SOURCE"
            report.note(none)

    return call(settings, work)


def _filter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--filter {text}: write KEY=VALUE")
    return key, value


def _write_images(settings: Settings, images: list[Image], *, digests: bool) -> None:
    if output.write_json(settings, "images", images):
        return
    if settings.quiet:
        output.write_names([image.digest for image in images])
        return
    named = [(image, name) for image in images for name in image.references or ("<none>",)]
    output.write_table(
        replace(settings, no_trunc=settings.no_trunc or digests),  # half a digest pulls nothing
        output.Table(
            headings=(*_COLUMNS, "PULLED AS") if digests else _COLUMNS,
            right=frozenset({3, 4}),
            spare=_SPARE,
            rows=tuple(
                (
                    reference,
                    output.short_digest(settings, image.digest),
                    str(image.platform),
                    str(len(image.layers)),
                    output.size(image.size),
                    output.age(image.pulled),
                    ",".join(image.distros),
                    *([_digests_of(image, reference)] if digests else []),
                )
                for image, reference in named
            ),
        ),
    )


def _digests_of(image: Image, reference: str) -> str:
    """Under which digests it can be pulled from the repository of ``reference``."""
    repository = f"{reference.rpartition(':')[0]}@"
    own = [one.rpartition("@")[2] for one in image.repo_digests if one.startswith(repository)]
    return ", ".join(own if reference != "<none>" else image.repo_digests)
