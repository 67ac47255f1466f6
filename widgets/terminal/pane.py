"""The terminal pane: draws one session's emulator and speaks for its keyboard and mouse.

Output comes in by :meth:`TerminalPane.offer` and goes straight into the emulator; no message is
sent for it. What the person types goes out as :class:`TerminalPane.Input`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from typing_extensions import override

from core.terminal.encode_keys import encode_focus, encode_paste
from core.terminal.terminal import CheckpointError, Terminal
from widgets.terminal.canvas import TerminalCanvas
from widgets.terminal.copying import Copying
from widgets.terminal.keyboard import bytes_of, same_key
from widgets.terminal.pointer import Pointer
from widgets.terminal.turns import Turns

if TYPE_CHECKING:
    from textual import events

RESIZE_REST = 0.06
"""Seconds the size has to stay the same before a session is told (a window being dragged)."""
ACTIVITY_REST = 1.0
"""Seconds between two messages about output that nobody sees."""


class TerminalPane(TerminalCanvas, can_focus=True, inherit_bindings=False):
    """A shell's screen.

    The size of the emulator is the session's and follows its log
    (:meth:`replay_resize`); the pane only asks for its own size by :class:`Resized`. With the
    focus it takes every key but the prefix, so no binding of the pane or above it may have
    ``priority`` unless the shell is to go without that key.
    """

    @dataclass
    class PaneMessage(Message):
        """What a pane tells the screen."""

        pane: TerminalPane

        @property
        def control(self) -> TerminalPane:
            """The pane, for ``@on`` selectors."""
            return self.pane

    @dataclass
    class Input(PaneMessage):
        """Bytes for the program: typed, pasted, mouse and focus reports, answers to queries."""

        data: bytes

    @dataclass
    class Resized(PaneMessage):
        """The pane has another size; the screen tells the session."""

        rows: int
        columns: int

    @dataclass
    class TitleChanged(PaneMessage):
        """The program named its window."""

        title: str

    @dataclass
    class Bell(PaneMessage):
        """The program rang the bell."""

    @dataclass
    class Activity(PaneMessage):
        """There is output that nobody sees; at most once a second."""

    @dataclass
    class ClipboardWrite(PaneMessage):
        """The program wants ``text`` on the clipboard (OSC 52). The user's setting decides."""

        text: str

    @dataclass
    class Copied(PaneMessage):
        """The person marked ``text`` to be copied; the screen knows where to."""

        text: str

    @dataclass
    class LinkWanted(PaneMessage):
        """The person wants an address opened; it is safe to hand on."""

        address: str

    @dataclass
    class SearchWanted(PaneMessage):
        """The person wants to search; the screen asks for what (:attr:`copying`)."""

    @dataclass
    class Looked(PaneMessage):
        """Copy mode began, moved or ended."""

    @dataclass
    class Notice(PaneMessage):
        """Something to tell in passing."""

        text: str

    @dataclass
    class PrefixPressed(PaneMessage):
        """The prefix key was pressed and not sent; the screen takes the next key."""

    def __init__(
        self,
        *,
        prefix: str = "ctrl+right_square_bracket",
        scrollback: int = 10_000,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(Terminal(24, 80, scrollback=scrollback), id=id, classes=classes)
        self.exit_code: int | None = None
        """Set by :meth:`show_exit`."""
        self._scrollback = scrollback
        self._prefix = same_key(prefix)
        self._answering = False
        self._title = ""
        self._bells = 0
        self._told_activity = 0.0
        self._told_size: tuple[int, int] | None = None
        self._resize_timer: asyncio.TimerHandle | None = None
        self._turns = Turns(self._feed)
        self._alternate = False
        self._pointer = Pointer(self)
        self.copying = Copying(self)
        """Copy mode."""

    @property
    def terminal(self) -> Terminal:
        """The emulator. Feed it through :meth:`offer` only."""
        return self.view.terminal

    # what the session says

    def restore(self, checkpoint: bytes, rows: int, columns: int) -> None:
        """Show the screen of a checkpoint; without one, an empty screen of that size."""
        terminal = Terminal(rows, columns, scrollback=self._scrollback)
        if checkpoint:
            try:
                terminal = Terminal.restore(checkpoint)
            except CheckpointError:
                # Written by another version: the log goes on, and programs redraw at a resize.
                self.log.warning("checkpoint refused, starting from an empty screen")
        terminal.answering = self._answering
        self._bells = terminal.bells
        self.view.replace(terminal)
        self.view.note = ""
        self.exit_code = None
        self.tell_colors()
        self._told_size = None
        self._tell_size()
        self._after_output()

    async def offer(self, data: bytes) -> None:
        """Parse output of the session; returns when it is parsed, which is the back-pressure.

        One caller at a time. Cancelled, it still parses all of ``data`` first, so an offset in
        the session's log moves over the whole of it.
        """
        await self._turns.parse(data, self._has_keys)

    def replay_resize(self, rows: int, columns: int) -> None:
        """The session changed its size, at this place among its output."""
        self.view.resize_terminal(rows, columns)
        self._after_output()

    def set_answering(self, answering: bool) -> None:
        """Whether queries of the program are answered: only by the session's controller."""
        self._answering = self.terminal.answering = answering

    def checkpoint(self) -> bytes:
        """The emulator's state, after all output offered so far."""
        return self.terminal.checkpoint()

    def show_exit(self, code: int) -> None:
        """Say below the last output that the session ended."""
        self.exit_code = code
        self.view.note = f"[exited with {code} · Enter reopens · prefix x closes]"
        self.repaint()

    def scroll_history(self, lines: int) -> None:
        """Look further back (positive) or forward again; typing returns to the end."""
        if self.view.copy:
            self.copying.scroll(lines)
        elif self.view.scroll(lines):
            self.repaint()

    def send(self, data: bytes) -> None:
        """Input for the program, as if typed."""
        if data:
            self.post_message(self.Input(self, data))

    def _has_keys(self) -> bool:
        return self.has_focus

    def _feed(self, data: bytes) -> None:
        self.terminal.feed(data)
        self._after_output()

    def _after_output(self) -> None:
        terminal = self.terminal
        self.send(terminal.take_replies())
        for text in terminal.take_clipboard():
            self.post_message(self.ClipboardWrite(self, text))
        if terminal.bells != self._bells:
            self._bells = terminal.bells
            self.post_message(self.Bell(self))
        if terminal.title != self._title:
            self._title = terminal.title
            self.post_message(self.TitleChanged(self, self._title))
        if terminal.modes.alternate_screen != self._alternate:
            # Other lines have the numbers of what was marked.
            self._alternate = not self._alternate
            self.view.drop_selection()
        if self.seen and self.view.copy:
            return  # what is shown stands still
        if self.seen:
            self.repaint(held=terminal.modes.synchronized)
        elif time.monotonic() - self._told_activity >= ACTIVITY_REST:
            self._told_activity = time.monotonic()
            self.post_message(self.Activity(self))

    # size and place

    def on_unmount(self) -> None:
        """Forget a size not told yet."""
        if self._resize_timer:
            self._resize_timer.cancel()

    @override
    def window_changed(self) -> None:
        if self._resize_timer:
            self._resize_timer.cancel()
            self._resize_timer = None
        if self._told_size is None:
            self._tell_size()
        else:
            loop = asyncio.get_running_loop()
            self._resize_timer = loop.call_later(RESIZE_REST, self._tell_size)

    def _tell_size(self) -> None:
        # Out of sight a pane has a size that means nothing: its program keeps the last one.
        if self.is_on_screen and min(self.window) > 1 and self.window != self._told_size:
            self._told_size = self.window
            self.post_message(self.Resized(self, *self._told_size))

    # keyboard, mouse, focus

    def on_focus(self) -> None:
        """The cursor becomes solid; programs that asked are told."""
        self._focus_changed(gained=True)

    def on_blur(self) -> None:
        """The cursor fades; programs that asked are told."""
        self._focus_changed(gained=False)

    def _focus_changed(self, *, gained: bool) -> None:
        self.view.focused = gained
        self.send(encode_focus(gained, self.terminal.modes))
        self.repaint()

    def on_key(self, event: events.Key) -> None:
        """Send the key; only the prefix and shift with a page key are the console's."""
        event.stop()
        event.prevent_default()
        if event.key in self._prefix:
            self.post_message(self.PrefixPressed(self))
            return
        if self.view.copy:
            self.copying.press(event.key)
            return
        modes = self.terminal.modes
        page = {"shift+pageup": 1, "shift+pagedown": -1}.get(event.key)
        if page and not modes.alternate_screen:
            self.scroll_history(page * max(1, self.view.height - 1))
            return
        self._type(bytes_of(event, modes))

    def on_paste(self, event: events.Paste) -> None:
        """Send pasted text, marked as such if the program asked for it."""
        event.stop()
        event.prevent_default()
        self.paste(event.text)

    def paste(self, text: str) -> None:
        """Type ``text``, marked as pasted if the program asked for it; ends copy mode."""
        self.copying.leave()
        self._type(encode_paste(text, self.terminal.modes))

    def _type(self, data: bytes) -> None:
        if not data:
            return
        if self.view.selection:
            self.view.selection = None
            self.repaint()
        self.scroll_history(-self.view.back)
        self.send(data)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """For the program, or the start of a selection."""
        event.stop()
        self._pointer.press(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """For the program, or the end of a selection."""
        event.stop()
        self._pointer.release(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """For the program, or more of a selection."""
        self._pointer.move(event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """For the program, or back in the history."""
        event.stop()
        self._pointer.wheel(event, "up")

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """For the program, or forward in the history."""
        event.stop()
        self._pointer.wheel(event, "down")

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """For the program."""
        event.stop()
        self._pointer.wheel(event, "left")

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """For the program."""
        event.stop()
        self._pointer.wheel(event, "right")
