from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.config import (
    MirrorSettings,
    RegistrySettings,
    Settings,
    SourceSettings,
    parse_settings,
    read_settings,
)
from core.errors import InvalidInput

EVERYTHING = """
[pull]
parallel_layers = 5

[daemon]
idle_seconds = 2.5

[catalog]
builtin = false

[catalog.sources.images]
kind = "simplestreams"
url = "https://images.example/"

[catalog.sources.lab]
kind = "registry"
url = "lab.example:5000"
plain_http = true
enabled = false

[catalog.sources.local]
kind = "registry"
url = "localhost:5000"
"""


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings() == parse_settings("")


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(EVERYTHING)
    settings = read_settings(tmp_path)
    assert settings.pull.parallel_layers == 5
    assert settings.daemon.idle_seconds == 2.5
    assert not settings.catalog.builtin
    assert settings.catalog.this_host
    assert settings.catalog.sources == (
        SourceSettings(name="images", kind="simplestreams", url="https://images.example/"),
        SourceSettings(
            name="lab",
            kind="registry",
            url="http://lab.example:5000",
            plain_http=True,
            enabled=False,
        ),
        SourceSettings(name="local", kind="registry", url="http://localhost:5000"),
    )


def test_documented_file_is_read_and_shows_the_defaults() -> None:
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    defaults, registries, sources = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert parse_settings(defaults) == Settings()
    assert len(parse_settings(defaults + registries).registries) == 2
    assert len(parse_settings(defaults + sources).catalog.sources) == 4


def test_plain_http_is_for_loopback_and_for_registries_that_say_so() -> None:
    settings = parse_settings(EVERYTHING)
    assert settings.allows_plain_http("127.0.0.1:5600")
    assert settings.allows_plain_http("[::1]:5600")
    assert settings.allows_plain_http("lab.example:5000")
    assert not settings.allows_plain_http("lab.example")
    assert not settings.allows_plain_http("images.example")


def test_registries_have_mirrors_authorities_and_permissions() -> None:
    settings = parse_settings(
        '[registry."docker.io"]\n'
        'mirrors = ["https://mirror.example/hub/", "http://10.0.0.1:5000", "[::1]:5001"]\n'
        '[registry."lab:5000"]\nca = "/etc/lab.pem"\nplain_http = true\n'
    )
    assert settings.registry("docker.io").mirrors == (
        MirrorSettings(host="mirror.example", prefix="hub"),
        MirrorSettings(host="10.0.0.1:5000", plain_http=True),
        MirrorSettings(host="[::1]:5001"),
    )
    assert settings.registry("lab:5000").ca == "/etc/lab.pem"
    assert settings.registry("other") == RegistrySettings(host="other")
    assert settings.allows_plain_http("lab:5000")
    assert not settings.allows_plain_http("lab:5001")


@pytest.mark.parametrize(
    ("text", "line", "why", "hint"),
    [
        (
            "[pull]\nparalel_layers = 2",
            2,
            "unknown key 'paralel_layers' in [pull]",
            "parallel_layers",
        ),
        ("\n[pul]\n", 2, "unknown key 'pul'", "did you mean pull?"),
        ("zzz = 1", 1, "unknown key 'zzz'", "known here: pull, limits, catalog"),
        ("[pull]\n\nparallel_layers = -1", 3, "parallel_layers: a whole number from 1", ""),
        ("[pull]\nparallel_layers = true", 2, "parallel_layers: a whole number", ""),
        ("pull.parallel_layers = 'many'", 1, "parallel_layers: a whole number", ""),
        ("pull = 3", 1, "pull: not a table", ""),
        ("[daemon]\nidle_seconds = 'long'", 2, "idle_seconds: seconds", ""),
        ("[daemon]\nidle_seconds = nan", 2, "idle_seconds: seconds", ""),
        ("[catalog]\nbuiltin = 1", 2, "builtin: true or false", ""),
        ("[pull\n", 1, "expected ']'", ""),
        ("[pull]\nx = \n", 2, "invalid value", ""),
        ("[catalog.sources.a]\nkind = 'wsl'", 1, "source 'a' has no url", ""),
        ("[catalog.sources.a]\nurl = 'https://x/'", 1, "source 'a' has no kind", ""),
        ("[catalog.sources.a]\nkind = 'ftp'\nurl = ''", 2, "kind: one of simplestreams", ""),
        (
            "[catalog.sources]\na = {kind = 'wsl', ulr = 'https://x/'}",
            2,
            "unknown key 'ulr'",
            "url?",
        ),
        ("[catalog.sources]\n'A b' = {}", 2, "source name 'A b'", ""),
        ("[catalog.sources.builtin]\nkind = 'wsl'", 1, "source name 'builtin': is taken", ""),
        ("[catalog.sources.a]\nkind='wsl'\nurl='file:///etc'", 3, "url: not an http", ""),
        (
            "[catalog.sources.a]\nkind='wsl'\nurl='http://x/'",
            3,
            "url: plain HTTP",
            "plain_http = true",
        ),
        ("[catalog.sources.a]\nkind='registry'\nurl='x/lib'", 3, "url: a registry is a host", ""),
        ("[catalog.sources.a]\nkind='tarballs'\nurl='srv'", 3, "url: not an http", ""),
        ("[registry]\nx = 1", 2, "x: not a table", ""),
        ("[registry.docker.io]\nca = '/x'", 1, "docker: 'io' is a table", '"docker.io"'),
        ("[registry.'a b']\n", 1, "registry 'a b'", ""),
        ("[registry.'http://x']\n", 1, "not a host and a port", ""),
        ("[registry.lab]\nmirror = []", 2, "unknown key 'mirror'", "mirrors?"),
        ("[registry.lab]\nmirrors = 'x'", 2, "mirrors: a list", ""),
        ("[registry.lab]\nmirrors = ['ftp://x']", 2, "no mirror", ""),
        ("[registry.lab]\nmirrors = ['u:p@x']", 2, "no mirror", ""),
        ("[registry.lab]\nmirrors = [1]", 2, "no mirror", ""),
        ("[registry.lab]\nca = 'ca.pem'", 2, "ca: an absolute path", ""),
        ("[registry.lab]\nplain_http = 1", 2, "plain_http: true or false", ""),
    ],
)
def test_mistake_is_told_with_its_line_and_the_nearest_key(
    text: str, line: int, why: str, hint: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_settings(text)
    assert caught.value.what == f"config.toml:{line}"
    assert why in caught.value.why
    assert hint in caught.value.hint


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"[pull]\n# \xff\n")
    with pytest.raises(InvalidInput, match="not UTF-8") as caught:
        read_settings(tmp_path)
    assert caught.value.what == f"{tmp_path}/config.toml:2"


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(InvalidInput, match="directory"):
        read_settings(tmp_path)


def test_endless_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").symlink_to("/dev/zero")
    with pytest.raises(InvalidInput, match="larger than 1 MiB"):
        read_settings(tmp_path)
