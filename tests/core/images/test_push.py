"""Pushes: what other tools pull back, and what is not sent again."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Credentials
from core.errors import Conflict, InvalidInput, LoginNeeded
from core.images.find import find_image
from core.images.manifest import OCI_INDEX
from core.images.pull import pull_image
from core.images.push import Pushed, push_image
from core.images.reference import parse_platform, parse_reference
from core.images.registry import Registry
from core.images.tarball import import_tarball
from core.store.store import Store
from tests.core.images.accepting import Accepting, accept
from tests.core.images.peers import diff_ids, docker_registry, podman, raw
from tests.core.images.serving import digest_of, tar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from core.domain import Image, LayerState
    from core.images.transport import Patience
    from tests.core.images.peers import Podman
    from tests.core.images.serving import Served


@pytest.fixture
def own(tmp_path: Path) -> Iterator[str]:
    """An empty real registry."""
    with docker_registry(tmp_path) as host:
        yield host


@pytest.fixture
def referee() -> Iterator[Podman]:
    with podman() as one:
        yield one


@pytest.fixture
async def target() -> AsyncIterator[Accepting]:
    async with accept() as registry:
        yield registry


async def pulled(store: Store, text: str, **options: Any) -> Image:
    async with store.lease() as lease:
        found = await pull_image(store, parse_reference(text), lease=lease, pinned=True, **options)
    return store.image(found.digest)


async def push(
    store: Store,
    image: Image,
    text: str,
    *,
    credentials: Credentials | None = None,
    patience: Patience | None = None,
    **options: Any,
) -> Pushed:
    reference = parse_reference(text)
    registry = Registry(reference.api_host, credentials=credentials, patience=patience)
    async with store.lease() as lease:
        return await push_image(store, image, reference, registry, lease=lease, **options)


def plain(fix: dict[str, Any], name: str) -> str:
    return f"{fix['registries']['plain']['host']}/lib/{name}"


def unique(fix: dict[str, Any], kind: str) -> str:
    return f"{fix['registries'][kind]['host']}/t/push-{secrets.token_hex(6)}/x:1"


@pytest.mark.parametrize("name", ["edge", "busybox-v2s2", "empty", "many"])
async def test_what_is_pushed_others_pull_back_the_same(
    fix: dict[str, Any], store: Store, own: str, referee: Podman, name: str
) -> None:
    image = await pulled(store, plain(fix, name))
    done = await push(store, image, f"{own}/t/x:1")
    assert done.repo_digest == f"{own}/t/x@{fix['images'][name]['digest']}"
    facts = (image.config_digest, [layer.diff_id for layer in image.layers])
    assert raw(f"{own}/t/x:1")["config"]["digest"] == facts[0]
    assert diff_ids(f"{own}/t/x:1") == facts[1]
    if name in ("edge", "busybox-v2s2"):  # it takes an age over many layers, and wants one
        assert referee.pulled(f"{own}/t/x:1") == facts
    assert done.repo_digest in store.image(image.digest).repo_digests
    assert find_image(store, done.repo_digest).digest == image.digest


async def test_small_chunks_come_together_again(
    fix: dict[str, Any], store: Store, own: str
) -> None:
    image = await pulled(store, plain(fix, "busybox"))
    await push(store, image, f"{own}/t/x:1", chunk=100_000)
    assert diff_ids(f"{own}/t/x:1") == [layer.diff_id for layer in image.layers]


@pytest.mark.parametrize("kind", ["plain", "basic", "token"])
async def test_registries_with_and_without_a_password_take_a_push(
    fix: dict[str, Any], store: Store, kind: str
) -> None:
    image = await pulled(store, plain(fix, "busybox"))
    login = Credentials(**fix["credentials"]) if kind != "plain" else None
    to = unique(fix, kind)
    await push(store, image, to, credentials=login)
    more = ("--creds", ":".join(fix["credentials"].values())) if login else ()
    assert raw(to, *more)["config"]["digest"] == image.config_digest
    if login:
        with pytest.raises(LoginNeeded):
            await push(store, image, unique(fix, kind))


async def test_what_the_registry_has_is_not_sent_again(
    served: Served, store: Store, target: Accepting
) -> None:
    served.add_image(tar({"a": b"x"}), tar({"b": b"y"}))
    image = await pulled(store, f"{served.host}/t/x")
    seen: list[tuple[str, tuple[LayerState, ...]]] = []
    await push(store, image, f"{target.host}/t/one:1", report=lambda *s: seen.append(s))
    assert len(target.asked("PATCH")) == 3
    assert {layer.phase for layer in seen[-1][1]} == {"done"}
    assert all(layer.done == layer.total for layer in seen[-1][1])
    await push(store, image, f"{target.host}/t/one:2", report=lambda *s: seen.append(s))
    assert len(target.asked("PATCH")) == 3
    assert {layer.phase for layer in seen[-1][1]} == {"exists"}
    await push(store, image, f"{target.host}/t/two:1")
    assert len(target.asked("PATCH")) == 4, "layers are mounted, only the config is sent"
    assert ("t/two", image.layers[0].digest) in target.blobs


async def test_a_layer_twice_in_an_image_is_sent_once(
    served: Served, store: Store, target: Accepting
) -> None:
    layer = tar({"a": b"x"})
    served.add_image(layer, tar({"b": b"y"}), layer)
    image = await pulled(store, f"{served.host}/t/x")
    await push(store, image, f"{target.host}/t/x:1")
    assert len(target.asked("PATCH")) == 3


async def test_several_platforms_go_up_as_the_index_they_came_from(
    fix: dict[str, Any], store: Store, own: str
) -> None:
    facts = fix["images"]["multi"]
    images = [
        await pulled(
            store,
            plain(fix, "multi"),
            platform=parse_platform(f"linux/{one['platform']['architecture']}"),
        )
        for one in facts["manifests"]
    ]
    done = await push(store, images[0], f"{own}/t/x:1", all_platforms=True)
    assert done.repo_digest.endswith(facts["digest"])
    assert [one["digest"] for one in raw(f"{own}/t/x:1")["manifests"]] == [
        image.digest for image in images
    ]
    for image in images:
        architecture = ("--override-arch", image.platform.architecture)
        assert diff_ids(f"{own}/t/x:1", *architecture) == [la.diff_id for la in image.layers]
    alone = await push(store, images[1], f"{own}/t/x:2")
    assert alone.repo_digest.endswith(images[1].digest)


async def test_one_platform_of_an_index_is_pushed_as_what_it_is(
    fix: dict[str, Any], store: Store, own: str
) -> None:
    image = await pulled(store, plain(fix, "multi"), platform=parse_platform("linux/arm64"))
    done = await push(store, image, f"{own}/t/x:1", all_platforms=True)
    assert done.repo_digest.endswith(image.digest)


async def test_two_of_three_platforms_make_an_index_of_their_own(
    served: Served, store: Store, target: Accepting
) -> None:
    entries = served.add_index("amd64", "arm64", "s390x")
    for architecture in ("amd64", "arm64"):
        image = await pulled(
            store, f"{served.host}/t/x", platform=parse_platform(f"linux/{architecture}")
        )
    done = await push(store, image, f"{target.host}/t/x:1", all_platforms=True)
    body, kind = target.manifests["t/x", "1"]
    assert (kind, done.repo_digest) == (OCI_INDEX, f"{target.host}/t/x@{digest_of(body)}")
    assert all(entry["digest"].encode() in body for entry in entries[:2])
    assert entries[2]["digest"].encode() not in body


async def test_a_layer_that_is_here_in_another_compression_goes_up_in_that(
    fix: dict[str, Any], store: Store, own: str, referee: Podman
) -> None:
    await pulled(store, plain(fix, "busybox"))
    image = await pulled(store, plain(fix, "busybox-plain"))
    store.layout.blob(image.layers[0].digest).unlink()
    done = await push(store, image, f"{own}/t/x:1")
    assert "another compression" in done.warnings[0]
    facts = (image.config_digest, [layer.diff_id for layer in image.layers])
    assert referee.pulled(f"{own}/t/x:1") == facts
    with pytest.raises(Conflict, match="compression"):
        await push(store, image, f"{own}/t/y@{image.digest}")


async def test_an_imported_tarball_is_an_image_like_any_other(
    fix: dict[str, Any], store: Store, own: str, referee: Podman
) -> None:
    facts = fix["http"]["files"]["busybox-amd64.tar.xz"]
    async with store.lease() as lease:
        found = await import_tarball(store, facts["url"], lease=lease, pinned=True)
    image = store.image(found.digest)
    await push(store, image, f"{own}/t/x:1")
    diffs = [layer.diff_id for layer in image.layers]
    assert referee.pulled(f"{own}/t/x:1") == (image.config_digest, diffs)


async def test_a_layer_that_is_gone_is_told(
    served: Served, store: Store, target: Accepting
) -> None:
    served.add_image(tar({"a": b"x"}))
    image = await pulled(store, f"{served.host}/t/x")
    store.layout.blob(image.layers[0].digest).unlink()
    with pytest.raises(Conflict, match="not in the store") as caught:
        await push(store, image, f"{target.host}/t/x:1")
    assert image.layers[0].digest[7:19] in caught.value.what
    assert not target.manifests
    target.blobs["t/x", image.layers[0].digest] = b"there already"
    await push(store, image, f"{target.host}/t/x:1")


async def test_a_digest_in_the_reference_must_be_the_images(
    served: Served, store: Store, target: Accepting
) -> None:
    served.add_image(tar({"a": b"x"}))
    image = await pulled(store, f"{served.host}/t/x")
    with pytest.raises(InvalidInput, match=image.digest):
        await push(store, image, f"{target.host}/t/x@sha256:{'0' * 64}")
    await push(store, image, f"{target.host}/t/x@{image.digest}")
    assert list(target.manifests) == [("t/x", image.digest)]


async def test_a_cancelled_push_leaves_no_manifest(
    served: Served, store: Store, target: Accepting
) -> None:
    served.add_image(tar({"a": b"x"}))
    image = await pulled(store, f"{served.host}/t/x")
    target.stuck = asyncio.Event()
    pushing = asyncio.ensure_future(push(store, image, f"{target.host}/t/x:1"))
    async with asyncio.timeout(20):
        while not target.asked("PATCH"):
            await asyncio.sleep(0.01)
    pushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pushing
    target.stuck.set()
    assert not target.manifests
    assert store.image(image.digest).repo_digests == image.repo_digests
    await push(store, image, f"{target.host}/t/x:1")
    assert ("t/x", "1") in target.manifests


PUSHER = """
import asyncio, pathlib, sys
from core.images.push import push_image
from core.images.reference import parse_reference
from core.images.registry import Registry
from core.store.store import Store

