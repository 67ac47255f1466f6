from __future__ import annotations

import pytest

from core.urls import check_url, is_loopback, join_below


@pytest.mark.parametrize("host", ["localhost", "lab.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_addresses_are_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.evil.example", "128.0.0.1", "10.0.0.1", "127.0.0.1.example"]
)
def test_other_hosts_are_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url", ["https://images.example/x", "http://127.0.0.1:5604/x", "http://[::1]:80/"]
)
def test_url_to_fetch_from_passes(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/x",
        "//host/x",
        "https://",
        "https:///x",
        "https://host:99999/",
        "https://alice:secret@host/",
        "https://host/a b",
        "https://host/\x1b]52;c;AAAA\x07",
        "https://h\u00f6st/",
        "http://images.example/x",
        "https://host/" + "x" * 5000,
    ],
)
def test_other_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        check_url(url)


def test_plain_http_is_for_who_asked() -> None:
    assert check_url("http://images.example/x", plain_http=True)


def test_path_stays_below_its_folder() -> None:
    assert join_below("https://host/a/", "b/c.tar.xz") == "https://host/a/b/c.tar.xz"


@pytest.mark.parametrize(
    "path",
    [
        "../b",
        "/etc/passwd",
        "//other/x",
        "https://other/x",
        "b/../../c",
        "file:///x",
        "b/%2e%2e/%2E%2E/c",
    ],
)
def test_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        join_below("https://host/a/", path)
