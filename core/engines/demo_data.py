"""What the demonstration engine knows: made-up distros, catalog, history and one slow pull.

Nothing here is read from a disk or a network; every figure is fixed, so that pictures of the
console are the same each time.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from core.domain import (
    Catalog,
    CatalogEntry,
    CatalogStatus,
    Distro,
    HistoryEntry,
    Image,
    Job,
    Layer,
    LayerState,
    Platform,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = 1_778_582_520.0
"""2026-05-12 10:42:00 UTC: the moment at which the demonstration begins."""

MB = 1_000_000
BYTES_PER_STEP = 2_100_000
"""What each layer that is being fetched receives per step."""
HOUR = 3600.0
DAY = 24 * HOUR


def digest(text: str) -> str:
    """A digest that is always the same for ``text``."""
    return "sha256:" + sha256(text.encode()).hexdigest()


def layer(name: str, size: int) -> Layer:
    """A layer called ``name`` whose blob has ``size`` bytes."""
    return Layer(
        digest=digest(f"blob {name}"),
        diff_id=digest(f"tree {name}"),
        size=size,
        media_type="application/vnd.oci.image.layer.v1.tar+gzip",
    )


def _distro(
    name: str, version: str, os_name: str, unique: float, shared: float, age: float, url: str = ""
) -> Distro:
    return Distro(
        name=name,
        url=url or f"docker.io/library/{name}:{version}",
        version=version,
        path=f"/home/user/.local/share/distrodeck/distros/{name}/upper",
        size=round((unique + shared) * MB),
        unique_size=round(unique * MB),
        shared_size=round(shared * MB),
        image_digest=digest(f"manifest {name}"),
        repo_digest=f"docker.io/library/{name}@{digest(f'index {name}')}",
        created=NOW - 20 * DAY,
        used=NOW - age,
        os_name=os_name,
    )


def distros() -> tuple[Distro, ...]:
    """The installed distros."""
    fedora = _distro("fedora", "44", "Fedora Linux 44", 222, 0, 5 * DAY)
    return (
        _distro("alpine", "3.22", "Alpine Linux v3.22", 0.4, 8.1, DAY),
        _distro("debian", "12", "Debian GNU/Linux 12 (bookworm)", 1.9, 116.5, 3 * DAY),
        replace(fedora, platform=Platform(architecture="arm64", variant="v8")),
        _distro("my-dev", "12", "Debian GNU/Linux 12 (bookworm)", 284.6, 116.5, HOUR),
        replace(
            _distro("this-host", "12", "Debian GNU/Linux 12", 0.1, 0, 9 * DAY, "host:"),
            image_digest="",
            repo_digest="",
            warnings=("its root is this machine's own, read through an overlay",),
        ),
        _distro("ubuntu", "24.04", "Ubuntu 24.04.3 LTS", 3.3, 74.8, 2 * HOUR),
    )


_OFFER = (
    ("almalinux/10", "69", "AlmaLinux 10", "builtin"),
    ("alpine/3.22", "3.6", "Alpine Linux 3.22", "builtin"),
    ("amazonlinux/2023", "53", "Amazon Linux 2023", "builtin"),
    ("archlinux", "193", "Arch Linux", "builtin"),
    ("debian/12", "48.5", "Debian 12 bookworm", "builtin"),
    ("debian/13", "49.3", "Debian 13 trixie", "builtin"),
    ("debian/sid", "51.2", "Debian unstable", "lab-images"),
    ("fedora/44", "72", "Fedora Linux 44", "builtin"),
    ("kalilinux", "52", "Kali Linux rolling", "builtin"),
    ("lib/dev", "88.4", "Team image: compilers and tools", "lab-registry"),
    ("lib/python", "61.7", "Team image: Python 3.14", "lab-registry"),
    ("opensuse/leap", "47", "openSUSE Leap 16", "builtin"),
    ("oracle/9", "84", "Oracle Linux 9", "lab-images"),
    ("rockylinux/9", "65", "Rocky Linux 9", "builtin"),
    ("this-host", "0", "This machine's own root, no download", "host"),
    ("ubuntu/22.04", "29.5", "Ubuntu 22.04 LTS", "builtin"),
    ("ubuntu/24.04", "29.7", "Ubuntu 24.04 LTS", "builtin"),
    ("void", "31", "Void Linux", "lab-images"),
)


def catalog(now: float = NOW) -> Catalog:
    """What can be installed; one source of it does not answer."""
    entries = tuple(
        CatalogEntry(
            name=name,
            source="host:" if origin == "host" else f"docker.io/library/{name.replace('/', ':')}",
            catalog=origin,
            version=name.partition("/")[2],
            title=title,
            architecture="amd64",
            size=round(float(size) * MB) or None,
            kind="host" if origin == "host" else "oci",
        )
        for name, size, title, origin in _OFFER
    )
    counts = {origin: sum(e.catalog == origin for e in entries) for *_, origin in _OFFER}
    fine = tuple(
        CatalogStatus(name=name, kind=kind, url=url, entries=counts[name], fetched=now - age)
        for name, kind, url, age in (
            ("builtin", "builtin", "", 0.0),
            ("host", "host", "", 0.0),
            ("lab-registry", "registry", "registry.lab.example", 3 * HOUR),
            ("lab-images", "simplestreams", "https://images.lab.example", 3 * HOUR),
        )
    )
    broken = CatalogStatus(
        name="mirror",
        kind="tarballs",
        url="https://mirror.lab.example/rootfs/",
        fetched=now - 2 * DAY,
        error="connection refused",
    )
    return Catalog(entries=entries, sources=(*fine, broken))


_STEPS: dict[str, tuple[tuple[str, float], ...]] = {
    "my-dev": (
        ('CMD ["/bin/bash"]', 0),
        ("RUN pip install --no-cache-dir -r /tmp/requirements.txt", 61.4),
        ("COPY requirements.txt /tmp/", 0.004),
        ("RUN apt-get update && apt-get install -y build-essential git vim", 220.1),
        ("WORKDIR /src", 0),
        ("# debian.sh --arch 'amd64' out/ 'bookworm'", 116.5),
    ),
    "ubuntu": (
        ('CMD ["/bin/bash"]', 0),
        ("COPY entrypoint.sh /", 0.000312),
        ("RUN apt-get update && apt-get install -y ca-certificates", 3.2),
        ("LABEL org.opencontainers.image.version=24.04", 0),
        ("ADD file:rootfs.tar.xz in /", 74.8),
    ),
}


def history(distro: Distro) -> list[HistoryEntry]:
    """The history of the image under ``distro``, newest first."""
    steps = _STEPS.get(
        distro.name,
        (('CMD ["/bin/sh"]', 0), ("ADD rootfs.tar.gz / # buildkit", distro.shared_size / MB)),
    )
    return [
        HistoryEntry(
            created=NOW - (30 + number) * DAY,
            created_by=created_by,
            comment="buildkit.dockerfile.v0",
            layer=layer(f"{distro.name}/{created_by}", round(size * MB * 0.4)) if size else None,
            size=round(size * MB),
        )
        for number, (created_by, size) in enumerate(steps)
    ]


def image(distro: Distro) -> Image:
    """The image under ``distro``."""
    layers = tuple(entry.layer for entry in reversed(history(distro)) if entry.layer)
    return Image(
        digest=distro.image_digest,
        config_digest=digest(f"config {distro.name}"),
        repo_digests=(distro.repo_digest,),
        references=(distro.url,),
        platform=distro.platform,
        created=NOW - 30 * DAY,
        pulled=distro.created,
        layers=layers,
        size=distro.shared_size,
        transfer_size=sum(item.size for item in layers),
        distros=(distro.name,),
    )


def slow_pull() -> Job:
    """The pull that is under way when the demonstration begins."""
    layers = (
        LayerState(digest=layer("arch 1", 0).digest, phase="done", done=75 * MB, total=75 * MB),
        LayerState(digest=layer("arch 2", 0).digest, phase="fetch", done=43 * MB, total=84 * MB),
        LayerState(digest=layer("arch 3", 0).digest, phase="fetch", done=9 * MB, total=34 * MB),
        LayerState(digest=layer("arch 4", 0).digest, phase="waiting", total=180_000),
    )
    return Job(
        id="1",
        kind="pull",
        title="archlinux",
        state="running",
        phase="fetch",
        layers=layers,
        done=sum(item.done for item in layers),
        total=sum(item.total for item in layers),
        started=NOW - 30,
    )


def new_pull(number: int, title: str, now: float, sizes: Sequence[int]) -> Job:
    """A pull that has just been asked for."""
    layers = tuple(
        LayerState(digest=layer(f"{title} {size}", size).digest, phase="waiting", total=size)
        for size in sizes
    )
    return Job(
        id=str(number),
        kind="pull",
        title=title,
        state="running",
        phase="resolve",
        layers=layers,
        total=sum(sizes),
        started=now,
    )


def installed(job: Job, url: str, now: float) -> Distro:
    """The distro that a finished ``job`` made."""
    return replace(
        _distro(job.title, "latest", job.title.capitalize(), 0, job.total / MB * 2.4, 0, url),
        used=0.0,
        created=now,
    )


def step_layers(layers: tuple[LayerState, ...]) -> tuple[LayerState, ...]:
    """The layers a moment later: two at a time are fetched, then verified, then unpacked."""
    fetching = 0
    stepped: list[LayerState] = []
    for item in layers:
        match item.phase:
            case "waiting" if fetching < 2:
                item = replace(item, phase="fetch")
                fetching += 1
            case "fetch":
                fetching += 1
                done = min(item.total, item.done + BYTES_PER_STEP)
                item = replace(item, done=done, phase="verify" if done == item.total else "fetch")
            case "verify":
                item = replace(item, phase="unpack")
            case "unpack":
                item = replace(item, phase="done")
        stepped.append(item)
    return tuple(stepped)
