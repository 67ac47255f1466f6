"""Files and facts of made-up images."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from core.errors import Unsupported
from core.verbs.contents import FileEntry, ImageWaste, Inspection, LayerWaste, RunDefaults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Image
    from core.engine import Images
    from core.verbs.contents import Extracted, ExtractSpec, FieldChange, FileChange, FilesSpec

_FOLDERS = ("bin", "boot", "dev", "etc", "home", "opt", "proc", "root", "tmp", "usr", "var")


def _refuse(what: str) -> Unsupported:
    return Unsupported(what, "the demonstration does not do this", hint="do without --demo")


class DemoContents:
    """Mixed into the demonstration's engine."""

    def _refused(self, what: str) -> AsyncIterator[Any]:
        raise _refuse(what)

    @asynccontextmanager
    async def files(
        self: Images, spec: FilesSpec
    ) -> AsyncIterator[AsyncIterator[tuple[FileEntry, ...]]]:
        await self.image(spec.name)
        if spec.path != "/":
            raise _refuse(spec.path)

        async def pieces() -> AsyncIterator[tuple[FileEntry, ...]]:
            yield tuple(
                FileEntry(path=f"/{name}", type="folder", mode=0o755, layer=1) for name in _FOLDERS
            )

        yield pieces()

    @asynccontextmanager
    async def read_file(self, spec: FilesSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        yield self._refused(spec.path)

    @asynccontextmanager
    async def pack(self, spec: FilesSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        yield self._refused(spec.path)

    async def extract(self, spec: ExtractSpec) -> Extracted:
        raise _refuse(spec.path)

    @asynccontextmanager
    async def diff(
        self, old: str, new: str = ""
    ) -> AsyncIterator[AsyncIterator[tuple[FileChange, ...]]]:
        yield self._refused(f"{old} {new}".strip())

    async def diff_config(self, old: str, new: str) -> list[FieldChange]:
        raise _refuse(f"{old} {new}")

    async def waste(self: Images, name: str) -> ImageWaste:
        image: Image = await self.image(name)
        layers = tuple(
            LayerWaste(number=number, digest=layer.digest, size=2 * layer.size, wasted=0)
            for number, layer in enumerate(image.layers, 1)
        )
        return ImageWaste(
            image=image.digest, layers=layers, size=sum(one.size for one in layers), wasted=0
        )

    async def inspect(self: Images, name: str) -> Inspection:
        image: Image = await self.image(name)
        return Inspection(
            image=image,
            config=RunDefaults(cmd=("/bin/bash",), env=("PATH=/usr/bin:/bin",)),
            root_fs=tuple(layer.diff_id for layer in image.layers),
        )
