"""Give every key to whoever has the keys *after* the keys before it took effect.

Textual sends a key to the widget that has the focus when the key is read. What a fast typist
types after a key that moves the focus (``/`` opens a prompt, Enter a shell) would go to the old
widget, where a letter may mean "remove". So keys pass one at a time: the next one is sent on when
a marker that took the same way through the message queues has come back often enough for what the
key set off to have happened, and none is while something that will take the keys is on its way.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from textual import events, on
from textual.app import App
from textual.message import Message
from typing_extensions import override

from widgets.terminal.pane import TerminalPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message_pump import MessagePump
    from textual.timer import Timer

Result = TypeVar("Result")

ROUNDS = 4
"""Ways of the marker. Each message that a widget answers a message with (a prompt's ``Submitted``
makes the prompt line's ``Entered``) is one behind it in the queues."""
MARKER_SECONDS = 0.25
"""A marker whose widget went away never comes back."""
HOLD_SECONDS = 5.0
"""Longer than this nobody types ahead."""


class _Passed(Message):
    """Follows a key through the queues of the widget and all above it."""

    def __init__(self, number: int, target: MessagePump, rounds: int) -> None:
        super().__init__()
        self.number = number
        """Of the key it follows."""
        self.target = target
        self.rounds = rounds


class TypeAhead(App[Result], inherit_bindings=False):
    """An application that loses no key and misdirects none, however fast they come."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._keys: deque[events.Key | events.Paste] = deque()
        self._holds = 0
        self._under_way = False
        self._number = 0
        self._marker: Timer | None = None

    def hold_keys(self) -> Callable[[], None]:
        """Keep what is typed until the returned function is called, or for some seconds."""
        self._holds += 1
        open_ = True

        def release() -> None:
            nonlocal open_
            if open_:
                open_ = False
                timer.stop()
                self._holds -= 1
                self.call_later(self._send_next)

        timer = self.set_timer(HOLD_SECONDS, release)
        return release

    @override
    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        shell = isinstance(self.focused, TerminalPane) and not self.focused.view.copy
        if shell and not self._waits:
            await super().on_event(event)  # a shell takes all keys: nothing to wait for
            return
        self._keys.append(event)
        await self._send_next()

    @property
    def _waits(self) -> bool:
        return bool(self._keys or self._holds or self._under_way)

    async def _send_next(self) -> None:
        if not self._keys or self._holds or self._under_way:
            return
        event = self._keys.popleft()
        target = self.focused or self.screen
        self._under_way = True
        self._number += 1
        number = self._number
        self._marker = self.set_timer(MARKER_SECONDS, partial(self._came_back, number))
        await super().on_event(event)
        target.post_message(_Passed(number, target, ROUNDS))

    @on(_Passed)
    def _passed(self, marker: _Passed) -> None:
        if marker.rounds > 1 and marker.target.post_message(
            _Passed(marker.number, marker.target, marker.rounds - 1)
        ):
            return
        # Behind what was put off to later: that is how the focus moves.
        self.call_later(self._came_back, marker.number)

    async def _came_back(self, number: int) -> None:
        if number != self._number or not self._under_way:
            return  # its timer was first: another key is under way by now
        if self._marker:
            self._marker.stop()
            self._marker = None
        self._under_way = False
        await self._send_next()


def hold_keys(app: App[object]) -> Callable[[], None]:
    """:meth:`TypeAhead.hold_keys` of an application that has it; else nothing is held."""
    return app.hold_keys() if isinstance(app, TypeAhead) else lambda: None
