"""The shell tabs: one pane and one link a session, and which of them is in front."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.worker import Worker, WorkerCancelled

from core.errors import DeckError, deck_error
from tui.keymap import PREFIX
from tui.shell_link import ShellLink
from widgets.session_tabs import Tab
from widgets.terminal.copy_mode import scrolled
from widgets.terminal.pane import TerminalPane

if TYPE_CHECKING:
    from core.domain import Session
    from core.engine import Engine

_ENTER = frozenset({b"\r", b"\n", b"\r\n"})
DETACH_SECONDS = 2.0
"""Longest wait for checkpoints when the console leaves."""
MOST = 9
"""Tabs that a digit leads to; further sessions wait in the background."""


@dataclass(slots=True, kw_only=True)
class ShellTab:
    """One tab."""

    number: int
    session: Session
    pane: TerminalPane
    link: ShellLink
    worker: Worker[None] | None = None
    title: str = ""
    exit_code: int | None = None
    bell: bool = False

    def summary(self) -> Tab:
        """What the tab bar shows of it."""
        return Tab(
            number=self.number,
            name=self.session.distro,
            exit_code=self.exit_code,
            bell=self.bell,
            activity=self.link.offset > self.link.seen,
        )


class ShellDeck(Container, inherit_bindings=False):
    """All panes, one of them in sight; the frame says which and how big."""

    class Changed(Message):
        """A tab came, went, ended, or has something to tell."""

    @dataclass
    class Ended(Message):
        """A session ended with its tab open."""

        tab: ShellTab
        code: int

    @dataclass
    class Reopen(Message):
        """Enter in a tab whose session ended: a new one in its place."""

        tab: ShellTab

    @dataclass
    class Failed(Message):
        """A session cannot be shown."""

        tab: ShellTab
        error: DeckError

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.tabs: dict[int, ShellTab] = {}
        self.current = 0
        self.last = 0
        self._described: tuple[str, str] | None = None
        self._dropped: set[int] = set()
        """Sessions whose tab went; the engine may not have told yet that they ended."""

    @property
    def room(self) -> tuple[int, int]:
        """Rows and columns that a pane has here."""
        size = self.content_size
        return (size.height, size.width) if size else (24, 80)

    @property
    def tab(self) -> ShellTab | None:
        """The tab in front."""
        return self.tabs.get(self.current)

    def find(self, session: int) -> ShellTab | None:
        """The tab of a session."""
        return next((tab for tab in self.tabs.values() if tab.session.id == session), None)

    def of_distro(self, name: str) -> list[ShellTab]:
        """Tabs with a live shell in a distro, the one in front first."""
        found = [t for t in self.tabs.values() if t.session.distro == name and t.exit_code is None]
        return sorted(found, key=lambda tab: tab.number != self.current)

    def summaries(self) -> list[Tab]:
        """The tabs, for the tab bar; what is in front counts as seen."""
        if tab := self.tab:
            tab.link.seen = tab.link.offset
        return [self.tabs[number].summary() for number in sorted(self.tabs)]

    async def add(self, engine: Engine, session: Session) -> ShellTab | None:
        """Give a session a tab and attach to it; None when all digits are taken."""
        if known := self.find(session.id):
            return known
        free = [number for number in range(1, MOST + 1) if number not in self.tabs]
        if not free:
            return None
        pane = TerminalPane(prefix=PREFIX)
        pane.display = False
        link = ShellLink(engine, session.id, pane)
        tab = ShellTab(number=free[0], session=session, pane=pane, link=link, title=session.title)
        self.tabs[tab.number] = tab
        await self.mount(pane)
        tab.worker = self._drive(tab)
        self.post_message(self.Changed())
        return tab

    async def adopt(self, engine: Engine, sessions: list[Session]) -> int:
        """Go on with ``engine``, which has these ``sessions``; how many tabs are new.

        Shells are attached to without the engine's help: what a tab shows stays as it is.
        """
        self._dropped.clear()
        for tab in self.tabs.values():
            tab.link.engine = engine
        before = len(self.tabs)
        for session in sessions:
            await self.add(engine, session)
        return len(self.tabs) - before

    def gone(self, sessions: list[Session]) -> list[ShellTab]:
        """Tabs of shells that did not tell their end and are not among ``sessions``."""
        known = {session.id for session in sessions}
        tabs = self.tabs.values()
        return [tab for tab in tabs if tab.exit_code is None and tab.session.id not in known]

    def waiting(self, sessions: list[Session]) -> Session | None:
        """The first of ``sessions`` that found all digits taken."""
        shown = {tab.session.id for tab in self.tabs.values()} | self._dropped
        return next((s for s in sessions if s.tty and s.id not in shown), None)

    @work
    async def _drive(self, tab: ShellTab) -> None:
        try:
            code = await tab.link.run()
        except (DeckError, ExceptionGroup) as caught:
            if error := deck_error(caught):
                self.post_message(self.Failed(tab, error))
                return
            raise
        tab.exit_code = code
        tab.pane.show_exit(code)
        self.post_message(self.Ended(tab, code))

    def show(self, number: int) -> None:
        """Bring a tab to the front; 0: none."""
        if number != self.current and self.current:
            self.last = self.current
        self.current = number
        for tab in self.tabs.values():
            tab.pane.display = tab.number == number
        if front := self.tab:
            front.bell = False
        self.post_message(self.Changed())

    async def drop(self, tab: ShellTab) -> None:
        """Take a tab away; the session itself is left be."""
        if tab.worker:
            tab.worker.cancel()
        self.tabs.pop(tab.number, None)
        self._dropped.add(tab.session.id)
        if self.current == tab.number:
            self.current = 0
        if self.last == tab.number:
            self.last = 0
        await tab.pane.remove()
        self.post_message(self.Changed())

    async def detach(self) -> None:
        """Leave every session, handing in its checkpoint; all of them live on."""
        workers = [tab.worker for tab in self.tabs.values() if tab.worker]
        for worker in workers:
            worker.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(DETACH_SECONDS):
                for worker in workers:
                    with suppress(WorkerCancelled):
                        await worker.wait()

    def describe(self) -> None:
        """Write the frame, if it changed: number, name, title, size, who controls the shell."""
        described = self._description(self.tab) if self.tab else None
        if described == self._described:
            return
        self._described = described
        title, subtitle = described or (None, None)
        self.border_title = None if title is None else Content(title)
        self.border_subtitle = None if subtitle is None else Content(subtitle)

    def _description(self, tab: ShellTab) -> tuple[str, str]:
        title = f" — {tab.title}" if tab.title else ""
        rows, columns = tab.pane.size.height, tab.pane.size.width
        watching = "" if tab.link.controller else " · watching"
        ended = f" · exit code {tab.exit_code}" if tab.exit_code is not None else ""
        copy = tab.pane.view.copy
        back = f" · {scrolled(copy)}" if copy else ""
        subtitle = f"{columns}x{rows}{back}{watching}{ended}"
        return f"{tab.number} {tab.session.distro}{title}", subtitle

    def _of_pane(self, pane: TerminalPane) -> ShellTab | None:
        return next((tab for tab in self.tabs.values() if tab.pane is pane), None)

    @on(TerminalPane.Input)
    def _input(self, event: TerminalPane.Input) -> None:
        event.stop()
        tab = self._of_pane(event.pane)
        if tab and tab.exit_code is None:
            tab.link.type(event.data)
        elif tab and event.data in _ENTER:
            self.post_message(self.Reopen(tab))

    @on(TerminalPane.Resized)
    def _resized(self, event: TerminalPane.Resized) -> None:
        event.stop()
        if tab := self._of_pane(event.pane):
            tab.link.resize(event.rows, event.columns)
            self.describe()
            self.post_message(self.Changed())

    @on(TerminalPane.TitleChanged)
    def _titled(self, event: TerminalPane.TitleChanged) -> None:
        event.stop()
        if tab := self._of_pane(event.pane):
            tab.title = event.title
            self.describe()

    @on(TerminalPane.Bell)
    def _bell(self, event: TerminalPane.Bell) -> None:
        event.stop()
        tab = self._of_pane(event.pane)
        if tab and tab is not self.tab and not tab.link.replaying:
            tab.bell = True

    @on(TerminalPane.ClipboardWrite)
    def _clipboard(self, event: TerminalPane.ClipboardWrite) -> None:
        event.stop()
        self.app.copy_to_clipboard(event.text)

    @on(TerminalPane.Looked)
    def _looked(self, event: TerminalPane.Looked) -> None:
        event.stop()
        self.describe()
        self.post_message(self.Changed())
