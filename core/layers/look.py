"""The process that looks into trees of layers: ``python -P -m`` this module.

It runs apart as :mod:`core.layers.worker` does, and may read what its starter may not. One request
comes on stdin as JSON. On stdout go frames: a byte for the kind, four for the length, then data;
the last one is a report as JSON, ``{"done": …}`` or ``{"error": …}``.
"""

from __future__ import annotations

import io
import json
import os
import resource
import stat
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import DeckError, InvalidInput
from core.layers.escapes import escape, unescape
from core.layers.listing import open_listing, pieces
from core.layers.stream import write_all
from core.layers.view import View
from core.layers.worker import explain

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = struct.Struct("!cI")
DATA, REPORT = b"d", b"r"
_PIECE = 256 << 10

Request = dict[str, Any]


def _send(kind: bytes, data: bytes) -> None:
    write_all(1, HEAD.pack(kind, len(data)) + data)


def _open(paths: list[str]) -> list[int]:
    """Open layers given bottom to top; highest first."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    return [os.open(path, flags) for path in reversed(paths)]


def _list(request: Request) -> None:
    view, listing = open_listing(
        _open(request["roots"]), request["numbers"][::-1], alone=request["alone"]
    )
    top = view.find(unescape(request["path"]))
    for piece in pieces(listing.rows(top, recursive=request["recursive"])):
        _send(DATA, json.dumps(piece).encode())


def _view(request: Request) -> View:
    roots = _open(request["roots"])
    return View(roots[:1] if request["alone"] else roots)


def _read(request: Request) -> None:
    view = _view(request)
    member = view.find(unescape(request["path"]), follow=True)
    found = view.stat(member)
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if member.layers else "a device, pipe or socket"
        hint = "distrodeck files lists what is in it" if member.layers else "name a file"
        raise InvalidInput("/" + escape(b"/".join(member.path)), what, hint=hint)
    with open(view.open(member), "rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            _send(DATA, piece)


class _Frames(io.RawIOBase):
    """A file whose writes become frames."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        _send(DATA, bytes(data))
        return len(data)


def _pack(request: Request) -> None:
    from core.layers.takeout import pack

    view = _view(request)
    top = view.find(unescape(request["path"]))
    with io.BufferedWriter(_Frames(), _PIECE) as file:
        pack(view, top, file)


def _extract(request: Request) -> dict[str, Any]:
    from core.layers.takeout import TakeOut

    view = _view(request)
    top = view.find(unescape(request["path"]))
    return TakeOut(view, request["to"], force=request["force"]).run(top)


def _diff(request: Request) -> None:
    from core.layers.difference import Difference

    old, new = _open(request["old"]), _open(request["new"])
    ids = [[(seen := os.fstat(root)).st_dev, seen.st_ino] for root in (*old, *new)]
    difference = Difference(
        View(old, locked=request["locked"]),
        View(new, locked=request["locked"]),
        ids[: len(old)],
        ids[len(old) :],
    )
    for piece in pieces(difference.rows()):
        _send(DATA, json.dumps(piece).encode())


def _waste(request: Request) -> dict[str, Any]:
    from core.layers.wasted import Wasted

    return Wasted(_open(request["roots"])).count()


_VERBS: dict[str, Callable[[Request], dict[str, Any] | None]] = {
    "list": _list,
    "read": _read,
    "pack": _pack,
    "extract": _extract,
    "diff": _diff,
    "waste": _waste,
}


def main() -> int:
    """Do what is asked and report it."""
    with suppress(ValueError, OSError):  # a stack of layers is a descriptor each
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.umask(0o077)
    request = json.loads(sys.stdin.buffer.read())
    try:
        try:
            done = _VERBS[request["verb"]](request) or {}
        except BrokenPipeError:
            return 1  # whoever asked has seen enough
        except OSError as error:
            raise explain(error) from error
    except DeckError as error:
        fault = {"code": error.code, "what": error.what, "why": error.why, "hint": error.hint}
        _send(REPORT, json.dumps({"error": fault}).encode())
        return 1
    _send(REPORT, json.dumps({"done": done}).encode())
    return 0


if __name__ == "__main__":
    status = main()
    os._exit(status)
