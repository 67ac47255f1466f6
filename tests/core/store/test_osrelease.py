"""os-release: what system a root file system holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store.osrelease import OsRelease, parse_os_release, read_os_release

if TYPE_CHECKING:
    from pathlib import Path


def test_the_fields_are_read_with_and_without_quotes() -> None:
    text = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME=\'Debian "12"\'\n# X=1\nbroken\nA="x\n'
    assert parse_os_release(text) == OsRelease(
        id="debian", version_id="12", pretty_name='Debian "12"'
    )


def test_control_characters_are_replaced() -> None:
    found = parse_os_release('PRETTY_NAME="\x1b]0;evil\x07"\nVERSION_ID=\x9b31m')
    assert "\x1b" not in found.pretty_name
    assert "\x9b" not in found.version_id


def test_usr_lib_is_the_second_place(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("ID=x")
    assert read_os_release([tmp_path]).id == "x"
    assert read_os_release([]) == OsRelease()
