"""A list of any length drawn by the line API: columns, cursor, filter, sort.

Only the rows in sight are turned into text, so ten thousand rows cost what twenty do. Rows are
values; their text is data and never markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual import events

Row = TypeVar("Row")
Look = Literal["", "name", "dim", "ok", "warn", "bad", "busy"]
"""What a cell's text means; a component class of the list gives it its colour."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: how wide it is, and what it says of a row."""

    title: str
    width: int
    """Cells; of a flexible column the least."""
    text: Callable[[Row], str]
    look: Callable[[Row], Look] = lambda row: ""
    sort: Callable[[Row], Any] | None = None
    """Key to sort by; None: cannot be sorted by."""
    flex: bool = False
    """Takes the width that is left over."""
    right: bool = False
    keep: int = 0
    """The higher, the longer the column stays when the list gets narrow."""


@lru_cache(4096)
def fit(text: str, width: int, right: bool = False) -> str:
    """``text`` in exactly ``width`` cells, cut with an ellipsis."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "\N{HORIZONTAL ELLIPSIS}" if width > 1 else " "
    padding = " " * (width - length)
    return padding + text if right else text + padding


class LineList(ScrollView, Generic[Row], can_focus=True, inherit_bindings=False):
    """A list; a subclass names its columns, told what to show by :meth:`show`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", show=False),
        Binding("g,home", "end(-1)", "First", show=False),
        Binding("G,end", "end(1)", "Last", show=False),
        Binding("enter", "activate", "Open", show=False),
        Binding("o", "sort", "Sort by the next column", show=False),
        Binding("O", "reverse", "Reverse the order", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line-list--header",
        "line-list--cursor",
        "line-list--name",
        "line-list--dim",
        "line-list--ok",
        "line-list--warn",
        "line-list--bad",
        "line-list--busy",
    }
    DEFAULT_CSS = """
    LineList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .line-list--header { color: $foreground-muted; text-style: bold; }
        & > .line-list--cursor { background: $panel; }
        &:focus > .line-list--cursor { background: $primary 30%; text-style: bold; }
        & > .line-list--name { color: $foreground; }
        & > .line-list--dim { color: $foreground-muted; }
        & > .line-list--ok { color: $text-success; }
        & > .line-list--warn { color: $text-warning; }
        & > .line-list--bad { color: $text-error; }
        & > .line-list--busy { color: $text-primary; }
    }
    """

    EMPTY: ClassVar[Sequence[str]] = ("nothing here",)
    """Lines shown instead of rows."""

    cursor: reactive[int] = reactive(0)
    """Position of the cursor among the visible rows."""
    filter_text: reactive[str] = reactive("", init=False)
    """Words that a row must all contain; empty: no filter."""

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        line_list: LineList[Any]

        @property
        @override
        def control(self) -> LineList[Any]:
            return self.line_list

    @dataclass
    class Activated(Message):
        """Enter or a double click on a row."""

        line_list: LineList[Any]

        @property
        @override
        def control(self) -> LineList[Any]:
            return self.line_list

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._visible: list[Row] = []
        self._columns = self.columns()
        self._fitted: list[tuple[Column[Row], int]] = []
        self._fitted_width = -1
        self._sort: int | None = None
        self._descending = False
        self._empty: Sequence[str] = self.EMPTY

    def columns(self) -> list[Column[Row]]:
        """The columns, left to right."""
        raise NotImplementedError

    def change_columns(self) -> None:
        """Ask for :meth:`columns` anew; those that stay must keep their places."""
        self._columns = self.columns()
        self._fitted_width = -1

    def key(self, row: Row) -> object:
        """What makes a row the same row when new rows come; the cursor stays on it."""
        raise NotImplementedError

    def words(self, row: Row) -> str:
        """The text that the filter looks into."""
        return " ".join(column.text(row) for column in self._columns)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._visible[self.cursor] if self.cursor < len(self._visible) else None

    @property
    def counts(self) -> tuple[int, int]:
        """Rows that pass the filter, and all rows."""
        return len(self._visible), len(self._rows)

    def show(self, rows: Iterable[Row]) -> None:
        """Show these rows; the cursor stays on the row it was on, if that is still there."""
        self._rows = list(rows)
        self._arrange()

    def explain_empty(self, *lines: str) -> None:
        """Say ``lines`` while there is no row."""
        self._empty = lines
        self.refresh()

    def select(self, key: object) -> bool:
        """Put the cursor on the row with this key, if it is in sight."""
        for position, row in enumerate(self._visible):
            if self.key(row) == key:
                self.cursor = position
                return True
        return False

    def _arrange(self) -> None:
        before = self.row
        rows = self._rows
        if words := self.filter_text.lower().split():
            rows = [r for r in rows if all(word in self.words(r).lower() for word in words)]
        if self._sort is not None and (sort := self._columns[self._sort].sort):
            rows = sorted(rows, key=sort, reverse=self._descending)
        self._visible = list(rows)
        self.virtual_size = Size(0, len(self._visible) + 1)
        kept = before is not None and self.select(self.key(before))
        if not kept:
            self.cursor = max(0, min(self.cursor, len(self._visible) - 1))
        after = self.row
        if (before is None) != (after is None) or (
            before is not None and after is not None and self.key(before) != self.key(after)
        ):
            self.post_message(self.Moved(self))
        self.refresh()

    def watch_filter_text(self) -> None:
        """Filter anew."""
        self._arrange()

    def watch_cursor(self, before: int, after: int) -> None:
        """Keep the cursor in sight and tell who listens."""
        self.scroll_to_region(
            Region(0, after, 1, 2), animate=False, force=True, immediate=True, x_axis=False
        )
        self.refresh()
        if before != after:
            self.post_message(self.Moved(self))

    def validate_cursor(self, cursor: int) -> int:
        """The nearest row there is."""
        return max(0, min(cursor, len(self._visible) - 1))

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Move by half of what is in sight."""
        self.cursor += pages * max(1, (self.size.height - 1) // 2)

    def action_end(self, direction: int) -> None:
        """Go to the first or the last row."""
        self.cursor = 0 if direction < 0 else len(self._visible)

    def action_activate(self) -> None:
        """Open the row."""
        if self.row is not None:
            self.post_message(self.Activated(self))

    def action_sort(self) -> None:
        """Sort by the next column in sight that can be sorted by; after the last, not at all."""
        shown = {id(column) for column, _ in self._fitted}
        choices = [
            number
            for number, column in enumerate(self._columns)
            if column.sort and id(column) in shown
        ]
        later = [number for number in choices if self._sort is None or number > self._sort]
        self._sort = later[0] if later else None
        self._arrange()

    def action_reverse(self) -> None:
        """Sort the other way round."""
        if self._sort is not None:
            self._descending = not self._descending
            self._arrange()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; twice opens."""
        position = event.y - 1 + round(self.scroll_y)
        if event.y >= 1 and position < len(self._visible):
            self.cursor = position
            if event.chain == 2:
                self.action_activate()

    def _fit(self, width: int) -> list[tuple[Column[Row], int]]:
        columns = list(self._columns)
        while len(columns) > 1 and sum(c.width + 1 for c in columns) - 1 > width:
            columns.remove(min(columns, key=lambda column: column.keep))
        spare = max(0, width - sum(c.width + 1 for c in columns) + 1)
        flexible = [column for column in columns if column.flex]
        share, rest = divmod(spare, max(1, len(flexible)))
        widths: list[tuple[Column[Row], int]] = []
        for column in columns:
            extra = share + (rest if flexible and column is flexible[-1] else 0)
            widths.append((column, column.width + (extra if column.flex else 0)))
        return widths

    @override
    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if width != self._fitted_width:
            self._fitted, self._fitted_width = self._fit(width), width
        if y == 0:
            return self._header(width)
        position = y - 1 + round(self.scroll_y)
        if position >= len(self._visible):
            return self._empty_line(y, width)
        row = self._visible[position]
        base = self.rich_style
        if position == self.cursor:
            cursor = self.get_component_rich_style("line-list--cursor")
            base += Style(bgcolor=cursor.bgcolor, bold=cursor.bold)
        segments: list[Segment] = []
        for column, cells in self._fitted:
            look = column.look(row)
            style = base
            if look:
                style += Style(color=self.get_component_rich_style(f"line-list--{look}").color)
            segments.append(Segment(fit(column.text(row), cells, column.right), style))
            segments.append(Segment(" ", base))
        return Strip(segments).adjust_cell_length(width, base)

    def _header(self, width: int) -> Strip:
        style = self.get_component_rich_style("line-list--header")
        texts: list[str] = []
        for column, cells in self._fitted:
            title = column.title
            if self._sort is not None and column is self._columns[self._sort]:
                title += "\N{DOWNWARDS ARROW}" if self._descending else "\N{UPWARDS ARROW}"
            texts.append(fit(title, cells, column.right))
        return Strip([Segment(" ".join(texts), style)]).adjust_cell_length(width, style)

    def _empty_line(self, y: int, width: int) -> Strip:
        style = self.get_component_rich_style("line-list--dim")
        lines = self._empty if not self._rows else ("nothing matches: Esc clears the filter",)
        text = lines[y - 2] if not self._visible and 0 <= y - 2 < len(lines) else ""
        return Strip([Segment(fit(f" {text}", width), style)])
