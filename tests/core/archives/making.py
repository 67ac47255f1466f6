"""Archives made by hand: right ones, and those with one thing wrong."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.archives.load import load_archive
from core.images.manifest import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.archives.load import Loaded
    from core.store.store import Store

NAME = "q.io/lib/made:1"


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def layer_tar(name: str, content: bytes | None = None) -> bytes:
    """A layer of one file."""
    return tar_of([(name, name.encode() if content is None else content)])


@dataclass
class Link:
    target: str
    hard: bool = False


@dataclass
class Special:
    """A member of another type."""

    type: bytes


Entry = tuple[str, "bytes | Link | Special"]


def tar_of(entries: list[Entry]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in entries:
            member = tarfile.TarInfo(name)
            if isinstance(content, Link):
                member.type = tarfile.LNKTYPE if content.hard else tarfile.SYMTYPE
                member.linkname = content.target
                archive.addfile(member)
            elif isinstance(content, Special):
                member.type = content.type
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def config_of(*layers: bytes, **more: Any) -> bytes:
    diff_ids = [digest_of(layer) for layer in layers]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    history = [{"created_by": f"step {number}"} for number in range(len(layers))]
    config = {"Cmd": ["sh"], "Env": ["A=1"]}
    return as_json(
        {
            "os": "linux",
            "architecture": "amd64",
            "config": config,
            "rootfs": rootfs,
            "history": history,
            **more,
        }
    )


@dataclass
class Docker:
    """A docker-archive as podman writes it; a test changes what it likes before :meth:`tar`."""

    files: dict[str, bytes | Link | Special] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, *layers: bytes, name: str = NAME) -> Docker:
        made = cls()
        made.add(*layers, name=name)
        return made

    def add(self, *layers: bytes, name: str = NAME, config: bytes | None = None) -> None:
        config = config or config_of(*layers)
        names = []
        for layer in layers:
            names.append(f"{digest_of(layer)[7:]}.tar")
            self.files[names[-1]] = layer
        config_name = f"{digest_of(config)[7:]}.json"
        self.files[config_name] = config
        self.entries.append({"Config": config_name, "RepoTags": [name], "Layers": names})

    def listed(self) -> list[Entry]:
        return [*self.files.items(), ("manifest.json", as_json(self.entries))]

    def tar(self) -> bytes:
        return tar_of(self.listed())


@dataclass
class Oci:
    """An oci-archive; a test changes what it likes before :meth:`tar`."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes | Link] = field(default_factory=dict)

    @classmethod
    def of(cls, *layers: bytes, name: str = NAME) -> Oci:
        made = cls()
        made.entries.append(made.image(*layers, name=name))
        return made

    def blob(self, body: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        self.blobs[digest_of(body)] = body
        return {"mediaType": media_type, "digest": digest_of(body), "size": len(body), **more}

    def image(self, *layers: bytes, name: str = "", **more: Any) -> dict[str, Any]:
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.blob(config_of(*layers, **more), OCI_CONFIG),
            "layers": [self.blob(layer, OCI_LAYER) for layer in layers],
        }
        entry = self.blob(as_json(manifest), OCI_MANIFEST)
        if name:
            entry["annotations"] = {"org.opencontainers.image.ref.name": name}
        return entry

    def index(self, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
        body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}
        return self.blob(as_json(body), OCI_INDEX, **more)

    def listed(self) -> list[Entry]:
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self.entries}
        files: dict[str, bytes | Link | Special] = {
            "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
            "index.json": as_json(index),
            **{f"blobs/sha256/{digest[7:]}": body for digest, body in self.blobs.items()},
            **self.files,
        }
        return list(files.items())

    def tar(self) -> bytes:
        return tar_of(self.listed())


async def load(store: Store, source: Path | AsyncIterator[bytes], **options: Any) -> list[Loaded]:
    name = "standard input" if not hasattr(source, "name") else source.name
    async with store.lease() as lease:
        return await load_archive(store, source, name=name, lease=lease, **options)


async def in_pieces(body: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """Bytes as a slow pipe gives them."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def untouched(store: Store) -> bool:
    """Whether nothing of an archive is left in the store."""
    folders = ("staging", "layers", "l")
    kept = [path for name in folders for path in (store.layout.data / name).iterdir()]
    passing = [path for path in store.layout.ingest.iterdir() if len(path.name) != 64]
    return not store.images() and not kept and not passing
