from __future__ import annotations

from wcwidth import wcwidth

from core.terminal.widths import RUNS, WIDTHS, joins, widened


def test_quick_classes_hold_only_characters_of_their_width() -> None:
    for code in range(0x20, 0x20000):
        if 0xD800 <= code < 0xE000:
            continue
        character = chr(code)
        narrow, wide, _other = RUNS.findall(character)[0]
        if narrow or wide:
            assert wcwidth(character) == (1 if narrow else 2), hex(code)


def test_unprintable_and_combining_take_no_column_and_soft_hyphen_one() -> None:
    assert [WIDTHS[one] for one in "\u0301\u200b\u200d\ufe0f\u00ad"] == [0, 0, 0, 0, 1]


def test_grapheme_takes_in_what_belongs_to_it() -> None:
    assert joins("👨\u200d", "👩")
    assert joins("👋", "🏽")
    assert joins("🇩", "🇪")
    assert not joins("🇩🇪", "🇩")
    assert not joins("a", "b")
    assert not joins(" ", "🏽")
    assert widened("❤", "\ufe0f")
    assert not widened("a", "\ufe0f")
