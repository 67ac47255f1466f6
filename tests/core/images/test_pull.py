"""Pulls from a real registry give the trees that other tools give, and fetch nothing twice."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Credentials
from core.errors import Corrupt, Hostile, NotFound, Unsupported
from core.images.find import find_image
from core.images.manifest import OCI_CONFIG
from core.images.pull import Pulled, pull_image
from core.images.reference import parse_platform, parse_reference
from tests.conftest import FIXTURES
from tests.core.images.serving import digest_of, tar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.domain import LayerState
    from core.images.transport import Patience
    from core.store.store import Store
    from tests.core.images.serving import Served


async def pull(store: Store, text: str, **options: Any) -> Pulled:
    """Pull an image and keep it for its own sake."""
    async with store.lease() as lease:
        return await pull_image(store, parse_reference(text), lease=lease, pinned=True, **options)


def plain(fix: dict[str, Any], name: str) -> str:
    return f"{fix['registries']['plain']['host']}/lib/{name}"


@contextmanager
def mounted(layers: list[Path], folder: Path) -> Iterator[Path]:
    """The layers as one tree, as a sandbox sees them."""
    folder.mkdir()
    if len(layers) < 2:
        yield layers[0] if layers else folder
        return
    names = ":".join(f"l/{layer.name}" for layer in reversed(layers))
    subprocess.run(
        ["mount", "-t", "overlay", "-o", f"ro,userxattr,lowerdir={names}", "overlay", folder],
        check=True,
        cwd=layers[0].parent.parent,
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def listing(folder: Path) -> str:
    argv = [sys.executable, FIXTURES.with_name("tree.py"), "list", folder]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    "name",
    [
        "busybox",
        "busybox-plain",
        "busybox-v2s2",
        "minbase-zstd",
        "dev",
        "edge",
        "edge-odd",
        "many",
        "empty",
    ],
)
async def test_the_unpacked_image_is_the_tree_it_should_be(
    fix: dict[str, Any], store: Store, tmp_path: Path, name: str
) -> None:
    facts = fix["images"][name]
    pulled = await pull(store, plain(fix, name))
    assert pulled.digest == facts["digest"]
    with mounted(store.layer_paths(pulled.digest), tmp_path / "tree") as tree:
        found = listing(tree).splitlines()
    expected = Path(fix["dir"], facts["tree"]["listing"]).read_text().splitlines()
    assert found == expected


async def test_the_platform_decides_and_the_index_is_remembered(
    fix: dict[str, Any], store: Store
) -> None:
    for one in fix["images"]["multi"]["manifests"]:
        wanted = parse_platform(f"linux/{one['platform']['architecture']}")
        pulled = await pull(store, plain(fix, "multi"), platform=wanted)
        assert pulled.digest == one["digest"]
        assert pulled.repo_digest.endswith(fix["images"]["multi"]["digest"])
    assert [len(image.references) for image in store.images()] == [1, 0]


async def test_private_images_come_with_a_password(fix: dict[str, Any], store: Store) -> None:
    login = Credentials(**fix["credentials"])
    for kind in ("basic", "token"):
        name = f"{fix['registries'][kind]['host']}/private/busybox"
        pulled = await pull(store, name, credentials=login)
        assert pulled.digest == fix["images"]["busybox"]["digest"]
    assert len(store.image(pulled.digest).repo_digests) == 2


async def test_names_digests_and_history_are_on_file(fix: dict[str, Any], store: Store) -> None:
    text = plain(fix, "dev")
    pulled = await pull(store, text)
    facts = fix["images"]["dev"]
    image = find_image(store, text)
    assert image.digest == find_image(store, pulled.digest[7:20]).digest == facts["digest"]
    assert find_image(store, f"{text}@{pulled.digest}").references == (f"{text}:latest",)
    assert [(la.digest, la.diff_id, la.size) for la in image.layers] == [
        (la["digest"], la["diff_id"], la["size"]) for la in facts["layers"]
    ]
    lines = store.history(find_image(store, text).digest)
    assert [line.layer is None for line in lines] == [True, False, False]
    assert lines[-1].size > 100_000_000
    assert store.os_release(pulled.digest).version_id == "12"
    with pytest.raises(NotFound):
        find_image(store, plain(fix, "nothing"))


async def test_a_second_pull_fetches_no_layer(served: Served, store: Store) -> None:
    served.add_image(tar({"a": b"x" * 9999}), tar({"b": b"y"}))
    await pull(store, f"{served.host}/t/x")
    states: list[tuple[str, tuple[LayerState, ...]]] = []
    before = {digest: served.sent[digest] for digest in served.layers()}
    await pull(store, f"{served.host}/t/x", report=lambda *state: states.append(state))
    assert {digest: served.sent[digest] for digest in served.layers()} == before
    assert {layer.phase for layer in states[-1][1]} == {"exists"}


async def test_layers_in_common_are_fetched_once_also_at_the_same_time(
    served: Served, store: Store
) -> None:
    base = tar({"base": b"x" * 100_000})
    served.add_image(base, tar({"one": b"1"}), tag="one")
    served.add_image(base, tar({"two": b"2"}), tag="two")
    async with asyncio.TaskGroup() as group:
        for tag in ("one", "two"):
            group.create_task(pull(store, f"{served.host}/t/x:{tag}"))
    common = served.layers("one")[0]
    assert len(served.asked(common)) == 1
    paths = [store.layer_paths(image.digest) for image in store.images()]
    assert paths[0][0] == paths[1][0]


async def test_a_layer_twice_in_an_image_is_fetched_once(served: Served, store: Store) -> None:
    layer = tar({"a": b"x"})
    served.add_image(layer, tar({"b": b"y"}), layer)
    pulled = await pull(store, f"{served.host}/t/x")
    assert len(served.asked(served.layers()[0])) == 1
    assert len(store.layer_paths(pulled.digest)) == 2


async def test_a_layer_completed_from_below_is_not_taken_for_another_place(
    served: Served, store: Store
) -> None:
    implied = tar({"d/file": b"x"})  # d itself is not in it: it is what it is below
    lower = io.BytesIO()
    with tarfile.open(fileobj=lower, mode="w") as archive:
        folder = tarfile.TarInfo("d")
        folder.type, folder.mode, folder.uid = tarfile.DIRTYPE, 0o1700, 7
        archive.addfile(folder)
    served.add_image(implied, tag="alone")
    served.add_image(lower.getvalue(), implied, tag="upon")
    modes = []
    for tag in ("alone", "upon", "alone"):
        pulled = await pull(store, f"{served.host}/t/x:{tag}")
        found = (store.layer_paths(pulled.digest)[-1] / "d").stat()
        modes.append((found.st_mode & 0o7777, found.st_uid))
    assert modes == [(0o755, 0), (0o1700, 7), (0o755, 0)]


async def test_progress_is_absolute_and_ends_complete(fix: dict[str, Any], store: Store) -> None:
    seen: list[tuple[str, tuple[LayerState, ...]]] = []
    await pull(store, plain(fix, "edge"), report=lambda *state: seen.append(state))
    phases = list(dict.fromkeys(phase for phase, _ in seen))
    assert phases == ["resolve", "fetch", "unpack", "commit"]
    assert all(layer.phase == "done" for layer in seen[-1][1])
    assert all(layer.done == layer.total for layer in seen[-1][1])
    for digest in (layer.digest for layer in seen[-1][1]):
        counts = [la.done for _, layers in seen for la in layers if la.digest == digest]
        assert counts == sorted(counts)


async def test_an_image_for_another_machine_comes_with_a_warning(
    served: Served, store: Store
) -> None:
    served.add_image(tar({"a": b"x"}), config={"architecture": "s390x"})
    pulled = await pull(store, f"{served.host}/t/x")
    assert "built for linux/s390x" in pulled.warnings[0]


async def test_a_layer_whose_bytes_are_wrong_is_refused_and_thrown_away(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(tar({"a": b"x" * 100}), compress=False)
    (digest,) = served.layers()
    served.blobs[digest] = served.blobs[digest].replace(b"x", b"y")
    with pytest.raises(Corrupt, match="differs from its digest") as caught:
        await pull(store, f"{served.host}/t/x", patience=patience)
    assert digest[7:19] in caught.value.what
    assert_empty(store)
    assert store.intake.received(digest) == 0


async def test_a_layer_longer_than_promised_is_refused(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(tar({"a": b"x"}), compress=False)
    (digest,) = served.layers()
    served.blobs[digest] += b"\0" * 4096
    with pytest.raises(Corrupt, match="longer than"):
        await pull(store, f"{served.host}/t/x", patience=patience)
    assert_empty(store)


async def test_a_diff_id_that_lies_is_refused(served: Served, store: Store) -> None:
    served.add_image(tar({"a": b"x"}), diff_ids=[f"sha256:{'0' * 64}"])
    with pytest.raises(Corrupt, match="diff_id"):
        await pull(store, f"{served.host}/t/x")
    assert_empty(store)


async def test_a_config_that_differs_from_its_digest_is_refused(
    served: Served, store: Store
) -> None:
    served.add_image(tar({"a": b"x"}))
    config = json.loads(served.manifests["latest"][0])["config"]
    served.blobs[config["digest"]] = served.blobs[config["digest"]].replace(b"amd64", b"amd46")
    with pytest.raises(Corrupt, match="config differs"):
        await pull(store, f"{served.host}/t/x")
    assert_empty(store)


async def test_what_is_no_archive_is_refused(served: Served, store: Store) -> None:
    junk = b"this is no tar archive" * 1000
    served.add_image(junk)
    with pytest.raises((Corrupt, Hostile)):
        await pull(store, f"{served.host}/t/x")
    assert_empty(store)


async def test_an_artifact_is_no_image(served: Served, store: Store) -> None:
    body = b"{}"
    served.blobs[digest_of(body)] = body
    served.add_image(
        manifest={
            "config": {
                "mediaType": "application/vnd.cncf.helm.config.v1+json",
                "digest": digest_of(body),
                "size": 2,
            }
        }
    )
    with pytest.raises(Unsupported, match="an artifact"):
        await pull(store, f"{served.host}/t/x")
    assert OCI_CONFIG not in served.sent


def assert_empty(store: Store) -> None:
    """Nothing is visible and nothing half-made is left but what a retry uses."""
    assert store.images() == []
    for folder in (store.layout.layers, store.layout.links, store.layout.staging):
        assert not list(folder.iterdir())
    assert not [path for path in store.layout.blobs.rglob("*") if path.is_file()]
