"""How to reach each registry: mirrors, certificates, plain HTTP and credentials together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.errors import InvalidInput
from core.images.origin import Origin
from core.images.reference import HUB, HUB_API, parse_reference
from core.images.registry import Registry
from core.images.transport import Patience
from core.images.trust import Trust

if TYPE_CHECKING:
    from core.config import Settings
    from core.domain import Credentials
    from core.images.keyring import Keyring
    from core.images.reference import Reference


class Asked(Protocol):
    """What a spec says about access; see :class:`core.domain.PullSpec`."""

    @property
    def credentials(self) -> Credentials | None:
        """Used as they are."""
        ...

    @property
    def login(self) -> str:
        """Name of one of the engine's own logins."""
        ...

    @property
    def auth_file(self) -> str:
        """The file to look into."""
        ...

    @property
    def plain_http(self) -> bool:
        """Whether plain HTTP is allowed."""
        ...


class Access:
    """Makes clients of registries."""

    def __init__(
        self, settings: Settings, keyring: Keyring, *, patience: Patience | None = None
    ) -> None:
        self.keyring = keyring
        self._settings = settings
        self._patience = patience
        self._trust = Trust(
            {
                HUB_API if one.host == HUB else one.host: Path(one.ca)
                for one in settings.registries
                if one.ca
            }
        )

    async def registry(
        self, reference: Reference, asked: Asked, *, hurried: bool = False
    ) -> Registry:
        """The registry itself, to be entered; ``hurried``: it is not waited for long.

        Raises:
            NotFound, Refused: the login that is asked for is not there, or for another registry.
            InvalidInput: a credentials file cannot be understood, or both ways are asked for.
            DeckError: a credential helper went wrong.
        """
        return self.client(
            reference.registry,
            api_host=reference.api_host,
            credentials=await self.credentials(reference.registry, reference.repository, asked),
            plain_http=asked.plain_http,
            patience=_hurried(self._patience or Patience()) if hurried else None,
        )

    async def origin(self, reference: Reference, asked: Asked, *, hurried: bool = False) -> Origin:
        """Mirrors and registry to pull from, to be entered. Raises: as :meth:`registry`.

        Credentials that were given are for the registry; a mirror's own come from the files.
        """
        places = []
        for mirror in self._settings.registry(reference.registry).mirrors:
            repository = "/".join(filter(None, (mirror.prefix, reference.repository)))
            places.append(
                self.client(
                    mirror.host,
                    prefix=mirror.prefix,
                    credentials=await self.keyring.find(
                        mirror.host, repository, auth_file=asked.auth_file
                    ),
                    plain_http=mirror.plain_http,
                    patience=_hurried(self._patience or Patience()),
                )
            )
        places.append(await self.registry(reference, asked, hurried=hurried))
        return Origin(places)

    def client(
        self,
        host: str,
        *,
        api_host: str = "",
        prefix: str = "",
        credentials: Credentials | None = None,
        plain_http: bool = False,
        patience: Patience | None = None,
    ) -> Registry:
        """A client of just this host."""
        return Registry(
            api_host or host,
            prefix=prefix,
            credentials=credentials,
            plain_http=plain_http or self._settings.allows_plain_http(host),
            trust=self._trust,
            patience=patience or self._patience,
        )

    async def credentials(self, registry: str, repository: str, asked: Asked) -> Credentials | None:
        """Who to be. Raises: as :meth:`registry`."""
        if asked.credentials and asked.login:
            raise InvalidInput("credentials", "given, and a login named too", hint="choose one")
        if asked.credentials:
            return asked.credentials
        if asked.login:
            return await self.keyring.named(asked.login, registry, repository)
        return await self.keyring.find(registry, repository, auth_file=asked.auth_file)


def _hurried(patience: Patience) -> Patience:
    """A mirror that does not answer is not worth what the registry itself is."""
    return replace(
        patience,
        attempts=min(patience.attempts, 2),
        connect=min(patience.connect, 5.0),
        silence=min(patience.silence, 15.0),
    )


def parse_registry(text: str) -> tuple[str, str]:
    """Host and repository (or nothing) of ``host[:port][/repository]``, with ``https://`` or not.

    Raises:
        InvalidInput: it is neither.
    """
    rest = text.removeprefix("https://").removeprefix("http://").rstrip("/")
    host, _, repository = rest.partition("/")
    if host in ("index.docker.io", HUB_API):
        host = HUB
    try:
        # any repository will do to have the host looked at; a bare word needs to look like one
        reference = parse_reference(f"{host}:443/x" if ":" not in host else f"{host}/x")
        if repository:
            parse_reference(f"{reference.registry}/{repository}")
    except InvalidInput as error:
        raise InvalidInput(error.what, "no registry", hint="write host:port") from None
    return host, repository
