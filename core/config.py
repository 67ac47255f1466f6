"""Read ``config.toml`` into frozen settings.

TOML 1.0. Every key has a default, so there need not be a file; a key that does not exist is an
error and not a silent nothing.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from core.errors import InvalidInput
from core.limits import Limits
from core.urls import check_url, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Check = Callable[[object], Any]
    Location = tuple[str, ...]

_HOST = re.compile(
    r"(?=.{1,255}$)(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?"
)
_MIRROR = re.compile(
    r"(?P<scheme>https?://)?(?P<host>[^/\s]+)(?P<prefix>/[a-z0-9._/-]*)?", re.ASCII
)

FILE = "config.toml"
FILE_LIMIT = 1 << 20

SourceKind = Literal["simplestreams", "registry", "wsl", "tarballs"]
SOURCE_KINDS: tuple[SourceKind, ...] = ("simplestreams", "registry", "wsl", "tarballs")
BUILTIN = "builtin"
"""Name of the catalog source that needs no setting; no other source may have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSettings:
    """``[pull]``."""

    parallel_layers: int = 3
    """Layers of one image that are fetched at a time."""
    parallel_jobs: int = 3
    """Pulls that run at a time; more wait."""
    check: bool = True
    """Whether the sources of installed distros are asked now and then for something newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorSettings:
    """One of ``mirrors``."""

    host: str
    prefix: str = ""
    """What stands before the repository's name there."""
    plain_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """``[registry."HOST"]``; says nothing about who logs in."""

    host: str
    mirrors: tuple[MirrorSettings, ...] = ()
    """Asked in this order, then the registry itself."""
    ca: str = ""
    """Absolute path of a file with certificate authorities, in PEM form."""
    plain_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """``[catalog.sources.NAME]``."""

    name: str
    kind: SourceKind
    url: str
    """``http(s)://…``; for ``tarballs`` also the absolute path of a folder."""
    enabled: bool = True
    plain_http: bool = False
    """Allow plain HTTP to a host that is not a loopback address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSettings:
    """``[catalog]``."""

    builtin: bool = True
    """Offer the list of well-known distros."""
    this_host: bool = True
    """Offer this machine's own root."""
    sources: tuple[SourceSettings, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSettings:
    """``[daemon]``."""

    idle_seconds: float = 300.0
    """How long an engine daemon stays without clients, jobs and sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of ``config.toml``."""

    pull: PullSettings = field(default_factory=PullSettings)
    catalog: CatalogSettings = field(default_factory=CatalogSettings)
    registries: tuple[RegistrySettings, ...] = ()
    daemon: DaemonSettings = field(default_factory=DaemonSettings)
    limits: Limits = field(default_factory=Limits)

    def registry(self, host: str) -> RegistrySettings:
        """What is set for a registry ``host[:port]``."""
        found = (one for one in self.registries if one.host == host)
        return next(found, RegistrySettings(host=host))

    def allows_plain_http(self, host: str) -> bool:
        """Whether a registry ``host[:port]`` may be spoken to without TLS."""
        return (
            is_loopback(urlsplit(f"//{host}").hostname or "")
            or self.registry(host).plain_http
            or any(
                source.plain_http and urlsplit(source.url).netloc == host
                for source in self.catalog.sources
            )
        )


_REPAIR = "correct it, or move the file away to have the defaults"


def read_settings(folder: Path) -> Settings:
    """The settings in ``folder``; the defaults if it has no file.

    Raises:
        InvalidInput: names file and line, and the nearest key that exists.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise InvalidInput(str(path), error.strerror or str(error), hint=_REPAIR) from None
    if len(data) > FILE_LIMIT:
        raise InvalidInput(str(path), f"larger than {FILE_LIMIT >> 20} MiB", hint=_REPAIR)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path}:{line}", "not UTF-8", hint=_REPAIR) from None
    return parse_settings(text, str(path))


def parse_settings(text: str, name: str = FILE) -> Settings:
    """The settings in ``text``; ``name`` is what errors call it. Raises: InvalidInput."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        why, _, place = str(error).partition(" (at ")
        match = re.match(r"line (\d+)", place)
        line = int(match[1]) if match else text.count("\n") + 1
        raise InvalidInput(f"{name}:{line}", why[:1].lower() + why[1:], hint=_REPAIR) from None
    reader = _Reader(text, name)
    tables: dict[str, Check] = dict.fromkeys(_TABLES, _table)
    top = reader.table((), document, tables)
    catalog = reader.table(("catalog",), top.get("catalog", {}), _CATALOG)
    sources = catalog.pop("sources", {})
    return Settings(
        pull=PullSettings(**reader.table(("pull",), top.get("pull", {}), _PULL)),
        registries=tuple(
            reader.registry(host, value) for host, value in top.get("registry", {}).items()
        ),
        daemon=DaemonSettings(**reader.table(("daemon",), top.get("daemon", {}), _DAEMON)),
        limits=Limits(**reader.table(("limits",), top.get("limits", {}), _LIMITS)),
        catalog=CatalogSettings(
            **catalog, sources=tuple(reader.source(name, value) for name, value in sources.items())
        ),
    )


class _Reader:
    """Checks tables against what they may hold, and knows the line of each key."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._lines = _key_lines(text)

    def fault(self, where: Location, why: str, hint: str = "") -> InvalidInput:
        """An error at the line of ``where``, or of the nearest table around it."""
        while where and where not in self._lines:
            where = where[:-1]
        place = f"{self._name}:{self._lines.get(where, 1)}"
        return InvalidInput(place, why, hint=hint or _REPAIR)

    def table(self, where: Location, table: dict[str, Any], checks: dict[str, Check]) -> Any:
        """The table's values after their checks; missing keys stay missing."""
        values = {}
        for key, value in table.items():
            if key not in checks:
                near = difflib.get_close_matches(key, checks, 1, 0.5)
                hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(checks)}"
                place = f" in [{'.'.join(where)}]" if where else ""
                raise self.fault((*where, key), f"unknown key {key!r}{place}", hint)
            try:
                values[key] = checks[key](value)
            except ValueError as error:
                raise self.fault((*where, key), f"{key}: {error}") from None
        return values

    def source(self, name: str, value: object) -> SourceSettings:
        """One ``[catalog.sources.NAME]``."""
        where = ("catalog", "sources", name)
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name) or name == BUILTIN:
            why = "is taken" if name == BUILTIN else "use lower case letters, digits, . _ and -"
            raise self.fault(where, f"source name {name!r}: {why}")
        if not isinstance(value, dict):
            raise self.fault(where, f"{name}: not a table")
        values = self.table(where, value, _SOURCE)
        for key in ("kind", "url"):
            if key not in values:
                raise self.fault(where, f"source {name!r} has no {key}")
        plain = values.get("plain_http", False)
        try:
            values["url"] = _source_url(values["kind"], values["url"], plain_http=plain)
        except ValueError as error:
            hint = (
                "set plain_http = true for this source to allow it" if "HTTP" in str(error) else ""
            )
            raise self.fault((*where, "url"), f"url: {error}", hint) from None
        return SourceSettings(name=name, **values)

    def registry(self, host: str, value: object) -> RegistrySettings:
        """One ``[registry."HOST"]``."""
        where = ("registry", host)
        if not isinstance(value, dict):
            raise self.fault(where, f"{host}: not a table")
        if not _HOST.fullmatch(host):
            raise self.fault(where, f"registry {host!r}: not a host and a port")
        if deeper := [key for key, inner in value.items() if isinstance(inner, dict)]:
            hint = f'put the host into quotes: [registry."{host}.{deeper[0]}"]'
            raise self.fault((*where, deeper[0]), f"{host}: {deeper[0]!r} is a table", hint)
        return RegistrySettings(host=host, **self.table(where, value, _REGISTRY))


