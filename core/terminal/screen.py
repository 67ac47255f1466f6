"""The whole screen: modes, the alternate screen, charsets, saved cursors and the keyboard.

xterm control sequences (ctlseqs), the VT510 reference, and the kitty keyboard protocol for
``CSI u``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pyte.modes as mo
from typing_extensions import override

from core.terminal.announcing import Announcer
from core.terminal.attributes import DEFAULT, Attributes
from core.terminal.canvas import Cursor
from core.terminal.charsets import ASCII, MAPS
from core.terminal.lines import Line
from core.terminal.modes import (
    KNOWN_PRIVATE,
    KNOWN_PUBLIC,
    MOUSE_MODES,
    PRIVATE,
    SHAPES,
    CursorShape,
    CursorState,
    Modes,
)
from core.terminal.reflow import resize
from core.terminal.sgr import apply_sgr

if TYPE_CHECKING:
    from core.terminal.modes import MouseMode

KITTY_STACK_LIMIT = 16

_START_MODES = frozenset((mo.DECAWM, mo.DECTCEM, 1007 << PRIVATE))
_PYTE_PRIVATE = frozenset((mo.DECTCEM, mo.DECSCNM, mo.DECOM, mo.DECAWM))
"""pyte's callers name private modes by these, without saying so."""
_ALTERNATE = (47, 1047, 1049)
_COLUMN_SWITCH = 40 << PRIVATE
"""xterm: DECCOLM may be used."""


@dataclass(frozen=True, slots=True)
class SavedCursor:
    """What DECSC keeps."""

    x: int = 0
    y: int = 0
    pen: Attributes = DEFAULT
    origin: bool = False
    charsets: str = ASCII * 4
    active: int = 0


