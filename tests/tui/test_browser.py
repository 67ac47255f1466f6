"""Addresses are handed to the desktop's opener, and only where there is a desktop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui.browser import open_address

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def opener(tmp_path: Path) -> Path:
    script = tmp_path / "xdg-open"
    script.write_text('#!/bin/sh\nprintf %s "$1" >"$0.opened"\n')
    script.chmod(0o755)
    return script


async def test_the_address_is_given_to_the_desktops_opener(opener: Path) -> None:
    environ = {"PATH": str(opener.parent), "DISPLAY": ":0"}
    assert await open_address("https://example.com/?a=b&c", environ)
    assert opener.with_name("xdg-open.opened").read_text() == "https://example.com/?a=b&c"


async def test_without_a_desktop_nothing_is_started(opener: Path) -> None:
    assert not await open_address("https://example.com", {"PATH": str(opener.parent)})
    assert not opener.with_name("xdg-open.opened").exists()


async def test_without_an_opener_nothing_is_opened(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "WAYLAND_DISPLAY": "wayland-0"}
    assert not await open_address("https://example.com", environ)
