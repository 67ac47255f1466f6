"""Speak to the programs that keep other people's passwords.

Docker's credential helper protocol: ``docker-credential-NAME get|store|erase|list``, one JSON
value or server name on standard input, one on standard output. Nothing of either is ever part of
an argument, an error or a log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from typing import Any

from core.domain import Credentials
from core.errors import DeckError, InvalidInput, NotFound, TimedOut

SECONDS = 30.0
"""How long a helper may take: some ask a person to unlock something."""
_ANSWER_CAP = 4 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TOKEN = "<token>"  # noqa: S105
"""The user name that says that the secret is an identity token."""
_NOT_THERE = b"credentials not found"


class CredentialHelper:
    """One helper; a process a call."""

    def __init__(self, name: str, *, seconds: float = SECONDS) -> None:
        """Raises: InvalidInput, for a name that could be a path or an option."""
        if not _NAME.fullmatch(name):
            raise InvalidInput("credential helper", "bad name", hint="letters, digits, . _ and -")
        self.program = f"docker-credential-{name}"
        self._seconds = seconds

    async def get(self, server: str) -> Credentials | None:
        """What it keeps for a server; None: nothing.

        Raises:
            NotFound: there is no such program.
            DeckError: it went wrong.
            TimedOut: it did not answer in time, and was ended.
        """
        code, answer = await self._run("get", server)
        if code:
            if _NOT_THERE in answer.lower():
                return None
            raise DeckError(self.program, f"get ended with {code}", hint="try it by hand")
        fields = self._decode(answer)
        username, secret = fields.get("Username"), fields.get("Secret")
        if not isinstance(username, str) or not isinstance(secret, str):
            raise DeckError(self.program, "answered with no credentials", hint="try it by hand")
        if username == _TOKEN:
            return Credentials(username="", identity_token=secret)
        return Credentials(username=username, password=secret) if secret else None

    async def store(self, server: str, credentials: Credentials) -> None:
        """Keep credentials. Raises: as :meth:`get`."""
        token = credentials.identity_token
        given = {
            "ServerURL": server,
            "Username": _TOKEN if token else credentials.username,
            "Secret": token or credentials.password,
        }
        code, _ = await self._run("store", json.dumps(given))
        if code:
            raise DeckError(self.program, f"store ended with {code}", hint="try it by hand")

    async def erase(self, server: str) -> None:
        """Forget what is kept for a server; fine if nothing is. Raises: as :meth:`get`."""
        code, answer = await self._run("erase", server)
        if code and _NOT_THERE not in answer.lower():
            raise DeckError(self.program, f"erase ended with {code}", hint="try it by hand")

    async def list(self) -> dict[str, str]:
        """User names by server; empty where the helper has no list. Raises: as :meth:`get`."""
        code, answer = await self._run("list", "")
        if code:
            return {}
        return {
            server: username
            for server, username in self._decode(answer).items()
            if isinstance(username, str)
        }

    def _decode(self, answer: bytes) -> dict[str, Any]:
        try:
            fields = json.loads(answer or b"{}")
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise DeckError(self.program, "answered with no JSON object", hint="try it by hand")
        return fields

    async def _run(self, verb: str, given: str) -> tuple[int, bytes]:
        """Exit code and output."""
        try:
            process = await asyncio.create_subprocess_exec(
                self.program,
                verb,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_ANSWER_CAP,
                start_new_session=True,
            )
        except OSError as error:
            raise NotFound(
                self.program,
                (error.strerror or str(error)).lower(),
                hint="install it, or take it out of the credentials file",
            ) from None
        try:
            async with asyncio.timeout(self._seconds):
                answer, _ = await process.communicate(given.encode())
        except TimeoutError:
            raise TimedOut(self.program, f"no answer in {self._seconds:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                await process.wait()
        if len(answer) > _ANSWER_CAP:
            raise DeckError(self.program, f"answered with more than {_ANSWER_CAP >> 20} MiB")
        return process.returncode or 0, answer
