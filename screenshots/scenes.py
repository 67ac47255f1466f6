"""The states of the console that are worth a picture, each on the demonstration engine."""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.engines.demo import DemoEngine
from tui.app import DeckApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

os.environ["TZ"] = "UTC"
time.tzset()

SIZES = ((80, 24), (120, 40), (200, 60))


def demo_app(**options: bool) -> DeckApp:
    """A console on a demonstration engine whose time stands still."""
    engine = DemoEngine(**options)

    @asynccontextmanager
    async def open_engine() -> AsyncIterator[DemoEngine]:
        yield engine

    app = DeckApp(open_engine, clock=engine.clock)
    app.engine = engine
    return app


async def settled(pilot: Pilot[int]) -> None:
    """Wait until the engine's state is on the screen."""
    await pilot.app.bridge.ready.wait()
    for _ in range(3):
        await pilot.pause(0.1)
