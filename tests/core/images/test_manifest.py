"""Documents: what is read, and what only looks like an image."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import Corrupt, DeckError, Hostile, Unsupported
from core.images.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Index,
    Manifest,
    read_config,
    read_document,
)

DIGEST = "sha256:" + "ab" * 32


def entry(kind: str, size: int = 10, **more: Any) -> dict[str, Any]:
    return {"mediaType": kind, "digest": DIGEST, "size": size, **more}


def manifest(**changes: Any) -> dict[str, Any]:
    whole = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": entry(OCI_CONFIG),
        "layers": [entry(f"{OCI_LAYER}+gzip")],
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def index(**changes: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [entry(OCI_MANIFEST)],
        **changes,
    }


def read(document: Any, promised: str = "") -> Manifest | Index:
    return read_document(json.dumps(document).encode(), of="x", promised=promised)


def test_a_manifest_and_an_index_are_told_apart() -> None:
    assert isinstance(read(manifest()), Manifest)
    assert isinstance(read(index()), Index)
    assert isinstance(read(manifest(mediaType=None)), Manifest)
    assert isinstance(read(manifest(mediaType=None), DOCKER_MANIFEST), Manifest)


@pytest.mark.parametrize(
    ("document", "promised", "error"),
    [
        (manifest(), OCI_INDEX, Hostile),
        (index(), OCI_MANIFEST, Hostile),
        (index(), DOCKER_LIST, Hostile),
        ({**index(), **manifest()}, OCI_MANIFEST, Hostile),
        ({**manifest(), "manifests": []}, "", Hostile),
        (manifest(mediaType=None), OCI_INDEX, Corrupt),
        (manifest(schemaVersion=1), "", Unsupported),
        (manifest(schemaVersion=3), "", Unsupported),
        (manifest(), "application/vnd.docker.distribution.manifest.v1+prettyjws", Unsupported),
        (manifest(mediaType="text/plain"), "", Unsupported),
        (manifest(config=entry("application/vnd.cncf.helm.config.v1+json")), "", Unsupported),
        (manifest(config=entry("application/vnd.oci.empty.v1+json")), "", Unsupported),
        (manifest(layers=[entry("application/octet-stream")]), "", Unsupported),
        (manifest(layers=[entry(f"{OCI_LAYER}+encrypted")]), "", Unsupported),
        (
            manifest(layers=[entry("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")]),
            "",
            Unsupported,
        ),
        (
            manifest(layers=[entry("application/vnd.oci.image.layer.nondistributable.v1.tar")]),
            "",
            Unsupported,
        ),
        (manifest(layers=[entry(OCI_LAYER, -1)]), "", Hostile),
        (manifest(layers=[entry(OCI_LAYER, 1 << 60)]), "", Hostile),
        (manifest(layers=[entry(OCI_LAYER)] * 501), "", Hostile),
        (manifest(config=entry(OCI_CONFIG, 1 << 40)), "", Hostile),
        (index(manifests=[entry(OCI_MANIFEST, 1 << 30)]), "", Hostile),
        (manifest(layers=[{**entry(OCI_LAYER), "digest": "sha256:../../etc"}]), "", Corrupt),
        (manifest(layers=[{**entry(OCI_LAYER), "digest": DIGEST.upper()}]), "", Corrupt),
        (manifest(layers=[{**entry(OCI_LAYER), "size": "10"}]), "", Corrupt),
        (manifest(layers=[{**entry(OCI_LAYER), "size": 10**30}]), "", DeckError),
        (manifest(layers="x"), "", Corrupt),
        (manifest(config=None), "", Corrupt),
        ([], "", Corrupt),
        ("x", "", Corrupt),
        ({}, "", Unsupported),
    ],
)
def test_what_contradicts_itself_or_is_no_image_is_refused(
    document: Any, promised: str, error: type[DeckError]
) -> None:
    with pytest.raises(error):
        read(document, promised)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"schemaVersion": 2, "schemaVersion": 2}', Hostile),
        (b'{"schemaVersion": NaN}', Corrupt),
        (b'{"a":' * 100_000, Hostile),
        (b"[" * 100_000, Hostile),
        (b" " * (5 << 20), Hostile),
        (b"\xff\xfe", Corrupt),
        (b"", Corrupt),
        (b"<html>", Corrupt),
    ],
)
def test_bytes_that_are_no_decent_json_are_refused(body: bytes, error: type[DeckError]) -> None:
    with pytest.raises(error):
        read_document(body, of="x")


def test_urls_of_a_layer_are_passed_over() -> None:
    found = read(manifest(layers=[entry(OCI_LAYER, urls=["file:///etc/passwd"])]))
    assert isinstance(found, Manifest)
    assert not hasattr(found.layers[0], "urls")


def config(**changes: Any) -> bytes:
    whole = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
    }
    return json.dumps({**whole, **changes}).encode()


def test_nulls_in_a_config_stand_for_nothing() -> None:
    found = read(manifest())
    assert isinstance(found, Manifest)
    whole = read_config(
        config(history=None, config={"Env": None, "Cmd": None, "Labels": None}), found, of="x"
    )
    assert whole.config is not None
    assert whole.config.env is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"rootfs": {"type": "layers", "diff_ids": []}}, Corrupt),
        ({"rootfs": {"type": "layers", "diff_ids": ["sha256:x"]}}, Corrupt),
        ({"rootfs": None}, Corrupt),
        ({"os": "windows"}, Unsupported),
    ],
)
def test_a_config_that_does_not_match_its_manifest_is_refused(
    changes: dict[str, Any], error: type[DeckError]
) -> None:
    found = read(manifest())
    assert isinstance(found, Manifest)
    with pytest.raises(error):
        read_config(config(**changes), found, of="x")
