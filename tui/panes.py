"""The panes around the shells: lists, inspector, history, activity, events, in one grid.

``deck.tcss`` places them by the window's size; here they are fed with what the bridge has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on, work
from textual.containers import Container
from textual.content import Content
from textual.message import Message

from core.domain import CatalogEntry, Distro, HistoryEntry, Job, PullSpec
from core.errors import DeckError
from tui.bridge import Bridge
from tui.keymap import pane_bindings
from tui.screens.inspect import InspectDialog
from tui.shells import ShellDeck
from widgets import format as fmt
from widgets.activity import Activity
from widgets.catalog_list import CatalogList, freshness
from widgets.distro_list import DistroList, InstalledRow, row_name
from widgets.event_log import EventLog
from widgets.history_list import HistoryList
from widgets.inspector import Inspector, distro_facts, entry_facts, source_facts
from widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tui.bridge import Topic
    from tui.verbs import Verbs

ORDER = ("installed", "available", "history", "activity")
"""The panes that can have the focus, in the order of Tab."""
STACK = ("installed", "available", "history")
"""Those of which a narrow window opens one at a time."""


class Panes(Container, inherit_bindings=False):
    """All panes, and which of them is meant by a key."""

    @dataclass
    class ShellWanted(Message):
        """The person wants to be in a shell of a distro."""

        distro: str
        new: bool
        """Not one that is open already."""

    BINDINGS: ClassVar[list[BindingType]] = [*pane_bindings()]

    def __init__(
        self,
        bridge: Bridge,
        verbs: Verbs,
        *,
        clock: Callable[[], float],
        id: str,  # noqa: A002
    ) -> None:
        super().__init__(id=id, classes="-open-installed")
        self._bridge = bridge
        self.verbs = verbs
        self._clock = clock
        self.active = "installed"
        self._history_of: str | None = None
        self.installed = DistroList(clock=clock, id="installed")
        self.available = CatalogList(id="available")
        self.history = HistoryList(id="history")
        self.inspector = Inspector(id="inspector")
        self.activity = Activity(clock=clock, id="activity")
        self.events = EventLog(clock=clock, id="events")
        self.shells = ShellDeck(id="shells")

    def compose(self) -> ComposeResult:
        """Lists, shells, details, activity."""
        with Container(id="lists"):
            yield self.installed
            yield self.available
        yield self.shells
        with Container(id="detail"):
            yield self.inspector
            yield self.history
        with Container(id="work"):
            yield self.activity
            yield self.events

    def on_mount(self) -> None:
        """Name the panes."""
        self.inspector.border_title = Content("Inspect")
        self.events.border_title = Content("Events")
        self.installed.explain_empty("connecting to the engine …")
        self.available.explain_empty("")
        self.titles()

    @property
    def active_list(self) -> LineList[Any] | None:
        """The active list; None while Activity is the active pane."""
        lists: dict[str, LineList[Any]] = {
            "installed": self.installed,
            "available": self.available,
            "history": self.history,
        }
        return lists.get(self.active)

    @property
    def distro(self) -> Distro | None:
        """The installed distro that a key means."""
        row = self.installed.row
        if not isinstance(row, Distro) or self.active == "available":
            return None
        return self._bridge.distros.get(row.name)

    @property
    def entry(self) -> CatalogEntry | None:
        """The catalog entry that a key means."""
        return self.available.row if self.active == "available" else None

    @property
    def job(self) -> Job | None:
        """The pull that a key means."""
        row = self.installed.row
        if self.active == "activity":
            return self.activity.job
        return row if isinstance(row, Job) and self.active == "installed" else None

    def activate(self, name: str) -> None:
        """Open a pane and give it the focus."""
        self.open_pane(name)
        self.query_one(f"#{name}").focus(scroll_visible=False)

    def open_pane(self, name: str) -> None:
        """Make a pane the active one."""
        self.active = name
        if name in STACK:
            for other in STACK:
                self.set_class(other == name, f"-open-{other}")
        self._tell()

    def cycle(self, step: int) -> None:
        """Go to the next pane that the layout shows."""
        shown = [name for name in ORDER if self.is_shown(name)]
        here = shown.index(self.active) if self.active in shown else -step
        self.activate(shown[(here + step) % len(shown)])

    def is_shown(self, name: str) -> bool:
        """Whether the layout shows a pane."""
        path = self.query_one(f"#{name}").ancestors_with_self
        return all(node.display for node in path)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click or a key moved the focus: that pane is active now."""
        if event.widget.id in ORDER and event.widget.id != self.active:
            self.open_pane(event.widget.id)

    def feed(self, new: set[Topic]) -> None:
        """Hand on what is new."""
        bridge = self._bridge
        pulls = [job for job in bridge.jobs.values() if job.kind == "pull"]
        if new & {"distros", "jobs"}:
            making = [job for job in bridge.pulls if job.title not in bridge.distros]
            rows: list[InstalledRow] = [*bridge.distros.values(), *making]
            self.installed.show(sorted(rows, key=row_name))
        if "distros" in new:
            self.available.mark_installed({distro.url for distro in bridge.distros.values()})
        if "catalog" in new:
            self.available.show(bridge.catalog.entries)
        if "jobs" in new or any(job.state == "running" for job in pulls):
            self.activity.show(pulls)
        if new:
            self.titles()
            self._tell()

    def titles(self) -> None:
        """Write counts, filters and the catalog's age into the frames."""
        lists = (
            (self.installed, "Installed", len(self._bridge.distros)),
            (self.available, "Available", len(self._bridge.catalog.entries)),
        )
        for widget, word, total in lists:
            shown = widget.counts[0]
            count = f"{shown}/{total} /{widget.filter_text}" if widget.filter_text else f"{total}"
            widget.border_title = Content(f"{word} ({count})")
        self.available.border_subtitle = Content(freshness(self._bridge.catalog, self._clock()))
        summary = self.activity.summary()
        self.activity.border_title = Content(f"Activity {summary}" if summary else "Activity")

    def ready(self) -> None:
        """There is an engine: say what empty lists mean."""
        self.installed.explain_empty(*self.installed.EMPTY)
        self.available.explain_empty(*self.available.EMPTY)

    @work(group="history", exclusive=True)
    async def _read_history(self, name: str) -> None:
        entries: list[HistoryEntry] = []
        if name:
            try:
                entries = await (await self._bridge.reach()).history(name)
            except DeckError as error:
                self.history.explain_empty(error.message)
        self.history.show(entries)
        self.history.border_title = Content(f"History {name}".rstrip())
        self.history.border_subtitle = Content(self.history.summary())

    # news

    @on(Bridge.JobEnded)
    def _job_ended(self, event: Bridge.JobEnded) -> None:
        job = event.job
        if job.kind != "pull":
            return
        self.events.add(f"pull {job.state}  {job.title}")
        if job.state == "failed" and self._free():
            self.verbs.explain(job)
        elif job.state == "failed" and job.error:
            # Whoever types in a shell or a dialog keeps the keys.
            self.app.notify(
                f"{job.error.message}\nEnter in Activity says more",
                title=f"Pull failed: {job.title}",
                severity="error",
                markup=False,
            )
        elif job.state == "done":
            for text in job.warnings:
                self.app.notify(text, severity="warning", markup=False)
            self.app.notify(f"{job.result or job.title} is installed", markup=False, timeout=4)
            if self.active == "available":
                self.installed.select(job.result)

    @on(Bridge.SessionEnded)
    def _session_ended(self, event: Bridge.SessionEnded) -> None:
        session = event.session
        code = session.exit_code
        how = f"ended with {code}" if code is not None else session.state
        self.events.add(f"shell {session.id} {how}  {session.distro}")

    @on(Bridge.Told)
    def _told(self, event: Bridge.Told) -> None:
        level = "warning" if event.notice.level in {"warning", "error"} else "information"
        self.app.notify(event.notice.text, severity=level, markup=False)  # type: ignore[arg-type]
        self.events.add(event.notice.text)

    def _free(self) -> bool:
        return self.app.screen is self.screen and not self.shells.has_focus_within

    # keys on what is selected

    def action_open(self) -> None:
        """Go to a shell of the distro, or open one; pull what is not installed."""
        if entry := self.entry:
            self.verbs.pull_entry(entry)
        elif self.active == "activity":
            self.activity.action_explain()
        elif self.distro:
            self.post_message(self.ShellWanted(self.distro.name, new=False))

    def action_new_shell(self) -> None:
        """Open one more shell in the distro."""
        if self.distro:
            self.post_message(self.ShellWanted(self.distro.name, new=True))

    def action_run(self) -> None:
        """Run a command in the distro."""
        if self.distro:
            self.verbs.run(self.distro.name)

    def action_start_stop(self) -> None:
        """Start or stop the distro."""
        if self.distro:
            self.verbs.toggle(self.distro)

    def action_inspect(self) -> None:
        """All that is known; in the catalog also of its sources."""
        if entry := self.entry:
            sources = source_facts(self._bridge.catalog.sources, self._clock())
            facts = [*entry_facts(entry), ("", ""), ("Catalog sources", ""), *sources]
            self.app.push_screen(InspectDialog(entry.name, facts))
        elif distro := self.distro:
            self.app.push_screen(InspectDialog(distro.name, distro_facts(distro, self._clock())))

    def action_history(self) -> None:
        """Go to the history of the distro."""
        self.activate("history")

    def action_remove(self) -> None:
        """Remove the distro, or cancel the pull."""
        if job := self.job:
            if job.active:
                self.verbs.cancel(job)
        elif self.distro:
            self.verbs.remove(self.distro)

    def action_pull(self) -> None:
        """Ask what to pull; what is selected in the catalog is there already."""
        entry = self.entry
        spec = PullSpec(source=entry.source, checksum=entry.checksum) if entry else None
        self.verbs.ask_pull(spec)

    def action_again(self) -> None:
        """Try a pull again that failed."""
        if (job := self.job) and job.state in {"failed", "cancelled"}:
            self.verbs.again(job)

    def action_explain(self) -> None:
        """Say why a pull failed."""
        self.activity.action_explain()

    def action_refresh(self) -> None:
        """Read the catalog's sources again."""
        self.verbs.refresh()

    @on(LineList.Activated)
    def _activated(self, event: LineList.Activated) -> None:
        event.stop()
        if event.line_list is not self.history:
            self.action_open()

    @on(Activity.Explain)
    def _explain(self, event: Activity.Explain) -> None:
        event.stop()
        self.verbs.explain(event.job)

    @on(LineList.Moved)
    def _moved(self, event: LineList.Moved) -> None:
        event.stop()
        if event.line_list is not self.history:
            self._tell()

    def _tell(self) -> None:
        thing: Distro | CatalogEntry | Job | None = self.entry or self.installed.row
        if isinstance(thing, Distro):
            self.inspector.show(distro_facts(thing, self._clock()))
        elif isinstance(thing, CatalogEntry):
            self.inspector.show(entry_facts(thing))
        elif isinstance(thing, Job):
            amount = f"{fmt.progress(thing.done, thing.total)}" if thing.total else ""
            self.inspector.show([("Name", thing.title), ("Pull", thing.phase), ("Have", amount)])
        else:
            self.inspector.show(())
        name = thing.name if isinstance(thing, Distro) else ""
        if name != self._history_of and self._bridge.engine:
            self._history_of = name
            self._read_history(name)
