"""What a holder leaves on disk of its sessions, for whoever comes when it is gone.

``<run>/holders/<distro id>/sessions/<id>/``: ``meta.json`` from the start, ``exit.json`` from
the end on (a session without it whose holder is gone was lost), ``log`` and ``checkpoint-…``.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TypedDict

from core.errors import Conflict

SESSIONS = "sessions"
SOCKET = "sock"
PID = "pid"
"""JSON ``{"pid", "started"}`` of the holder; ``started`` as in proc(5), stat, field 22."""


class SessionRecord(TypedDict):
    """The fields of :class:`core.domain.Session`."""

    id: int
    distro: str
    argv: list[str]
    state: str
    started: float
    rows: int
    columns: int
    tty: bool
    exit_code: int | None
    ended: float | None
    clients: int
    title: str


class ExitRecord(TypedDict):
    """How a session ended."""

    exit_code: int
    ended: float


def session_folder(folder: str, session: int) -> str:
    """Where the holder in ``folder`` keeps a session."""
    return os.path.join(folder, SESSIONS, str(session))


def write_json(path: str, value: object) -> None:
    """Write a file at once or not at all; its folder is there."""
    fresh = path + ".new"
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.rename(fresh, path)


def start_time(pid: int) -> int:
    """When a process started: with its number, what tells it from any other."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


def write_meta(folder: str, record: SessionRecord) -> None:
    """Make a session's folder.

    Raises:
        Conflict: there is one of that number.
    """
    place = session_folder(folder, record["id"])
    try:
        os.makedirs(place, mode=0o700)
    except FileExistsError:
        raise Conflict(f"session {record['id']}", "number taken") from None
    write_json(os.path.join(place, "meta.json"), record)


def rename_records(folder: str, distro: str) -> None:
    """Write another name of the distro into the records of all its sessions."""
    for name in _names(folder):
        path = os.path.join(folder, SESSIONS, name, "meta.json")
        if meta := _read_json(path):
            write_json(path, {**meta, "distro": distro})


def write_exit(folder: str, session: int, record: ExitRecord) -> None:
    """Record a session's end. A disk that is full must not stop the others, so it may be lost."""
    with contextlib.suppress(OSError):
        write_json(os.path.join(session_folder(folder, session), "exit.json"), record)


def read_records(folder: str) -> list[SessionRecord]:
    """Every session on disk: exited, or lost if nothing says how it ended."""
    found = []
    for name in _names(folder):
        place = os.path.join(folder, SESSIONS, name)
        meta = _read_json(os.path.join(place, "meta.json"))
        if not name.isdigit() or meta is None:
            continue
        record: SessionRecord = {**meta, "state": "lost", "clients": 0}  # type: ignore[typeddict-item]
        exit_record = _read_json(os.path.join(place, "exit.json"))
        if exit_record:
            record["state"] = "exited"
            record.update(exit_record)  # type: ignore[typeddict-item]
        found.append(record)
    return found


def remove_record(folder: str, session: int) -> None:
    """Forget a session; fine if it is not there."""
    place = session_folder(folder, session)
    with contextlib.suppress(OSError):
        for name in os.listdir(place):
            os.unlink(os.path.join(place, name))
        os.rmdir(place)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(os.path.join(folder, SESSIONS)))
    except OSError:
        return []


def _read_json(path: str) -> dict[str, object] | None:
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
