"""Bytes to values and back for the native protocol; no I/O.

A frame is ``!IBI``: length of the payload, kind, channel; then the payload in MessagePack. The
client numbers channels from 1, one per call. Each side first sends HELLO on channel 0.

======= ========= ===========================================================
kind    from      payload
======= ========= ===========================================================
HELLO   both      :class:`Hello`
CALL    client    ``[verb, [argument, ...]]``
FEED    client    like CALL; the verb's content follows in ITEM frames, then END
CANCEL  client    none; the call or stream of the channel is given up
RESULT  server    the verb's value; ends the call
ERROR   server    :class:`Failure`; ends the call or stream
ITEM    both      one item of a stream; where that is of bytes, the bytes as they are
END     both      none; ends the stream
======= ========= ===========================================================

A FEED and a stream each have a connection to themselves: who does not read holds up nobody else.

``attach`` is answered by a RESULT that carries a connected socket (SCM_RIGHTS): the client then
talks to the session's holder directly, and the daemon may go away.

A daemon tells its starter by one frame on a pipe: RESULT, it is ready; ERROR, why it will not be.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import msgspec

from core import events
from core.errors import DaemonUnreachable, DeckError, InvalidInput, by_code
from core.serve.native.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

PROTOCOL = 1
HEADER = struct.Struct("!IBI")
MAX_PAYLOAD = 64 << 20
"""Bytes; more closes the connection."""

_MALFORMED = (msgspec.MsgspecError, RecursionError, ValueError)


class Kind(IntEnum):
    """Kinds of frames."""

    HELLO = 1
    CALL = 2
    CANCEL = 3
    RESULT = 4
    ERROR = 5
    ITEM = 6
    END = 7
    FEED = 8


class Hello(msgspec.Struct, frozen=True):
    """The first frame of each side."""

    protocol: int
    version: str
    pid: int
    capabilities: tuple[str, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """A :class:`core.errors.DeckError` on the wire."""

    code: str
    what: str
    why: str = ""
    hint: str = ""
    kept: str = ""
    retry_after: float | None = None


_EVENTS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        events.JobChanged,
        events.DistroChanged,
        events.DistroRemoved,
        events.SessionChanged,
        events.CatalogChanged,
        events.Notice,
    )
}

_encoder = msgspec.msgpack.Encoder()
_call_decoder = msgspec.msgpack.Decoder(tuple[str, list[msgspec.Raw]])
_event_decoder = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])


def pack(kind: Kind, channel: int, payload: bytes = b"") -> bytes:
    """One frame. Raises: InvalidInput, if the other side would not take it."""
    if len(payload) > MAX_PAYLOAD:
        raise InvalidInput("frame", f"{len(payload)} bytes, at most {MAX_PAYLOAD}")
    return HEADER.pack(len(payload), kind, channel) + payload


def pack_value(kind: Kind, channel: int, value: object) -> bytes:
    """One frame with an encoded value."""
    return pack(kind, channel, _encoder.encode(value))


def pack_call(
    channel: int, verb: str, arguments: Sequence[object], *, kind: Kind = Kind.CALL
) -> bytes:
    """A CALL or FEED frame."""
    return pack_value(kind, channel, (verb, list(arguments)))


def pack_event(channel: int, event: events.Event) -> bytes:
    """An ITEM frame of the ``events`` stream: the event's type, then the event."""
    return pack_value(Kind.ITEM, channel, (type(event).__name__, event))


def pack_failure(channel: int, error: DeckError) -> bytes:
    """An ERROR frame."""
    failure = Failure(error.code, error.what, error.why, error.hint, error.kept, error.retry_after)
    return pack_value(Kind.ERROR, channel, failure)


def unpack_call(payload: bytes) -> tuple[str, dict[str, Any]]:
    """Verb and arguments by name, checked against the verb's types.

    Raises:
        InvalidInput: unknown verb, wrong number or type of arguments, not MessagePack.
    """
    try:
        name, raw = _call_decoder.decode(payload)
        verb = VERBS[name]
        if len(raw) != len(verb.parameters):
            raise InvalidInput(name, f"takes {len(verb.parameters)} arguments, got {len(raw)}")
        arguments = {
            parameter: msgspec.msgpack.decode(value, type=kind)
            for (parameter, kind), value in zip(verb.parameters, raw, strict=True)
        }
    except KeyError as error:
        raise InvalidInput(str(error.args[0]), "no such verb in this engine") from None
    except _MALFORMED as error:
        raise InvalidInput("call", f"malformed, {error}") from None
    return name, arguments


def unpack_result(verb: str, payload: bytes) -> Any:
    """The value of a RESULT or of an ITEM of the verb's stream. Raises: DaemonUnreachable."""
    try:
        if verb == "events":
            name, raw = _event_decoder.decode(payload)
            return msgspec.msgpack.decode(raw, type=_EVENTS[name])
        if VERBS[verb].stream and VERBS[verb].returns is bytes:
            return payload
        return msgspec.msgpack.decode(payload, type=VERBS[verb].returns)
    except (*_MALFORMED, KeyError) as error:
        raise _foreign(error) from None


def unpack_failure(payload: bytes) -> DeckError:
    """The error of an ERROR frame, as the class it was raised as."""
    try:
        failure = msgspec.msgpack.decode(payload, type=Failure)
    except _MALFORMED as error:
        return _foreign(error)
    return by_code(failure.code)(
        failure.what,
        failure.why,
        hint=failure.hint,
        kept=failure.kept,
        retry_after=failure.retry_after,
    )


def unpack_hello(payload: bytes) -> Hello:
    """The HELLO of the other side. Raises: InvalidInput."""
    try:
        return msgspec.msgpack.decode(payload, type=Hello)
    except _MALFORMED as error:
        raise InvalidInput("hello", f"malformed, {error}") from None


def _foreign(error: Exception) -> DaemonUnreachable:
    """An answer that this client cannot read: the daemon is of another version."""
    return DaemonUnreachable(
        "engine daemon",
        f"answered what this client does not know, {error}",
        hint="end it with: distrodeck serve --stop (sessions stay), then try again",
    )
