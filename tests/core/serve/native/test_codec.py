"""Bytes to values and back, and what malformed bytes do."""

from __future__ import annotations

import inspect
import typing
from contextlib import suppress
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import engine, errors, events
from core.errors import Conflict, DaemonUnreachable, DeckError, InvalidInput, Unreachable
from core.serve.native.codec import (
    HEADER,
    MAX_PAYLOAD,
    PROTOCOL,
    Failure,
    Hello,
    Kind,
    pack,
    pack_call,
    pack_event,
    pack_failure,
    pack_value,
    unpack_call,
    unpack_failure,
    unpack_hello,
    unpack_result,
)
from core.serve.native.verbs import VERBS

INTEGERS = st.integers(min_value=-(2**63), max_value=2**64 - 1)
FLOATS = st.floats(allow_nan=False)
VALUES = {int: INTEGERS, float: FLOATS}

JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=12,
)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a verb's type, each field of each dataclass from its own type."""
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{name: values_of(hint) for name, hint in hints.items()})
    origin, inner = typing.get_origin(kind), get_args(kind)
    if origin is list:
        return st.lists(values_of(inner[0]), max_size=2)
    if origin is tuple and inner[-1] is ...:
        return st.lists(values_of(inner[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, inner))
    if inner and origin is not typing.Literal:
        return st.one_of(*map(values_of, inner))
    return VALUES[kind] if kind in VALUES else st.from_type(kind)


def arguments_of(verb: str) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(*(values_of(kind) for _name, kind in VERBS[verb].parameters))


def payload(frame: bytes) -> bytes:
    length, _kind, _channel = HEADER.unpack_from(frame)
    assert len(frame) == HEADER.size + length
    return frame[HEADER.size :]


def error_classes(kind: type[DeckError] = DeckError) -> list[type[DeckError]]:
    found = [kind] if kind.__module__ == errors.__name__ else []
    return found + [one for child in kind.__subclasses__() for one in error_classes(child)]


def test_a_call_is_length_kind_channel_and_messagepack() -> None:
    frame = pack_call(7, "resize", (2, 30, 100))
    assert frame.hex(" ") == "00 00 00 0c 02 00 00 00 07 92 a6 72 65 73 69 7a 65 93 02 1e 64"
    assert pack(Kind.CANCEL, 7).hex(" ") == "00 00 00 00 03 00 00 00 07"


def test_every_method_of_the_engine_is_a_verb_with_its_parameters_in_order() -> None:
    methods = {
        name: member
        for name, member in inspect.getmembers(engine.Engine, inspect.isfunction)
        if not name.startswith("_")
    }
    assert set(VERBS) == {*methods, "shutdown"}
    for name, method in methods.items():
        parameters = list(inspect.signature(method).parameters)[1:]
        content = ["content"] if VERBS[name].takes else []
        assert [one for one, _kind in VERBS[name].parameters] + content == parameters


@pytest.mark.parametrize("verb", VERBS)
@given(data=st.data())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_arguments_of_a_verb_arrive_as_they_were_sent(verb: str, data: st.DataObject) -> None:
    sent = data.draw(arguments_of(verb))
    name, got = unpack_call(payload(pack_call(1, verb, sent)))
    assert (name, tuple(got.values())) == (verb, sent)
    assert list(got) == [parameter for parameter, _kind in VERBS[verb].parameters]


@pytest.mark.parametrize(
    "verb", [name for name, verb in VERBS.items() if name != "events" and verb.returns is not bytes]
)
@given(data=st.data())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_result_of_a_verb_arrives_as_it_was_given(verb: str, data: st.DataObject) -> None:
    returns = VERBS[verb].returns
    sent = None if returns is None else data.draw(values_of(returns))
    assert unpack_result(verb, payload(pack_value(Kind.RESULT, 1, sent))) == sent


@pytest.mark.parametrize("kind", get_args(events.Event))
@given(data=st.data())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_every_event_arrives_as_its_own_type(kind: type, data: st.DataObject) -> None:
    sent = data.draw(values_of(kind))
    got = unpack_result("events", payload(pack_event(1, sent)))
    assert type(got) is kind
    assert got == sent


@pytest.mark.parametrize("kind", error_classes())
def test_every_error_arrives_as_its_own_class_with_all_it_says(kind: type[DeckError]) -> None:
    sent = kind("a: b", "c: d", hint="do e", kept="61 of 118 MB", retry_after=1.5)
    got = unpack_failure(payload(pack_failure(1, sent)))
    assert type(got) is kind
    for field in ("what", "why", "hint", "kept", "retry_after", "message", "exit_code"):
        assert getattr(got, field) == getattr(sent, field)


def test_an_error_that_one_module_made_for_itself_arrives_as_what_it_is_a_kind_of() -> None:
    class Narrow(Conflict):
        """Nobody else knows it."""

    assert type(unpack_failure(payload(pack_failure(1, Narrow("x", "y"))))) is Conflict


def test_an_error_of_a_later_version_is_still_an_error() -> None:
    frame = pack_value(Kind.ERROR, 1, Failure("brand_new", "x", "why"))
    got = unpack_failure(payload(frame))
    assert (type(got), got.message) == (DeckError, "x: why")


def test_a_hello_arrives() -> None:
    sent = Hello(PROTOCOL, "1.2.3", 42, ("events",))
    assert unpack_hello(payload(pack_value(Kind.HELLO, 0, sent))) == sent


def test_a_field_of_a_later_version_is_ignored() -> None:
    sent = {"code": "unreachable", "what": "x", "colour": "red"}
    assert type(unpack_failure(msgspec.msgpack.encode(sent))) is Unreachable


def test_what_the_other_side_would_not_take_is_not_sent() -> None:
    with pytest.raises(InvalidInput, match="at most"):
        pack_call(1, "input", (2, bytes(MAX_PAYLOAD)))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (("nosuchverb", []), "no such verb"),
        (("distro", []), "takes 1 arguments, got 0"),
        (("distro", ["a", "b"]), "takes 1 arguments, got 2"),
        (("distro", [7]), "malformed"),
        (("resize", [2, "30", 100]), "malformed"),
        (("remove", ["x", 1, False]), "malformed"),
        (("open", [{"distro": "x", "rows": "many"}]), "malformed"),
        (("open", [{}]), "malformed"),
        (("distros",), "malformed"),
        ({"verb": "distros"}, "malformed"),
    ],
    ids=str,
)
def test_a_call_that_fits_no_verb_is_refused(call: object, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        unpack_call(msgspec.msgpack.encode(call))


@pytest.mark.soak
def test_malformed_payloads_are_refused_and_nothing_else(soak: bool) -> None:
    count = 10_000 if soak else 400
    calls = st.sampled_from(sorted(VERBS)).flatmap(
        lambda verb: arguments_of(verb).map(lambda given: payload(pack_call(1, verb, given)))
    )
    near = st.tuples(st.sampled_from(sorted(VERBS)), st.lists(JUNK, max_size=4))
    payloads = st.one_of(
        st.binary(max_size=64),
        JUNK.map(msgspec.msgpack.encode),
        near.map(msgspec.msgpack.encode),
        st.tuples(calls, st.integers(0, 2**16), st.integers(0, 255)).map(_with_a_byte_changed),
        st.tuples(calls, st.integers(0, 2**16)).map(lambda cut: cut[0][: cut[1] % len(cut[0])]),
        st.integers(1, 5000).map(lambda depth: b"\x91" * depth),
    )

    @given(payloads)
    @settings(max_examples=count, deadline=None, derandomize=True, database=None)
    def refuse(data: bytes) -> None:
        for unpack in (unpack_call, unpack_hello):
            _only(InvalidInput, unpack, data)
        assert isinstance(unpack_failure(data), DeckError)
        for verb in ("distros", "catalog", "run", "watch", "events", "close"):
            _only(DaemonUnreachable, unpack_result, verb, data)

    refuse()


def _only(kind: type[DeckError], unpack: Any, *arguments: Any) -> None:
    with suppress(kind):
        unpack(*arguments)


def _with_a_byte_changed(parts: tuple[bytes, int, int]) -> bytes:
    data, at, value = parts
    changed = bytearray(data)
    changed[at % len(changed)] = value
    return bytes(changed)