class Screen(Announcer):
    """Everything a program can switch; see :class:`core.terminal.terminal.Terminal`."""

    def __init__(self, columns: int, lines: int, scrollback: int = 0) -> None:
        self.hidden_grid: list[Line] = []
        self.cursor = Cursor(0, 0)
        super().__init__(columns, lines, scrollback)

    @override
    def reset(self) -> None:
        """RIS: as if just switched on; the history stays."""
        self.alternate = False
        self._blank()
        self.hidden_grid = []
        super().reset()
        self.kitty: dict[bool, list[int]] = {False: [0], True: [0]}
        self.saved_modes: dict[int, bool] = {}
        self.tabstops = set(range(8, self.columns, 8))
        self.last_drawn = ""
        self.iso_protection = False
        self.cursor.x = self.cursor.y = 0
        self.soft_reset()
        self.saved: dict[bool, SavedCursor | None] = {False: None, True: None}
        self.mouse: MouseMode = 0
        self.modify_other_keys = 0
        self.cursor_shape: CursorShape = "block"

    def soft_reset(self) -> None:
        """DECSTR: modes and attributes, not the contents."""
        self.mode = set(_START_MODES)
        self.margins = None
        self.set_sides(None)
        self.charsets = ASCII * 4
        self.active_charset = 0
        self.choose_charset()
        self.cursor.pen = DEFAULT
        self.cursor.hidden = False
        self.saved = {False: None, True: None}
        self.keypad = False

    # the pen

    @override
    def select_graphic_rendition(self, *attrs: int) -> None:
        self.render(";".join(map(str, attrs)))

    def render(self, params: str) -> None:
        """SGR with its parameters as text."""
        self.cursor.pen = apply_sgr(self.cursor.pen, params)

    def set_link(self, address: str) -> None:
        """OSC 8: what is drawn from now on leads there; empty: nowhere."""
        pen = self.cursor.pen._replace(link=address)
        self.cursor.pen = DEFAULT if pen == DEFAULT else pen

    # charsets

    @override
    def define_charset(self, code: str, mode: str) -> None:
        slot = "()*+".find(mode)
        if slot >= 0:
            self.charsets = self.charsets[:slot] + code + self.charsets[slot + 1 :]
            self.choose_charset()

    @override
    def shift_in(self) -> None:
        self.shift(0)

    @override
    def shift_out(self) -> None:
        self.shift(1)

    def shift(self, slot: int) -> None:
        """SI, SO, LS2, LS3: draw with this one of the four sets."""
        self.active_charset = slot
        self.choose_charset()

    def single_shift(self, slot: int) -> None:
        """SS2, SS3: draw one character with this set."""
        self.translation = MAPS.get(self.charsets[slot], {})
        self.shifted = slot

    @override
    def unshift(self) -> None:
        self.shifted = 0
        self.choose_charset()

    def choose_charset(self) -> None:
        """Draw with the set now in force."""
        self.shifted = 0
        self.translation = MAPS.get(self.charsets[self.active_charset])

    # modes

    @override
    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        self._switch(modes, private=bool(kwargs.get("private")), on=True)

    @override
    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        self._switch(modes, private=bool(kwargs.get("private")), on=False)

    def _switch(self, modes: tuple[int, ...], *, private: bool, on: bool) -> None:
        for mode in modes:
            if private:
                self._switch_private(mode, on=on)
            elif mode in KNOWN_PUBLIC:
                (self.mode.add if on else self.mode.discard)(mode)
            elif mode in _PYTE_PRIVATE:
                self._switch_private(mode >> PRIVATE, on=on)

    def set_public(self, *modes: int) -> None:
        """SM."""
        self.mode.update(KNOWN_PUBLIC.intersection(modes))

    def reset_public(self, *modes: int) -> None:
        """RM."""
        self.mode.difference_update(KNOWN_PUBLIC.intersection(modes))

    def set_private(self, *modes: int) -> None:
        """DECSET."""
        for mode in modes:
            self._switch_private(mode, on=True)

    def reset_private(self, *modes: int) -> None:
        """DECRST."""
        for mode in modes:
            self._switch_private(mode, on=False)

    def _switch_private(self, mode: int, *, on: bool) -> None:
        if mode in _ALTERNATE:
            self._switch_screen(mode, on=on)
            return
        if mode not in KNOWN_PRIVATE:
            return
        (self.mode.add if on else self.mode.discard)(mode << PRIVATE)
        if mode in MOUSE_MODES:
            self.mouse = cast("MouseMode", mode) if on else 0
        elif mode == 5:
            self._all_dirty()
        elif mode == 6:
            self.cursor_position()
        elif mode == 3 and _COLUMN_SWITCH in self.mode:
            self._clear_for_width()
        elif mode == 69 and not on:
            self.set_sides(None)
        elif mode == 25:
            self.cursor.hidden = not on
        elif mode == 66:
            self.keypad = on
        elif mode == 1048:
            (self.save_cursor if on else self.restore_cursor)()

    def _clear_for_width(self) -> None:
        """DECCOLM: the width is the user's; what else it does is done."""
        self.margins = None
        self.set_sides(None)
        self._erase_rows(0, self.lines)
        self.cursor_position()

    def mode_is_set(self, mode: int, *, private: bool) -> bool:
        """Whether a mode is on (for DECRQM and XTSAVE)."""
        if private and mode in _ALTERNATE:
            return self.alternate
        return (mode << PRIVATE if private else mode) in self.mode

    def save_private(self, *modes: int) -> None:
        """XTSAVE."""
        for mode in KNOWN_PRIVATE.intersection(modes):
            self.saved_modes[mode] = self.mode_is_set(mode, private=True)

    def restore_private(self, *modes: int) -> None:
        """XTRESTORE."""
        for mode in modes:
            if mode in self.saved_modes:
                self._switch_private(mode, on=self.saved_modes[mode])

    @override
    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        resize(self, lines or self.lines, columns or self.columns)

    # the alternate screen

    def _switch_screen(self, mode: int, *, on: bool) -> None:
        if on and mode == 1049:
            self.save_cursor()
        switched = on != self.alternate
        if switched:
            if not on and mode == 1047:
                self._settle()
                self._blank()
            shown = self.grid
            self.alternate = on
            self.show(self.hidden_grid or [Line(self.columns) for _ in range(self.lines)])
            self.hidden_grid = shown
        if mode == 1049:
            if on and switched:
                self._blank()
            elif on:
                self.erase_in_display(2)
            else:
                self.restore_cursor()

    def _blank(self) -> None:
        """Empty rows without a background: a program must not colour a screen it left."""
        self.show([Line(self.columns) for _ in range(self.lines)])

    # saved cursors

    @override
    def save_cursor(self) -> None:
        cursor = self.cursor
        self.saved[self.alternate] = SavedCursor(
            int(cursor.x),
            cursor.y,
            cursor.pen,
            mo.DECOM in self.mode,
            self.charsets,
            self.active_charset,
        )

    @override
    def restore_cursor(self) -> None:
        saved = self.saved[self.alternate] or SavedCursor()
        cursor = self.cursor
        cursor.x = min(saved.x, self.columns)
        cursor.y = min(saved.y, self.lines - 1)
        cursor.pen = saved.pen
        (self.mode.add if saved.origin else self.mode.discard)(mo.DECOM)
        self.charsets = saved.charsets
        self.active_charset = saved.active
        self.choose_charset()

    def set_cursor_style(self, style: int = 0) -> None:
        """DECSCUSR."""
        if 0 <= style <= 6:
            self.cursor_shape = SHAPES[(max(style, 1) - 1) // 2]
            (self.mode.add if style % 2 else self.mode.discard)(12 << PRIVATE)

    # keyboard

    def keypad_application(self) -> None:
        """DECKPAM."""
        self.keypad = True

    def keypad_numeric(self) -> None:
        """DECKPNM."""
        self.keypad = False

    def push_kitty(self, flags: int = 0) -> None:
        """Kitty keyboard: a new set of flags on the stack of this screen."""
        stack = self.kitty[self.alternate]
        stack.append(flags & 31)
        del stack[:-KITTY_STACK_LIMIT]

    def pop_kitty(self, count: int | None = None) -> None:
        """Kitty keyboard: back to the flags before."""
        stack = self.kitty[self.alternate]
        del stack[max(0, len(stack) - (count or 1)) :]
        if not stack:
            stack.append(0)

    def set_kitty(self, flags: int = 0, how: int = 1) -> None:
        """Kitty keyboard: replace (1), add (2) or remove (3) flags."""
        stack = self.kitty[self.alternate]
        flags &= 31
        if how == 2:
            stack[-1] |= flags
        elif how == 3:
            stack[-1] &= ~flags
        else:
            stack[-1] = flags

    def set_modify_keys(self, resource: int = 0, value: int = 0) -> None:
        """XTMODKEYS; only modifyOtherKeys matters here."""
        if resource in (0, 4):
            self.modify_other_keys = value if resource == 4 and value in (1, 2) else 0

    def next_line(self) -> None:
        """NEL."""
        self.index()
        self.carriage_return()

    # what others need to know

    def cursor_state(self) -> CursorState:
        """Where and what the cursor is."""
        return CursorState(
            y=self.cursor.y,
            x=min(self.cursor.x, self.columns - 1),
            visible=not self.cursor.hidden,
            shape=self.cursor_shape,
            blink=12 << PRIVATE in self.mode,
        )

    def modes(self) -> Modes:
        """The modes that matter outside."""

        def on(mode: int) -> bool:
            return mode << PRIVATE in self.mode

        return Modes(
            application_cursor=on(1),
            application_keypad=self.keypad,
            bracketed_paste=on(2004),
            mouse=self.mouse,
            mouse_sgr=on(1006),
            focus=on(1004),
            alternate_screen=self.alternate,
            alternate_scroll=on(1007),
            synchronized=on(2026),
            reverse_video=on(5),
            kitty_flags=self.kitty[self.alternate][-1],
            modify_other_keys=self.modify_other_keys,
            newline=mo.LNM in self.mode,
        )
