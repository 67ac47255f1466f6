"""``rm`` asks before it takes something away."""

from __future__ import annotations


def test_rm_that_can_be_undone_asks_nothing(deck) -> None:
    ended = deck("rm", "base")
    assert (ended.code, ended.text) == (0, "base\n")


def test_rm_for_good_without_a_terminal_names_the_flag_to_add(deck) -> None:
    ended = deck("rm", "base", "--now")
    assert ended.code == 9
    assert "--yes" in ended.talk


def test_rm_with_yes_tells_the_name_it_removed(deck) -> None:
    ended = deck("rm", "base", "--yes")
    assert (ended.code, ended.text) == (0, "base\n")


def test_rm_tells_a_program_what_it_removed(deck) -> None:
    document = deck("rm", "base", "--yes", "--format", "json").document
    assert (document["schema"], document["items"]) == (
        "distrodeck.removed/1",
        [{"name": "base"}],
    )


def test_rm_of_a_busy_distro_needs_force(deck) -> None:
    assert deck("rm", "-y", "dev").code == 4
    assert deck("rm", "-y", "dev", "--force").code == 0


def test_rm_goes_on_after_an_error_and_ends_with_it(deck) -> None:
    ended = deck("rm", "-y", "nope", "base")
    assert (ended.code, ended.text) == (3, "base\n")


def test_rm_for_good_asks_on_a_terminal(deck_tty) -> None:
    tty = deck_tty("rm", "base", "--now")
    tty.until(rb"Remove base and its changes for good .*\[y/N\]")
    tty.type(b"y\n")
    tty.until(rb"base\r\n")
    assert tty.wait() == 0


def test_anything_but_yes_is_no(deck_tty) -> None:
    tty = deck_tty("rm", "base", "--now")
    tty.until(rb"\[y/N\]")
    tty.type(b"\n")
    tty.until(rb"not confirmed")
    assert tty.wait() == 9
