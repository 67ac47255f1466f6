"""``fsck``: compare the store with itself, and mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import Corrupt
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.options import Verb, current
from widgets import format as figures

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.storage import Checkup
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.option("--repair", is_flag=True, help="Mend what can be mended; no writable layer is lost.")
@click.option("--quick", is_flag=True, help="Do not read the blobs' bytes.")
def fsck(*, repair: bool, quick: bool) -> int:
    """Compare the store with itself. Ends with 0 if all is well, or was mended; else with 7."""
    settings = current()

    async def work(engine: Engine) -> int:
        checkup = await engine.fsck(repair=repair, quick=quick)
        _write_checkup(settings, checkup)
        bad = any(not problem.repaired for problem in checkup.problems)
        return Corrupt.exit_code if bad else report.OK

    return call(settings, work)


def _write_checkup(settings: Settings, checkup: Checkup) -> None:
    counts = {kind: getattr(checkup, kind) for kind in ("images", "layers", "blobs", "distros")}
    more = {**counts, "hashed": checkup.hashed}
    if output.write_json(settings, "fsck", checkup.problems, more):
        return
    for problem in checkup.problems:
        done = "mended" if problem.repaired else problem.repair
        what = output.short_digest(settings, problem.what)
        output.write_names([f"{problem.kind} {what}: {problem.why} ({done})"])
    told = ", ".join(figures.plural(count, kind[:-1]) for kind, count in counts.items())
    bad = len(checkup.problems)
    report.note(f"{told}: {figures.plural(bad, 'problem') if bad else 'no problems'}")
