"""Verbs on installed distros: ``ls``, ``rm``, ``start``, ``stop``, ``restart``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import DeckError
from tui.cli import output, report
from tui.cli.call import call, confirm
from tui.cli.catalog import write_catalog
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Distro
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command("ls", cls=Verb)
@click.option("-a", "--available", is_flag=True, help="What can be installed instead.")
def list_(*, available: bool) -> int:
    """List installed distros, or with --available the catalog."""
    settings = current()

    async def work(engine: Engine) -> None:
        if available:
            write_catalog(settings, await engine.catalog())
        else:
            write_distros(settings, await engine.distros())

    return call(settings, work)


@click.command("rm", cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("-f", "--force", is_flag=True, help="Also if shells run in it.")
@click.option("--now", is_flag=True, help="For good: give the space back, no undo.")
def remove(names: tuple[str, ...], *, force: bool, now: bool) -> int:
    """Remove distros, each with its writable layer.

    For a day `distrodeck undo` brings them back. The space is given back then, by `distrodeck
    prune`, or at once with --now.
    """
    settings = current()

    async def work(engine: Engine) -> int:
        code = report.OK
        removed: list[str] = []
        for name in dict.fromkeys(names):
            try:
                distro = await engine.distro(name)
                if now or (distro.sessions and not force):
                    confirm(settings, _question(distro, now=now))
                # Who was told of the shells and said yes has forced it; --yes was told nothing.
                ends = force or (distro.sessions > 0 and not settings.yes)
                await engine.remove(distro.name, force=ends, now=now)
            except DeckError as error:
                report.tell_error(error, as_json=settings.format != "table", debug=settings.debug)
                code = code or error.exit_code
            else:
                removed.append(distro.name)
        items = [{"name": name} for name in removed]
        if removed and not output.write_json(settings, "removed", items):
            output.write_names(removed)
        return code

    return call(settings, work)


def _question(distro: Distro, *, now: bool) -> str:
    shells = f", {distro.sessions} running in it will end" if distro.sessions else ""
    good = " for good" if now else ""
    size = output.size(distro.unique_size)
    return f"Remove {distro.name} and its changes{good} ({size}{shells})?"


@click.command(cls=Verb)
@click.argument("name")
def start(name: str) -> int:
    """Start a distro and keep it up without a shell in it."""
    return _change(name, "start")


@click.command(cls=Verb)
@click.argument("name")
def stop(name: str) -> int:
    """End every process in a distro; its changes stay."""
    return _change(name, "stop")


@click.command(cls=Verb)
@click.argument("name")
def restart(name: str) -> int:
    """Stop a distro, then start it."""
    return _change(name, "restart")


def _change(name: str, verb: str) -> int:
    settings = current()

    async def work(engine: Engine) -> None:
        change = {"start": engine.start, "stop": engine.stop, "restart": engine.restart}[verb]
        distro = await change(name)
        if not output.write_json(settings, "distros", [distro]):
            output.write_names([distro.name])

    return call(settings, work)


def write_distros(settings: Settings, distros: list[Distro]) -> None:
    """Distros in the format asked for."""
    if output.write_json(settings, "distros", distros):
        return
    if settings.quiet:
        output.write_names([distro.name for distro in distros])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("NAME", "STATE", "SHELLS", "SIZE", "USED", "VERSION", "PLATFORM", "SOURCE"),
            right=frozenset({2, 3}),
            spare=(6, 4),
            rows=tuple(
                (
                    distro.name,
                    distro.state,
                    str(distro.sessions),
                    output.size(distro.size),
                    output.age(distro.used),
                    f"{distro.version} (outdated)".lstrip() if distro.outdated else distro.version,
                    str(distro.platform),
                    distro.url,
                )
                for distro in distros
            ),
        ),
    )
    if not distros:
        report.note("no distros yet: distrodeck pull host --name host, or ls --available")
