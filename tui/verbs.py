"""What a person asks of the engine: each verb with its questions, its errors and its retry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.domain import CatalogEntry, Distro, Job, PullSpec, Session, ShellSpec
from core.errors import Conflict, DeckError
from core.jobs import error_of
from tui.screens.confirm import ConfirmDialog
from tui.screens.error import ErrorDialog
from tui.screens.pull import PullDialog
from tui.screens.run import RunDialog
from tui.type_ahead import hold_keys
from widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.screen import Screen

    from tui.bridge import Bridge


class Verbs:
    """The verbs, carried out in workers of ``screen``; none of them blocks it."""

    def __init__(
        self,
        screen: Screen[None],
        bridge: Bridge,
        opened: Callable[[Session], Awaitable[None]],
    ) -> None:
        self._screen = screen
        self._bridge = bridge
        self._opened = opened
        self._asked: dict[str, PullSpec] = {}

    def carry_out(self, failed: str, verb: Callable[[], Awaitable[None]]) -> None:
        """Do ``verb``; an error becomes a dialog titled ``failed`` that offers another try."""

        async def attempts() -> None:
            while True:
                try:
                    return await verb()
                except DeckError as error:
                    dialog = ErrorDialog(failed, error, again=True)
                    if await self._screen.app.push_screen_wait(dialog) != "again":
                        return None

        self._screen.run_worker(attempts(), group="verbs")

    def open_shell(self, distro: str, rows: int, columns: int) -> None:
        """Open one more session in ``distro`` and show it."""
        release = hold_keys(self._screen.app)

        async def verb() -> None:
            try:
                spec = ShellSpec(distro=distro, rows=max(rows, 2), columns=max(columns, 20))
                await self._opened(await (await self._bridge.reach()).open(spec))
            finally:
                release()

        self.carry_out(f"No shell in {distro}", verb)

    def ask_pull(self, spec: PullSpec | None = None, problem: str = "") -> None:
        """Ask for source and name, then pull."""

        async def verb() -> None:
            answer = await self._screen.app.push_screen_wait(PullDialog(spec, problem=problem))
            if answer:
                self.pull(answer)

        self.carry_out("Pull failed", verb)

    def pull_entry(self, entry: CatalogEntry) -> None:
        """Pull something from the catalog under the name it has there."""
        same = [other for other in self._bridge.catalog.entries if other.name == entry.name]
        if len(same) == 1:
            self.pull(PullSpec(name=entry.name), entry)
        else:
            self.pull(PullSpec(source=entry.source, checksum=entry.checksum), entry)

    def pull(self, spec: PullSpec, entry: CatalogEntry | None = None) -> None:
        """Begin a pull; where the name is taken, ask for another one."""

        async def verb() -> None:
            try:
                job = await (await self._bridge.reach()).pull(spec)
            except Conflict as error:
                source = spec.source or (entry.source if entry else spec.name)
                checksum = spec.checksum or (entry.checksum if entry else "")
                known = replace(spec, name="", source=source, checksum=checksum)
                self.ask_pull(known, error.message)
                return
            self._asked[job.id] = spec

        self.carry_out(f"Pull failed: {spec.name or spec.source}", verb)

    def again(self, job: Job) -> None:
        """Try a failed pull again as it was asked for; ask, where somebody else asked for it."""
        if spec := self._asked.get(job.id):
            self.pull(spec)
        else:
            # A title is the name that was wanted, which says nothing of the source, or the source.
            named = not {"/", ":"} & set(job.title)
            self.ask_pull(PullSpec(name=job.title) if named else PullSpec(source=job.title))

    def explain(self, job: Job) -> None:
        """Say why a job failed, and offer another try."""
        if job.error is None:
            return
        error = error_of(job)

        async def ask() -> None:
            dialog = ErrorDialog(f"Pull failed: {job.title}", error, again=True)
            if await self._screen.app.push_screen_wait(dialog) == "again":
                self.again(job)

        self._screen.run_worker(ask(), group="verbs")

    def cancel(self, job: Job) -> None:
        """Ask, then stop a pull."""

        async def verb() -> None:
            facts = [("Pull", job.title), ("Kept", f"{fmt.size(job.done)}, for the next try")]
            dialog = ConfirmDialog(f"Cancel the pull of {job.title}?", facts, verb="cancel pull")
            if await self._screen.app.push_screen_wait(dialog):
                await (await self._bridge.reach()).cancel(job.id)

        self.carry_out(f"Cannot cancel {job.title}", verb)

    def remove(self, distro: Distro) -> None:
        """Ask, by the grade of what would be lost, then remove."""

        async def verb() -> None:
            sessions = [s for s in self._bridge.live_sessions if s.distro == distro.name]
            dialog = ConfirmDialog(
                f"Remove {distro.name}?",
                _losses(distro, sessions),
                verb="remove",
                word=distro.name if sessions else "",
            )
            if await self._screen.app.push_screen_wait(dialog):
                await (await self._bridge.reach()).remove(distro.name, force=bool(sessions))

        self.carry_out(f"Cannot remove {distro.name}", verb)

    def toggle(self, distro: Distro) -> None:
        """Start a stopped distro; stop a running one, asking first if shells run in it."""

        async def verb() -> None:
            engine = await self._bridge.reach()
            if distro.state != "running":
                await engine.start(distro.name)
                return
            shells = fmt.plural(distro.sessions, "shell")
            facts = [("Ends", f"{shells} and every process in it"), ("Kept", "all its files")]
            dialog = ConfirmDialog(f"Stop {distro.name}?", facts, verb="stop")
            if distro.sessions and not await self._screen.app.push_screen_wait(dialog):
                return
            await engine.stop(distro.name)

        self.carry_out(f"Cannot start or stop {distro.name}", verb)

    def close(self, session: Session, then: Callable[[], Awaitable[None]]) -> None:
        """End a session."""

        async def verb() -> None:
            await (await self._bridge.reach()).close(session.id)
            await then()

        self.carry_out(f"Cannot close the shell in {session.distro}", verb)

    def run(self, distro: str) -> None:
        """Ask for a command, run it, show what came."""

        async def verb() -> None:
            dialog = RunDialog(await self._bridge.reach(), distro)
            await self._screen.app.push_screen_wait(dialog)

        self.carry_out(f"Cannot run a command in {distro}", verb)

    def refresh(self) -> None:
        """Read the catalog's sources again."""

        async def verb() -> None:
            await (await self._bridge.reach()).refresh()

        self.carry_out("Cannot refresh the catalog", verb)


def _losses(distro: Distro, sessions: list[Session]) -> list[tuple[str, str]]:
    shared = f" ({fmt.size(distro.shared_size)} shared)" if distro.shared_size else ""
    facts = [
        ("Distro", f"{distro.name}  {distro.os_name}"),
        ("Size", f"{fmt.size(distro.size)}, frees {fmt.size(distro.unique_size)}{shared}"),
        ("Lost", "every change made in it"),
    ]
    if sessions:
        named = ", ".join(
            f"#{s.id} {s.title or ' '.join(s.argv[:1]) or 'shell'}" for s in sessions[:4]
        )
        facts.insert(2, ("Used by", f"{fmt.plural(len(sessions), 'shell')}: {named}"))
        facts.append(("", "These shells get SIGHUP."))
    return facts


def leaving(shells: int, pulls: int) -> list[tuple[str, str]]:
    """What goes on when the console is left; nothing, if that is all."""
    running = [fmt.plural(shells, "shell")] if shells else []
    running += [fmt.plural(pulls, "pull")] if pulls else []
    if not running:
        return []
    return [
        ("Keeps running", " and ".join(running)),
        ("Next time", "distrodeck brings them back"),
    ]
