"""Recordings: what is written, what is read, and what is refused."""

from __future__ import annotations

import io
import json

import pytest

from core.errors import InvalidInput
from core.terminal.asciicast import Event, Header, NotARecording, Reader, Writer, parse_speed
from core.terminal.player import KEPT, Player

HEADER = b'{"version": 2, "width": 20, "height": 5}\n'


def read(data: bytes) -> list[Event]:
    return list(Reader(io.BytesIO(data), "a.cast"))


def test_a_recording_is_a_header_and_a_line_for_each_event() -> None:
    file = io.StringIO()
    writer = Writer(file, Header(rows=5, columns=20, timestamp=7, title="t"), {"TERM": "xterm"})
    writer.output(0.5, "h\u00e9".encode())
    writer.resize(1.0, 10, 40)
    writer.end(2.0)
    header, *events = map(json.loads, file.getvalue().splitlines())
    assert header == {
        "version": 2,
        "width": 20,
        "height": 5,
        "timestamp": 7,
        "title": "t",
        "env": {"TERM": "xterm"},
    }
    assert events == [[0.5, "o", "h\u00e9"], [1.0, "r", "40x10"]]


def test_a_character_cut_in_half_waits_for_the_rest() -> None:
    file = io.StringIO()
    writer = Writer(file, Header(rows=5, columns=20))
    for time, byte in enumerate("漢".encode()):
        writer.output(time, bytes((byte,)))
    writer.output(3, b"\xff\xe6")
    writer.end(4)
    events = [json.loads(line) for line in file.getvalue().splitlines()[1:]]
    assert events == [[2, "o", "漢"], [3, "o", "\ufffd"], [4, "o", "\ufffd"]]


def test_what_is_written_is_read() -> None:
    file = io.StringIO()
    writer = Writer(file, Header(rows=5, columns=20, title="\x1b漢"))
    writer.output(0.25, b"\x1b[31mred\r\n")
    writer.resize(0.5, 6, 30)
    reader = Reader(io.BytesIO(file.getvalue().encode()), "a.cast")
    assert reader.header == Header(rows=5, columns=20, title="\x1b漢")
    assert reader.duration() == 0.5
    assert list(reader) == [Event(0.25, "\x1b[31mred\r\n"), Event(0.5, size=(6, 30))]


def test_version_3_is_read() -> None:
    header = b'{"version":3,"term":{"cols":80,"rows":24}}\n# note\n'
    events = b'[1.0,"o","a"]\n[0.5,"x","0"]\n[1,"r","9x8"]\n'
    assert read(header + events) == [Event(1.0, "a"), Event(2.5, size=(8, 9))]


def test_input_and_markers_are_passed_over() -> None:
    assert read(HEADER + b'[1,"i","q"]\n[2,"m",""]\n[3,"o","x"]\n') == [Event(3.0, "x")]


def test_time_never_goes_back() -> None:
    assert [event.time for event in read(HEADER + b'[2,"o","a"]\n[1,"o","b"]\n')] == [2.0, 2.0]


def test_a_last_line_that_is_cut_short_is_the_end() -> None:
    assert read(HEADER + b'[1,"o","a"]\n[2,"o","b') == [Event(1.0, "a")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01",
        b"[]\n",
        b'{"version":1,"width":80,"height":24}\n',
        b'{"version":2,"width":80}\n',
        b'{"version":2,"width":0,"height":24}\n',
        b'{"version":2,"width":true,"height":24}\n',
        b'{"version":2,"width":99999,"height":24}\n',
        HEADER + b"nonsense\n",
        HEADER + b'[1,"o"]\n',
        HEADER + b'[-1,"o","a"]\n',
        HEADER + b'["1","o","a"]\n',
        HEADER + b'[1e300,"o","a"]\n',
        HEADER + b'[NaN,"o","a"]\n',
        HEADER + b'[1,"r","0x0"]\n',
        HEADER + b'[1,"r","80"]\n',
        HEADER + b'[1,"o",["a"]]\n',
        HEADER + b"[" * 100_000 + b"\n",
    ],
    ids=range(18),
)
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(NotARecording, match=r"^a\.cast:"):
        read(data)


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "nan", "1e9"])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_speed(text)


def cast(count: int, size: int = 1) -> io.BytesIO:
    file = io.StringIO()
    writer = Writer(file, Header(rows=5, columns=20))
    for number in range(count):
        writer.output(number, b"\r\n%d " % number + b"x" * size)
    return io.BytesIO(file.getvalue().encode())


def play(player: Player, moment: float) -> str:
    while not player.play(moment, 1.0):
        pass
    return player.terminal.text()[player.terminal.cursor.y].split()[0]


def test_a_player_shows_the_moment_it_is_asked_for() -> None:
    player = Player(cast(100), "a.cast")
    assert player.duration == 99
    assert play(player, 10.5) == "10"
    assert player.wait == 0.5
    assert play(player, 50) == "50"
    player.go_back(20)
    assert play(player, 20) == "20"
    assert play(player, 500) == "99"
    assert player.ended
    assert player.time == 99


def test_going_back_gives_the_same_screen_as_going_there() -> None:
    long = Player(cast(200, 5000), "a.cast")
    play(long, 150)
    for moment in (149, 120, 77, 3, 0):
        straight = Player(cast(200, 5000), "a.cast")
        play(straight, moment)
        long.go_back(moment)
        play(long, moment)
        assert long.terminal.text() == straight.terminal.text()


def test_checkpoints_are_bounded() -> None:
    player = Player(cast(300, 2000), "a.cast")
    player._interval = 1000
    play(player, 300)
    assert len(player._keyframes) <= KEPT


def test_a_player_stops_when_its_time_is_used_up() -> None:
    player = Player(cast(1000), "a.cast")
    assert not player.play(999, 0.0)
    assert not player.ended


def test_a_resize_in_a_recording_is_played() -> None:
    player = Player(io.BytesIO(HEADER + b'[1,"r","40x10"]\n[2,"o","x"]\n'), "a.cast")
    player.play(5, 1.0)
    assert (player.terminal.rows, player.terminal.columns) == (10, 40)
