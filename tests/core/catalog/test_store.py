from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from core.catalog.store import CatalogStore
from core.config import CatalogSettings, Settings, SourceSettings, parse_settings
from core.errors import Conflict, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from core.domain import Catalog, CatalogStatus


@pytest.fixture
def sources(fix: dict[str, Any]) -> str:
    """Every kind of source, each on a real server; and one that is broken."""
    http = fix["http"]
    return f"""
        [catalog.sources.images]
        kind = "simplestreams"
        url = "{http["simplestreams"]}"
        [catalog.sources.lab]
        kind = "registry"
        url = "{fix["registries"]["plain"]["host"]}"
        [catalog.sources.wsl]
        kind = "wsl"
        url = "{http["wsl"]}"
        [catalog.sources.files]
        kind = "tarballs"
        url = "{http["url"]}/rootfs/"
        [catalog.sources.broken]
        kind = "simplestreams"
        url = "{http["url"]}/status/500/simplestreams"
        """


def status(catalog: Catalog, name: str) -> CatalogStatus:
    return next(source for source in catalog.sources if source.name == name)


def one_source(url: str, kind: Any = "wsl") -> Settings:
    source = SourceSettings(name="one", kind=kind, url=url)
    return Settings(catalog=CatalogSettings(sources=(source,), builtin=False, this_host=False))


async def refreshed(settings: Settings, cache: Path, **options: Any) -> CatalogStore:
    store = CatalogStore(settings, cache, **options)
    await store.refresh()
    return store


def test_fresh_catalog_has_the_builtin_list_and_this_host(tmp_path: Path) -> None:
    catalog = CatalogStore(parse_settings(""), tmp_path).current()
    names = {entry.name for entry in catalog.entries}
    assert {"host", "debian/12", "alpine/latest"} <= names
    assert [source.name for source in catalog.sources] == ["builtin"]


def test_builtin_list_and_this_host_can_be_turned_off(tmp_path: Path) -> None:
    settings = parse_settings("[catalog]\nbuiltin = false\nthis_host = false")
    assert CatalogStore(settings, tmp_path).current().entries == ()


async def test_every_kind_of_source_is_read_with_what_is_known(
    sources: str, fix: dict[str, Any], tmp_path: Path
) -> None:
    store = await refreshed(parse_settings(sources), tmp_path)
    debian = f"debian-12-{fix['arch']}.tar.xz"
    file = fix["http"]["files"][debian]

    entry = store.find("images:debian/12")
    assert entry.checksum == f"sha256:{file['sha256']}"
    assert (entry.size, entry.architecture) == (file["size"], fix["arch"])
    assert store.find("images:debian/bookworm") == entry

    entry = store.find("lib/dev")
    assert entry.source == f"{fix['registries']['plain']['host']}/lib/dev:latest"
    assert (entry.kind, entry.catalog) == ("oci", "lab")
    assert store.find("lib/busybox:stable").version == "stable"

    entry = store.find("wsl:debian")
    assert (entry.source, entry.checksum) == (file["url"], f"sha256:{file['sha256']}")
    assert entry.title == "Debian GNU/Linux"

    entry = store.find("debian-12")
    assert (entry.source, entry.version) == (file["url"], "12")


async def test_broken_source_says_why_and_hides_nothing(
    sources: str, fix: dict[str, Any], tmp_path: Path
) -> None:
    before = time.time()
    catalog = (await refreshed(parse_settings(sources), tmp_path)).current()
    broken = status(catalog, "broken")
    assert "answered 500" in broken.error
    assert fix["http"]["url"] in broken.error
    assert (broken.entries, broken.fetched) == (0, None)
    for name in ("images", "lab", "wsl", "files"):
        source = status(catalog, name)
        assert source.error == ""
        assert source.entries == sum(entry.catalog == name for entry in catalog.entries) > 0
        assert source.fetched
        assert source.fetched >= before


async def test_each_source_is_told_as_soon_as_it_is_done(sources: str, tmp_path: Path) -> None:
    seen: list[Catalog] = []
    await CatalogStore(parse_settings(sources), tmp_path).refresh(seen.append)
    assert len(seen) == 5
    known = [sum(bool(each.fetched or each.error) for each in item.sources) for item in seen]
    assert known == [1, 2, 3, 4, 5]


async def test_catalog_is_there_without_a_network(sources: str, tmp_path: Path) -> None:
    settings = parse_settings(sources)
    catalog = (await refreshed(settings, tmp_path)).current()
    later = CatalogStore(settings, tmp_path).current()
    assert later.entries == catalog.entries
    assert status(later, "images") == status(catalog, "images")


