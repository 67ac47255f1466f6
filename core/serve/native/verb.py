"""One method of the Engine protocol as it goes over the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verb:
    """A method's parameters in their order, what it returns, and its manners."""

    parameters: tuple[tuple[str, Any], ...]
    returns: Any
    stream: bool = False
    takes: bool = False
    """May come with content: the method's last parameter, ``content``."""
    asks: bool = False
    """Changes nothing: a client that lost its connection may simply ask again."""
