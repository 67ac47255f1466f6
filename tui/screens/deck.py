"""The main screen: Home and the shell tabs, in one layout that follows the window's size.

Home is tab 0. A shell that is in front and has the focus gets every key but the prefix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Vertical
from textual.content import Content
from typing_extensions import override

from core.domain import Session
from core.errors import DaemonUnreachable
from tui import commands
from tui.breakpoints import HEIGHTS, WIDTHS, size_classes
from tui.bridge import TICK, Bridge, Topic
from tui.keymap import PREFIX_BYTE, PREFIX_LABEL, PREFIXED, prefixed_action, screen_bindings
from tui.panes import Panes
from tui.screens.confirm import ConfirmDialog
from tui.screens.error import ErrorDialog
from tui.screens.help import HelpDialog
from tui.screens.prompting import PromptScreen
from tui.shells import MOST, ShellDeck, ShellTab
from tui.state import ALWAYS, IN_SHELL, normal_hints, shell_hints, shell_mode
from tui.type_ahead import hold_keys
from tui.verbs import Verbs, leaving
from widgets import format as fmt
from widgets.header import Header, Totals
from widgets.part_line import PartLine
from widgets.prompt_line import PromptLine
from widgets.session_tabs import SessionTabs
from widgets.state_line import StateLine
from widgets.terminal.pane import TerminalPane
from widgets.which_key import WhichKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

HESITATION = 0.3
"""Seconds after the prefix until the which-key panel comes."""


class DeckScreen(PromptScreen, inherit_bindings=False):
    """Panes, tabs, and the keys that act on them."""

    BINDINGS: ClassVar[list[BindingType]] = [*screen_bindings()]
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(self, bridge: Bridge, *, clock: Callable[[], float]) -> None:
        super().__init__()
        self.bridge = bridge
        self._clock = clock
        self._state = "connecting …"
        self._hesitation: Timer | None = None
        self.prefix_pending = False
        """True from the prefix to the stroke after it."""
        self.verbs = Verbs(self, bridge, self._show_session)
        self.panes = Panes(bridge, self.verbs, clock=clock, id="panes")

    @property
    def in_shell(self) -> bool:
        """Whether a shell has the keys."""
        return isinstance(self.focused, TerminalPane)

    def compose(self) -> ComposeResult:
        """Header, tabs, panes, prompt, state."""
        # Textual sets these after the first paint, which would be one of everything in a column.
        self.add_class(*size_classes(self.app.size))
        yield Header(id="header")
        yield SessionTabs(id="tabs")
        yield self.panes
        with Vertical(id="which-key"):
            yield WhichKey([(key.shown, key.label) for key in PREFIXED])
        yield PromptLine(id="prompt")
        yield StateLine(id="state")

    def on_mount(self) -> None:
        """Start looking at what is new."""
        panel = self.query_one("#which-key")
        panel.border_title = Content(f"{PREFIX_LABEL} …")
        panel.border_subtitle = Content("Esc cancels")
        self.set_interval(TICK, self._tick)
        self.panes.activate("installed")
        self._tick()

    # what the bridge tells

    def _tick(self) -> None:
        new: set[Topic] = self.bridge.take_new() if self.bridge.ready.is_set() else set()
        self.panes.feed(new)
        self.query_one(SessionTabs).update(self.shells.summaries(), self.shells.current)
        self.shells.describe()
        bridge = self.bridge
        pulls = len(bridge.pulls)
        per_second = self.panes.activity.per_second
        header = self.query_one(Header)
        if pulls:
            header.tick(per_second, self._clock())
        header.update(
            Totals(
                state=self._state,
                distros=len(bridge.distros),
                shells=len(bridge.live_sessions),
                pulls=pulls,
                per_second=per_second,
                store=bridge.info.store_bytes if bridge.info else 0,
            )
        )

    @on(Bridge.Connected)
    async def _connected(self, event: Bridge.Connected) -> None:
        self._state = ""
        self.panes.ready()
        for tab in self.shells.gone(event.sessions):
            await self._drop(tab)
        if added := await self.shells.adopt(event.engine, event.sessions):
            self.panes.events.add(f"{fmt.plural(added, 'shell')} attached again")
        if self.bridge.engine is event.engine:
            self.bridge.taken_over.set()
        self._restate()

    def disconnected(self, state: str) -> None:
        """The engine is gone for now; the header says ``state``."""
        self._state = state

    # shells

    async def _show_session(self, session: Session) -> None:
        tab = await self.shells.add(await self.bridge.reach(), session)
        self.panes.events.add(f"shell {session.id} opened  {session.distro}")
        if tab is None:
            self.action_tab(0)
            self.app.notify("nine tabs are open: close one to see the new shell", markup=False)
        else:
            self.action_tab(tab.number)

    @on(ShellDeck.Changed)
    def _tabs_changed(self) -> None:
        self._restate()

    @on(ShellDeck.Ended)
    async def _tab_ended(self, event: ShellDeck.Ended) -> None:
        if event.code == 0:
            await self._drop(event.tab)
        self._restate()

    @on(ShellDeck.Reopen)
    async def _reopen(self, event: ShellDeck.Reopen) -> None:
        await self._drop(event.tab, succeed=False)
        self._open(event.tab.session.distro)

    @on(ShellDeck.Failed)
    async def _tab_failed(self, event: ShellDeck.Failed) -> None:
        await self._drop(event.tab)
        if not isinstance(event.error, DaemonUnreachable):
            self.app.push_screen(ErrorDialog("Cannot show the shell", event.error))

    async def _drop(self, tab: ShellTab, *, succeed: bool = True) -> None:
        full = len(self.shells.tabs) == MOST
        if self.shells.tab is tab:
            last = self.shells.last
            self.action_tab(last if last in self.shells.tabs and last != tab.number else 0)
        await self.shells.drop(tab)
        waiting = self.shells.waiting(self.bridge.live_sessions) if full and succeed else None
        if waiting and (engine := self.bridge.engine):
            await self.shells.add(engine, waiting)

    async def detach(self) -> None:
        """Leave all shells, handing in their screens."""
        await self.shells.detach()

    def _open(self, distro: str) -> None:
        rows, columns = self.shells.room
        self.verbs.open_shell(distro, rows, columns)

    # who has the keys

    def on_descendant_focus(self) -> None:
        """Say who has the keys now."""
        self._restate()

    def on_descendant_blur(self) -> None:
        """Say who has the keys now."""
        self._restate()

    def on_resize(self) -> None:
        """The hints depend on the room."""
        self.call_after_refresh(self._restate)

    def _restate(self) -> None:
        if not self.is_mounted:
            return
        self.set_class(self.shells.current != 0, "-place-shell")
        self.query_one(SessionTabs).update(self.shells.summaries(), self.shells.current)
        self.shells.describe()
        line = self.query_one(StateLine)
        tab = self.shells.tab
        if self.in_shell and tab:
            hints = shell_hints(tab, pending=self.prefix_pending)
            line.update(shell_mode(tab), hints, IN_SHELL, shell=tab.exit_code is None)
        else:
            line.update("NORMAL", normal_hints(self.panes.active), ALWAYS, shell=False)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "prefix":
            return self.in_shell and not self.prefix_pending
        return True

    def action_prefix(self) -> None:
        """Take the next stroke away from the shell."""
        if not self.in_shell:
            return
        self.prefix_pending = True
        self._hesitation = self.set_timer(HESITATION, self._show_which_key)
        self._restate()

    def _show_which_key(self) -> None:
        self.query_one("#which-key").display = self.prefix_pending

    @on(TerminalPane.PrefixPressed)
    def _prefix_pressed(self) -> None:
        self.action_prefix()

    async def take_prefixed(self, key: str) -> None:
        """Do what ``key`` means after the prefix; an unknown one cancels with a flash."""
        self.prefix_pending = False
        if self._hesitation:
            self._hesitation.stop()
        self.query_one("#which-key").display = False
        self._restate()
        action = prefixed_action(key)
        if action:
            await self.run_action(action)
        elif key != "escape":
            self.app.bell()

    def action_literal(self) -> None:
        """Send the prefix itself to the shell."""
        if tab := self.shells.tab:
            tab.link.type(PREFIX_BYTE)

    @on(PartLine.Pressed)
    async def _pressed(self, event: PartLine.Pressed) -> None:
        event.stop()
        self.prefix_pending = False
        await self.panes.run_action(event.action)

    # moving about

    def action_tab(self, number: int) -> None:
        """Go Home or to a shell tab."""
        if number and number not in self.shells.tabs:
            self.app.bell()
            return
        self.shells.show(number)
        self._restate()
        if tab := self.shells.tab:
            self.panes.installed.select(tab.session.distro)
        else:
            self.remove_class("-zen")
        # A widget can take the keys only once the new layout shows it.
        self.call_after_refresh(self._give_keys, hold_keys(self.app))

    def _give_keys(self, release: Callable[[], None]) -> None:
        if tab := self.shells.tab:
            tab.pane.focus()
        else:
            self.panes.activate(self.panes.active)
        release()

    def action_last_tab(self) -> None:
        """Go to the tab that was in front before."""
        self.action_tab(self.shells.last)

    def action_next_pane(self, step: int) -> None:
        """Go to the next pane."""
        self.panes.cycle(step)

    def action_zen(self) -> None:
        """The shell in the whole window, or not."""
        self.toggle_class("-zen")

    def action_redraw(self) -> None:
        """Draw everything anew."""
        self.refresh(repaint=True, layout=True)

    # shells by key

    @on(Panes.ShellWanted)
    def _shell_wanted(self, event: Panes.ShellWanted) -> None:
        self.open_shell(event.distro, new=event.new)

    def open_shell(self, distro: str, *, new: bool) -> None:
        """Go to an open shell of ``distro``, if there is one and no ``new`` one is wanted."""
        open_tabs = self.shells.of_distro(distro)
        if open_tabs and not new:
            self.action_tab(open_tabs[0].number)
        else:
            self._open(distro)

    def action_new_shell(self) -> None:
        """One more shell: in the distro of the tab in front, at Home in the selected one."""
        if tab := self.shells.tab:
            self._open(tab.session.distro)
        else:
            self.panes.action_new_shell()

    def action_close_tab(self) -> None:
        """End the shell in front; the tab of an ended one just goes."""
        tab = self.shells.tab
        if tab and tab.exit_code is None:
            self.verbs.close(tab.session, lambda: self._drop(tab))
        elif tab:
            self.call_later(self._drop, tab)

    # prompts and dialogs

    @override
    def give_keys_back(self) -> None:
        self.action_tab(self.shells.current)

    @override
    async def carry_out(self, line: str) -> None:
        await commands.carry_out(commands.parse(line), self)

    def action_help(self) -> None:
        """Show the keys."""
        tab = self.shells.tab
        self.app.push_screen(HelpDialog(copying=tab is not None and tab.pane.view.copy is not None))

    async def action_quit(self) -> None:
        """Back to Home; at Home leave, but ask first where something goes on without us."""
        if self.shells.current:
            self.action_tab(0)
            return
        facts = leaving(len(self.bridge.live_sessions), len(self.bridge.pulls))
        if not facts:
            await self._leave("nothing to ask")
            return
        self.app.push_screen(ConfirmDialog("Leave the console?", facts, verb="leave"), self._leave)

    async def _leave(self, answer: str | None) -> None:
        if answer:
            await self.app.run_action("app.leave")
