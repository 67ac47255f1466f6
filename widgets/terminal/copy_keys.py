"""The keys of copy mode, in one table: what the pane does and what the help says of it.

vi's, where vi has one; ``o``, ``{`` and ``}`` know the shell's prompts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyKey:
    """A key and what it does."""

    keys: str
    """Textual's names, comma-separated."""
    shown: str
    """As it is written in help and hints; empty: told with the key before."""
    command: str
    """Name of a command of :class:`widgets.terminal.copy_mode.CopyMode`, or of the pane."""
    label: str = ""


def _key(keys: str, shown: str, command: str, label: str = "") -> CopyKey:
    return CopyKey(keys=keys, shown=shown, command=command, label=label)


COPY_KEYS: tuple[CopyKey, ...] = (
    _key("h,left,backspace", "h j k l", "left", "move"),
    _key("j,down", "", "down"),
    _key("k,up", "", "up"),
    _key("l,right", "", "right"),
    _key("w", "w b e", "next_word", "by word"),
    _key("b", "", "previous_word"),
    _key("e", "", "word_end"),
    _key("0,home", "0 ^ $", "line_start", "line's ends"),
    _key("circumflex_accent", "", "text_start"),
    _key("dollar_sign,end", "", "line_end"),
    _key("g", "g G", "oldest", "oldest, newest"),
    _key("G", "", "newest"),
    _key("ctrl+d", "^D ^U", "half_page_down", "half a page"),
    _key("ctrl+u", "", "half_page_up"),
    _key("ctrl+f,pagedown", "^F ^B", "page_down", "a page"),
    _key("ctrl+b,pageup", "", "page_up"),
    _key("H", "H M L", "window_top", "window's rows"),
    _key("M", "", "window_middle"),
    _key("L", "", "window_bottom"),
    _key("left_curly_bracket", "{ }", "previous_prompt", "prompt before, after"),
    _key("right_curly_bracket", "", "next_prompt"),
    _key("slash", "/ ?", "search_down", "search down, up"),
    _key("question_mark", "", "search_up"),
    _key("n", "n N", "search_next", "next match"),
    _key("N", "", "search_previous"),
    _key("v,space", "v V ^V", "mark_characters", "mark text, lines, box"),
    _key("V", "", "mark_lines"),
    _key("ctrl+v", "", "mark_block"),
    _key("o", "o", "mark_output", "last output"),
    _key("y", "y", "copy", "copy and leave"),
    _key("u", "u", "previous_link", "link before"),
    _key("enter", "Enter", "open_link", "open link"),
    _key("q,escape", "q Esc", "leave", "leave"),
)

COMMANDS = {name: key.command for key in COPY_KEYS for name in key.keys.split(",")}
"""Each key's command."""
