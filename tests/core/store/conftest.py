"""Fixtures of the store tests: an open store, and images made by hand."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Layer, Platform
from core.store.records import HistoryStep, ImageConfig, NewImage, StagedLayer
from core.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.store.lease import Lease


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def store(data: Path) -> AsyncIterator[Store]:
    async with Store.open(data, privileged=True, idmap="root") as opened:
        yield opened


def digest_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def nothing_left(data: Path) -> list[Path]:
    """What a store holds that has nothing to hold."""
    kinds = ("layers", "l", "distros", "trash", "ingest", "staging")
    found = [path for kind in kinds for path in (data / kind).iterdir()]
    return found + [path for path in (data / "blobs").rglob("*") if path.is_file()]


def stage(store: Store, name: str, *, size: int = 100) -> StagedLayer:
    """A layer in staging that holds one file, as an unpacker would leave it."""
    folder = store.intake.new_stage()
    (folder / "fs").mkdir(mode=0o755)
    (folder / "fs" / name).write_text(name)
    return StagedLayer(
        key=digest_of(f"tree {name}"),
        diff_id=digest_of(f"tree {name}"),
        folder=folder,
        size=size,
        entries=1,
        tar_size=1024,
    )


async def add_image(
    store: Store,
    lease: Lease,
    *names: str,
    reference: str = "",
    pinned: bool = False,
    size: int = 100,
    labels: dict[str, str] | None = None,
    created: float = 1.0,
    **more: Any,
) -> str:
    """Commit an image whose layers are called ``names``; gives its digest.

    ``more`` are fields of :class:`core.store.records.NewImage`.
    """
    intake = store.intake
    layers, keys = [], []
    for name in names:
        body, key = f"blob {name}".encode(), digest_of(f"tree {name}")
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        await intake.hold(lease, [digest, key])
        if not (intake.layer(key) and intake.blob(digest)):
            async with intake.ingest(digest, name=name) as ingest:
                await ingest.write(body)
            intake.verified.add(digest)
            intake.stage(stage(store, name, size=size))
        layers.append(Layer(digest=digest, diff_id=key, size=len(body)))
        keys.append(key)
    told = {"names": names, "config": {"Labels": labels}} if labels else ["config", *names]
    config = json.dumps(told).encode()
    manifest = json.dumps(["manifest", *names]).encode()
    documents = {f"sha256:{hashlib.sha256(one).hexdigest()}": one for one in (config, manifest)}
    config_digest, manifest_digest = documents
    await intake.hold(lease, documents)
    steps = [HistoryStep(created_by=f"add {name}", layer=n) for n, name in enumerate(names)]
    await intake.commit(
        NewImage(
            digest=manifest_digest,
            config_digest=config_digest,
            platform=Platform(),
            created=created,
            layers=tuple(layers),
            layer_keys=tuple(keys),
            history=(*steps, HistoryStep(created_by="CMD sh")),
            config=ImageConfig(cmd=("sh",), env=(("A", "1"),)),
            references=(reference,) if reference else (),
            repo_digest=f"q.io/x@{manifest_digest}",
            **more,
        ),
        documents=documents,
        pinned=pinned,
    )
    return manifest_digest