async def test_source_that_broke_keeps_what_it_had(fix: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "SHA256SUMS").write_text(f"{'ab' * 32}  a.tar\n")
    settings = one_source(str(folder), "tarballs")
    store = await refreshed(settings, tmp_path)
    fetched = status(store.current(), "one").fetched
    (folder / "SHA256SUMS").write_text("<html>")
    await store.refresh()
    found = status(store.current(), "one")
    assert "not a SHA256SUMS" in found.error
    assert (found.entries, found.fetched) == (1, fetched)
    (folder / "SHA256SUMS").write_text(f"{'ab' * 32}  b.tar\n")
    await store.refresh()
    assert status(store.current(), "one").error == ""
    assert [entry.name for entry in store.current().entries] == ["b"]


@pytest.mark.parametrize("registry", ["basic", "token"])
async def test_hub_that_forbids_its_list_is_a_status(
    fix: dict[str, Any], tmp_path: Path, registry: str
) -> None:
    host = fix["registries"][registry]["host"]
    store = await refreshed(one_source(f"http://{host}", "registry"), tmp_path)
    assert "does not list its repositories" in status(store.current(), "one").error


@pytest.mark.parametrize(
    ("prefix", "why"),
    [("cut/50", "in the middle"), ("status/429", "answered 429"), ("slow/1", "no full answer")],
)
async def test_fault_on_the_way_is_a_status(
    fix: dict[str, Any], tmp_path: Path, prefix: str, why: str
) -> None:
    url = f"{fix['http']['url']}/{prefix}/simplestreams"
    store = await refreshed(one_source(url, "simplestreams"), tmp_path, source_seconds=0.3)
    assert why in status(store.current(), "one").error


async def test_entries_of_other_architectures_are_left_out(sources: str, tmp_path: Path) -> None:
    store = await refreshed(parse_settings(sources), tmp_path, architecture="riscv64")
    found = {entry.catalog for entry in store.current().entries}
    assert found == {"builtin", "lab"}


async def test_cache_of_another_server_or_a_removed_source_is_forgotten(
    fix: dict[str, Any], tmp_path: Path
) -> None:
    await refreshed(one_source(fix["http"]["wsl"]), tmp_path)
    other = CatalogStore(one_source("http://127.0.0.1:1/"), tmp_path)
    assert other.current().entries == ()
    await refreshed(parse_settings(""), tmp_path)
    assert not list((tmp_path / "catalog").iterdir())


async def test_damaged_cache_is_as_good_as_none(fix: dict[str, Any], tmp_path: Path) -> None:
    settings = one_source(fix["http"]["wsl"])
    await refreshed(settings, tmp_path)
    (tmp_path / "catalog" / "one" / "answer.json").write_bytes(b'{"kind":"wsl"')
    assert CatalogStore(settings, tmp_path).current().entries == ()


async def test_disabled_source_is_left_alone(fix: dict[str, Any], tmp_path: Path) -> None:
    source = SourceSettings(name="off", kind="wsl", url=fix["http"]["wsl"], enabled=False)
    settings = Settings(catalog=CatalogSettings(sources=(source,)))
    store = await refreshed(settings, tmp_path)
    assert [each.name for each in store.current().sources] == ["builtin"]


def test_unknown_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    store = CatalogStore(parse_settings(""), tmp_path)
    with pytest.raises(NotFound, match="debain/12: not in the catalog") as caught:
        store.find("debain/12")
    assert "debian/12" in caught.value.hint
    with pytest.raises(NotFound) as caught:
        store.find("ubuntu:24.04")
    assert "ubuntu/24.04" in caught.value.hint
    with pytest.raises(NotFound) as caught:
        store.find("x\x1b[2J")
    assert "\x1b" not in caught.value.message


async def test_name_in_several_sources_must_say_which(sources: str, tmp_path: Path) -> None:
    store = await refreshed(parse_settings(sources), tmp_path)
    with pytest.raises(Conflict) as caught:
        store.find("debian/12")
    assert "builtin:debian/12 or images:debian/12" in caught.value.hint
    assert store.find("builtin:debian/12").source == "docker.io/library/debian:12"


def test_this_host_has_two_spellings(tmp_path: Path) -> None:
    store = CatalogStore(parse_settings(""), tmp_path)
    assert store.find("host") == store.find("host:") == store.find("builtin:host")


def test_reading_the_cache_loads_no_network_client() -> None:
    code = "import sys, core.catalog.store; sys.exit('aiohttp' in sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", code], check=True, cwd="/")
