"""Making images of layers that are here."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Layer
from core.errors import Conflict, Corrupt, DeckError, Hostile, Unsupported
from core.images.assemble import (
    ImageLayer,
    assemble,
    canonical,
    digest_of,
    stored_config,
    stored_layers,
)
from core.images.manifest import DOCKER_LAYER, OCI_LAYER
from core.store.records import StagedLayer
from tests.core.images.serving import tar

if TYPE_CHECKING:
    from pathlib import Path

    from core.store.store import Store


def layer_of(store: Store, tmp_path: Path, name: str, media_type: str = OCI_LAYER) -> ImageLayer:
    """An unpacked layer with one file, and its blob."""
    body = tar({name: name.encode()})
    blob = tmp_path / name
    blob.write_bytes(body)
    folder = store.intake.new_stage()
    (folder / "fs").mkdir()
    (folder / "fs" / name).write_text(name)
    digest = digest_of(body)
    staged = StagedLayer(
        key=digest, diff_id=digest, folder=folder, size=9, entries=1, tar_size=len(body)
    )
    layer = Layer(digest=digest, diff_id=digest, size=len(body), media_type=media_type)
    return ImageLayer(layer=layer, key=digest, staged=staged, blob=blob)


def config_of(*layers: ImageLayer, **more: Any) -> dict[str, Any]:
    diff_ids = [one.layer.diff_id for one in layers]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    return {"os": "linux", "architecture": "amd64", "rootfs": rootfs, **more}


async def test_an_image_is_made_with_its_names_history_and_blobs(
    store: Store, tmp_path: Path
) -> None:
    layers = [layer_of(store, tmp_path, "a"), layer_of(store, tmp_path, "b")]
    history = [{"created_by": "A"}, {"created_by": "ENV", "empty_layer": True}, {}]
    names = ("q.io/x:1", "q.io/y:2")
    async with store.lease() as lease:
        made = await assemble(
            store,
            config_of(*layers, history=history),
            layers,
            lease=lease,
            name="x",
            references=names,
            pinned=True,
        )
    image = store.image(made.digest)
    assert image.references == names
    assert image.config_digest == made.config_digest
    assert [entry.layer is None for entry in store.history(made.digest)] == [False, True, False]
    for digest in (made.digest, made.config_digest, *(one.layer.digest for one in layers)):
        assert digest_of(store.layout.blob(digest).read_bytes()) == digest
    assert not list(store.layout.ingest.iterdir())
    assert not list(store.layout.staging.iterdir())


async def test_an_image_is_built_on_the_layers_of_another(store: Store, tmp_path: Path) -> None:
    base = layer_of(store, tmp_path, "a")
    async with store.lease() as lease:
        first = await assemble(store, config_of(base), [base], lease=lease, name="x", pinned=True)
        top = layer_of(store, tmp_path, "b")
        config = json.loads(stored_config(store, first.digest))
        config["rootfs"]["diff_ids"].append(top.layer.diff_id)
        layers = [*stored_layers(store, first.digest), top]
        second = await assemble(store, config, layers, lease=lease, name="y", pinned=True)
    assert len(store.layer_paths(second.digest)) == 2
    assert store.layer_keys(second.digest)[:1] == store.layer_keys(first.digest)


async def test_a_config_that_came_as_bytes_keeps_its_digest(store: Store, tmp_path: Path) -> None:
    layer = layer_of(store, tmp_path, "a")
    config = json.dumps(config_of(layer), indent=3).encode()
    async with store.lease() as lease:
        made = await assemble(store, config, [layer], lease=lease, name="x")
        assert made.config_digest == digest_of(config) != digest_of(canonical(config_of(layer)))
        assert stored_config(store, made.digest) == config


async def test_layers_from_docker_are_named_as_oci_does(store: Store, tmp_path: Path) -> None:
    layer = layer_of(store, tmp_path, "a", f"{DOCKER_LAYER}.gzip")
    async with store.lease() as lease:
        made = await assemble(store, config_of(layer), [layer], lease=lease, name="x")
        assert store.image(made.digest).layers[0].media_type == f"{OCI_LAYER}+gzip"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"rootfs": {"type": "layers", "diff_ids": []}}, Corrupt),
        ({"rootfs": {"type": "layers", "diff_ids": [f"sha256:{'0' * 64}"]}}, Corrupt),
        ({"os": "windows"}, Unsupported),
        ({"history": [{"comment": "x" * (9 << 20)}]}, Hostile),
    ],
)
async def test_a_config_that_does_not_fit_is_refused_and_nothing_stays(
    store: Store, tmp_path: Path, change: dict[str, Any], error: type[DeckError]
) -> None:
    layer = layer_of(store, tmp_path, "a")
    async with store.lease() as lease:
        with pytest.raises(error):
            await assemble(
                store, {**config_of(layer), **change}, [layer], lease=lease, name="x", pinned=True
            )
    assert store.images() == []
    assert not list(store.layout.staging.iterdir())


async def test_a_layer_that_is_not_unpacked_is_a_conflict(store: Store, tmp_path: Path) -> None:
    layer = replace(layer_of(store, tmp_path, "a"), staged=None)
    async with store.lease() as lease:
        with pytest.raises(Conflict):
            await assemble(store, config_of(layer), [layer], lease=lease, name="x")
    assert store.images() == []
