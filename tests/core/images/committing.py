"""A store with one distro, changed without a sandbox, and its image in the layout others read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from core.images.commit import commit_distro
from core.images.tarball import import_tarball
from core.verbs.changes import CommitSpec
from tests.core.layers.archives import END, file, folder
from tests.core.layers.overlay import TREE

if TYPE_CHECKING:
    from pathlib import Path

    from core.domain import Image
    from core.store.records import DistroRecord
    from core.store.store import Store

ROOTFS = (
    folder(b"d") + file(b"d/old") + folder(b"d/deep") + file(b"d/deep/a") + folder(b"e", 0o700)
    + file(b"e/old") + file(b"f") + folder(b"g") + file(b"g/kept") + file(b"h")
    + folder(b"usr") + folder(b"usr/bin")
)  # fmt: skip

CHANGE = """
rm -r d; mkdir d; echo a > d/a; rm -r e; rm g/kept; echo 1 > g/new; ln g/new g/link
chmod 4711 f; chown 12:34 f; chown 4000000:3000000 h; ln -s /nowhere s; mkfifo p
touch -d @1700000001.123456789 f
python3 -c 'import os
os.setxattr("h", "user.colour", b"blue")
os.setxattr("h", "security.capability", bytes.fromhex("0100000200200000" + 24 * "0"))'
x=$(printf 'x%.0s' $(seq 200)); mkdir -p $x/$x; echo long > $x/$x/$x
"""

_SCRIPT = """
mount -t overlay overlay -o "userxattr,lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$MERGED"
(cd "$MERGED"; eval "$CHANGE")
exec python3 "$TREE" list "$MERGED"
"""


async def make_distro(store: Store, folder: Path, name: str = "box") -> DistroRecord:
    """A distro of :data:`ROOTFS`; ``folder`` is for the tarball."""
    tarball = folder / f"{name}.tar"
    tarball.write_bytes(ROOTFS + END)
    async with store.lease() as lease:
        pulled = await import_tarball(store, str(tarball), lease=lease)
        return await store.create_distro(name, pulled.digest, url=str(tarball))


def change(store: Store, record: DistroRecord, merged: Path, script: str = CHANGE) -> str:
    """Change what the distro holds; the listing of what it shows then."""
    merged.mkdir(exist_ok=True)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-e", "-c", _SCRIPT],
        env={
            **os.environ,
            "LOWER": ":".join(map(str, reversed(store.layer_paths(record.image_digest)))),
            "UPPER": str(record.upper),
            "WORK": str(record.work),
            "MERGED": str(merged),
            "CHANGE": script,
            "TREE": str(TREE),
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done
    return done.stdout


async def commit(
    store: Store, record: DistroRecord, *, stopped: bool = True, **fields: Any
) -> Image:
    spec = CommitSpec(distro=record.name, **fields)
    async with store.lease() as lease:
        made, _ = await commit_distro(
            store, record, spec, lease=lease, still=nullcontext(stopped), enter=lambda _: None
        )
    return store.image(made.digest)


def listing(tree: Path) -> str:
    command = ["python3", TREE, "list", tree]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def write_layout(store: Store, image: Image, folder: Path) -> None:
    """An OCI image layout with the image under the name ``it``."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for digest in (image.digest, image.config_digest, *(one.digest for one in image.layers)):
        shutil.copy(store.layout.blob(digest), blobs / digest.removeprefix("sha256:"))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    manifest = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": image.digest,
        "size": store.layout.blob(image.digest).stat().st_size,
        "annotations": {"org.opencontainers.image.ref.name": "it"},
    }
    index = {"schemaVersion": 2, "manifests": [manifest]}
    (folder / "index.json").write_text(json.dumps(index))
