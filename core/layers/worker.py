"""The process that unpacks, packs, copies, removes or measures trees: ``python -P -m`` this.

It runs apart because it burns a core, reads hostile data and may have to act in another user
namespace. Its first argument is the verb; an archive comes on stdin, as it was fetched. On stdout
go lines ``p BYTES`` of progress and a last line of JSON, ``{"done": …}`` or ``{"error": …}``.

Start-up is paid once a layer: what one verb alone needs is imported there.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from typing import TYPE_CHECKING, TypeAlias

from core.errors import Corrupt, DeckError, HostForbids, Hostile, NoSpace
from core.layers.attributes import Stamper, Warnings
from core.layers.names import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.layers.compress import Compression

Verbs: TypeAlias = "dict[str, Callable[..., dict[str, object]]]"
"""What a worker can do, by name; each gives what is reported."""

_READ = 256 << 10
_PROGRESS = 4 << 20
_GRACE = 1 << 30  # the ratio counts from here on
_HEADERS = 4 << 30  # of tar headers and padding, beyond the bytes of files


def _input() -> Iterator[bytes]:
    while chunk := os.read(0, _READ):
        yield chunk


class _Meter:
    """Counts, hashes and bounds the archive on its way."""

    def __init__(self, *, ratio: int, most_bytes: int) -> None:
        import hashlib

        self.hash = hashlib.sha256()
        self.taken = 0
        self.given = 0
        self._ratio = ratio
        self._most = most_bytes + _HEADERS

    def input(self) -> Iterator[bytes]:
        for chunk in _input():
            self.taken += len(chunk)
            yield chunk

    def output(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        told = 0
        for chunk in chunks:
            self.given += len(chunk)
            self.hash.update(chunk)
            if self.given > _GRACE + self._ratio * self.taken:
                raise Hostile("archive", f"expands more than {self._ratio} times")
            if self.given > self._most:
                raise Hostile("archive", f"expands to more than {self._most} bytes")
            if self.given - told >= _PROGRESS:
                told = self.given
                os.write(1, b"p %d\n" % told)
            yield chunk


def _open_root(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _unpack(path: str, privileged: str, *limits: str) -> dict[str, object]:
    from core.layers.compression import expand
    from core.layers.extract import extract

    entries, longest_path, ratio, most_bytes = map(int, limits)
    meter = _Meter(ratio=ratio, most_bytes=most_bytes)
    warnings = Warnings()
    done = extract(
        meter.output(expand(meter.input())),
        _open_root(path),
        Stamper(privileged=privileged == "1", warnings=warnings),
        most_entries=entries,
        longest_path=longest_path,
        most_bytes=most_bytes,
    )
    return {
        "diff_id": "sha256:" + meter.hash.hexdigest(),
        "tar_size": meter.given,
        "size": done.size,
        "entries": done.entries,
        "needs_lower": done.needs_lower,
        "warnings": warnings.lines(),
    }


def _digest(ratio: str, most_bytes: str) -> dict[str, object]:
    from core.layers.compression import expand

    meter = _Meter(ratio=int(ratio), most_bytes=int(most_bytes))
    for _ in meter.output(expand(meter.input())):
        pass
    return {"diff_id": "sha256:" + meter.hash.hexdigest()}


def _settle(path: str, privileged: str, *lowers: str) -> dict[str, object]:
    from core.layers.extract import settle_tree

    warnings = Warnings()
    stamper = Stamper(privileged=privileged == "1", warnings=warnings)
    settle_tree(_open_root(path), [_open_root(lower) for lower in lowers], stamper)
    return {"warnings": warnings.lines()}


def _copy(source: str, target: str, as_layer: str, owners: str) -> dict[str, object]:
    from core.layers.copying import copy_tree_at

    warnings = Warnings()
    stamper = Stamper(privileged=owners == "1", warnings=warnings)
    fd = _open_root(target)
    done = copy_tree_at(os.fsencode(source), fd, stamper, as_layer=as_layer == "1")
    return {"entries": done.entries, "size": done.size, "warnings": warnings.lines()}


def _pack(
    output: str, compression: Compression, flat: str, owners: str, *trees: str
) -> dict[str, object]:
    from core.layers.compress import BlobWriter
    from core.layers.packing import Packing
    from core.layers.stream import write_all

    told = 0

    def put(data: bytes) -> None:
        nonlocal told
        write_all(int(output), data)
        if writer.tar_size - told >= _PROGRESS:
            told = writer.tar_size
            os.write(1, b"p %d\n" % told)

    warnings = Warnings()
    writer = BlobWriter(compression, put)
    packing = Packing(writer.write, warnings, flat=flat == "1", owners=owners == "1")
    packing.run([_open_root(tree) for tree in reversed(trees)])
    writer.close()
    return {
        "digest": writer.digest,
        "diff_id": writer.diff_id,
        "blob_size": writer.size,
        "tar_size": writer.tar_size,
        "size": packing.size,
        "entries": packing.entries,
        "warnings": warnings.lines(),
    }


def _remove(path: str) -> dict[str, object]:
    from core.layers.folders import remove_at

    remove_at(os.fsencode(path))
    return {}


def _measure(path: str) -> dict[str, object]:
    from core.layers.folders import measure

    return {"bytes": measure(os.fsencode(path))}


_VERBS: Verbs = {
    "unpack": _unpack,
    "digest": _digest,
    "settle": _settle,
    "copy": _copy,
    "pack": _pack,
    "remove": _remove,
    "measure": _measure,
}


def explain(error: OSError) -> DeckError:
    """What the kernel's refusal means, with the entry or file it is about."""
    name = error.filename
    what = (show(name) if isinstance(name, bytes) else str(name or "")) or "layer"
    why = (error.strerror or "input or output error").lower()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(what, why, hint="free some space (distrodeck prune), then try again")
    if error.errno in (errno.EPERM, errno.EACCES, errno.EROFS):
        return HostForbids(what, why)
    if error.errno in (errno.ENAMETOOLONG, errno.EFBIG, errno.ELOOP, errno.EINVAL):
        return Hostile(what, why)
    if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY):
        return Corrupt(what, why)
    return DeckError(what, why)


def _report(outcome: dict[str, object]) -> None:
    import json

    from core.layers.stream import write_all

    write_all(1, json.dumps(outcome).encode() + b"\n")


def main(arguments: list[str], verbs: Verbs = _VERBS) -> int:
    """Do one verb and report it."""
    gc.disable()  # a layer makes no garbage in cycles, and is soon over
    os.umask(0)
    try:
        verb, *rest = arguments
        try:
            done = verbs[verb](*rest)
        except OSError as error:
            raise explain(error) from error
    except DeckError as error:
        fault = {"code": error.code, "what": error.what, "why": error.why, "hint": error.hint}
        _report({"error": fault})
        return 1
    _report({"done": done})
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    os._exit(status)  # nothing is left to flush, and taking a big heap down costs time