async def main(data, digest, text):
    async with Store.open(pathlib.Path(data), privileged=True, idmap="root") as store:
        reference = parse_reference(text)
        async with store.lease() as lease:
            await push_image(
                store, store.image(digest), reference, Registry(reference.api_host), lease=lease
            )

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_killed_push_is_done_by_the_next_one(
    served: Served, target: Accepting, tmp_path: Path
) -> None:
    served.add_image(tar({"a": b"x"}), tar({"b": b"y"}))
    data, target.stuck = tmp_path / "data", asyncio.Event()
    async with Store.open(data, privileged=True, idmap="root") as store:
        image = await pulled(store, f"{served.host}/t/x")
    argv = [sys.executable, "-P", "-c", PUSHER, data, image.digest, f"{target.host}/t/x:1"]
    process = await asyncio.create_subprocess_exec(*argv, cwd="/")
    try:
        async with asyncio.timeout(60):
            while not target.asked("PATCH"):
                await asyncio.sleep(0.01)
    finally:
        process.kill()
        await process.wait()
    target.stuck.set()
    assert not target.manifests
    async with Store.open(data, privileged=True, idmap="root") as store:
        assert store.image(image.digest) == image
        await push(store, image, f"{target.host}/t/x:1")
    assert ("t/x", "1") in target.manifests
