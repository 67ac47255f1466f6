"""``build``: make an image from a Dockerfile."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.domain import Credentials
from core.errors import Refused
from core.verbs.builds import BuildSpec, RegistryLogin
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.credentials import auth_file
from tui.cli.follow import follow
from tui.cli.options import Verb, current
from tui.cli.progress import Fetching, Silent
from widgets import format as figures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.engine import Engine
    from core.verbs.builds import BuildLine
    from tui.cli.options import Settings

_CHUNK = 256 << 10
_STDIN = "-"


@click.command(cls=Verb)
@click.argument("context", default="")
@click.option("-t", "--tag", "tags", multiple=True, metavar="REF", help="Name the image so.")
@click.option(
    "-f", "--file", "file", default="", metavar="FILE", help="The Dockerfile; - is stdin."
)
@click.option("--build-arg", "arguments", multiple=True, metavar="K=V", help="A value for ARG.")
@click.option("--target", default="", metavar="STAGE", help="Stop at this stage.")
@click.option("--no-cache", is_flag=True, help="Do every step again.")
@click.option("--pull", is_flag=True, help="Ask the registry for bases that are here, too.")
@click.option("--platform", default="", metavar="OS/ARCH", help="Bases for another than this.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="A label of the image.")
@click.option("--rm/--no-rm", "remove", default=True, help="Drop what a failed step has written.")
@click.option("--force-rm", is_flag=True, help="The same, whatever --no-rm says.")
@click.option(
    "--creds", "logins", multiple=True, metavar="HOST=USER[:PASS]", help="Log in to a registry."
)
@click.option(
    "--login", "kept", multiple=True, metavar="HOST=NAME", help="Use a login kept by name."
)
@click.option("--authfile", default="", metavar="PATH", help="File with credentials.")
@click.option("--iidfile", default="", metavar="FILE", help="Write the image's digest there.")
def build(context: str, **given: Any) -> int:
    """Build an image from a Dockerfile.

    CONTEXT is the folder that COPY and ADD take from; or - for a tar archive (plain, gzip, bzip2,
    xz or zstd) or a lone Dockerfile on standard input; or the URL of a tar archive or of a git
    repository, with #BRANCH:FOLDER behind it. It may be left out with `-f -`. The image's digest
    is written to standard output.
    """
    settings = current()
    spec = _spec(context, settings, **given)

    async def work(engine: Engine) -> None:
        digest = await _build(engine, spec, settings, from_stdin=context == _STDIN)
        if given["iidfile"]:
            await asyncio.to_thread(Path(given["iidfile"]).write_text, digest)
        if settings.format == "table":
            output.write_names([digest])
        else:
            output.write_json(settings, "images", [await engine.image(digest)])

    return call(settings, work)


def _spec(
    context: str,
    settings: Settings,
    *,
    file: str,
    arguments: tuple[str, ...],
    labels: tuple[str, ...],
    logins: tuple[str, ...],
    kept: tuple[str, ...],
    authfile: str,
    no_cache: bool,
    remove: bool,
    force_rm: bool,
    iidfile: str,
    **same: Any,
) -> BuildSpec:
    """What is asked of the engine. Raises: UsageError."""
    del iidfile
    if not context and file != _STDIN:
        raise click.UsageError("Missing argument 'CONTEXT' (a folder, a URL, or -).")
    if context == _STDIN and file == _STDIN:
        raise click.UsageError("context and Dockerfile cannot both come from standard input")
    return BuildSpec(
        context="" if context == _STDIN else _absolute(context),
        file="" if file == _STDIN else _dockerfile(file),
        arguments=_arguments(arguments),
        labels=tuple(_pair(label, "--label") for label in labels),
        logins=(*map(_login, logins), *map(_kept, kept)),
        auth_file=auth_file(authfile),
        dockerfile=_read_dockerfile() if file == _STDIN else "",
        cache=not no_cache,
        keep_failed=not remove and not force_rm,
        plain_http=settings.plain_http,
        **same,
    )


async def _build(engine: Engine, spec: BuildSpec, settings: Settings, *, from_stdin: bool) -> str:
    job = await engine.build(spec, _stdin() if from_stdin else None)
    if settings.progress == "none" or (settings.quiet and settings.progress == "auto"):
        return (await follow(engine, job, replace(settings, progress="none"))).result
    as_json = settings.progress == "json"
    async with engine.build_output(job.id) as lines, asyncio.TaskGroup() as group:
        telling = group.create_task(_tell(lines, as_json=as_json))
        try:
            how = Silent() if as_json else Fetching(time.monotonic)
            ended = await follow(engine, job, settings, warn=False, reporter=how)
        except asyncio.CancelledError:
            telling.cancel()
            raise
        finally:
            await asyncio.wait([telling])
    return ended.result


async def _tell(lines: AsyncIterator[BuildLine], *, as_json: bool) -> None:
    """Pass on what the build says, to standard error."""
    async for line in lines:
        if as_json:
            print(  # noqa: T201
                json.dumps({"event": "build", **output.plain(line)}), file=sys.stderr
            )
        elif line.kind == "step":
            report.note(f"STEP {line.step}/{line.steps}: {line.text}")
        elif line.kind == "cached":
            report.note("  from the cache")
        elif line.kind == "done":
            if line.seconds >= 1:
                report.note(f"  took {figures.duration(line.seconds)}")
        else:
            report.note(line.text)


async def _stdin() -> AsyncIterator[bytes]:
    if sys.stdin.isatty():
        raise Refused(
            "standard input", "is a terminal", hint="pipe a tar archive or a Dockerfile into it"
        )
    while chunk := await asyncio.to_thread(os.read, sys.stdin.fileno(), _CHUNK):
        yield chunk


def _read_dockerfile() -> str:
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    if not text.strip():
        raise click.UsageError("-f -: standard input is empty")
    return text


def _absolute(context: str) -> str:
    """A folder's path made absolute, for the engine runs in another; a URL as it is."""
    if "://" in context or context.startswith(("git@", "github.com/")) or not context:
        return context
    return str(Path(context).expanduser().absolute())


def _dockerfile(file: str) -> str:
    """A Dockerfile of this host by its whole path; else it is looked for in the context."""
    path = Path(file).expanduser()
    return str(path.absolute()) if file and path.is_file() else file


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.UsageError(f"{option}: {text!r} is not K=V")
    return name, value


def _arguments(given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """``K=V``, or ``K`` with the value that this process's environment has, if any."""
    found = []
    for text in given:
        name, equals, value = text.partition("=")
        if not name:
            raise click.UsageError(f"--build-arg: {text!r} is not K=V")
        if equals or name in os.environ:
            found.append((name, value if equals else os.environ[name]))
    return tuple(found)


def _login(text: str) -> RegistryLogin:
    host, equals, rest = text.partition("=")
    user, colon, password = rest.partition(":")
    if not host or not equals or not user:
        raise click.UsageError("--creds is HOST=USER[:PASS]")
    if not colon:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            hint = "add :PASS, or log in first: distrodeck login"
            raise Refused("nobody to ask for the password", "no terminal", hint=hint)
        password = click.prompt(f"Password of {user} at {host}", hide_input=True, err=True)
    return RegistryLogin(host=host, credentials=Credentials(username=user, password=password))


def _kept(text: str) -> RegistryLogin:
    host, name = _pair(text, "--login")
    return RegistryLogin(host=host, login=name)
