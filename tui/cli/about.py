"""Verbs about distrodeck itself: ``doctor``, ``info``, ``version``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from core.errors import DaemonUnreachable, HostForbids, NoSpace
from core.version import VERSION
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Check
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command(cls=Verb)
def doctor() -> int:
    """Try what distros need on this host.

    What does not work is listed with what is lost, what is used instead and the command that
    repairs it. Exit 11 if a thing is missing that nothing can replace.
    """
    settings = current()

    async def work(engine: Engine) -> int:
        return _tell(settings, await engine.doctor())

    try:
        return call(settings, work)
    except (DaemonUnreachable, HostForbids, NoSpace) as error:
        # The one verb that is there for a host on which no engine can start.
        report.note(f"no engine: {error.message}")
        return _tell(settings, asyncio.run(_probe(settings)))


async def _probe(settings: Settings) -> list[Check]:
    from core.paths import find_paths
    from core.runtimes.probe import probe

    return await probe(find_paths(settings.root))


def _tell(settings: Settings, checks: list[Check]) -> int:
    if not output.write_json(settings, "doctor", checks):
        _write_checks(settings, checks)
    return report.FORBIDDEN if any(c.required and not c.ok for c in checks) else report.OK


@click.command(cls=Verb)
def info() -> int:
    """Show what engine this is and where it keeps its things."""
    settings = current()

    async def work(engine: Engine) -> None:
        found = await engine.info()
        if not output.write_json(settings, "info", [found]):
            output.write_pairs(
                [
                    ("Version", found.version),
                    ("Process", str(found.pid)),
                    ("Root", found.root),
                    ("Store", output.size(found.store_bytes)),
                    ("Id map", found.idmap),
                    ("Can", ", ".join(found.capabilities)),
                ]
            )

    return call(settings, work)


@click.command(cls=Verb)
def version() -> int:
    """Print the version."""
    settings = current()
    if not output.write_json(settings, "version", [{"version": VERSION}]):
        output.write_line(f"distrodeck {VERSION}")
    return report.OK


def _write_checks(settings: Settings, checks: list[Check]) -> None:
    if settings.quiet:
        output.write_names([check.name for check in checks if not check.ok])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("", "CHECK", "FOUND"),
            rows=tuple((_mark(check), check.name, check.detail) for check in checks),
        ),
    )
    for check in checks:
        if not check.ok:
            output.write_line("")
            told = [
                ("lost", check.lost),
                ("instead", check.instead),
                ("repair", check.repair),
            ]
            output.write_pairs([(_mark(check), check.name), *((k, v) for k, v in told if v)])


def _mark(check: Check) -> str:
    if check.ok:
        return "ok"
    return "!!" if check.required else "--"
