"""What can be installed: ``ls --available`` and ``catalog refresh``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli import output, report
from tui.cli.call import call
from tui.cli.follow import follow
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Catalog
    from core.engine import Engine
    from tui.cli.options import Settings


@click.group(invoke_without_command=True)
@click.pass_context
def catalog(ctx: click.Context) -> int:
    """What can be installed, and where that is known from; alone the same as `catalog ls`."""
    return report.OK if ctx.invoked_subcommand else ctx.invoke(list_)


@catalog.command("ls", cls=Verb)
def list_() -> int:
    """List what can be installed; the same as `ls --available`."""
    settings = current()

    async def work(engine: Engine) -> None:
        write_catalog(settings, await engine.catalog())

    return call(settings, work)


@catalog.command(cls=Verb)
def refresh() -> int:
    """Read the catalog's sources again."""
    settings = current()

    async def work(engine: Engine) -> None:
        await follow(engine, await engine.refresh(), settings)
        write_sources(settings, await engine.catalog())

    return call(settings, work)


@catalog.command(cls=Verb)
def sources() -> int:
    """List the catalog's sources, how old each is and what ails it."""
    settings = current()

    async def work(engine: Engine) -> None:
        write_sources(settings, await engine.catalog())

    return call(settings, work)


def write_catalog(settings: Settings, catalog: Catalog) -> None:
    """Entries in the format asked for; for a person also how fresh they are."""
    if output.write_json(settings, "catalog", catalog.entries, {"sources": catalog.sources}):
        return
    if settings.quiet:
        output.write_names([entry.name for entry in catalog.entries])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("NAME", "VERSION", "SIZE", "ARCH", "CATALOG", "SOURCE"),
            right=frozenset({2}),
            rows=tuple(
                (
                    entry.name,
                    entry.version,
                    output.size(entry.size),
                    entry.architecture,
                    entry.catalog,
                    entry.source,
                )
                for entry in catalog.entries
            ),
        ),
    )
    for source in catalog.sources:
        if source.error:
            read = f"; read {output.age(source.fetched)}" if source.fetched else ""
            report.note(f"catalog {source.name}: {source.error}{read}")


def write_sources(settings: Settings, catalog: Catalog) -> None:
    """Sources of the catalog in the format asked for."""
    if output.write_json(settings, "sources", catalog.sources):
        return
    if settings.quiet:
        output.write_names([source.name for source in catalog.sources])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("SOURCE", "KIND", "ENTRIES", "READ", "ERROR", "URL"),
            right=frozenset({2}),
            rows=tuple(
                (
                    source.name,
                    source.kind,
                    str(source.entries),
                    output.age(source.fetched),
                    source.error,
                    source.url,
                )
                for source in catalog.sources
            ),
        ),
    )
