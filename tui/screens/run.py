"""Run one command in a distro and look at what it wrote and how it ended."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static
from typing_extensions import override

from core.domain import RunResult, RunSpec
from core.errors import DeckError, InvalidInput
from tui.screens.dialog import CLOSE, Dialog
from widgets.field import Field
from widgets.output_list import OutputList
from widgets.state_line import Hint, KeyRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from core.engine import Engine

_SHELL_CHARACTERS = frozenset("|&;<>()$`*?~#\n{}[]!")


def command_argv(line: str) -> tuple[str, ...]:
    """The argument vector for a line; one with a shell's characters is given to ``sh -c``.

    Raises:
        InvalidInput: nothing there, or a quote is not closed.
    """
    if _SHELL_CHARACTERS & set(line):
        return ("sh", "-c", line)
    try:
        argv = tuple(shlex.split(line))
    except ValueError as error:
        raise InvalidInput(line, str(error).lower()) from None
    if not argv:
        raise InvalidInput("command", "nothing to run")
    return argv


class RunDialog(Dialog[None]):
    """A line to type, then output and exit code; the line can be changed and run again."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "stop", "Stop", show=False)]

    def __init__(self, engine: Engine, distro: str) -> None:
        super().__init__(f"Run a command in {distro}", classes="-wide -tall")
        self._engine = engine
        self._distro = distro

    @override
    def body(self) -> ComposeResult:
        yield Field(placeholder="uname -a", id="command")
        yield Static("", id="outcome", markup=False)
        yield OutputList()

    @override
    def hints(self) -> Sequence[Hint]:
        return (
            Hint("Enter", "run", "submit"),
            Hint("Tab", "to the output", "app.focus_next"),
            CLOSE,
        )

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def action_submit(self) -> None:
        """Run the line."""
        self._run(self.query_one(Field).value)

    def action_stop(self) -> None:
        """Stop waiting for the command; the engine ends it."""
        self.workers.cancel_node(self)
        self._say("stopped", "warn")

    @work(exclusive=True)
    async def _run(self, line: str) -> None:
        self.query_one(OutputList).show([])
        self.query_one(KeyRow).update((Hint("^C", "stop", "stop"), CLOSE))
        self._say("running …", "")
        started = time.monotonic()
        try:
            argv = command_argv(line)
            result = await self._engine.run(RunSpec(distro=self._distro, argv=argv))
        except DeckError as error:
            next_step = f" · {error.hint}" if error.hint else ""
            self._say(f"x {error.message}{next_step}", "bad")
        else:
            self._show(result, time.monotonic() - started)
        finally:
            if self.is_attached:
                self.query_one(KeyRow).update(self.hints())

    def _show(self, result: RunResult, seconds: float) -> None:
        took = f" · {seconds:.1f} s" if seconds >= 0.1 else ""
        look = "ok" if result.exit_code == 0 else "bad"
        mark = "ok" if result.exit_code == 0 else "x"
        self._say(f"{mark} exit code {result.exit_code}{took}", look)
        self.query_one(OutputList).show_output(result.stdout, result.stderr)

    def _say(self, text: str, look: str) -> None:
        outcome = self.query_one("#outcome", Static)
        outcome.set_classes(f"-{look}" if look else "")
        outcome.update(text)
