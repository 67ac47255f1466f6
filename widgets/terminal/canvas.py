"""A widget that draws an emulator's screen: the line API, strips kept, dirty rows only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.color import Color as RichColor
from textual.filter import ANSIToTruecolor
from textual.geometry import Offset, Region
from textual.widget import Widget
from typing_extensions import override

from widgets.terminal.painting import PaintClock, frame_time
from widgets.terminal.palette import Palette, ansi_theme_of
from widgets.terminal.screen_view import ScreenView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.filter import LineFilter
    from textual.strip import Strip

    from core.terminal.terminal import Terminal


class TerminalCanvas(Widget, inherit_bindings=False):
    """Shows a terminal; call :meth:`repaint` after feeding it.

    Out of sight it draws nothing and catches up when it is shown again.
    """

    ALLOW_SELECT = False  # the pane has its own selection, of the program's cells
    DEFAULT_CSS = """
    TerminalCanvas { background: $background; color: $foreground; width: 1fr; height: 1fr; }
    """

    def __init__(
        self,
        terminal: Terminal,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.auto_links = False
        self.seen = False
        """Whether any of it is on the screen."""
        default = RichColor.default()
        self.view = ScreenView(terminal, Palette(default, default))
        """What of the terminal is shown."""
        self._reversed = False
        self._clock = PaintClock(self._paint, frame_time(os.environ))

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns there is room for."""
        size = self.content_size
        return max(1, size.height), max(1, size.width)

    def repaint(self, *, held: bool = False) -> None:
        """Show what changed, now or with the next frame; ``held``: the program asks to wait."""
        self._clock.request(held=held)

    @override
    def render_line(self, y: int) -> Strip:
        return self.view.draw(y)

    @override
    def render_lines(self, crop: Region) -> list[Strip]:
        if self.window != (self.view.height, self.view.width):
            # A border takes room without a Resize event.
            self.call_next(self._fit)
        if self.styles.gutter or self.styles.has_rule("outline") or self.opacity < 1:
            return super().render_lines(crop)
        # Textual's cache would wrap each strip anew; ours keep their rendered text.
        strips = [self.view.draw(y) for y in crop.line_range]
        start, end = crop.column_span
        if (start, end) != (0, self.view.width):
            strips = [strip.crop(start, end) for strip in strips]
        filters = self.get_line_filters()
        for line_filter in filters:
            background = self.background_colors[1]
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips

    @override
    def get_line_filters(self) -> Sequence[LineFilter]:
        # The palette has resolved the sixteen colours already.
        return [
            line_filter
            for line_filter in super().get_line_filters()
            if not isinstance(line_filter, ANSIToTruecolor)
        ]

    def _paint(self) -> None:
        if not self.seen or not self.is_attached:
            return
        if self.view.terminal.modes.reverse_video != self._reversed:
            self._use_colors()
        rows = self.view.changed_rows()
        self._place_cursor()
        if not rows:
            return
        self.refresh(*_regions(rows, self.view.width))
        self._paint_now()

    def _paint_now(self) -> None:
        """Show what was refreshed without waiting for the screen's own timer."""
        screen = self.screen
        if screen.is_active and not self.app._batch_count:
            self._repaint_required = False
            screen._dirty_widgets.add(self)
            screen._on_timer_update()

    def _place_cursor(self) -> None:
        """Put the outer terminal's cursor on ours: input methods and readers look there."""
        cell = self.view.cursor_cell
        if cell and self.has_focus:
            self.app.cursor_position = self.content_region.offset + Offset(cell[1], cell[0])

    def _use_colors(self) -> None:
        """Draw in the theme's colours, exchanged while the program asks for reverse video."""
        self._reversed = self.view.terminal.modes.reverse_video
        colors = self.colors[3].rich_color, self.background_colors[1].rich_color
        if self._reversed:
            colors = colors[::-1]
        palette = Palette(*colors, ansi_theme_of(self.app))
        if palette != self.view.palette:
            self.view.repaint_with(palette)
            self.tell_colors()
            self.refresh()

    def tell_colors(self) -> None:
        """Let programs that ask know the default colours."""
        base = self.view.palette.base
        if base.color and base.bgcolor and base.color.triplet and base.bgcolor.triplet:
            self.view.terminal.set_colors(base.color.triplet, base.bgcolor.triplet)

    @override
    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_attached:
            self._use_colors()

    def on_mount(self) -> None:
        """Take the colours of the theme."""
        self._use_colors()

    def on_unmount(self) -> None:
        """Stop the clock."""
        self._clock.cancel()

    def on_resize(self) -> None:
        """Draw in the new size."""
        self._fit()

    def _fit(self) -> None:
        rows, columns = self.window
        if self.content_size and (rows, columns) != (self.view.height, self.view.width):
            self.view.resize(columns, rows)
            self.view.locate()
            self.window_changed()

    def window_changed(self) -> None:
        """Called when there is room for other rows and columns (:attr:`window`)."""

    def on_show(self) -> None:
        """Catch up with the output of the time out of sight."""
        self.seen = True
        self.view.locate()
        self.refresh()

    def on_hide(self) -> None:
        """Draw nothing from here on."""
        self.seen = False


def _regions(rows: list[int], width: int) -> Iterator[Region]:
    """Neighbouring rows in one region each."""
    start = end = rows[0]
    for row in rows[1:]:
        if row != end + 1:
            yield Region(0, start, width, end + 1 - start)
            start = row
        end = row
    yield Region(0, start, width, end + 1 - start)
