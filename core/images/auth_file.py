"""The files in which registry credentials are kept, for all tools of a machine.

containers-auth.json(5), and Docker's ``config.json``, which has the same form. Keys are hosts or
``host/some/repository``; the longest that fits counts. What we do not know in a file stays in it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.domain import Credentials
from core.errors import InvalidInput, Refused
from core.images.reference import HUB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FILE_CAP = 4 << 20
_REPAIR = "put it right, or move it away"
DOCKER_HUB = "https://index.docker.io/v1/"
"""What Docker calls its own registry in its file, and to credential helpers."""
_HUB_NAMES = frozenset({HUB, "index.docker.io", "registry-1.docker.io"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFiles:
    """Where credentials are read from, in this order, and written to."""

    read: tuple[Path, ...]
    write: Path


def find_auth_files(auth_file: str = "") -> AuthFiles:
    """The files of this user, or just the one that is named (or that the environment names).

    Without a runtime folder of the login session root has one of its own, as with podman, and
    others their configuration folder.
    """
    named = auth_file or os.environ.get("REGISTRY_AUTH_FILE", "")
    if named:
        path = Path(named).absolute()
        return AuthFiles(read=(path,), write=path)
    config = Path(_folder("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    own = config / "containers" / "auth.json"
    docker = Path(_folder("DOCKER_CONFIG") or Path("~/.docker").expanduser()) / "config.json"
    if runtime := _folder("XDG_RUNTIME_DIR"):
        session = Path(runtime) / "containers" / "auth.json"
    elif os.geteuid() == 0:
        session = Path("/run/containers/0/auth.json")
    else:
        session = own
    return AuthFiles(read=tuple(dict.fromkeys((session, own, docker))), write=session)


def _folder(variable: str) -> str:
    value = os.environ.get(variable, "")
    return value if value.startswith("/") else ""


def normal_key(key: str) -> str:
    """A key as ``host`` or ``host/repository``, however old the tool that wrote it.

    >>> normal_key("https://index.docker.io/v1/"), normal_key("lab:5000/team/")
    ('docker.io', 'lab:5000/team')
    """
    rest = key.removeprefix("https://").removeprefix("http://").rstrip("/")
    for version in ("/v1", "/v2"):
        rest = rest.removesuffix(version)
    host, slash, path = rest.partition("/")
    return f"{HUB if host in _HUB_NAMES else host}{slash}{path}"


def scopes_of(registry: str, repository: str = "") -> list[str]:
    """Keys that count for a repository, the nearest first."""
    parts = [normal_key(registry), *repository.split("/")] if repository else [normal_key(registry)]
    return ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]


def matching(keys: Iterable[str], scopes: Iterable[str]) -> list[str]:
    """Those of a file's ``keys`` that count, as they are written there, the nearest first."""
    known: dict[str, list[str]] = {}
    for key in keys:
        known.setdefault(normal_key(key), []).append(key)
    return [key for scope in scopes for key in known.get(scope, [])]


class AuthDocument:
    """What one file holds."""

    def __init__(self, path: Path, fields: dict[str, Any]) -> None:
        self.path = path
        self._fields = fields

    @property
    def auths(self) -> dict[str, Any]:
        """Entries by key; those of a credential helper are empty."""
        return _mapping(self._fields.get("auths"))

    @property
    def helpers(self) -> dict[str, str]:
        """Names of credential helpers by key."""
        found = _mapping(self._fields.get("credHelpers"))
        return {key: name for key, name in found.items() if isinstance(name, str)}

    @property
    def store(self) -> str:
        """Name of the helper for everything else; empty: the file itself."""
        name = self._fields.get("credsStore")
        return name if isinstance(name, str) else ""

    @property
    def hub(self) -> str:
        """The key of Docker's own registry in this file."""
        return DOCKER_HUB if self.path.name == "config.json" else HUB

    def put(self, key: str, credentials: Credentials | None) -> None:
        """Set an entry; None: one whose secret a helper has."""
        self.remove(key)
        self._fields.setdefault("auths", {})[key] = _entry(credentials) if credentials else {}

    def remove(self, key: str) -> None:
        """Drop an entry under all its spellings."""
        auths = self.auths
        for there in matching(list(auths), [normal_key(key)]):
            del auths[there]

    def text(self) -> str:
        """The file."""
        return json.dumps(self._fields, indent="\t") + "\n"


def read_auth_file(path: Path) -> AuthDocument:
    """What is in the file; nothing, if there is none. Blocks.

    Raises:
        InvalidInput: it cannot be understood; no part of it is shown.
        Refused: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_CAP + 1)
    except (FileNotFoundError, NotADirectoryError):
        return AuthDocument(path, {})
    except OSError as error:
        raise Refused(str(path), (error.strerror or str(error)).lower()) from None
    if len(data) > FILE_CAP:
        raise InvalidInput(str(path), f"larger than {FILE_CAP >> 20} MiB", hint=_REPAIR)
    try:
        fields = json.loads(data) if data.strip() else {}
    except (ValueError, RecursionError):
        raise InvalidInput(str(path), "not JSON", hint=_REPAIR) from None
    if not isinstance(fields, dict) or not isinstance(fields.get("auths") or {}, dict):
        raise InvalidInput(str(path), "no file of credentials", hint=_REPAIR)
    return AuthDocument(path, fields)


def change_auth_file(path: Path, change: Callable[[AuthDocument], None]) -> None:
    """Read, change and replace the file; readers see the old or the new, never a part. Blocks.

    Raises:
        InvalidInput, Refused: it cannot be understood, read or written.
    """
    document = read_auth_file(path)
    change(document)
    write_private(path, document.text())


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read; a symbolic link stays one. Blocks.

    Raises:
        Refused: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Refused(str(path), (error.strerror or str(error)).lower()) from None


def credentials_of(entry: object) -> Credentials | None:
    """The credentials in one entry of ``auths``; None where it has none of its own."""
    fields = _mapping(entry)
    username, password = _text(fields, "username"), _text(fields, "password")
    try:
        decoded = base64.b64decode(_text(fields, "auth"), validate=True).decode().rstrip("\0")
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    if decoded:
        username, _, password = decoded.partition(":")
    found = Credentials(
        username=username,
        password=password,
        identity_token=_text(fields, "identitytoken"),
        registry_token=_text(fields, "registrytoken"),
    )
    return found if password or found.identity_token or found.registry_token else None


def _entry(credentials: Credentials) -> dict[str, str]:
    pair = f"{credentials.username}:{credentials.password}".encode()
    entry = {"auth": base64.b64encode(pair).decode()} if len(pair) > 1 else {}
    if credentials.identity_token:
        entry["identitytoken"] = credentials.identity_token
    if credentials.registry_token:
        entry["registrytoken"] = credentials.registry_token
    return entry


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""
