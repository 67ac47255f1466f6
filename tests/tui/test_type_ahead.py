"""Keys wait for what the keys before them set off."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import events
from textual.widget import Widget
from typing_extensions import override

from tui.type_ahead import TypeAhead

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Slow(Widget, can_focus=True):
    """Takes its time for each key, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.may_end = {key: asyncio.Event() for key in "abc"}

    async def on_key(self, event: events.Key) -> None:
        self.begun.append(event.key)
        await self.may_end[event.key].wait()


class SlowApp(TypeAhead[None]):
    """One slow widget."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = Slow()

    @override
    def compose(self) -> ComposeResult:
        yield self.slow

    def on_mount(self) -> None:
        self.slow.focus()


async def test_marker_that_comes_too_late_does_not_end_the_wait_for_the_next_key() -> None:
    app = SlowApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        for key in "abc":
            app.post_message(events.Key(key, key))
        async with asyncio.timeout(5):
            while len(app._keys) != 1:  # the first key's time ran out, the second is under way
                await asyncio.sleep(0.01)
        timer = app._marker
        app.slow.may_end["a"].set()
        await app._came_back(app._number - 1)
        assert app._under_way
        assert app._marker is timer
        assert len(app._keys) == 1
        for ended in app.slow.may_end.values():
            ended.set()
        async with asyncio.timeout(5):
            while app.slow.begun != ["a", "b", "c"]:
                await asyncio.sleep(0.01)
