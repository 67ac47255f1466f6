"""List images."""

from __future__ import annotations

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
