"""Tell on standard error what went wrong, and how the process ends.

Standard output carries data only. With ``--format json`` or ``jsonl`` an error is one JSON
object, so that a program need not read English.
"""

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING

from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.errors import DeckError

OK = 0
FAILURE = 1
USAGE = 2
REFUSED = 9
FORBIDDEN = 11
NOT_STARTED = 125
INTERRUPTED = 130
PIPE_CLOSED = 141
"""128 + SIGPIPE, which is what a C program ends with when its reader went away."""


def wants_json(argv: Sequence[str]) -> bool:
    """Whether the command line asks for JSON; told from the raw words, for it may not parse."""
    own = argv[: argv.index("--")] if "--" in argv else argv
    for at, word in enumerate(own):
        value = own[at + 1] if word == "--format" and at + 1 < len(own) else ""
        if word.startswith("--format="):
            value = word.removeprefix("--format=")
        if value in ("json", "jsonl"):
            return True
    return False


def note(text: str) -> None:
    """One line for the person, on standard error."""
    print(clean(text), file=sys.stderr)  # noqa: T201


def tell_error(error: DeckError, *, as_json: bool, debug: bool = False) -> None:
    """Write ``error`` as lines for a person or as one JSON object."""
    if debug:
        traceback.print_exception(error)
    if as_json:
        tell_json(error.code, error.message, error.hint, error.kept)
        return
    note(f"distrodeck: {error.message}")
    if error.kept:
        note(f"  kept: {error.kept}")
    if error.hint:
        note(f"  try: {error.hint}")


def tell_json(code: str, message: str, hint: str = "", kept: str = "") -> None:
    """``{"error": {"code", "message", "hint"}}``, with ``kept`` where something was."""
    found = {"code": code, "message": message, "hint": hint}
    if kept:
        found["kept"] = kept
    print(json.dumps({"error": found}), file=sys.stderr)  # noqa: T201
