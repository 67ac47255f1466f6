"""Run tasks beside the body of an ``async with``, and end them with it.

A bare :class:`asyncio.TaskGroup` waits for its tasks and wraps what the body raises in a group.
Here the tasks serve the body: they are cancelled when it ends, and its exception stays what it is.
A task that raises still cancels the body and is raised as a group.

:meth:`Background.see_through` is for work that must not stop half-way because whoever asked for
it went away.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from core.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
    from typing import Any

T = TypeVar("T")


class Background(asyncio.TaskGroup):
    """A task group that knows its tasks, so that it can end them."""

    def __init__(self) -> None:
        super().__init__()
        self._started: set[asyncio.Task[Any]] = set()
        self._ending = False

    def start(self, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        """Run ``work`` until it ends or the body does."""
        task = self.create_task(work, name=name or None)
        self._started.add(task)
        task.add_done_callback(self._started.discard)
        if self._ending:
            task.cancel()
        return task

    async def see_through(
        self,
        work: Coroutine[Any, Any, T],
        *,
        undo: Callable[[T], Awaitable[None]] | None = None,
    ) -> T:
        """What ``work`` gives or raises.

        A caller that is cancelled goes at once; the work goes on to its end, and then what it
        gave is handed to ``undo``, which must not raise.
        """
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def over(_: object) -> None:
            # Also where the group ended before the first step of either.
            work.close()
            outcome.cancel()

        self.start(_see(work, outcome, undo)).add_done_callback(over)
        return await outcome

    def end(self) -> None:
        """Cancel what still runs."""
        self._ending = True
        for task in self._started:
            task.cancel()


async def _see(
    work: Coroutine[Any, Any, T],
    outcome: asyncio.Future[T],
    undo: Callable[[T], Awaitable[None]] | None,
) -> None:
    try:
        value = await work
        if not outcome.cancelled():
            outcome.set_result(value)
        elif undo:
            await undo(value)
    except Exception as error:
        # It belongs to whoever asked; if nobody does any more, a defect is still one.
        if not outcome.cancelled():
            outcome.set_exception(error)
        elif not isinstance(error, DeckError):
            raise


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
