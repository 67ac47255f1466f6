"""Credentials for registries: found, kept and forgotten, wherever they are.

Logins of this machine are in the files that podman, skopeo and docker read, or with the helpers
named there; logins with a name are the engine's own, in one private file.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import msgspec

from core.domain import Credentials
from core.errors import Conflict, InvalidInput, NotFound, Refused
from core.images.auth_file import (
    DOCKER_HUB,
    AuthDocument,
    change_auth_file,
    credentials_of,
    find_auth_files,
    matching,
    normal_key,
    read_auth_file,
    scopes_of,
    write_private,
)
from core.images.credential_helper import CredentialHelper
from core.images.reference import HUB
from core.text import clean
from core.verbs.registries import Login

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    username: str
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""

    @property
    def credentials(self) -> Credentials:
        return Credentials(
            username=self.username,
            password=self.password,
            identity_token=self.identity_token,
            registry_token=self.registry_token,
        )


class Keyring:
    """All credentials that one engine may use."""

    def __init__(self, own: Path) -> None:
        """``own`` is the file of the logins with names; it need not exist."""
        self._own = own
        self._lock = asyncio.Lock()

    # -- finding --------------------------------------------------------------------------

    async def find(
        self, registry: str, repository: str = "", *, auth_file: str = ""
    ) -> Credentials | None:
        """What this machine has for a repository; None: nothing.

        Raises:
            InvalidInput, Refused: a file cannot be understood, or read.
            DeckError: a credential helper went wrong.
        """
        scopes = scopes_of(registry, repository)
        for path in find_auth_files(auth_file).read:
            document = await asyncio.to_thread(read_auth_file, path)
            for key in matching(document.helpers, scopes):
                if found := await CredentialHelper(document.helpers[key]).get(key):
                    return found
            keys = matching(document.auths, scopes)
            if document.store:
                helper = CredentialHelper(document.store)
                for key in dict.fromkeys((*keys, _server(registry))):
                    if found := await helper.get(key):
                        return found
            for key in keys:
                if found := credentials_of(document.auths[key]):
                    return found
        return None

    async def named(self, name: str, registry: str, repository: str = "") -> Credentials:
        """The engine's own login of that name, if it is for this repository.

        Raises:
            NotFound: there is none.
            Refused: it is for another registry.
        """
        login = (await self._read_own()).get(name)
        if login is None:
            hint = "distrodeck logins shows those there are"
            raise NotFound(f"login {clean(name, 80)!r}", "there is none", hint=hint)
        if normal_key(login.host) not in scopes_of(registry, repository):
            raise Refused(f"login {name!r}", f"is for {login.host}, not for {registry}")
        return login.credentials

    async def all(self, *, auth_file: str = "") -> list[Login]:
        """Every login, by host; the first of a host is the one that counts."""
        found = [
            Login(host=login.host, username=login.username, name=name, kept=str(self._own))
            for name, login in (await self._read_own()).items()
        ]
        for path in find_auth_files(auth_file).read:
            found += await _logins(await asyncio.to_thread(read_auth_file, path))
        return sorted(found, key=lambda login: (login.host, login.name))

    # -- keeping and forgetting -----------------------------------------------------------

    async def keep(
        self, host: str, credentials: Credentials, *, name: str = "", auth_file: str = ""
    ) -> Login:
        """Keep credentials in the place for them, in place of what was there.

        Raises:
            InvalidInput: no usable name, or a file that cannot be understood.
            Refused: the file cannot be written.
            DeckError: a credential helper went wrong.
        """
        async with self._lock:
            if name:
                return await self._keep_own(name, host, credentials)
            path = find_auth_files(auth_file).write
            document = await asyncio.to_thread(read_auth_file, path)
            key = document.hub if host == HUB else host
            kept = str(path)
            if helper := _helper_for(document, host):
                await helper.store(_server(host), credentials)
                kept = helper.program
            told = None if helper else credentials
            await asyncio.to_thread(change_auth_file, path, lambda file: file.put(key, told))
            return Login(host=host, username=credentials.username, kept=kept)

    async def forget(self, host: str, *, auth_file: str = "") -> list[Login]:
        """Forget the login of a host.

        Raises:
            NotFound: there is none.
            Conflict: another tool keeps it, and only that may take it away.
        """
        async with self._lock:
            files = find_auth_files(auth_file)
            document = await asyncio.to_thread(read_auth_file, files.write)
            gone = [login for login in await _logins(document) if login.host == normal_key(host)]
            if not gone:
                for path in files.read:
                    there = await asyncio.to_thread(read_auth_file, path)
                    if matching((*there.auths, *there.helpers), [normal_key(host)]):
                        hint = f"use that tool's logout, or add --authfile {path}"
                        raise Conflict(host, f"another tool keeps its login in {path}", hint=hint)
                raise NotFound(host, "no login", hint="distrodeck logins shows those there are")
            await self._drop(files.write, document, gone)
            return gone

    async def forget_named(self, name: str) -> list[Login]:
        """Forget one of the engine's own. Raises: NotFound."""
        async with self._lock:
            own = await self._read_own()
            if name not in own:
                hint = "distrodeck logins shows those there are"
                raise NotFound(f"login {clean(name, 80)!r}", "there is none", hint=hint)
            gone = own.pop(name)
            await self._write_own(own)
        return [Login(host=gone.host, username=gone.username, name=name, kept=str(self._own))]

    async def forget_all(self, *, auth_file: str = "") -> list[Login]:
        """Forget what is in the file that logins go to, and all of the engine's own."""
        async with self._lock:
            own = await self._read_own()
            gone = [
                Login(host=login.host, username=login.username, name=name, kept=str(self._own))
                for name, login in own.items()
            ]
            if own:
                await self._write_own({})
            path = find_auth_files(auth_file).write
            document = await asyncio.to_thread(read_auth_file, path)
            kept = await _logins(document)
            if kept:
                await self._drop(path, document, kept)
            return gone + kept

    async def _drop(self, path: Path, document: AuthDocument, logins: list[Login]) -> None:
        for login in logins:
            if helper := _helper_for(document, login.host):
                for key in matching((*document.auths, *document.helpers), [login.host]):
                    await helper.erase(key)
                await helper.erase(_server(login.host))

        def drop(file: AuthDocument) -> None:
            for login in logins:
                file.remove(login.host)

        await asyncio.to_thread(change_auth_file, path, drop)

    async def _keep_own(self, name: str, host: str, credentials: Credentials) -> Login:
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                f"login name {clean(name, 80)!r}",
                "not usable",
                hint="1 to 63 letters, digits, dots, dashes and underscores",
            )
        own = await self._read_own()
        own[name] = _Named(
            host=host,
            username=credentials.username,
            password=credentials.password,
            identity_token=credentials.identity_token,
            registry_token=credentials.registry_token,
        )
        await self._write_own(own)
        return Login(host=host, username=credentials.username, name=name, kept=str(self._own))

    async def _read_own(self) -> dict[str, _Named]:
        try:
            data = await asyncio.to_thread(self._own.read_bytes)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Refused(str(self._own), (error.strerror or str(error)).lower()) from None
        try:
            return msgspec.json.decode(data, type=dict[str, _Named])
        except (msgspec.MsgspecError, RecursionError):
            hint = "put it right, or move it away"
            raise InvalidInput(str(self._own), "no file of logins", hint=hint) from None

    async def _write_own(self, own: dict[str, _Named]) -> None:
        text = msgspec.json.format(msgspec.json.encode(own)).decode()
        await asyncio.to_thread(write_private, self._own, f"{text}\n")


def _server(host: str) -> str:
    """What helpers call a host."""
    return DOCKER_HUB if normal_key(host) == HUB else host


def _helper_for(document: AuthDocument, host: str) -> CredentialHelper | None:
    """The helper that the file names for a host."""
    for key in matching(document.helpers, scopes_of(*host.partition("/")[::2])):
        return CredentialHelper(document.helpers[key])
    return CredentialHelper(document.store) if document.store else None


async def _logins(document: AuthDocument) -> list[Login]:
    """The logins that a file has, or its helpers, each host once."""
    found: dict[str, Login] = {}
    for key, name in document.helpers.items():
        helper = CredentialHelper(name)
        if credentials := await helper.get(key):
            found[normal_key(key)] = Login(
                host=normal_key(key), username=credentials.username, kept=helper.program
            )
    if document.store:
        helper = CredentialHelper(document.store)
        for server, username in (await helper.list()).items():
            login = Login(host=normal_key(server), username=username, kept=helper.program)
            found.setdefault(login.host, login)
    for key, entry in document.auths.items():
        if own := credentials_of(entry):
            login = Login(host=normal_key(key), username=own.username, kept=str(document.path))
            found.setdefault(login.host, login)
    return list(found.values())
