"""Builds as jobs: what each needs is brought together, what it says is kept for a while."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.builds.builder import Build, Means
from core.builds.cache import StepCache
from core.builds.context import check_folder, open_context, unpack_content
from core.builds.output import Output
from core.builds.remote import download, fetch_context, is_remote
from core.domain import PullSpec
from core.errors import InvalidInput, NotFound
from core.images.download import file_name
from core.images.platform import host_platform
from core.images.pull import pull_image
from core.images.reference import parse_platform, parse_reference
from core.images.transport import Transport
from core.text import clean
from core.verbs.builds import BuildLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.domain import Job, Platform
    from core.images.access import Access
    from core.images.reference import Reference
    from core.jobs import JobBook, Progress
    from core.runtimes.idmap import IdMap
    from core.store.lease import Lease
    from core.store.store import Store
    from core.verbs.builds import BuildSpec, RegistryLogin

KEPT_OUTPUTS = 20
"""Builds whose output can still be read; older ones' is forgotten."""


@dataclass(slots=True)
class _Reporter:
    output: Output
    progress: Progress

    def say(self, line: BuildLine) -> None:
        self.output.say(line)

    def at(self, step: int, steps: int, doing: str) -> None:
        self.progress.at(step, steps, doing)

    def warn(self, text: str) -> None:
        self.progress.warn(text)
        self.output.say(BuildLine(kind="note", text=f"warning: {text}"))


class Workshop:
    """Starts builds."""

    def __init__(
        self, store: Store, jobs: JobBook, access: Access, idmap: IdMap, folder: Path
    ) -> None:
        """``folder``: where the cache of steps and the builds' output are kept."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._store = store
        self._jobs = jobs
        self._access = access
        self._idmap = idmap
        self._folder = folder
        self._cache = StepCache(folder / "steps.sqlite")
        self._outputs: dict[str, Output] = {}

    async def start(self, spec: BuildSpec, content: AsyncIterator[bytes] | None) -> Job:
        """Start a build; content is taken in before this returns.

        Raises:
            InvalidInput: malformed tag or platform, or context and content at once.
        """
        for tag in spec.tags:
            if parse_reference(tag).digest:
                raise InvalidInput(tag, "a digest cannot be given as a name", hint="NAME[:TAG]")
        platform = parse_platform(spec.platform) if spec.platform else host_platform()
        if content is not None and spec.context:
            raise InvalidInput(spec.context, "a context, and content as well", hint="choose one")
        place, sent = await self._take_in(content)
        output = Output(self._folder)

        async def work(progress: Progress) -> str:
            try:
                async with self._store.lease() as lease:
                    reporter = _Reporter(output, progress)
                    return await self._build(spec, platform, place, sent, lease, reporter)
            finally:
                output.end()
                self._store.layout.discard(place)

        title = (*spec.tags, file_name(spec.context) if spec.context else "build")[0]
        job = self._jobs.start("build", clean(title, 200), secrets.token_hex(8), work)
        self._outputs[job.id] = output
        for old in list(self._outputs)[:-KEPT_OUTPUTS]:
            if not self._jobs.running(old):
                self._outputs.pop(old).close()
        return job

    async def _take_in(self, content: AsyncIterator[bytes] | None) -> tuple[Path, bytes]:
        """A folder for the build with the context in it; or the Dockerfile that came instead."""
        async with self._store.lease():  # without one the folder would be taken for nobody's
            place = self._store.intake.new_stage()
            if content is None:
                return place, b""
            try:
                context, limits = place / "context", self._store.limits
                return place, await unpack_content(content, context, limits=limits)
            except BaseException:
                self._store.layout.discard(place)
                raise

    def output(self, job: str) -> Output:
        """What a build says. Raises: NotFound."""
        try:
            return self._outputs[job]
        except KeyError:
            self._jobs.get(job)
            hint = "only the last builds' output is kept"
            raise NotFound(job, "has no output", hint=hint) from None

    def close(self) -> None:
        """Forget all output."""
        for output in self._outputs.values():
            output.close()

    async def _build(
        self,
        spec: BuildSpec,
        platform: Platform,
        place: Path,
        sent: bytes,
        lease: Lease,
        reporter: _Reporter,
    ) -> str:
        root = place / "context"
        if is_remote(spec.context):
            root, sent = await fetch_context(
                spec.context, place, plain_http=spec.plain_http, limits=self._store.limits
            )
        elif spec.context:
            root = Path(spec.context)
            await asyncio.to_thread(check_folder, root)
        if sent or not spec.context:
            with suppress(FileExistsError):
                await asyncio.to_thread(root.mkdir)
        context = await asyncio.to_thread(open_context, root, spec, sent)

        async def get(url: str, path: Path) -> str:
            async with Transport(plain_http=spec.plain_http) as transport:
                return await download(url, path, transport)

        means = Means(
            store=self._store,
            lease=lease,
            idmap=self._idmap,
            cache=self._cache,
            caches=self._store.layout.build_caches,
            platform=platform,
            host=host_platform(),
            fetch=self._fetch(spec, lease, reporter),
            download=get,
            report=reporter,
        )
        return await Build(spec, context, means).run()

    def _fetch(
        self, spec: BuildSpec, lease: Lease, reporter: _Reporter
    ) -> Callable[[Reference, Platform | None], Awaitable[str]]:
        """What brings a base image in and gives its digest."""

        async def fetch(reference: Reference, wanted: Platform | None) -> str:
            login = _login(spec, reference)
            asked = PullSpec(
                credentials=login.credentials if login else None,
                login=login.login if login else "",
                auth_file=spec.auth_file,
                plain_http=spec.plain_http,
            )
            pulled = await pull_image(
                self._store,
                reference,
                lease=lease,
                platform=wanted,
                origin=await self._access.origin(reference, asked),
                pinned=True,
                report=reporter.progress.report,
            )
            return pulled.digest

        return fetch


def _login(spec: BuildSpec, reference: Reference) -> RegistryLogin | None:
    hosts = (reference.registry, reference.api_host)
    return next((login for login in spec.logins if login.host in hosts), None)
