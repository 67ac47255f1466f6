"""The list of distros marks those that can be upgraded, in words."""

from __future__ import annotations

from textual.app import App, ComposeResult
from typing_extensions import override

from core.domain import Distro
from widgets.distro_list import DistroList, InstalledRow


class Bench(App[None]):
    @override
    def compose(self) -> ComposeResult:
        yield DistroList(clock=lambda: 0.0)

    @property
    def distros(self) -> DistroList:
        return self.query_one(DistroList)

    def lines(self) -> list[str]:
        height = self.distros.size.height
        return [self.distros.render_line(y).text.rstrip() for y in range(height)]


def distro(name: str, *, outdated: bool) -> InstalledRow:
    return Distro(name=name, url=name, version="12", outdated=outdated)


async def test_an_outdated_distro_is_marked_with_a_word_and_a_glyph() -> None:
    app = Bench()
    async with app.run_test(size=(40, 6)) as pilot:
        app.distros.show([distro("old", outdated=True), distro("new", outdated=False)])
        await pilot.pause()
        header, old, new, *_ = app.lines()
        assert header.endswith("UPGRADE")
        assert old.endswith("↑ outdated")
        assert new.split() == ["○", "new"]


async def test_the_column_is_there_only_while_something_is_outdated() -> None:
    app = Bench()
    async with app.run_test(size=(40, 6)) as pilot:
        for outdated in (False, True, False):
            app.distros.show([distro("box", outdated=outdated)])
            await pilot.pause()
            assert ("UPGRADE" in app.lines()[0]) is outdated
