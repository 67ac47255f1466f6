"""The registry client against real registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from core.errors import Corrupt, Hostile, InvalidInput, NotFound, Unreachable
from core.images.manifest import OCI_INDEX
from core.images.reference import parse_platform, parse_reference
from core.images.registry import Document, Registry
from core.images.resolve import resolve
from tests.core.images.serving import tar

if TYPE_CHECKING:
    from core.images.transport import Patience
    from tests.core.images.serving import Served


async def fetch(text: str, patience: Patience | None = None) -> Document:
    reference = parse_reference(text)
    async with Registry(reference.api_host, patience=patience) as registry:
        return await registry.manifest(reference)


async def test_a_tag_and_its_digest_give_the_same_manifest(fix: dict[str, Any]) -> None:
    name = f"{fix['registries']['plain']['host']}/lib/dev"
    by_tag = await fetch(f"{name}:latest")
    assert by_tag.digest == fix["images"]["dev"]["digest"]
    assert await fetch(f"{name}@{by_tag.digest}") == by_tag


async def test_an_unknown_tag_is_told_with_those_there_are(fix: dict[str, Any]) -> None:
    name = f"{fix['registries']['plain']['host']}/lib/busybox:stabel"
    with pytest.raises(NotFound, match="no such tag") as caught:
        await fetch(name)
    assert caught.value.what == name
    assert "stable" in caught.value.hint


async def test_an_unknown_repository_is_told(fix: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match="no such repository"):
        await fetch(f"{fix['registries']['plain']['host']}/lib/nothing-here")


async def test_an_unknown_digest_is_told(fix: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match="no such digest"):
        await fetch(f"{fix['registries']['plain']['host']}/lib/dev@sha256:{'ab' * 32}")


async def test_a_refused_port_is_told() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1: connection refused"):
        await fetch("127.0.0.1:1/a/b")


async def test_plain_http_to_another_machine_needs_permission() -> None:
    reference = parse_reference("registry.invalid/a/b")
    async with Registry(reference.api_host) as registry:
        with pytest.raises(Unreachable, match="no such host"):
            await registry.manifest(reference)
        with pytest.raises(InvalidInput, match="plain http"):
            await registry.transport.fetch("http://registry.invalid/", cap=1)


async def test_a_manifest_that_differs_from_its_digest_is_refused(served: Served) -> None:
    digest = served.add_image(tar({"a": b"x"}))
    body, kind = served.manifests[digest]
    served.manifests[digest] = (body + b" ", kind)
    with pytest.raises(Corrupt, match="differs from its digest"):
        await fetch(f"{served.host}/t/x@{digest}")


async def test_a_digest_header_that_lies_is_refused(served: Served) -> None:
    headers = {"Docker-Content-Digest": f"sha256:{'0' * 64}"}
    served.answers = [web.Response(), web.Response(body=b"{}", headers=headers)]
    with pytest.raises(Corrupt, match="differs from its digest"):
        await fetch(f"{served.host}/t/x")


async def test_an_oversized_manifest_is_refused(served: Served) -> None:
    served.manifests["latest"] = (b" " * (17 << 20), "application/json")
    with pytest.raises(Hostile, match="more than"):
        await fetch(f"{served.host}/t/x")


async def test_a_registry_that_keeps_failing_is_unreachable(
    served: Served, patience: Patience
) -> None:
    served.answers = [web.Response()] + [web.Response(status=500) for _ in range(9)]
    with pytest.raises(Unreachable, match="500"):
        await fetch(f"{served.host}/t/x", patience)


async def test_an_index_gives_the_image_for_the_platform(fix: dict[str, Any]) -> None:
    for name in ("multi", "multi-v2s2"):
        reference = parse_reference(f"{fix['registries']['plain']['host']}/lib/{name}")
        async with Registry(reference.api_host) as registry:
            for one in fix["images"][name]["manifests"]:
                platform = one["platform"]
                text = f"{platform['os']}/{platform['architecture']}"
                found = await resolve(registry, reference, parse_platform(text))
                assert found.digest == one["digest"]
                assert found.repo_digest.endswith(fix["images"][name]["digest"])


async def test_a_platform_that_is_not_there_is_told_with_those_that_are(
    fix: dict[str, Any],
) -> None:
    for name in ("multi", "dev"):
        reference = parse_reference(f"{fix['registries']['plain']['host']}/lib/{name}")
        async with Registry(reference.api_host) as registry:
            with pytest.raises(NotFound, match="no image for linux/s390x") as caught:
                await resolve(registry, reference, parse_platform("linux/s390x"))
        assert "linux/amd64" in caught.value.hint


async def test_indexes_without_an_end_are_refused(served: Served) -> None:
    def index(digest: str, size: int) -> dict[str, Any]:
        entry = {"mediaType": OCI_INDEX, "digest": digest, "size": size}
        return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}

    digest, size = f"sha256:{'0' * 64}", 10
    for _ in range(6):
        digest = served.add_manifest(index(digest, size))
        size = len(served.manifests[digest][0])
    reference = parse_reference(f"{served.host}/t/x")
    async with Registry(reference.api_host) as registry:
        with pytest.raises(Hostile, match="nested"):
            await resolve(registry, reference)
