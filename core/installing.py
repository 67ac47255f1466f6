"""Jobs that bring something in: pull a distro or an image, refresh the catalog."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.domain import Platform
from core.errors import (
    Conflict,
    DeckError,
    InvalidInput,
    LoginNeeded,
    NotFound,
    Unreachable,
    Unsupported,
)
from core.events import CatalogChanged, DistroChanged
from core.images.find import find_image
from core.images.listing import list_tags
from core.images.progress import Several
from core.images.pull import Pulled, pull_image
from core.images.reference import parse_platform
from core.images.tarball import import_tarball
from core.sources import Source, find_source

if TYPE_CHECKING:
    from core.bus import Bus
    from core.catalog.store import CatalogStore
    from core.config import Settings
    from core.describe import Describer
    from core.domain import Catalog, Job, PullSpec
    from core.images.access import Access
    from core.images.reference import Reference
    from core.jobs import JobBook, Progress
    from core.store.lease import Lease
    from core.store.records import DistroRecord
    from core.store.store import Store


class Installer:
    """Starts the jobs; each installs all of a distro or nothing."""

    def __init__(
        self,
        store: Store,
        jobs: JobBook,
        catalog: CatalogStore,
        describer: Describer,
        bus: Bus,
        access: Access,
        settings: Settings,
        *,
        warnings: tuple[str, ...] = (),
    ) -> None:
        """``warnings``: what every distro on this host has to live with, in plain words."""
        self._store = store
        self._jobs = jobs
        self._catalog = catalog
        self._describer = describer
        self._bus = bus
        self._access = access
        self._settings = settings
        self.warnings = warnings
        self._pulls: dict[str, tuple[str, str]] = {}

    def refresh(self) -> Job:
        """Read the catalog's sources again."""

        async def work(_progress: Progress) -> str:
            await self._catalog.refresh(self._tell_catalog)
            return ""

        return self._jobs.start("refresh", "catalog", "refresh", work)

    def _tell_catalog(self, catalog: Catalog) -> None:
        self._bus.publish(CatalogChanged(catalog=catalog))

    def refresh_if_stale(self) -> None:
        """Read the catalog's sources in the background if that is due."""
        if self._catalog.stale():
            self.refresh()

    async def pull(self, spec: PullSpec) -> Job:
        """Start a pull, or join the one that does the same.

        Raises:
            InvalidInput, NotFound: nothing to pull under that name.
            Conflict: the name belongs to a distro, or a running pull, of another source.
        """
        platform = parse_platform(spec.platform) if spec.platform else None
        source = await self._find(spec)
        if spec.image_only and source.kind == "host":
            raise InvalidInput(source.url, "this machine is no image", hint="pull it as a distro")
        if spec.all_tags and not source.reference:
            raise InvalidInput(source.url, "has no tags", hint="name a repository of a registry")
        name = "" if spec.image_only or spec.all_tags else source.name
        key = "|".join((name, source.url, spec.platform, source.checksum, "*" * spec.all_tags))
        if name:
            self._check_free(source, platform, key)

        async def work(progress: Progress) -> str:
            if source.reference and spec.all_tags:
                return await self._fetch_tags(source.reference, spec, platform, progress)
            if spec.image_only:
                return await self._fetch_image(source, spec, platform, progress)
            if self._installed(source.name):
                return source.name
            return await self._install(source, spec, platform, progress)

        job = self._jobs.start("pull", name or source.url, key, work)
        if name:
            self._pulls[name] = job.id, key
        return job

    async def fetch(
        self, spec: PullSpec, progress: Progress, lease: Lease, *, pinned: bool = False
    ) -> tuple[Source, Pulled]:
        """The image that ``spec`` names, brought into the store; it stays for ``lease``.

        Raises:
            InvalidInput: *this host*, which is no image.
            DeckError: as a pull.
        """
        platform = parse_platform(spec.platform) if spec.platform else None
        source = await self._find(spec)
        if source.kind == "host":
            raise InvalidInput(source.url, "this machine is no image")
        return source, await self._fetch(source, spec, platform, progress, lease, pinned=pinned)

    async def _find(self, spec: PullSpec) -> Source:
        """The source; a name that a source not read yet may have is worth waiting for."""
        try:
            return find_source(spec, self._catalog.find)
        except NotFound:
            if not self._catalog.stale():
                raise
        with suppress(DeckError):  # what broke is told in the catalog, the name below
            await self._jobs.result(self.refresh().id)
        return find_source(spec, self._catalog.find)

    def _installed(self, name: str) -> DistroRecord | None:
        try:
            return self._store.distro(name)
        except NotFound:
            return None

    def _check_free(self, source: Source, platform: Platform | None, key: str) -> None:
        """Whether the name is free, or taken by just this. Raises: Conflict."""
        hint = "choose another name with --name, or remove that one first"
        if there := self._installed(source.name):
            if there.url != source.url:
                raise Conflict(source.name, f"is installed from {there.url}", hint=hint)
            if platform and not _same(platform, there.platform):
                raise Conflict(source.name, f"is installed for {there.platform}", hint=hint)
        job, its_key = self._pulls.get(source.name, ("", key))
        if its_key != key and self._jobs.running(job):
            raise Conflict(source.name, "is being pulled from another source", hint=hint)

    async def _fetch_image(
        self, source: Source, spec: PullSpec, platform: Platform | None, progress: Progress
    ) -> str:
        async with self._store.lease() as lease:
            pulled = await self._fetch(source, spec, platform, progress, lease, pinned=True)
            for warning in pulled.warnings:
                progress.warn(warning)
            return pulled.digest

    async def _fetch_tags(
        self, repository: Reference, spec: PullSpec, platform: Platform | None, progress: Progress
    ) -> str:
        """Pull every tag; one that is no image for us is told and left out."""
        registry = await self._access.registry(repository, spec)
        async with registry:
            tags = await list_tags(registry, repository)
        report, found = Several(progress.report), 0
        last: DeckError = NotFound(repository.name, "has no tags")
        for tag in tags:
            reference = replace(repository, tag=tag, digest="")
            async with self._store.lease() as lease:
                try:
                    pulled = await pull_image(
                        self._store,
                        reference,
                        lease=lease,
                        platform=platform,
                        origin=await self._access.origin(reference, spec),
                        pinned=True,
                        at_once=self._settings.pull.parallel_layers,
                        report=report,
                    )
                except (NotFound, Unsupported) as error:
                    progress.warn(error.message)
                    last = error
                else:
                    found += 1
                    progress.served_by(pulled.served_by)
        if not found:
            raise last
        return repository.name

    async def _install(
        self, source: Source, spec: PullSpec, platform: Platform | None, progress: Progress
    ) -> str:
        async with self._store.lease() as lease:
            warnings = self.warnings
            pulled: Pulled | None = None
            if source.kind != "host":
                pulled = await self._fetch(source, spec, platform, progress, lease, pinned=False)
                warnings += pulled.warnings
            for warning in warnings:
                progress.warn(warning)
            try:
                await self._store.create_distro(
                    source.name,
                    pulled.digest if pulled else None,
                    url=source.url,
                    version=source.version or (pulled.version if pulled else ""),
                    repo_digest=pulled.repo_digest if pulled else "",
                    platform=pulled.platform if pulled else None,
                    warnings=warnings,
                )
            finally:
                # Cancelled in its last step, a pull is made all the same.
                if self._installed(source.name):
                    distro = self._describer.distro(source.name)
                    self._bus.publish(DistroChanged(distro=distro))
        return source.name

    async def _present(
        self, reference: Reference, platform: Platform | None, lease: Lease
    ) -> Pulled | None:
        """The image of that reference and platform if the store has it; it stays for ``lease``."""
        try:
            named = find_image(self._store, str(reference))
            suits = [
                one
                for one in (named, *self._store.siblings(named.digest))
                if platform is None or _same(platform, one.platform)
            ]
            if not suits:
                return None
            await self._store.intake.hold(lease, [suits[0].digest])
            image = self._store.image(suits[0].digest)
        except NotFound:
            return None
        if image.broken:
            return None
        return Pulled(
            digest=image.digest,
            repo_digest=next(iter(image.repo_digests), ""),
            platform=image.platform,
            version=reference.tag,
        )

    async def _fetch(
        self,
        source: Source,
        spec: PullSpec,
        platform: Platform | None,
        progress: Progress,
        lease: Lease,
        *,
        pinned: bool,
    ) -> Pulled:
        if spec.policy != "always" and source.reference:
            if there := await self._present(source.reference, platform, lease):
                return there
            if spec.policy == "never":
                raise NotFound(
                    source.url,
                    "is not in the store, and no registry may be asked",
                    hint="pull it with another policy: --policy missing",
                )
        if source.reference:
            try:
                pulled = await pull_image(
                    self._store,
                    source.reference,
                    lease=lease,
                    platform=platform,
                    origin=await self._access.origin(source.reference, spec),
                    pinned=pinned,
                    at_once=self._settings.pull.parallel_layers,
                    report=progress.report,
                )
            except (LoginNeeded, NotFound, Unreachable) as error:
                if source.guessed:
                    error.hint = (
                        f"no catalog has {source.url} (distrodeck ls --available), so"
                        f" {source.reference.registry} was asked; {error.hint}"
                    )
                raise
            progress.served_by(pulled.served_by)
            return pulled
        return await import_tarball(
            self._store,
            source.url,
            lease=lease,
            checksum=source.checksum,
            plain_http=spec.plain_http,
            pinned=pinned,
            report=progress.report,
        )


def _same(asked: Platform, there: Platform) -> bool:
    """Whether what is there may stand for what is asked, which need not name a variant."""
    return asked == (there if asked.variant else replace(there, variant=""))
