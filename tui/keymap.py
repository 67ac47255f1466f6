"""The keys, in one table: bindings, hints, help and the which-key panel all come from here.

In SHELL every byte goes to the shell but the prefix; the keys of :data:`PREFIXED` are live after
it, for one stroke. In NORMAL one letter has one meaning in every pane. COPY has vi's letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding

from widgets.terminal.copy_keys import COPY_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "ctrl+right_square_bracket"
PREFIX_KEYS = (PREFIX, "ctrl+5")
"""One byte, 0x1d; terminals that name the key itself report ctrl+5 where ] has no key."""
PREFIX_LABEL = "^]"
PREFIX_BYTE = b"\x1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key and what it does."""

    keys: str
    """Textual's names, comma-separated."""
    shown: str
    """As it is written in help and hints."""
    action: str
    """Action of the main screen or of the panes; empty: the list itself handles it."""
    label: str
    """One or two words, for hints."""
    help: str = ""
    """A sentence for the help; empty: the label."""
    group: str = ""

    @property
    def sentence(self) -> str:
        """What the help says."""
        return self.help or self.label


def _key(keys: str, shown: str, action: str, label: str, text: str = "", group: str = "") -> Key:
    return Key(keys=keys, shown=shown, action=action, label=label, help=text, group=group)


NORMAL: tuple[Key, ...] = (
    _key("", "j k ↓ ↑", "", "move", "down, up", "Move"),
    _key("", "g G", "", "ends", "first, last", "Move"),
    _key("", "^D ^U", "", "half a page", "", "Move"),
    _key("tab", "Tab", "next_pane(1)", "next pane", "", "Move"),
    _key("shift+tab", "S-Tab", "next_pane(-1)", "previous pane", "", "Move"),
    _key("0", "0", "tab(0)", "home", "Home", "Move"),
    _key("", "1-9", "", "shell tab", "shell tab", "Move"),
    _key("", "Enter", "", "shell", "open a shell; pull", "Distro"),
    _key("s", "s", "new_shell", "new shell", "one more shell", "Distro"),
    _key("R", "R", "run", "run", "run a command", "Distro"),
    _key("t", "t", "start_stop", "start/stop", "start or stop", "Distro"),
    _key("i", "i", "inspect", "inspect", "all that is known", "Distro"),
    _key("h", "h", "history", "history", "history, layers", "Distro"),
    _key("x", "x", "remove", "remove", "remove; cancel pull", "Distro"),
    _key("p", "p", "pull", "pull", "pull an image", "Pull"),
    _key("a", "a", "again", "again", "try a pull again", "Pull"),
    _key("ctrl+r", "^R", "refresh", "refresh", "reread the catalog", "Pull"),
    _key("slash", "/", "filter", "filter", "filter the list", "List"),
    _key("escape", "Esc", "clear", "clear", "clear the filter", "List"),
    _key("", "o O", "", "sort", "sort by, reverse", "List"),
    _key("colon", ":", "command", "command", "command line", "Console"),
    _key("question_mark", "?", "help", "keys", "these keys", "Console"),
    _key("ctrl+l", "^L", "redraw", "redraw", "", "Console"),
    _key("q", "q", "quit", "quit", "home, then quit", "Console"),
    _key("ctrl+q", "^Q", "app.leave", "quit now", "quit at once", "Console"),
)

PREFIXED: tuple[Key, ...] = (
    _key("n,c", "n", "new_shell", "new shell"),
    _key("", "1-9", "", "go to tab"),
    _key("tab", "Tab", "last_tab", "last tab"),
    _key("x", "x", "close_tab", "close shell"),
    _key("d,0", "d", "tab(0)", "home"),
    _key("left_square_bracket", "[", "look_back", "copy mode"),
    _key("pageup", "PgUp", "look_back('half_page_up')", "scroll back"),
    _key("slash", "/", "look_back('search_up')", "find"),
    _key("o", "o", "look_back('mark_output')", "last output"),
    _key("right_square_bracket", "]", "paste", "paste"),
    _key("z", "z", "zen", "full window"),
    _key("colon", ":", "command", "command line"),
    _key("question_mark", "?", "help", "all keys"),
    _key("D,q", "D", "app.leave", "leave the console"),
    _key(",".join(PREFIX_KEYS), PREFIX_LABEL, "literal", f"send {PREFIX_LABEL}"),
)


COPY: tuple[Key, ...] = tuple(_key("", key.shown, "", key.label) for key in COPY_KEYS if key.shown)
"""Copy mode, as the help tells it; the pane itself handles these keys."""

PANE_GROUPS = frozenset({"Distro", "Pull"})
"""Groups of NORMAL whose keys act on what a pane has under its cursor."""


def _bindings(keys: Iterable[Key]) -> list[Binding]:
    return [Binding(key.keys, key.action, key.label, show=False) for key in keys if key.keys]


def pane_bindings() -> list[Binding]:
    """NORMAL keys that act on what is selected."""
    return _bindings(key for key in NORMAL if key.group in PANE_GROUPS)


def screen_bindings() -> list[Binding]:
    """The other NORMAL keys, and the prefix: seen before the shell sees it."""
    bindings = _bindings(key for key in NORMAL if key.group not in PANE_GROUPS)
    bindings += [Binding(str(n), f"tab({n})", f"Tab {n}", show=False) for n in range(1, 10)]
    bindings += [Binding(key, "prefix", "Prefix", show=False, priority=True) for key in PREFIX_KEYS]
    return bindings


def prefixed_action(key: str) -> str | None:
    """The action of the main screen for a key after the prefix; None: it has none."""
    if len(key) == 1 and key.isdigit() and key != "0":
        return f"tab({key})"
    return next((item.action for item in PREFIXED if key in item.keys.split(",")), None)
