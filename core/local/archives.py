"""Archives by the local engine."""

from __future__ import annotations

import itertools
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.archives.load import load_archive
from core.archives.save import prepare, save_file, save_folder, save_stream, sources_of
from core.errors import InvalidInput
from core.images.changes import apply_changes
from core.images.download import file_name
from core.images.reference import parse_platform, parse_reference
from core.images.tarball import About, import_tarball, parse_checksum
from core.local.content import Taking
from core.local.parts import Bound
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Job
    from core.images.reference import Reference
    from core.jobs import Progress
    from core.verbs.archives import ImportSpec, LoadSpec, SaveSpec

_streams = itertools.count(1)


class ArchiveVerbs(Bound):
    """:class:`core.verbs.archives.Archives` on this machine."""

    async def load(self, spec: LoadSpec, content: AsyncIterator[bytes] | None = None) -> Job:
        self._may_change(spec.path or "standard input")
        platform = parse_platform(spec.platform) if spec.platform else None
        taking = Taking(content) if content is not None else None
        source = taking.pieces() if taking else Path(_absolute(spec.path))
        name = file_name(spec.path) if spec.path and not taking else "standard input"

        async def work(progress: Progress) -> str:
            try:
                async with self._parts.store.lease() as lease:
                    loaded = await load_archive(
                        self._parts.store,
                        source,
                        name=name,
                        lease=lease,
                        platform=platform,
                        report=progress.report,
                    )
            finally:
                if taking:
                    taking.over()
            for image in loaded:
                for warning in image.warnings:
                    progress.warn(warning)
            return "\n".join(dict.fromkeys(image.digest for image in loaded))

        key = f"load|{spec.path}|{spec.platform}" if not taking else f"load|{next(_streams)}"
        job = self._parts.jobs.start("load", name, key, work)
        return await self._taken(job, taking)

    async def import_image(
        self, spec: ImportSpec, content: AsyncIterator[bytes] | None = None
    ) -> Job:
        self._may_change(spec.reference or spec.source or "standard input")
        taking = Taking(content) if content is not None else None
        about = About(
            references=(str(parse_tagged(spec.reference)),) if spec.reference else (),
            comment=clean(spec.message),
            changes=spec.changes,
            platform=parse_platform(spec.platform) if spec.platform else None,
        )
        apply_changes({}, spec.changes)
        if spec.checksum:
            parse_checksum(spec.checksum)
        if not taking and "://" not in spec.source:
            _absolute(spec.source)

        async def work(progress: Progress) -> str:
            try:
                async with self._parts.store.lease() as lease:
                    made = await import_tarball(
                        self._parts.store,
                        taking.pieces() if taking else spec.source,
                        lease=lease,
                        checksum=spec.checksum,
                        plain_http=spec.plain_http,
                        about=about,
                        pinned=True,
                        report=progress.report,
                    )
            finally:
                if taking:
                    taking.over()
            for warning in made.warnings:
                progress.warn(warning)
            return made.digest

        key = f"import|{next(_streams)}" if taking else f"import|{spec!r}"
        title = spec.reference or (file_name(spec.source) if spec.source else "standard input")
        return await self._taken(self._parts.jobs.start("import", title, key, work), taking)

    async def _taken(self, job: Job, taking: Taking | None) -> Job:
        """The job, once it needs no more of what came with the call."""
        if taking is None:
            return job
        try:
            await taking.taken()
        except BaseException:
            await self._parts.jobs.cancel(job.id)
            raise
        return self._parts.jobs.get(job.id)

    async def save(self, spec: SaveSpec) -> Job:
        self._may_change(spec.path)
        path = Path(_absolute(spec.path))
        sources_of(self._parts.store, spec.names)

        async def work(progress: Progress) -> str:
            async with self._parts.store.lease() as lease:
                saving = await prepare(
                    self._parts.store,
                    spec.names,
                    lease=lease,
                    format_=spec.format,
                    compression=spec.compression,
                )
                write = save_folder if spec.format.endswith("-dir") else save_file
                await write(saving, path, report=progress.report)
            return str(path)

        key = "|".join(("save", spec.path, spec.format, spec.compression, *spec.names))
        return self._parts.jobs.start("save", file_name(spec.path), key, work)

    @asynccontextmanager
    async def archive(self, spec: SaveSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        if spec.format.endswith("-dir"):
            raise InvalidInput(spec.format, "a folder is no stream", hint="name one to write to")
        async with self._parts.store.lease() as lease:
            saving = await prepare(
                self._parts.store,
                spec.names,
                lease=lease,
                format_=spec.format,
                compression=spec.compression,
            )
            async with aclosing(save_stream(self._parts.store, saving)) as pieces:
                yield pieces


def parse_tagged(text: str) -> Reference:
    """A reference to give to an image. Raises: InvalidInput, if it has a digest."""
    reference = parse_reference(text)
    if reference.digest:
        raise InvalidInput(clean(text, 200), "names a digest", hint="write name:tag")
    return reference


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise InvalidInput(path or "path", "not an absolute path", hint="begin it with /")
    return path