def _source_url(kind: SourceKind, url: str, *, plain_http: bool) -> str:
    if kind == "tarballs" and url.startswith("/"):
        return url
    if kind == "registry" and "://" not in url:
        host = urlsplit(f"//{url}").hostname or ""
        url = f"{'http' if plain_http or is_loopback(host) else 'https'}://{url}"
    check_url(url, plain_http=plain_http)
    parts = urlsplit(url)
    if kind == "registry" and (parts.path.strip("/") or parts.query or parts.fragment):
        raise ValueError("a registry is a host and a port, without a path")
    return url.rstrip("/") if kind == "registry" else url


def _key_lines(text: str) -> dict[Location, int]:
    """The line of each table header and key; a guess inside multi-line strings, never a fault."""
    found: dict[Location, int] = {}
    table: Location = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*(\[{1,2}[^\[\]]+\]{1,2})", line)
        assigned = re.match(r"""\s*([\w"'. \t-]+?)\s*=""", line)
        if header:
            table = _location(header[1])
            found.setdefault(table, number)
        elif assigned:
            key = (*table, *_location(f"{assigned[1]} = {{}}"))
            for end in range(len(table) + 1, len(key) + 1):
                found.setdefault(key[:end], number)
    return found


def _location(toml: str) -> Location:
    try:
        value: Any = tomllib.loads(toml)
    except tomllib.TOMLDecodeError:
        return ()
    where = []
    while value:
        if isinstance(value, list):
            value = value[0]
        else:
            key, value = next(iter(value.items()))
            where.append(key)
    return tuple(where)


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not a table")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is wanted")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a string is wanted")
    return value


