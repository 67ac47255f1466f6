from __future__ import annotations

import pytest

from core.terminal.notifications import NOTIFICATIONS_PENDING, Notification
from core.terminal.terminal import Terminal


def heard(data: bytes) -> list[Notification]:
    terminal = Terminal(2, 10)
    terminal.feed(data)
    assert terminal.text() == ["", ""]
    return terminal.take_notifications()


@pytest.mark.parametrize(
    ("data", "title", "body"),
    [
        (b"\x1b]9;build is done\x07", "", "build is done"),
        (b"\x1b]9;4 files left; more to come\x1b\\", "", "4 files left; more to come"),
        (b"\x1b]777;notify;Mail;two new; one old\x07", "Mail", "two new; one old"),
        (b"\x1b]99;;Hello\x1b\\", "Hello", ""),
        (b"\x1b]99;i=1:d=0;Hello\x1b\\\x1b]99;i=1:p=body;wor\x1b\\", "Hello", "wor"),
        (b"\x1b]99;i=1:d=0:p=body;a\x07\x1b]99;i=1:d=0:p=body;b\x07\x1b]99;i=1;T\x07", "T", "ab"),
        (b"\x1b]99;i=1:d=0;lost\x07\x1b]99;i=2;kept\x07", "kept", ""),
        (b"\x1b]99;e=1;SGVsbG8=\x07", "Hello", ""),
        (b"\x1b]9;a\xe2\x80\xaeb\x07", "", "a\ufffdb"),
    ],
)
def test_notification_is_handed_on(data: bytes, title: str, body: str) -> None:
    assert heard(data) == [Notification(title=title, body=body)]


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b]9;4;1;50\x07", b"\x1b]9;9;/home\x07", b"\x1b]9;4\x07", b"\x1b]9;\x07", b"\x1b]9\x07",
        b"\x1b]777;precmd\x07", b"\x1b]777;notify\x07", b"\x1b]99;p=?;\x07", b"\x1b]99;e=1;!!\x07",
        b"\x1b]99;p=close:i=1;\x07", b"\x1b]99\x07",
    ],
)  # fmt: skip
def test_what_is_no_notification_is_swallowed(data: bytes) -> None:
    assert heard(data) == []


def test_only_the_newest_wait_to_be_taken() -> None:
    taken = heard(b"".join(b"\x1b]9;note %d.\x07" % number for number in range(50)))
    assert len(taken) == NOTIFICATIONS_PENDING
    assert taken[-1].body == "note 49."
