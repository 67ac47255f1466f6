"""Writable layers packed: a real overlay is changed, and the archive must say just that."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from core.errors import Unsupported
from core.layers.pack import copy_tree, pack
from tests.core.layers.archives import END, file, folder
from tests.core.layers.drive import unpack_blob
from tests.core.layers.overlay import TREE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.layers.compress import Compression
    from core.layers.pack import Packed

LOWER = (
    folder(b"d") + file(b"d/old") + folder(b"d/deep") + file(b"d/deep/a") + folder(b"e", 0o700)
    + file(b"e/old") + file(b"f") + folder(b"g") + file(b"g/kept") + file(b"h")
)  # fmt: skip

CHANGES = {
    "nothing": "true",
    "a new file": "echo new > n",
    "a file over a file": "echo changed > f",
    "a deleted file": "rm f",
    "a deleted folder": "rm -r d",
    "a folder made anew": "rm -r d; mkdir d; echo a > d/a",
    "a folder over a file": "rm f; mkdir f; echo a > f/a",
    "a file over a folder": "rm -r d; echo a > d",
    "deleted deep down": "rm d/deep/a; echo b > d/deep/b",
    "an emptied folder": "rm -r d/*",
    "a renamed file": "mv f d/g",
    "a renamed folder": "cp -a d x && rm -r d && mv x y",
    "modes": "chmod 4711 f; chmod 1777 g; chmod 0 h",
    "owners": "chown 12:34 f; chown 4000000:3000000 h",
    "times": "touch -d @1700000001.123456789 f; touch -d @-5.5 h; touch -d @9999999999 g/kept",
    "links": "ln f g/link; ln -s /nowhere/at/all s; ln g/link d/link; ln -s f e/s",
    "attributes": 'python3 -c \'import os; os.setxattr("f", "user.colour", b"blue\\0");'
    ' os.setxattr("g", "user.b", b"")\'',
    "capabilities": 'python3 -c \'import os; os.setxattr("h", "security.capability",'
    ' bytes.fromhex("0100000200200000" + 24 * "0"))\'',
    "a fifo": "mkfifo p",
    "a device": "mknod null c 1 3; mknod disk b 7 300",
    "a long name": "x=$(printf 'x%.0s' $(seq 90)); y=$(printf 'y%.0s' $(seq 200));"
    " z=$(printf 'z%.0s' $(seq 255)); mkdir -p $x/$y; echo 1 > $x/$y/$z",
    "a long link": "ln -s $(printf 'x%.0s' $(seq 3000)) l",
    "no UTF-8": "mkdir $(printf 'a\\377'); echo 1 > $(printf 'a\\377/\\200%0200d' 7)",
    "strange names": "echo 1 > 'a\nb'; echo 2 > ' '; echo 3 > '\\'; echo 4 > -n; echo 5 > é",
}

ALL = "; ".join(
    CHANGES[name]
    for name in (
        "modes", "owners", "times", "links", "attributes", "capabilities", "a fifo", "a device",
        "a long name", "a long link", "no UTF-8", "strange names", "a folder made anew",
    )
) + "; rm -r e; rm g/kept"  # fmt: skip

_OVERLAY = """
mkdir -p upper work merged
mount -t overlay overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work merged
(cd merged; eval "$CHANGE")
exec "$@" merged
"""


async def lower(root: Path, data: bytes = LOWER) -> None:
    (root / "lower.tar").write_bytes(data + END)
    await unpack_blob(root / "lower.tar", root / "lower", [])


def change(root: Path, script: str) -> str:
    """Change the overlay in ``root`` and list what it shows then."""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-e", "-c", _OVERLAY, "sh", "python3", str(TREE), "list"],
        cwd=root,
        env={**os.environ, "CHANGE": script},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done
    return done.stdout


def listing(*arguments: str | Path) -> str:
    command = ["python3", str(TREE), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


async def packed_to(
    path: Path, *trees: Path, flat: bool = False, compression: Compression = "none"
) -> Packed:
    with path.open("wb") as file:
        return await pack(trees, file.fileno(), flat=flat, compression=compression, owners=True)


async def copied(root: Path, source: str = "upper", target: str = "copy") -> tuple[str, ...]:
    done = await copy_tree(root / source, root / target, as_layer=True, owners=True)
    return done.warnings


@pytest.mark.parametrize("name", CHANGES)
async def test_the_archive_says_what_was_changed(name: str, make_root: Callable[..., Path]) -> None:
    root = make_root()
    await lower(root)
    seen = change(root, CHANGES[name])
    assert await copied(root) == ()
    done = await packed_to(root / "upper.tar", root / "copy")
    assert done.warnings == ()
    assert listing("merge", root / "lower.tar", root / "upper.tar") == seen


async def test_unpacked_again_it_is_the_same_tree(make_root: Callable[..., Path]) -> None:
    root = make_root()
    await lower(root)
    change(root, ALL)
    await copied(root)
    done = await packed_to(root / "upper.tar", root / "copy")
    unpacked = await unpack_blob(root / "upper.tar", root / "again", [root / "lower"])
    assert not unpacked.needs_lower
    assert (unpacked.diff_id, unpacked.tar_size) == (done.diff_id, done.tar_size)
    assert (unpacked.entries, unpacked.size) == (done.entries, done.size)
    assert listing("list", root / "again") == listing("list", root / "copy")
    assert (await packed_to(root / "again.tar", root / "again")).diff_id == done.diff_id


async def test_a_whole_file_system_is_what_the_mount_shows(make_root: Callable[..., Path]) -> None:
    root = make_root()
    await lower(root)
    seen = change(root, ALL)
    await packed_to(root / "whole.tar", root / "lower", root / "upper", flat=True)
    assert listing("merge", root / "whole.tar") == seen


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
async def test_digests_are_those_of_the_bytes(
    compression: Compression, make_root: Callable[..., Path]
) -> None:
    root = make_root()
    await lower(root)
    first = await packed_to(root / "1", root / "lower", compression=compression)
    data = (root / "1").read_bytes()
    assert first.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert first.blob_size == len(data)
    assert await packed_to(root / "2", root / "lower", compression=compression) == first
    unpacked = await unpack_blob(root / "1", root / "again", [])
    assert unpacked.diff_id == first.diff_id


async def test_attribute_whiteouts_are_whiteouts(make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "upper" / "d").mkdir(parents=True)
    (root / "upper" / "d" / "gone").touch()
    os.setxattr(root / "upper" / "d", "user.overlay.opaque", b"x")
    os.setxattr(root / "upper" / "d" / "gone", "user.overlay.whiteout", b"")
    await copied(root)
    await packed_to(root / "upper.tar", root / "copy")
    with tarfile.open(root / "upper.tar") as archive:
        assert [member.name for member in archive] == [".", "d", "d/.wh.gone"]


@pytest.mark.parametrize("mark", ["redirect", "metacopy"])
async def test_borrowed_content_is_refused(mark: str, make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "upper" / "d").mkdir(parents=True)
    os.setxattr(root / "upper" / "d", f"trusted.overlay.{mark}", b"/else")
    with pytest.raises(Unsupported, match=f"d: overlay.{mark}"):
        await copied(root)
    assert not (root / "copy").exists()


async def test_sockets_and_reserved_names_are_left_out(make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "upper").mkdir()
    (root / "upper" / ".wh.file").touch()
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(f"{root}/upper/socket")
    warnings = (
        "name reserved for whiteouts left out: .wh.file",
        "socket left out: socket",
    )
    assert sorted(await copied(root)) == list(warnings)
    direct = await packed_to(root / "upper.tar", root / "upper")
    assert (direct.entries, sorted(direct.warnings)) == (1, list(warnings))
    assert not list((root / "copy").iterdir())


async def test_big_holes_stay_holes(make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "upper").mkdir()
    with (root / "upper" / "disk").open("wb") as disk:
        disk.seek(3 << 30)
        disk.write(b"end")
        disk.truncate(4 << 30)
    done = await packed_to(root / "upper.tar", root / "upper")
    assert done.size == 4 << 30
    assert done.tar_size < 1 << 20
    await unpack_blob(root / "upper.tar", root / "again", [])
    again = root / "again" / "disk"
    assert again.stat().st_size == 4 << 30
    assert again.stat().st_blocks * 512 < 1 << 20
    with again.open("rb") as file:
        file.seek(3 << 30)
        assert file.read(4) == b"end\0"
    with tarfile.open(root / "upper.tar") as archive:
        assert archive.getmember("disk").size == 4 << 30


async def test_a_deep_tree_is_copied_and_packed(make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "upper").mkdir()
    fd = os.open(root / "upper", os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 20, dir_fd=fd)
        fd, old = os.open("d" * 20, os.O_RDONLY, dir_fd=fd), fd
        os.close(old)
    os.close(fd)
    await copied(root)
    done = await packed_to(root / "upper.tar", root / "copy")
    assert done.entries == 301
