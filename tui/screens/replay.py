"""A recording in the whole window, and the keys that move about in it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import Screen

from core.errors import DeckError, NotFound, Refused
from core.terminal.player import Player
from widgets.state_line import Hint, StateLine
from widgets.terminal.replay import Replay

if TYPE_CHECKING:
    from textual.app import ComposeResult

_HINTS = (
    Hint("Space", "pause", "replay_pause"),
    Hint("- +", "speed"),
    Hint("← →", "5 s"),
    Hint("0-9", "tenths"),
    Hint("q", "leave", "screen.close"),
)


def open_recording(name: str) -> IO[bytes]:
    """The file of a recording. Raises: NotFound, Refused."""
    path = Path(name).expanduser()
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound(str(path), "no such file") from None
    except OSError as error:
        raise Refused(str(path), (error.strerror or str(error)).lower()) from None


class ReplayScreen(Screen[None], inherit_bindings=False):
    """Plays one recording; leaving it closes the file.

    Raises:
        NotFound: no such file.
        NotARecording: it is no asciicast.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,escape", "close", "Leave", show=False)]
    AUTO_FOCUS = "Replay"

    def __init__(self, name: str) -> None:
        super().__init__()
        self._file = open_recording(name)
        try:
            self._player = Player(self._file, Path(name).name)
        except DeckError:
            self._file.close()
            raise
        self._name = self._player.header.title or Path(name).name

    def compose(self) -> ComposeResult:
        """The screen and the keys."""
        yield Replay(self._player)
        yield StateLine()

    def on_unmount(self) -> None:
        """Close the file."""
        self._file.close()

    @on(Replay.Moved)
    def _moved(self, event: Replay.Moved) -> None:
        replay = event.replay
        word = "PAUSED" if replay.paused else "REPLAY"
        whole = "" if self._player.duration is None else f"/{clock(self._player.duration)}"
        at = f"{clock(self._player.time)}{whole}"
        mode = f"{word} {self._name} {at} {replay.speed:g}x"
        self.query_one(StateLine).update(mode, _HINTS, shell=not replay.paused)

    @on(Replay.Damaged)
    def _damaged(self, event: Replay.Damaged) -> None:
        self.app.notify(event.error.message, severity="warning", markup=False)

    def action_replay_pause(self) -> None:
        """Stand still, or go on."""
        self.query_one(Replay).action_pause()

    def action_close(self) -> None:
        """Back to the console."""
        self.dismiss(None)


def clock(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
