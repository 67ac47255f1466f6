"""The command line of the console (``:``): the words of the CLI, on the same engine."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.domain import Distro, PullSpec
from core.errors import InvalidInput, NotFound
from tui.screens.replay import ReplayScreen

if TYPE_CHECKING:
    from tui.screens.deck import DeckScreen


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as typed, checked."""

    word: str
    target: str = ""
    name: str = ""


_USAGE = {
    "pull": "pull SOURCE [NAME]",
    "shell": "shell DISTRO",
    "run": "run DISTRO",
    "start": "start DISTRO",
    "stop": "stop DISTRO",
    "rm": "rm DISTRO",
    "inspect": "inspect DISTRO",
    "history": "history DISTRO",
    "refresh": "refresh",
    "help": "help",
    "home": "home",
    "theme": "theme NAME",
    "replay": "replay FILE",
    "quit": "quit",
}
_ALIASES = {"remove": "rm", "q": "quit", "q!": "quit", "enter": "shell", "?": "help"}


def words() -> list[str]:
    """The words there are."""
    return sorted(_USAGE)


def parse(line: str) -> Command | None:
    """The command in ``line``; None for an empty one.

    Raises:
        NotFound: no such command.
        InvalidInput: it wants other words after it.
    """
    try:
        typed = shlex.split(line)
    except ValueError as error:
        raise InvalidInput(line, str(error).lower()) from None
    if not typed:
        return None
    word = _ALIASES.get(typed[0], typed[0])
    rest = typed[1:]
    if word not in _USAGE:
        raise NotFound(word, "no such command", hint=f"there is: {' '.join(words())}")
    usage = _USAGE[word].split()[1:]
    least = sum(not part.startswith("[") for part in usage)
    rest = [part for part in rest if part != "--name"]
    if not least <= len(rest) <= len(usage):
        raise InvalidInput(line, f"usage is: {_USAGE[word]}")
    return Command(word=word, target=rest[0] if rest else "", name=rest[1] if rest[1:] else "")


async def carry_out(command: Command | None, deck: DeckScreen) -> None:
    """Do what a command says, with the console's questions and dialogs.

    Raises:
        NotFound: no such distro, theme or file.
        NotARecording: a file that is none.
    """
    match command:
        case None:
            return
        case Command(word="pull", target=source, name=name):
            deck.verbs.pull(PullSpec(source=source, name=name))
        case Command(word="refresh"):
            deck.verbs.refresh()
        case Command(word="help"):
            deck.action_help()
        case Command(word="home"):
            deck.action_tab(0)
        case Command(word="quit"):
            await deck.action_quit()
        case Command(word="replay", target=name):
            await deck.app.push_screen(ReplayScreen(name))
        case Command(word="theme", target=theme):
            if theme not in deck.app.available_themes:
                raise NotFound(theme, "no such theme", hint=" ".join(deck.app.available_themes))
            deck.app.theme = theme
        case Command(word=word, target=name):
            _of_distro(word, deck.bridge.distro(name), deck)


def _of_distro(word: str, distro: Distro, deck: DeckScreen) -> None:
    deck.panes.installed.select(distro.name)
    match word:
        case "shell":
            deck.open_shell(distro.name, new=False)
        case "run":
            deck.verbs.run(distro.name)
        case "rm":
            deck.verbs.remove(distro)
        case "start" | "stop":
            if (distro.state == "running") == (word == "stop"):
                deck.verbs.toggle(distro)
        case "inspect" | "history":
            deck.action_tab(0)
            deck.panes.open_pane("installed")
            deck.panes.action_inspect() if word == "inspect" else deck.panes.action_history()
