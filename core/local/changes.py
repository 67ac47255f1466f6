"""The verbs of a distro's changes: commit, create, clone, rename, snapshots, upgrade, export."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.domain import PullSpec
from core.errors import Conflict, InvalidInput, NotFound, Refused, Unsupported
from core.events import DistroChanged, DistroRemoved
from core.images.commit import check_commit, commit_distro
from core.images.export import check_export, export_file, export_stream
from core.images.find import find_image
from core.images.reference import parse_reference
from core.local.parts import Bound
from core.sources import check_name
from core.store.snapshots import Label

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Distro, Image, Job
    from core.jobs import Progress
    from core.store.lease import Lease
    from core.store.records import DistroRecord
    from core.verbs.changes import (
        CommitSpec,
        CreateSpec,
        ExportSpec,
        RollbackSpec,
        Snapshot,
        SnapshotSpec,
        UpgradeSpec,
    )


class ChangeVerbs(Bound):
    """See :class:`core.verbs.changes.Changes`."""

    async def commit(self, spec: CommitSpec) -> Job:
        self._may_change(spec.distro)
        record = self._record(spec.distro)
        check_commit(record, spec)

        async def work(progress: Progress) -> str:
            async with self._parts.store.lease() as lease:
                made, warnings = await commit_distro(
                    self._parts.store,
                    self._again(record),
                    spec,
                    lease=lease,
                    still=self._parts.roster.still(record, pause=spec.pause),
                    enter=lambda phase: progress.report(phase, ()),
                )
            for warning in warnings:
                progress.warn(warning)
            return made.digest

        return self._parts.jobs.start("commit", record.name, f"commit|{record.id}|{spec}", work)

    async def create(self, spec: CreateSpec) -> Job:
        self._may_change(spec.name)
        name = self._free_name(spec.name)

        async def work(progress: Progress) -> str:
            async with self._parts.store.lease() as lease:
                image, url, version = await self._image_for(spec, progress, lease)
                try:
                    await self._parts.store.create_distro(
                        name,
                        image.digest,
                        url=url,
                        version=version,
                        warnings=self._parts.installer.warnings,
                    )
                finally:
                    self._tell(name)
            return name

        return self._parts.jobs.start("create", name, f"create|{name}|{spec}", work)

    async def _image_for(
        self, spec: CreateSpec, progress: Progress, lease: Lease
    ) -> tuple[Image, str, str]:
        """The image, where it can be pulled from, and its version as its reference says."""
        store = self._parts.store
        try:
            if spec.pull != "always" and not spec.platform:
                image = find_image(store, spec.image)
                await store.intake.hold(lease, [image.digest])
                return store.image(image.digest), *_called(image, spec.image)
        except NotFound:
            if spec.pull == "never":
                raise
        source, pulled = await self._parts.installer.fetch(
            PullSpec(
                source=spec.image,
                platform=spec.platform,
                plain_http=spec.plain_http,
                policy=spec.pull,
            ),
            progress,
            lease,
        )
        return store.image(pulled.digest), source.url, pulled.version

    async def clone(self, name: str, new: str, *, pause: bool = True) -> Job:
        self._may_change(name)
        record = self._record(name)
        new = self._free_name(new)

        async def work(progress: Progress) -> str:
            store = self._parts.store
            async with store.lease() as lease, AsyncExitStack() as still:
                source = self._again(record)
                await store.intake.hold(lease, [source.image_digest])
                progress.report("copy", ())
                await still.enter_async_context(self._parts.roster.still(record, pause=pause))
                async with store.copied(source.upper) as stage:
                    await still.aclose()
                    progress.report("commit", ())
                    try:
                        await store.clone_distro(source, new, stage)
                    finally:
                        self._tell(new)
            return new

        return self._parts.jobs.start("clone", new, f"clone|{record.id}|{new}", work)

    async def rename(self, name: str, new: str) -> Distro:
        self._may_change(name)
        record = self._record(name)
        if record.name != (new := check_name(new)):
            self._free_name(new)
            await self._parts.tasks.see_through(self._parts.roster.rename(record, new))
            self._parts.bus.publish(DistroRemoved(name=record.name))
            self._tell(new)
        return self._parts.describer.distro(new)

    # -- snapshots ------------------------------------------------------------------------

    async def snapshot(self, spec: SnapshotSpec) -> Job:
        self._may_change(spec.distro)
        record = self._record(spec.distro)
        label = Label(name=check_name(spec.name) if spec.name else "", comment=spec.comment)
        if label.name and any(
            one.name == label.name for one in self._parts.store.snapshots(record)
        ):
            hint = "choose another name, or remove that one first"
            raise Conflict(
                f"{record.name}: {label.name}", "there is a snapshot of that name", hint=hint
            )

        async def work(progress: Progress) -> str:
            store = self._parts.store
            source = self._again(record)
            progress.report("copy", ())
            async with AsyncExitStack() as still:
                await still.enter_async_context(self._parts.roster.still(record, pause=spec.pause))
                async with store.copied(source.upper) as stage:
                    await still.aclose()
                    progress.report("commit", ())
                    return await store.add_snapshot(source, stage, label)

        return self._parts.jobs.start("snapshot", record.name, f"snapshot|{record.id}|{spec}", work)

    async def snapshots(self, name: str = "") -> list[Snapshot]:
        return self._parts.store.snapshots(self._record(name) if name else None)

    async def rollback(self, spec: RollbackSpec) -> Job:
        self._may_change(spec.distro)
        record = self._record(spec.distro)
        found, _, _ = self._parts.store.find_snapshot(record, spec.snapshot)

        async def work(progress: Progress) -> str:
            store = self._parts.store
            async with self._parts.roster.stopped(self._again(record), force=spec.force):
                source = self._again(record)
                _, base, tree = store.find_snapshot(source, found.id)
                keep = Label(name="", comment=f"before going back to {found.name}")
                progress.report("copy", ())
                async with store.copied(tree) as stage:
                    progress.report("commit", ())
                    kept = await store.change_tree(
                        source, stage, base=base, keep=None if spec.discard else keep
                    )
            self._tell(source.name)
            return kept

        return self._parts.jobs.start(
            "rollback", record.name, f"rollback|{record.id}|{found.id}|{spec.discard}", work
        )

    async def remove_snapshot(self, name: str, snapshot: str) -> None:
        self._may_change(name)
        await self._parts.store.remove_snapshot(self._record(name), snapshot)

    # -- upgrades -------------------------------------------------------------------------

    async def upgrade(self, spec: UpgradeSpec) -> Job:
        self._may_change(spec.distro)
        record = self._record(spec.distro)
        if not record.image_digest:
            raise Refused(record.name, "this machine is upgraded by its own means")

        async def work(progress: Progress) -> str:
            return await self._upgrade(self._again(record), spec, progress)

        return self._parts.jobs.start(
            "upgrade", record.name, f"upgrade|{record.id}|{spec.reset}", work
        )

    async def _upgrade(self, record: DistroRecord, spec: UpgradeSpec, progress: Progress) -> str:
        store = self._parts.store
        async with store.lease() as lease:
            _, pulled = await self._parts.installer.fetch(
                PullSpec(
                    source=record.url, platform=str(record.platform), plain_http=spec.plain_http
                ),
                progress,
                lease,
            )
            newest = pulled.repo_digest.rpartition("@")[2]
            if pulled.digest == record.image_digest:
                await store.note_newest(record, newest)
                self._tell(record.name)
                return record.name
            progress.report("copy", ())
            base = await store.base(
                pulled.digest, repo_digest=pulled.repo_digest, version=pulled.version
            )
            keep = Label(name="", comment=f"before the upgrade from {record.version}".rstrip())
            async with self._parts.roster.stopped(record, force=spec.force):
                source = self._again(record)
                tree = None if spec.reset else source.upper
                async with store.copied(tree, image=pulled.digest) as stage:
                    progress.report("commit", ())
                    kept = await store.change_tree(source, stage, base=base, keep=keep)
            await store.note_newest(record, newest)
        progress.warn(f"how it was is kept: distrodeck rollback {source.name} {kept}")
        self._tell(source.name)
        return source.name

    async def check(self, name: str = "") -> Job:
        self._may_change(name or "distros")
        wanted = [self._record(name)] if name else self._parts.store.distros()

        async def work(progress: Progress) -> str:
            progress.report("resolve", ())
            await self._parts.freshness.check(wanted, progress.warn)
            return ""

        return self._parts.jobs.start("check", name or "all distros", f"check|{name}", work)

    # -- export ---------------------------------------------------------------------------

    async def export(self, spec: ExportSpec) -> Job:
        self._may_change(spec.distro)
        record = self._record(spec.distro)
        check_export(record)

        async def work(progress: Progress) -> str:
            progress.report("pack", ())
            async with (
                self._parts.store.lease() as lease,
                self._to_pack(record, pause=spec.pause) as source,
            ):
                packed = await export_file(
                    self._parts.store, source, lease, spec.path, spec.compression
                )
            for warning in packed.warnings:
                progress.warn(warning)
            return spec.path

        return self._parts.jobs.start("export", record.name, f"export|{record.id}|{spec}", work)

    @asynccontextmanager
    async def export_stream(self, spec: ExportSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        self._may_change(spec.distro)
        record = self._record(spec.distro)
        check_export(record)
        async with (
            self._parts.store.lease() as lease,
            self._to_pack(record, pause=spec.pause, copy=True) as source,
            export_stream(self._parts.store, source, lease, spec.compression) as pieces,
        ):
            yield pieces

    @asynccontextmanager
    async def _to_pack(
        self, record: DistroRecord, *, pause: bool, copy: bool = False
    ) -> AsyncIterator[DistroRecord]:
        """A distro whose changes stay as they are for the block, which may last.

        They are copied where something runs, which goes on after that, and for whoever reads at
        his own pace (``copy``): nobody waits for him.
        """
        store = self._parts.store
        async with AsyncExitStack() as stack:
            async with AsyncExitStack() as still:
                stopped = await still.enter_async_context(
                    self._parts.roster.still(record, pause=pause)
                )
                source = self._again(record)
                if pause and (copy or not stopped):
                    stage = await stack.enter_async_context(store.copied(source.upper))
                    source = replace(source, upper=stage / "fs")
                else:
                    await stack.enter_async_context(still.pop_all())
            yield source

    # -- shared ---------------------------------------------------------------------------

    def _again(self, record: DistroRecord) -> DistroRecord:
        """A distro as it is on file now; its name may be another. Raises: NotFound."""
        for found in self._parts.store.distros():
            if found.id == record.id:
                return found
        raise NotFound(record.name, "was removed meanwhile")

    def _free_name(self, name: str) -> str:
        """A name that no distro has. Raises: InvalidInput, Conflict."""
        name = check_name(name)
        if any(record.name == name for record in self._parts.store.distros()):
            raise Conflict(name, "the name is taken", hint="choose another")
        return name

    def _tell(self, name: str) -> None:
        """Publish a distro, if it is there."""
        try:
            distro = self._parts.describer.distro(name)
        except NotFound:
            return
        self._parts.bus.publish(DistroChanged(distro=distro))


def _called(image: Image, name: str) -> tuple[str, str]:
    """Where an image can be pulled from, and its version, by the name it was asked for."""
    if not image.references:
        return image.digest, ""
    url = image.references[0]
    with suppress(InvalidInput, Unsupported):
        if (asked := str(parse_reference(name))) in image.references:
            url = asked
    return url, url.rpartition(":")[2]
