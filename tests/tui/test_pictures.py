"""The screens look as somebody once agreed to, at the three sizes."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from screenshots.scenes import SCENES, SIZES, DemoApp, arrange, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TEXTUAL_THEME", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES)
def test_picture(scene: str, size: tuple[int, int], snap_compare: Callable[..., Any]) -> None:
    assert snap_compare(DemoApp(), terminal_size=size, run_before=partial(arrange, scene))


def test_tiny_window_shows_the_list(snap_compare: Callable[..., Any]) -> None:
    assert snap_compare(DemoApp(), terminal_size=(48, 12), run_before=settled)


def test_empty_console_teaches_the_next_key(snap_compare: Callable[..., Any]) -> None:
    app = DemoApp(pulls=False, sessions=False, distros=())

    assert snap_compare(app, terminal_size=(80, 24), run_before=settled)
