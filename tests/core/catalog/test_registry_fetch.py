"""Registries that list only for those who log in, asked as pulls ask them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from core.catalog.registry_fetch import RegistryFetcher
from core.catalog.store import CatalogStore
from core.config import CatalogSettings, Settings, SourceSettings
from core.domain import Credentials
from core.images.access import Access
from core.images.auth_file import change_auth_file
from core.images.keyring import Keyring
from core.images.registry import Registry
from tests.core.images.serving import serve

if TYPE_CHECKING:
    from pathlib import Path


def of(host: str) -> Settings:
    source = SourceSettings(name="one", kind="registry", url=f"http://{host}")
    return Settings(catalog=CatalogSettings(sources=(source,), builtin=False, this_host=False))


@pytest.mark.parametrize("registry", ["basic", "token"])
async def test_who_is_logged_in_has_the_list(
    registry: str,
    fix: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, auth_file = fix["registries"][registry]["host"], tmp_path / "auth.json"
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(auth_file))
    settings, alice = of(host), Credentials(**fix["credentials"])
    access = Access(settings, Keyring(tmp_path / "logins"))
    catalog = CatalogStore(settings, tmp_path / "cache", access=access)
    await catalog.refresh()
    (_, status) = catalog.current().sources
    assert f"distrodeck login {host}" in status.error
    change_auth_file(auth_file, lambda file: file.put(host, alice))
    await catalog.refresh()
    (_, status) = catalog.current().sources
    assert status.error == ""
    assert "lib/busybox" in [entry.name for entry in catalog.current().entries]


async def test_a_list_that_did_not_change_is_taken_from_the_disk(tmp_path: Path) -> None:
    async with serve() as served, Registry(served.host) as client:
        body = json.dumps({"repositories": ["a"]}).encode()
        first = web.Response(body=body, headers={"ETag": '"1"', "Link": '<x>; rel="next"'})
        served.answers = [web.Response(), first, web.Response(status=304)]
        fetch = RegistryFetcher(client, tmp_path)
        url = f"http://{served.host}/v2/_catalog?n=2"
        assert await fetch(url) == await fetch(url)
        assert served.requests[-1].headers["If-None-Match"] == '"1"'
        assert served.requests[-1].path_qs == "/v2/_catalog?n=2"
