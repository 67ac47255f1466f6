"""The whole state of a terminal as bytes, and back.

A magic, then the zlib-compressed msgpack of typed structs: what does not fit the types or the
limits is refused, so a file from disk can do no harm. Looks are stored once, in a table. Version
2 added fields at the end; checkpoints of version 1 are read as well.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, cast

import msgspec
import pyte.screens

from core.errors import DeckError
from core.terminal.attributes import ALL_FLAGS, DEFAULT, Attributes, Color
from core.terminal.canvas import Held
from core.terminal.history import History, Packed, pack, unpack
from core.terminal.marks import KINDS, STATUS_LIMIT, Mark, placed, with_mark
from core.terminal.modes import MOUSE_MODES, SHAPES
from core.terminal.screen import SavedCursor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.terminal.lines import Line
    from core.terminal.modes import CursorShape, MouseMode
    from core.terminal.screen import Screen
    from core.terminal.stream import Stream

CHECKPOINT_VERSION: Final = 2
MAGIC: Final = b"DDT2"
_MAGICS: Final = (b"DDT1", MAGIC)
"""Of the versions that can be read; what the first did not know has a default."""
PLAIN_LIMIT: Final = 256 << 20
"""Bytes a checkpoint may unpack to."""
_SIZE_LIMIT: Final = 4096
_HISTORY_LIMIT: Final = 10_000_000
_RGB: Final = 1 << 24

PackedColor = int | None
PackedLook = tuple[PackedColor, PackedColor, int, PackedColor, str]
PackedLine = tuple[str, list[int], int]
PackedCursor = tuple[int, int, int, bool, str, int]
PackedMark = tuple[int, int, int, int | None]
"""Line (of history, screen and hidden screen in this order), kind, column and status."""


class CheckpointError(DeckError):
    """A checkpoint is damaged, or was written by another version."""

    code = "checkpoint"


class _State(msgspec.Struct, forbid_unknown_fields=True):
    rows: int
    columns: int
    limit: int
    looks: list[PackedLook]
    history: list[PackedLine]
    grid: list[PackedLine]
    hidden: list[PackedLine]
    alternate: bool
    cursor: tuple[int, int, int, bool]
    saved: list[PackedCursor | None]
    modes: list[int]
    margins: tuple[int, int] | None
    tabstops: list[int]
    titles: list[str]
    directory: str
    palette: dict[int, tuple[int, int, int]]
    colors: list[tuple[int, int, int]]
    kitty: list[list[int]]
    saved_modes: dict[int, bool]
    charsets: str
    active_charset: int
    mouse: int
    modify_other_keys: int
    cursor_shape: str
    keypad: bool
    bells: int
    last_drawn: str
    parser: tuple[str, str, str, str, int, bool]
    tail: bytes
    marks: list[PackedMark] = []
    dynamic_colors: dict[int, tuple[int, int, int]] = {}
    sides: tuple[int, int] | None = None
    held: bool = False
    iso_protection: bool = False
    shifted: int = 0


class _Looks:
    """The table of looks being written."""

    def __init__(self) -> None:
        self.table: list[PackedLook] = []
        self._index: dict[Attributes, int] = {}

    def index(self, look: Attributes) -> int:
        """Number of ``look`` in the table."""
        number = self._index.get(look)
        if number is None:
            number = self._index[look] = len(self.table)
            foreground, background, flags, underline, link = look
            self.table.append(
                (_number(foreground), _number(background), flags, _number(underline), link)
            )
        return number

    def line(self, packed: Packed) -> PackedLine:
        """One line with its looks as numbers."""
        runs: list[int] = []
        for length, look in packed.runs:
            runs += (length, self.index(look))
        return packed.text, runs, packed.wrapped

    def lines(self, lines: Iterable[Line]) -> list[PackedLine]:
        """Lines of a screen."""
        return [self.line(pack(line)) for line in lines]


def _number(color: Color) -> PackedColor:
    if isinstance(color, tuple):
        red, green, blue = color
        return _RGB | red << 16 | green << 8 | blue
    return color


def _color(number: PackedColor) -> Color:
    if number is None or 0 <= number < 256:
        return number
    _require(_RGB <= number < 2 * _RGB, "a colour out of range")
    return (number >> 16 & 255, number >> 8 & 255, number & 255)


def _require(condition: bool, why: str) -> None:
    if not condition:
        raise CheckpointError("checkpoint", why)


def dump(screen: Screen, stream: Stream, tail: bytes) -> bytes:
    """The state of all three."""
    looks = _Looks()
    cursor = screen.cursor
    saved = [screen.saved[False], screen.saved[True]]
    state = _State(
        rows=screen.lines,
        columns=screen.columns,
        limit=screen.history.limit,
        history=[looks.line(packed) for packed in screen.history],
        grid=looks.lines(screen.grid),
        hidden=looks.lines(screen.hidden_grid),
        alternate=screen.alternate,
        cursor=(int(cursor.x), cursor.y, looks.index(cursor.pen), cursor.hidden),
        saved=[_dump_saved(one, looks) for one in saved],
        modes=sorted(screen.mode),
        margins=screen.margins,
        tabstops=sorted(screen.tabstops),
        titles=[screen.title, screen.icon_name, *screen.title_stack],
        directory=screen.directory,
        palette=screen.palette,
        colors=[screen.foreground, screen.background],
        kitty=[screen.kitty[False], screen.kitty[True]],
        saved_modes=screen.saved_modes,
        charsets=screen.charsets,
        active_charset=screen.active_charset,
        mouse=screen.mouse,
        modify_other_keys=screen.modify_other_keys,
        cursor_shape=screen.cursor_shape,
        keypad=screen.keypad,
        bells=screen.bells,
        last_drawn=screen.last_drawn[-1:],
        parser=stream.freeze(),
        tail=tail,
        looks=looks.table,
        marks=[
            (line, KINDS.index(kind), column, status)
            for line, (kind, column, status) in placed(
                screen.history, [*screen.grid, *screen.hidden_grid]
            )
        ],
        dynamic_colors=screen.dynamic_colors,
        sides=screen.sides,
        held=isinstance(cursor.x, Held),
        iso_protection=screen.iso_protection,
        shifted=screen.shifted,
    )
    return MAGIC + zlib.compress(msgspec.msgpack.encode(state), 1)


def _dump_saved(saved: SavedCursor | None, looks: _Looks) -> PackedCursor | None:
    if saved is None:
        return None
    pen = looks.index(saved.pen)
    return saved.x, saved.y, pen, saved.origin, saved.charsets, saved.active


def _decode(data: bytes) -> _State:
    _require(data[: len(MAGIC)] in _MAGICS, "not a checkpoint of this version")
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(data[len(MAGIC) :], PLAIN_LIMIT)
        _require(inflate.eof, "cut short or too large")
        return msgspec.msgpack.decode(plain, type=_State)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CheckpointError("checkpoint", "damaged") from error


def _check(state: _State) -> None:
    rows, columns = state.rows, state.columns
    _require(1 <= rows <= _SIZE_LIMIT and 1 <= columns <= _SIZE_LIMIT, "an impossible size")
    _require(0 <= state.limit <= _HISTORY_LIMIT, "an impossible history")
    _require(len(state.grid) == rows and len(state.hidden) in (0, rows), "rows are missing")
    x, y, _pen, _hidden = state.cursor
    _require(0 <= x <= columns and 0 <= y < rows, "the cursor is outside")
    top, bottom = state.margins or (0, 1)
    _require(0 <= top < bottom and (not state.margins or bottom < rows), "margins are outside")
    left, right = state.sides or (0, 1)
    _require(0 <= left < right and (not state.sides or right < columns), "margins are outside")
    _require(state.shifted in (0, 2, 3), "an unknown charset")
    _require(not state.held or x == right, "the cursor waits nowhere")
    for stack in (state.saved, state.kitty, state.colors, state.titles[:2]):
        _require(len(stack) == 2, "a pair is incomplete")
    _require(all(state.kitty), "a stack is empty")
    _require(state.mouse in (0, *MOUSE_MODES), "an unknown mouse mode")
    _require(state.cursor_shape in SHAPES, "an unknown cursor")
    for charsets, active in [
        (state.charsets, state.active_charset),
        *((one[4], one[5]) for one in state.saved if one),
    ]:
        _require(len(charsets) == 4 and 0 <= active < 4, "an unknown charset")
    _require(all(one is None or (one[0] >= 0 and one[1] >= 0) for one in state.saved), "a cursor")


def _line(line: PackedLine, looks: list[Attributes]) -> Packed:
    text, runs, wrapped = line
    if not runs and wrapped == 0 and len(text) <= _SIZE_LIMIT:
        return Packed(text)
    lengths, numbers = runs[::2], runs[1::2]
    _require(len(lengths) == len(numbers) and wrapped in (0, 1, 2), "a damaged line")
    _require(all(0 < length <= _SIZE_LIMIT for length in lengths), "a damaged line")
    _require(all(0 <= number < len(looks) for number in numbers), "a missing look")
    _require(len(lengths) <= _SIZE_LIMIT and "\x1b" not in text, "a damaged line")
    pairs = zip(lengths, [looks[number] for number in numbers], strict=True)
    return Packed(text, tuple(pairs), wrapped)


def load(data: bytes, screen: Screen, stream: Stream) -> bytes:
    """Make ``screen`` and ``stream`` what they were; gives the tail of bytes.

    Raises:
        CheckpointError: not a checkpoint, damaged, or of another version; the screen may then
            be half changed and is to be thrown away.
    """
    state = _decode(data)
    _check(state)
    looks = [
        Attributes(_color(foreground), _color(background), flags & ALL_FLAGS, _color(line), link)
        for foreground, background, flags, line, link in state.looks
    ]
    looks = [DEFAULT if look == DEFAULT else look for look in looks]
    screen.lines, screen.columns = state.rows, state.columns
    screen.set_sides(state.sides)
    screen.history = History(state.limit)
    screen.history.extend([_line(line, looks) for line in state.history])
    screen.alternate = state.alternate
    screen.hidden_grid = [unpack(_line(line, looks), state.columns) for line in state.hidden]
    screen.show([unpack(_line(line, looks), state.columns) for line in state.grid])
    _load_marks(state, screen)
    _load_cursors(state, screen, looks)
    _load_modes(state, screen)
    try:
        stream.thaw(state.parser)
    except ValueError as error:
        raise CheckpointError("checkpoint", "an unknown state of the parser") from error
    return state.tail[:4]


def _load_marks(state: _State, screen: Screen) -> None:
    history, rows = screen.history.lines, [*screen.grid, *screen.hidden_grid]
    for place, kind, column, status in state.marks:
        _require(0 <= kind < len(KINDS) and 0 <= column <= _SIZE_LIMIT, "an unknown mark")
        _require(status is None or 0 <= status < STATUS_LIMIT, "an unknown mark")
        _require(0 <= place < len(history) + len(rows), "a mark is outside")
        mark = Mark(KINDS[kind], column, status)
        if place < len(history):
            packed = history[place]
            history[place] = packed._replace(marks=with_mark(packed.marks, mark))
        else:
            line = rows[place - len(history)]
            line.marks = with_mark(line.marks, mark)


def _load_cursors(state: _State, screen: Screen, looks: list[Attributes]) -> None:
    def look(number: int) -> Attributes:
        _require(0 <= number < len(looks), "a missing look")
        return looks[number]

    cursor = screen.cursor
    x, cursor.y, pen, cursor.hidden = state.cursor
    cursor.x = Held(x) if state.held else x
    cursor.pen = look(pen)
    for alternate, one in zip((False, True), state.saved, strict=True):
        if one is None:
            screen.saved[alternate] = None
        else:
            x, y, pen, origin, charsets, active = one
            screen.saved[alternate] = SavedCursor(x, y, look(pen), origin, charsets, active)
    screen.charsets, screen.active_charset = state.charsets, state.active_charset
    screen.choose_charset()
    if state.shifted:
        screen.single_shift(state.shifted)


def _load_modes(state: _State, screen: Screen) -> None:
    screen.mode = set(state.modes)
    screen.iso_protection = state.iso_protection
    screen.margins = pyte.screens.Margins(*state.margins) if state.margins else None
    screen.tabstops = set(state.tabstops)
    screen.title, screen.icon_name = state.titles[:2]
    screen.title_stack = state.titles[2:]
    screen.directory = state.directory
    screen.palette = state.palette
    screen.foreground, screen.background = state.colors
    screen.dynamic_colors = state.dynamic_colors
    screen.kitty = {False: state.kitty[0], True: state.kitty[1]}
    screen.saved_modes = state.saved_modes
    screen.mouse = cast("MouseMode", state.mouse)
    screen.modify_other_keys = state.modify_other_keys
    screen.cursor_shape = cast("CursorShape", state.cursor_shape)
    screen.keypad = state.keypad
    screen.bells = state.bells
    screen.last_drawn = state.last_drawn
