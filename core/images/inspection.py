"""All that is known of an image: its config as written, its place among the others.

OCI image specification v1.1, "Image Configuration"; ``Healthcheck``, ``Shell`` and ``OnBuild`` are
Docker's ("Image Specification v1.2").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from core.errors import Corrupt
from core.images.manifest import DOCKER_MANIFEST, OCI_MANIFEST
from core.store.family import load_family
from core.text import clean
from core.verbs.contents import FieldChange, Healthcheck, Inspection, RunDefaults

if TYPE_CHECKING:
    from core.domain import Image
    from core.store.store import Store

T = TypeVar("T")

_LONGEST = 1 << 16


class _Health(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    test: list[str] | None = None
    interval: int | None = None
    timeout: int | None = None
    start_period: int | None = None
    start_interval: int | None = None
    retries: int | None = None


class _Run(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """``config``; what it may hold besides is left to those who know it."""

    env: list[str] | None = None
    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    shell: list[str] | None = None
    user: str | None = None
    working_dir: str | None = None
    stop_signal: str | None = None
    volumes: dict[str, object] | None = None
    exposed_ports: dict[str, object] | None = None
    on_build: list[str] | None = None
    labels: dict[str, str] | None = None
    healthcheck: _Health | None = None


class _Config(msgspec.Struct, frozen=True, kw_only=True):
    author: str | None = None
    config: _Run | None = None


class _Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    media_type: str = ""
    annotations: dict[str, str] | None = None


def inspect_image(store: Store, image: Image) -> Inspection:
    """What the store and the image's documents say; milliseconds, as documents are small.

    Raises:
        Corrupt: a document cannot be read.
    """
    manifest, manifest_size = _document(store, image.digest, _Manifest)
    config, config_size = _document(store, image.config_digest, _Config)
    lost = [] if manifest_size and config_size else ["its documents are missing: pull it again"]
    family = load_family(store.index, image.digest)
    kind = manifest.media_type
    if not kind:
        docker = any("docker" in layer.media_type for layer in image.layers)
        kind = DOCKER_MANIFEST if docker else OCI_MANIFEST
    return Inspection(
        image=image,
        config=_defaults(config.config or _Run()),
        author=clean(config.author or ""),
        manifest_type=clean(kind, 99),
        manifest_size=manifest_size,
        config_size=config_size,
        root_fs=tuple(layer.diff_id for layer in image.layers),
        parent=image.parent or family.parent,
        children=family.children,
        annotations=_clean_pairs(manifest.annotations),
        unique_size=family.unique_size,
        layer_sizes=family.layer_sizes,
        warnings=(*lost, *family.warnings),
    )


def _document(store: Store, digest: str, kind: type[T]) -> tuple[T, int]:
    path = store.intake.blob(digest)
    body = path.read_bytes() if path else b"{}"
    try:
        return msgspec.json.decode(body, type=kind), len(body) if path else 0
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise Corrupt(digest, "its document cannot be read", hint="pull it again") from None


def _defaults(run: _Run) -> RunDefaults:
    health = run.healthcheck
    return RunDefaults(
        env=_clean_all(run.env),
        cmd=_clean_all(run.cmd),
        entrypoint=_clean_all(run.entrypoint),
        shell=_clean_all(run.shell),
        user=clean(run.user or "", 256),
        working_dir=clean(run.working_dir or ""),
        stop_signal=clean(run.stop_signal or "", 64),
        volumes=_clean_all(sorted(run.volumes or ())),
        exposed_ports=_clean_all(sorted(run.exposed_ports or ())),
        on_build=_clean_all(run.on_build),
        labels=_clean_pairs(run.labels),
        healthcheck=None
        if health is None
        else Healthcheck(
            test=_clean_all(health.test),
            interval=health.interval or 0,
            timeout=health.timeout or 0,
            start_period=health.start_period or 0,
            start_interval=health.start_interval or 0,
            retries=health.retries or 0,
        ),
    )


def _clean_all(texts: list[str] | None) -> tuple[str, ...]:
    return tuple(clean(text, _LONGEST) for text in texts or ())


def _clean_pairs(pairs: dict[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple(
        (clean(key, _LONGEST), clean(value, _LONGEST))
        for key, value in sorted((pairs or {}).items())
    )


def diff_configs(old: Inspection, new: Inspection) -> list[FieldChange]:
    """Fields of how two images want to be run, by name; of mappings each key is one."""
    ours, theirs = _fields(old), _fields(new)
    return [
        FieldChange(field=name, old=ours.get(name, ""), new=theirs.get(name, ""))
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name, "") != theirs.get(name, "")
    ]


def _fields(found: Inspection) -> dict[str, str]:
    config = found.config
    fields = {"author": found.author, "platform": str(found.image.platform)}
    for line in config.env:
        key, _, value = line.partition("=")
        fields[f"env.{key}"] = value
    fields |= {f"labels.{key}": value for key, value in config.labels}
    plain: dict[str, object] = msgspec.to_builtins(config)
    for name in plain.keys() - {"env", "labels"}:
        content = plain[name]
        fields[name] = content if isinstance(content, str) else _text(content)
    return fields


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode() if value else ""