def _whole(low: int, high: int) -> Check:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high} is wanted")
        return value

    return check


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 10**9:
        raise ValueError("seconds, 0 or more, are wanted")
    return float(value)


def _kind(value: object) -> SourceKind:
    for kind in SOURCE_KINDS:
        if value == kind:
            return kind
    raise ValueError(f"one of {', '.join(SOURCE_KINDS)} is wanted")


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError("an absolute path is wanted")
    return value


def _mirrors(value: object) -> tuple[MirrorSettings, ...]:
    if not isinstance(value, list):
        raise ValueError("a list is wanted")
    return tuple(_mirror(one) for one in value)


def _mirror(value: object) -> MirrorSettings:
    match = _MIRROR.fullmatch(value) if isinstance(value, str) else None
    if match is None or not _HOST.fullmatch(match["host"]):
        raise ValueError(f"{value!r} is no mirror: write https://host:port/prefix")
    return MirrorSettings(
        host=match["host"],
        prefix=(match["prefix"] or "").strip("/"),
        plain_http=match["scheme"] == "http://",
    )


_REGISTRY: dict[str, Check] = {"mirrors": _mirrors, "ca": _path, "plain_http": _flag}
_PULL: dict[str, Check] = {
    "parallel_layers": _whole(1, 16),
    "parallel_jobs": _whole(1, 64),
    "check": _flag,
}
_DAEMON: dict[str, Check] = {"idle_seconds": _seconds}
_LIMITS: dict[str, Check] = {
    "entries": _whole(1, 1 << 32),
    "path_length": _whole(1, 1 << 16),
    "ratio": _whole(1, 1 << 20),
    "total_bytes": _whole(1, 1 << 50),
    "layers": _whole(1, 500),
    "manifest_bytes": _whole(1, 16 << 20),
    "config_bytes": _whole(1, 64 << 20),
    "json_depth": _whole(1, 500),
}
_CATALOG: dict[str, Check] = {"builtin": _flag, "this_host": _flag, "sources": _table}
_TABLES = ("pull", "limits", "catalog", "registry", "daemon")
_SOURCE: dict[str, Check] = {
    "kind": _kind,
    "url": _text,
    "enabled": _flag,
    "plain_http": _flag,
}
