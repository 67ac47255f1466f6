"""Ask what to pull and what to call it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input, Label, Static
from typing_extensions import override

from core.domain import PullSpec
from tui.screens.dialog import Dialog
from widgets.field import Field
from widgets.state_line import Hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class PullDialog(Dialog[PullSpec]):
    """Source and name; ``problem`` says why it is asked again."""

    def __init__(self, spec: PullSpec | None = None, *, problem: str = "") -> None:
        super().__init__("Pull")
        self._spec = spec or PullSpec()
        self._problem = problem

    @override
    def body(self) -> ComposeResult:
        if self._problem:
            yield Static(f"x  {self._problem}", markup=False, classes="problem")
        yield Label("Source: catalog name, image reference, URL or path of a tarball")
        yield Field(
            self._spec.source,
            placeholder="debian/12   alpine   localhost:5000/lib/dev   ./rootfs.tar.gz",
            id="source",
        )
        yield Label("Name: what to call the distro; empty: made from the source")
        yield Field(self._spec.name, placeholder="from the source", id="name")

    @override
    def hints(self) -> Sequence[Hint]:
        return (
            Hint("Enter", "pull", "submit"),
            Hint("Tab", "next field", "app.focus_next"),
            Hint("Esc", "cancel", "close"),
        )

    def on_mount(self) -> None:
        """Begin in the field that lacks something."""
        super().on_mount()
        wanted = "#name" if self._problem and self._spec.source else "#source"
        self.query_one(wanted, Field).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def action_submit(self) -> None:
        """Answer, if there is a source."""
        source = self.query_one("#source", Field).value.strip()
        name = self.query_one("#name", Field).value.strip()
        if not source:
            self.query_one("#source", Field).focus()
            return
        if source.startswith((".", "~")):
            # The engine has another working directory.
            source = str(Path(source).expanduser().absolute())
        kept = self._spec if self._spec.source == source else PullSpec()
        self.dismiss(
            PullSpec(
                name=name,
                source=source,
                checksum=kept.checksum,
                platform=kept.platform,
            )
        )
