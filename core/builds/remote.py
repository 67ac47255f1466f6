"""Contexts from elsewhere: tar archives by HTTP, repositories by the git program.

Docker's documentation of build contexts, "Remote context". Git is run without hooks, without the
person's own configuration and without anybody to ask; it may reach only what the URL names.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import signal
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from core.builds.confined import open_tree, split
from core.builds.context import read_file, unpack_content
from core.errors import InvalidInput, NotFound, TimedOut, Unreachable, Unsupported
from core.images.download import Download
from core.images.transport import Transport
from core.limits import DEFAULTS
from core.text import clean

if TYPE_CHECKING:
    from pathlib import Path

    from core.limits import Limits

_HTTP = ("http://", "https://")
_GIT = re.compile(
    r"(git://|ssh://|file://|git@[\w.-]+:|github\.com/|https?://[^#?]+\.git(?=[#]|$))"
)
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")
_LIMIT = 1800.0
_TAIL = 4096
_PASSED = (
    "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy",
)  # fmt: skip


def is_remote(context: str) -> bool:
    """Whether a context has to be fetched."""
    return bool(_GIT.match(context)) or context.startswith(_HTTP)


async def fetch_context(
    url: str, place: Path, *, plain_http: bool, limits: Limits = DEFAULTS
) -> tuple[Path, bytes]:
    """Bring a context to ``place``: its folder, or the Dockerfile that the URL gave instead.

    Raises:
        NotFound, LoginNeeded, Unreachable: from whoever has it.
        InvalidInput: a malformed URL.
        Corrupt, Hostile: an archive that cannot be trusted.
        Unsupported: git is not installed.
    """
    if _GIT.match(url):
        return await clone(url, place / "repository"), b""
    archive = place / "archive"
    async with Transport(plain_http=plain_http) as transport:
        await download(url, archive, transport)
    root = place / "context"
    return root, await unpack_content(read_file(archive), root, limits=limits)


async def download(url: str, path: Path, transport: Transport) -> str:
    """Fetch a file whole, and give its digest; only its owner may read it.

    Raises:
        NotFound, LoginNeeded, Unreachable: from the server.
        NoSpace: the disk is full.
    """
    job = Download(url, path.parent, transport=transport, trusted=False)
    digest = await job.run(lambda _done, _total: None)
    job.path.rename(path)
    job.forget()
    return digest


async def clone(url: str, folder: Path) -> Path:
    """Check out what ``url`` names (``…#ref:subfolder``), and give the folder that is meant.

    Raises:
        InvalidInput: a malformed reference.
        NotFound: no such repository, reference or folder in it.
        Unreachable: git could not fetch it.
        Unsupported: git is not installed.
    """
    repository, _, fragment = url.partition("#")
    reference, _, inside = fragment.partition(":")
    if repository.startswith("github.com/"):
        repository = f"https://{repository}"
    if reference and (not _REF.fullmatch(reference) or ".." in reference):
        raise InvalidInput(_shown(url), "malformed reference after #", hint="#BRANCH[:FOLDER]")
    repository, login = _split_login(repository)
    git = _Git(repository, login, folder)
    await git.run("init", "--quiet", "--template=", str(folder))
    await git.run(
        "fetch", "--quiet", "--depth=1", "--no-tags", "--", repository, reference or "HEAD"
    )
    await git.run("checkout", "--quiet", "--detach", "FETCH_HEAD")
    if (folder / ".gitmodules").exists():
        await git.run("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1")
    await asyncio.to_thread(shutil.rmtree, folder / ".git")
    return await asyncio.to_thread(_subfolder, folder, inside, _shown(url))


def _split_login(url: str) -> tuple[str, str]:
    """A URL without user name and password, and these as the value of a header.

    What is part of the URL every user of this machine sees in the list of processes.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return url, ""
    login, _, host = parts.netloc.rpartition("@")
    encoded = base64.b64encode(unquote_to_bytes(login if ":" in login else f"{login}:")).decode()
    return parts._replace(netloc=host).geturl(), f"Authorization: Basic {encoded}"


def _subfolder(folder: Path, inside: str, shown: str) -> Path:
    tree = open_tree(os.fspath(folder))
    try:
        parts = tree.resolve(split(os.fsencode(inside)))
        found = folder.joinpath(*map(os.fsdecode, parts))
        if found.is_dir():
            return found
    except OSError:
        pass
    finally:
        os.close(tree.fd)
    raise NotFound(shown, "no such folder in the repository")


class _Git:
    def __init__(self, repository: str, login: str, folder: Path) -> None:
        self._repository = _shown(repository)
        self._folder = folder
        scheme = urlsplit(repository).scheme if "://" in repository else "ssh"
        # a submodule or a redirect may not lead to files of this host
        allowed = "file" if scheme == "file" else "http:https:git:ssh"
        self._env = {name: os.environ[name] for name in _PASSED if name in os.environ} | {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "GIT_ALLOW_PROTOCOL": allowed,
            "GIT_ASKPASS": "true",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
            "GIT_TERMINAL_PROMPT": "0",
        }
        if login:
            parts = urlsplit(repository)
            self._env |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
                "GIT_CONFIG_VALUE_0": login,
            }

    async def run(self, verb: str, *arguments: str) -> None:
        where = () if verb == "init" else ("-C", str(self._folder))
        try:
            process = await asyncio.create_subprocess_exec(
                *("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"),
                *("-c", "core.symlinks=true", *where, verb, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                cwd="/",
                env=self._env,
                start_new_session=True,
            )
        except FileNotFoundError:
            hint = "install git, or give a folder or a tar archive"
            raise Unsupported(self._repository, "git is not installed", hint=hint) from None
        try:
            async with asyncio.timeout(_LIMIT):
                _, said = await process.communicate()
        except TimeoutError:
            raise TimedOut(self._repository, f"git {verb} took too long") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            raise self._explain(said[-_TAIL:].decode("utf-8", "replace"), verb)

    def _explain(self, said: str, verb: str) -> NotFound | Unreachable:
        lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
        why = clean((lines or [f"git {verb} ended with an error"])[0].partition(" ")[2], 200)
        if "couldn't find remote ref" in said or "not found" in said or "not appear to be" in said:
            return NotFound(self._repository, why, hint="check the repository and the reference")
        return Unreachable(self._repository, why)


def _shown(url: str) -> str:
    """A URL as errors may show it: without a password."""
    return clean(re.sub(r"//[^/]*@", "//", url), 200)
