"""``df``: where the store's space goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli import output, report
from tui.cli.call import call
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.storage import Usage
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.option("-v", "--verbose", is_flag=True, help="Every image and distro.")
def df(*, verbose: bool) -> int:
    """Show where the store's space goes, and how much `prune --all` gives back."""
    settings = current()

    async def work(engine: Engine) -> None:
        usage = await engine.usage()
        more = {
            "images": usage.images,
            "distros": usage.distros,
            "size": usage.size,
            "free": usage.free,
        }
        if not output.write_json(settings, "usage", usage.spaces, more):
            _write_usage(settings, usage, verbose=verbose)

    return call(settings, work)


def _write_usage(settings: Settings, usage: Usage, *, verbose: bool) -> None:
    output.write_table(
        settings,
        output.Table(
            headings=("KIND", "COUNT", "IN USE", "SIZE", "RECLAIMABLE"),
            right=frozenset({1, 2, 3, 4}),
            rows=tuple(
                (
                    space.kind,
                    str(space.count),
                    str(space.active),
                    output.size(space.size),
                    output.size(space.reclaimable),
                )
                for space in usage.spaces
            ),
        ),
    )
    if verbose:
        _write_verbose(settings, usage)
    report.note(f"{output.size(usage.size)} in all, {output.size(usage.free)} free")


def _write_verbose(settings: Settings, usage: Usage) -> None:
    output.write_line("")
    output.write_table(
        settings,
        output.Table(
            headings=("IMAGE", "REFERENCE", "UNIQUE", "SHARED", "DISTROS"),
            right=frozenset({2, 3, 4}),
            rows=tuple(
                (
                    output.short_digest(settings, image.digest),
                    _names(settings, image.references),
                    output.size(image.unique),
                    output.size(image.shared),
                    str(image.distros),
                )
                for image in usage.images
            ),
        ),
    )
    output.write_line("")
    output.write_table(
        settings,
        output.Table(
            headings=("DISTRO", "WRITABLE", "UNIQUE", "SHARED"),
            right=frozenset({1, 2, 3}),
            rows=tuple(
                (
                    distro.name,
                    output.size(distro.writable),
                    output.size(distro.unique),
                    output.size(distro.shared),
                )
                for distro in usage.distros
            ),
        ),
    )


def _names(settings: Settings, references: tuple[str, ...]) -> str:
    """The first reference, and how many more there are; all with ``--no-trunc``."""
    if len(references) < 2 or settings.no_trunc:
        return ", ".join(references) or "<none>"
    return f"{references[0]} +{len(references) - 1}"
