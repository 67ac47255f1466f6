"""``ls``, ``images``, ``history``, ``inspect`` and the like, in each format."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import pytest

from core import domain
from core.domain import Distro
from tests.tui.cli.host_engine import DIGEST
from tui.cli import output


def test_ls_for_a_program_is_one_document_with_every_field(deck) -> None:
    document = deck("ls", "--format", "json").document
    assert document["schema"] == "distrodeck.distros/1"
    base, dev = document["items"]
    assert set(dev) == {field.name for field in fields(Distro)}
    assert (dev["name"], dev["url"]) == ("dev", "127.0.0.1:5600/lib/dev")
    assert (dev["version"], dev["size"]) == ("12", 78_100_000)
    assert dev["path"] == "/var/lib/distrodeck/distros/dev"
    assert dev["image_digest"] == DIGEST
    assert dev["platform"] == "linux/amd64"
    assert dev["created"] == "2023-11-14T22:13:20Z"
    assert base["used"] is None


def test_ls_as_json_lines_is_one_distro_a_line(deck) -> None:
    lines = deck("ls", "--format", "jsonl").text.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["base", "dev"]


def test_ls_quiet_is_names_only(deck) -> None:
    assert deck("ls", "-q").text == "base\ndev\n"
    assert deck("-q", "ls", "--available").text == "host\ndebian/12\n"


def test_ls_for_a_person_has_headings_and_readable_sizes(deck) -> None:
    head, _, dev = deck("ls").text.splitlines()
    assert head.split()[:4] == ["NAME", "STATE", "SHELLS", "SIZE"]
    assert "78.1 MB" in dev


def test_the_catalog_names_its_broken_source_without_hiding_the_rest(deck) -> None:
    ended = deck("ls", "--available")
    assert "debian/12" in ended.text
    assert "catalog lab: refused" in ended.talk
    document = deck("ls", "--available", "--format", "json").document
    assert document["schema"] == "distrodeck.catalog/1"
    assert [entry["name"] for entry in document["items"]] == ["host", "debian/12"]
    assert document["sources"][1]["error"] == "refused"
    assert deck("catalog", "ls").text == deck("catalog").text == ended.text


def test_catalog_refresh_shows_the_sources(deck) -> None:
    ended = deck("catalog", "refresh")
    assert ended.code == 0
    assert "simplestreams" in ended.text


def test_control_characters_of_an_image_do_not_reach_the_terminal(deck) -> None:
    for words in (("history", "dev"), ("inspect", "dev")):
        for form in ("table", "json", "jsonl"):
            out = deck(*words, "--format", form).out
            assert b"\x1b" not in out
            assert b"\x07" not in out


@pytest.mark.parametrize("words", [("images",), ("history", "dev")])
def test_tables_have_short_digests_unless_the_whole_ones_are_asked_for(deck, words) -> None:
    whole = deck(*words, "--format", "json").text
    told, long = deck(*words).text, deck(*words, "--no-trunc").text
    assert re.search(r" ?[0-9a-f]{12} ", told)
    assert not re.search("[0-9a-f]{64}", told)
    for digest in re.findall("sha256:[0-9a-f]{64}", long):
        assert digest in whole
    assert re.search("sha256:[0-9a-f]{64}", long)


def test_quiet_lists_have_whole_digests_which_stay_unique(deck) -> None:
    assert deck("images", "-q").text == f"{DIGEST}\n"


def test_a_narrow_window_costs_columns_before_it_costs_names(deck, deck_tty) -> None:
    (image,) = deck("images", "--format", "json").document["items"]
    name = image["references"][0]
    told = deck_tty("images", columns=len(name) + 30).until(rb"DIGEST.*\n.*\n").decode()
    assert name in told
    assert "ab12ab12ab12" in told
    assert "PLATFORM" not in told


def test_a_table_fits_the_window_of_a_terminal_only(deck, deck_tty) -> None:
    for columns in (72, 50, 20):
        told = deck_tty("ls", columns=columns).until(rb"\ndev  .*\n").decode()
        assert all(len(line.rstrip()) <= columns for line in told.splitlines())
        assert "PLATFORM" not in told
        assert ("SOURCE" in told) is (columns > 20)
        assert ("\N{HORIZONTAL ELLIPSIS}" in told) is (columns == 50)
    assert "\N{HORIZONTAL ELLIPSIS}" not in deck("ls", env={"COLUMNS": "60"}).text


def test_inspect_tells_a_distro_with_its_image(deck) -> None:
    document = deck("inspect", "dev", "127.0.0.1:5600/lib/dev:latest", "--format=json").document
    distro, image = document["items"]
    assert (distro["kind"], distro["image"]["digest"]) == ("distro", DIGEST)
    assert (image["kind"], image["digest"]) == ("image", DIGEST)
    assert DIGEST in deck("inspect", "dev").text


def test_history_keeps_its_order_and_marks_empty_layers(deck) -> None:
    items = deck("history", "dev", "--format", "json").document["items"]
    assert [item["layer"] is None for item in items] == [False, True]
    assert items[0]["size"] == 9


@pytest.mark.parametrize("verb", ["images", "sessions", "jobs", "info", "doctor", "version"])
def test_every_list_has_its_schema(deck, verb: str) -> None:
    assert deck(verb, "--format", "json").document["schema"] == f"distrodeck.{verb}/1"


def test_doctor_ends_with_11_if_a_required_thing_is_missing(deck) -> None:
    ended = deck("doctor")
    assert ended.code == 0
    assert "VM runner" in ended.text
    ended = deck("doctor", env={"HOST_ENGINE_BROKEN": "1"})
    assert ended.code == 11
    assert "sysctl kernel.unprivileged_userns_clone=1" in ended.text


def test_every_float_of_the_domain_is_a_time() -> None:
    times = {
        field.name
        for value in vars(domain).values()
        if isinstance(value, type) and hasattr(value, "__dataclass_fields__")
        for field in fields(value)
        if str(field.type).startswith("float")
    }
    assert times == {"created", "pulled", "used", "started", "ended", "fetched"}


def test_a_time_that_no_calendar_has_is_null() -> None:
    assert output.rfc3339(1e30) is None
    assert output.rfc3339(0.0) is None
    assert output.rfc3339(1.5) == "1970-01-01T00:00:01Z"


def test_wide_characters_keep_columns_straight() -> None:
    assert output.cell_width("日本") == 4
    assert output.cut("日本語", 5) == "日本\N{HORIZONTAL ELLIPSIS}"
