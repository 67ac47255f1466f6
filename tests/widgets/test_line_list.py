"""Lists: any length, cursor that stays on its row, filter, sort, columns that give way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.app import App
from typing_extensions import override

from widgets.line_list import Column, LineList, fit

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Numbers(LineList[int]):
    """Numbers and their squares."""

    @override
    def columns(self) -> list[Column[int]]:
        return [
            Column("N", 6, str, sort=lambda n: -n, keep=9),
            Column("NAME", 10, lambda n: f"[b]row {n}[/b]", flex=True, keep=8),
            Column("SQUARE", 12, lambda n: str(n * n), right=True, keep=1),
        ]

    @override
    def key(self, row: int) -> object:
        return row


class ListApp(App[None]):
    """One list."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = Numbers()
        self.moved: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield self.numbers

    def on_mount(self) -> None:
        self.numbers.focus()

    def on_line_list_moved(self) -> None:
        self.moved.append(self.numbers.row)


def lines(numbers: Numbers) -> list[str]:
    return [numbers.render_line(y).text.rstrip() for y in range(numbers.size.height)]


async def test_ten_thousand_rows_are_there_at_once() -> None:
    app = ListApp()
    async with app.run_test(size=(60, 20)) as pilot:
        started = time.perf_counter()
        app.numbers.show(range(10_000))
        app.numbers.filter_text = "row 99"
        app.numbers.filter_text = ""
        assert time.perf_counter() - started < 1.0
        await pilot.press("G")
        assert app.numbers.row == 9_999
        await pilot.pause()
        assert lines(app.numbers)[-1].split()[0] == "9999"


async def test_markup_in_a_row_is_text() -> None:
    app = ListApp()
    async with app.run_test(size=(60, 20)):
        app.numbers.show([7])
        assert "[b]row 7[/b]" in lines(app.numbers)[1]


async def test_cursor_stays_on_its_row_when_rows_come_and_go() -> None:
    app = ListApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.numbers.show([10, 20, 30])
        await pilot.press("j", "j")
        app.numbers.show([5, 10, 15, 30])
        assert app.numbers.row == 30
        app.numbers.show([5, 10])
        assert app.numbers.row == 10
        app.numbers.show([])
        assert app.numbers.row is None


async def test_keys_move_by_row_half_page_and_to_the_ends() -> None:
    app = ListApp()
    async with app.run_test(size=(60, 21)) as pilot:
        app.numbers.show(range(100))
        rows = []
        for key in ("j", "ctrl+d", "k", "ctrl+u", "G", "g", "down", "up", "up"):
            await pilot.press(key)
            rows.append(app.numbers.row)
        assert rows == [1, 11, 10, 0, 99, 0, 1, 0, 0]


async def test_filter_wants_every_word() -> None:
    app = ListApp()
    async with app.run_test(size=(60, 20)):
        app.numbers.show(range(100))
        app.numbers.filter_text = "ROW 99 9801"
        assert app.numbers.counts == (1, 100)
        app.numbers.filter_text = "nothing such"
        assert "Esc clears the filter" in lines(app.numbers)[2]


async def test_o_sorts_by_the_next_column_and_shift_o_turns_it_round() -> None:
    app = ListApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.numbers.show([1, 3, 2])
        await pilot.press("o")
        assert [line.split()[0] for line in lines(app.numbers)[:4]] == ["N↑", "3", "2", "1"]
        await pilot.press("O")
        assert [line.split()[0] for line in lines(app.numbers)[:4]] == ["N↓", "1", "2", "3"]
        await pilot.press("o")
        assert [line.split()[0] for line in lines(app.numbers)[1:4]] == ["1", "3", "2"]


async def test_narrow_lists_leave_out_the_least_columns() -> None:
    app = ListApp()
    async with app.run_test(size=(20, 10)) as pilot:
        app.numbers.show([3])
        await pilot.pause()
        assert lines(app.numbers)[0].split() == ["N", "NAME"]


async def test_moves_are_told_once() -> None:
    app = ListApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.numbers.show([1, 2, 3])
        await pilot.press("j")
        app.numbers.show([1, 2, 3])
        await pilot.pause()
        assert app.moved == [1, 2] or app.moved == [2, 2]


def test_text_is_cut_by_cells_not_by_characters() -> None:
    assert fit("日本語テキスト", 6) == "日本 …"
    assert fit("abc", 5) == "abc  "
    assert fit("abc", 5, True) == "  abc"
    assert fit("abcdef", 4) == "abc…"
