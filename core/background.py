"""Run tasks beside the body of an ``async with``, and end them with it.

A bare :class:`asyncio.TaskGroup` waits for its tasks and wraps what the body raises in a group.
Here the tasks serve the body: they are cancelled when it ends, and its exception stays what it is.
A task that raises still cancels the body and is raised as a group.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from typing import Any


class Background(asyncio.TaskGroup):
    """A task group that knows its tasks, so that it can end them."""

    def __init__(self) -> None:
        super().__init__()
        self._started: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        """Run ``work`` until it ends or the body does."""
        task = self.create_task(work, name=name or None)
        self._started.add(task)
        task.add_done_callback(self._started.discard)
        return task

    def end(self) -> None:
        """Cancel what still runs."""
        for task in self._started:
            task.cancel()


@asynccontextmanager
async def background() -> AsyncIterator[Background]:
    """The body's background; see the module."""
    raised: BaseException | None = None
    async with Background() as tasks:
        try:
            yield tasks
        except BaseException as error:
            raised = error
        tasks.end()
    if raised is not None:
        raise raised
