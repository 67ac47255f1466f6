"""The worker process as its caller sees it: progress, back-pressure, death, cancelling."""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.errors import Corrupt, DeckError, HostForbids, NoSpace
from core.layers.unpack import Unpacker, open_unpacker, settle
from tests.core.layers.archives import END, file, folder, hardlink, header, octal, pad

if TYPE_CHECKING:
    from collections.abc import Callable

NOISE = random.Random(1).randbytes(1 << 20)
BIG = 1 << 30
"""Of a file that no test feeds whole."""
SMALL = 64 << 20
BIG_HEADER = header(b"big", size=octal(BIG, 12))


def worker_pid() -> int:
    """The one child that this process has now."""
    children = [task / "children" for task in Path("/proc/self/task").iterdir()]
    (pid,) = [int(word) for file in children for word in file.read_text().split()]
    return pid


async def begin(unpacker: Unpacker) -> int:
    """Feed a big file until the worker is at it; the worker's pid."""
    await unpacker.write(BIG_HEADER)
    while not unpacker.unpacked_bytes:
        await unpacker.write(NOISE)
        await asyncio.sleep(0)
    return worker_pid()


async def give(target: Path, data: bytes) -> None:
    """Unpack ``data`` and more."""
    async with asyncio.timeout(20), open_unpacker(target, privileged=True) as unpacker:
        await unpacker.write(data)
        await feed(unpacker, 64)
        await unpacker.finish()


async def feed(unpacker: Unpacker, count: int) -> None:
    for _ in range(count):
        await unpacker.write(NOISE)


async def test_progress_grows_to_the_whole_archive(make_root: Callable[..., Path]) -> None:
    root = make_root()
    seen = []
    async with open_unpacker(root / "layer", privileged=True) as unpacker:
        await unpacker.write(header(b"small", size=octal(SMALL, 12)))
        for _ in range(64):
            await unpacker.write(NOISE)
            seen.append(unpacker.unpacked_bytes)
        await unpacker.write(END)
        done = await unpacker.finish(sync=True)
        seen.append(unpacker.unpacked_bytes)
    assert seen == sorted(seen)
    assert seen[-2] > 0
    assert seen[-1] == done.tar_size
    assert done.size == SMALL
    assert done.tar_size == SMALL + 3 * 512
    assert not done.needs_lower


async def test_writing_waits_for_a_worker_that_is_behind(make_root: Callable[..., Path]) -> None:
    root = make_root()
    async with open_unpacker(root / "layer", privileged=True) as unpacker:
        pid = await begin(unpacker)
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await feed(unpacker, 64)
        finally:
            os.kill(pid, signal.SIGCONT)
    assert not (root / "layer").exists()


async def test_a_killed_worker_is_an_error_and_not_a_hang(make_root: Callable[..., Path]) -> None:
    root = make_root()
    async with asyncio.timeout(20), open_unpacker(root / "layer", privileged=True) as unpacker:
        os.kill(await begin(unpacker), signal.SIGKILL)
        with pytest.raises(DeckError, match="ended by signal 9"):
            await feed(unpacker, 512)
    assert not (root / "layer").exists()


