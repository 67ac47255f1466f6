"""Notifications a program asks for: OSC 9 (iTerm2), OSC 777 (rxvt) and OSC 99 (kitty).

Kitty's protocol sends a title and a body in pieces; the other two send one text. OSC 9 with a
number of ConEmu's, such as progress in ``9;4``, is no notification.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import Final

from core.text import clean

NOTIFICATION_LIMIT: Final = 1024
"""Characters kept of a title or a body."""
NOTIFICATIONS_PENDING: Final = 8
_CONEMU: Final = re.compile(r"\d{1,2}(;|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a program wants the user to hear of; control characters are gone."""

    title: str = ""
    body: str = ""


class Notifications:
    """Those not taken yet, oldest first, and the one that is still being sent."""

    def __init__(self) -> None:
        self.pending: list[Notification] = []
        self._parts: Notification = Notification()
        self._identifier = ""

    def _add(self, title: str, body: str) -> None:
        if title or body:
            self.pending.append(Notification(title=_short(title), body=_short(body)))
            del self.pending[:-NOTIFICATIONS_PENDING]

    def plain(self, body: str) -> None:
        """OSC 9."""
        if not _CONEMU.match(body):
            self._add("", body)

    def titled(self, body: str) -> None:
        """OSC 777: ``notify;title;body``; other extensions are ignored."""
        kind, _, rest = body.partition(";")
        if kind == "notify":
            title, _, text = rest.partition(";")
            self._add(title, text)

    def piece(self, body: str) -> None:
        """OSC 99: metadata, then a title or a body; with ``d=0`` more follows."""
        metadata, _, payload = body.partition(";")
        fields = dict(field.split("=", 1) for field in metadata.split(":") if "=" in field)
        kind = fields.get("p", "title")
        if kind not in ("title", "body"):
            return
        if fields.get("e") == "1":
            try:
                payload = base64.b64decode(payload, validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                return
        if fields.get("i", "") != self._identifier:
            self._parts = Notification()
            self._identifier = fields.get("i", "")[:64]
        if kind == "title":
            self._parts = replace(self._parts, title=_short(self._parts.title + payload))
        else:
            self._parts = replace(self._parts, body=_short(self._parts.body + payload))
        if fields.get("d") != "0":
            self._add(self._parts.title, self._parts.body)
            self._parts, self._identifier = Notification(), ""

    def take(self) -> list[Notification]:
        """Those since the last call."""
        taken, self.pending = self.pending, []
        return taken


def _short(text: str) -> str:
    return clean(text)[:NOTIFICATION_LIMIT]
