"""What the bottom line says: who has the keys, and which keys are worth knowing now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.keymap import PREFIX_LABEL
from widgets.state_line import Hint
from widgets.terminal.copy_mode import scrolled

if TYPE_CHECKING:
    from tui.shells import ShellTab

IN_SHELL = (Hint("?", "keys", "screen.help"),)
ALWAYS = (*IN_SHELL, Hint("q", "quit", "screen.quit"))
"""At the right end of the line, whatever else has room."""
_EVERYWHERE = (Hint("/", "filter", "screen.filter"), Hint(":", "cmd", "screen.command"))
_NORMAL = {
    "installed": (
        Hint("⏎", "shell", "open"),
        Hint("s", "new", "new_shell"),
        Hint("R", "run", "run"),
        Hint("p", "pull", "pull"),
        Hint("i", "inspect", "inspect"),
        Hint("x", "remove", "remove"),
    ),
    "available": (
        Hint("⏎", "pull", "open"),
        Hint("p", "pull as", "pull"),
        Hint("i", "inspect", "inspect"),
        Hint("^R", "refresh", "refresh"),
    ),
    "history": (Hint("o", "sort"), Hint("Tab", "next pane", "screen.next_pane(1)")),
    "activity": (
        Hint("⏎", "why", "explain"),
        Hint("a", "again", "again"),
        Hint("x", "cancel", "remove"),
    ),
}
_PREFIXED = (
    Hint("n", "new", "screen.new_shell"),
    Hint("1-9", "tab"),
    Hint("d", "home", "screen.tab(0)"),
    Hint("x", "close", "screen.close_tab"),
    Hint("[", "copy", "screen.look_back"),
    Hint("/", "find", "screen.look_back('search_up')"),
    Hint("z", "zen", "screen.zen"),
)


_COPY = (
    Hint("/", "find", "screen.look_back('search_down')"),
    Hint("v", "mark", "screen.look_back('mark_characters')"),
    Hint("o", "output", "screen.look_back('mark_output')"),
    Hint("{ }", "prompt"),
    Hint("n N", "next match", "screen.look_back('search_next')"),
    Hint("q", "leave", "screen.look_back('leave')"),
)
_MARKED = (
    Hint("y", "copy", "screen.look_back('copy')"),
    Hint("v V ^V", "text, lines, box"),
    Hint("q", "leave", "screen.look_back('leave')"),
)


def normal_hints(pane: str) -> tuple[Hint, ...]:
    """The keys of a pane, then those that work everywhere."""
    return (*_NORMAL.get(pane, ()), *_EVERYWHERE)


def shell_mode(tab: ShellTab) -> str:
    """``SHELL ubuntu 82x28``, or how it ended."""
    if tab.exit_code is not None:
        return f"ENDED {tab.session.distro} exit code {tab.exit_code}"
    if mode := tab.pane.view.copy:
        return f"COPY {tab.session.distro} {scrolled(mode)}"
    word = "SHELL" if tab.link.controller else "WATCH"
    size = tab.pane.size
    return f"{word} {tab.session.distro} {size.width}x{size.height}"


def shell_hints(tab: ShellTab, *, pending: bool) -> tuple[Hint, ...]:
    """What the prefix leads to."""
    if pending:
        return (*_PREFIXED, Hint("Esc", "cancel"))
    if mode := tab.pane.view.copy:
        return _MARKED if mode.selection else _COPY
    if tab.exit_code is not None:
        return (
            Hint("⏎", "new shell", "screen.new_shell"),
            Hint(f"{PREFIX_LABEL} x", "close", "screen.close_tab"),
        )
    return (Hint(PREFIX_LABEL, "then", "screen.prefix"), *_PREFIXED)