async def test_a_worker_killed_while_it_is_waited_for_is_an_error(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    loop = asyncio.get_running_loop()
    async with open_unpacker(root / "layer", privileged=True) as unpacker:
        pid = await begin(unpacker)
        os.kill(pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGTERM)
        loop.call_later(0.05, os.kill, pid, signal.SIGCONT)
        with pytest.raises(DeckError, match="ended by signal 15"):
            await unpacker.finish()
    assert not (root / "layer").exists()


async def test_leaving_early_ends_the_worker_and_removes_the_tree(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    async with open_unpacker(root / "layer", privileged=True) as unpacker:
        await unpacker.write(folder(b"d") + file(b"d/f"))
        pid = await begin(unpacker)
    assert not (root / "layer").exists()
    assert not Path(f"/proc/{pid}").exists()


async def test_cancelling_ends_the_worker_and_removes_the_tree(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def pull() -> None:
        async with open_unpacker(root / "layer", privileged=True) as unpacker:
            pid = await begin(unpacker)
            os.kill(pid, signal.SIGSTOP)
            started.set_result(pid)
            await unpacker.finish()

    task = asyncio.ensure_future(pull())
    pid = await started
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (root / "layer").exists()
    assert not Path(f"/proc/{pid}").exists()


async def test_an_error_reaches_the_writer_while_more_is_coming(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    with pytest.raises(Corrupt):
        await give(root / "layer", b"no tar" * 1000)
    assert not (root / "layer").exists()


async def test_a_full_disk_says_so_and_names_the_entry(make_root: Callable[..., Path]) -> None:
    root = make_root()
    disk = root / "disk"
    disk.mkdir()
    mount = await asyncio.create_subprocess_exec(
        "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)
    )
    assert await mount.wait() == 0
    with pytest.raises(NoSpace, match="d/big"):
        await give(disk / "layer", folder(b"d") + header(b"d/big", size=octal(BIG, 12)))
    assert list(disk.iterdir()) == []


async def test_a_folder_named_core_in_the_working_directory_is_not_run(
    make_root: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_root()
    (root / "core").mkdir()
    (root / "core" / "__init__.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", str(root))
    async with open_unpacker(Path("layer"), privileged=True) as unpacker:
        await unpacker.write(gzip.compress(file(b"a") + END))
        done = await unpacker.finish()
    assert done.entries == 1
    assert (root / "layer" / "a").read_bytes() == b"x"


async def test_the_worker_inherits_no_descriptor_and_no_environment(
    make_root: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_root()
    monkeypatch.setenv("SECRET_TOKEN", "canary")
    (root / "open").write_text("")
    with (root / "open").open() as handle:
        os.set_inheritable(handle.fileno(), True)
        async with open_unpacker(root / "layer", privileged=True) as unpacker:
            process = Path(f"/proc/{await begin(unpacker)}")
            assert b"canary" not in (process / "environ").read_bytes()
            opened = [str(link.readlink()) for link in (process / "fd").iterdir()]
            assert str(root / "open") not in opened


async def test_a_prefix_that_cannot_enter_says_so(make_root: Callable[..., Path]) -> None:
    root = make_root()
    with pytest.raises(HostForbids):
        async with open_unpacker(root / "layer", privileged=True, enter=("/no/such/unshare",)):
            pass
    with pytest.raises(HostForbids, match="unshare"):
        async with open_unpacker(
            root / "layer", privileged=True, enter=("unshare", "--user", "--map-users=nonsense")
        ) as unpacker:
            await unpacker.finish()
    assert not (root / "layer").exists()


async def test_a_target_that_exists_is_left_alone(make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "layer").mkdir()
    (root / "layer" / "mine").write_text("")
    with pytest.raises(DeckError, match="is there already"):
        async with open_unpacker(root / "layer", privileged=True):
            pass
    assert (root / "layer" / "mine").exists()


async def test_what_the_folder_around_has_is_not_inherited(make_root: Callable[..., Path]) -> None:
    root = make_root()
    os.chown(root, 0, 1234)
    root.chmod(0o2777)
    async with open_unpacker(root / "layer", privileged=True) as unpacker:
        await unpacker.write(folder(b"d") + file(b"d/f") + END)
        await unpacker.finish()
    for path in (root / "layer", root / "layer/d", root / "layer/d/f"):
        assert path.stat().st_gid == 0
        assert not path.stat().st_mode & 0o2000


async def unpack(target: Path, data: bytes, lowers: list[Path]) -> None:
    async with open_unpacker(target, privileged=True) as unpacker:
        await unpacker.write(data)
        done = await unpacker.finish()
    if done.needs_lower:
        await settle(target, lowers, privileged=True)


async def test_a_hard_link_to_a_lower_file_keeps_its_other_names(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    lower = folder(b"d") + file(b"d/a", b"shared") + hardlink(b"d/b", b"d/a")
    await unpack(root / "0", lower + END, [])
    await unpack(root / "1", folder(b"d") + hardlink(b"d/c", b"d/a") + END, [root / "0"])
    names = {path.name: path.stat().st_ino for path in (root / "1" / "d").iterdir()}
    assert names.keys() == {"a", "b", "c"}
    assert len(set(names.values())) == 1


async def test_a_sparse_lower_file_stays_sparse_when_it_is_copied_up(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    await unpack(root / "0", file(b"a", b"1") + END, [])
    with (root / "0" / "a").open("r+b") as hollow:
        hollow.truncate(1 << 30)
    await unpack(root / "1", hardlink(b"b", b"a") + END, [root / "0"])
    found = (root / "1" / "b").stat()
    assert found.st_size == 1 << 30
    assert found.st_blocks * 512 < 1 << 20


async def test_settling_without_lower_layers_gives_implied_folders_defaults(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    await unpack(root / "0", file(b"a/b/c") + END, [])
    assert (root / "0" / "a").stat().st_mode & 0o7777 == 0o755
    assert sorted(path.name for path in (root / "0").iterdir()) == ["a"]


async def test_data_in_pieces_of_any_size_gives_the_same(make_root: Callable[..., Path]) -> None:
    root = make_root()
    data = gzip.compress(file(b"a", NOISE[:3000]) + folder(b"d") + pad(b"") + END)
    ids = set()
    for number, step in enumerate((1, 7, 512, 100_000)):
        async with open_unpacker(root / str(number), privileged=True) as unpacker:
            for start in range(0, len(data), step):
                await unpacker.write(data[start : start + step])
            ids.add((await unpacker.finish()).diff_id)
        assert (root / str(number) / "a").read_bytes() == NOISE[:3000]
    assert len(ids) == 1
