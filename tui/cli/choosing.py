"""Which session a person means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from core.domain import Session


def choose_session(sessions: list[Session], wanted: str) -> Session:
    """The one of that number, or the one live shell in the distro of that name.

    Raises:
        NotFound: there is none.
        InvalidInput: there are several, or it has no terminal.
    """
    live = [one for one in sessions if one.distro == wanted and one.state == "running" and one.tty]
    numbered = [one for one in sessions if str(one.id) == wanted]
    found = numbered or live
    if not found:
        raise NotFound(f"session {wanted}", "no such session", hint="distrodeck sessions")
    if len(found) > 1:
        numbers = ", ".join(str(one.id) for one in found)
        raise InvalidInput(wanted, f"sessions {numbers} run in it", hint="distrodeck attach ID")
    if not found[0].tty:
        raise InvalidInput(f"session {wanted}", "a command without a terminal, not a shell")
    return found[0]
