"""Header, tabs and hints: what is in sight when room is short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from widgets.catalog_list import freshness
from widgets.header import Header, Totals
from widgets.session_tabs import SessionTabs, Tab
from widgets.state_line import Hint, StateLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

from core.domain import Catalog, CatalogStatus


class Lines(App[None]):
    """The three lines."""

    def compose(self) -> ComposeResult:
        yield Header()
        yield SessionTabs()
        yield StateLine()


async def test_current_tab_is_in_sight_whatever_the_width() -> None:
    app = Lines()
    tabs = [Tab(number=n, name=f"distribution-{n}") for n in range(1, 10)]
    async with app.run_test(size=(60, 5)):
        line = app.query_one(SessionTabs)
        for current in range(1, 10):
            line.update(tabs, current)
            assert f"{current} distribution-{current}*" in line.text
            assert line.text.rstrip().endswith("+")


async def test_marks_say_exit_code_bell_and_output() -> None:
    app = Lines()
    async with app.run_test(size=(80, 5)):
        line = app.query_one(SessionTabs)
        line.update(
            [
                Tab(number=1, name="a", exit_code=1),
                Tab(number=2, name="b", bell=True, activity=True),
                Tab(number=3, name="c", activity=True),
            ],
            0,
        )
        assert line.text.strip() == "≡ home* │ 1 a x1 │ 2 b ! │ 3 c ● │ +"


async def test_keys_without_room_go_with_their_words() -> None:
    app = Lines()
    async with app.run_test(size=(30, 5)):
        line = app.query_one(StateLine)
        hints = [Hint("a", "first", "one"), Hint("b", "second", "two")]
        line.update("NORMAL", hints, [Hint("?", "keys")], shell=False)
        assert line.text == " NORMAL   a first      ? keys "


async def test_header_says_what_runs() -> None:
    app = Lines()
    async with app.run_test(size=(100, 5)):
        header = app.query_one(Header)
        header.tick(4_200_000, 100.0)
        header.update(Totals(distros=6, shells=1, pulls=1, per_second=4_200_000, store=882_000_000))
        assert "6 distros · 1 shell · 1 pull" in header.text
        assert "4.2 MB/s · store 882 MB" in header.text
        header.update(Totals(state="connecting …"))
        assert "connecting …" in header.text


def test_freshness_names_the_broken_source() -> None:
    fine = CatalogStatus(name="lab", kind="registry", url="http://x", entries=3, fetched=0.0)
    broken = CatalogStatus(name="mirror", kind="tarballs", url="http://y", error="refused")
    assert freshness(Catalog(sources=(fine, broken)), 7200) == "read 2 h ago · ! mirror: refused"
    assert freshness(Catalog(sources=(broken,)), 0) == "never read: ctrl+r · ! mirror: refused"
    assert freshness(Catalog(), 0) == ""
