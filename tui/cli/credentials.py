"""Who to be for a registry: flags that several verbs share, and the question for a password."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from core.domain import Credentials
from core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the flags say."""

    credentials: Credentials | None
    login: str
    auth_file: str


def access_options(function: F) -> F:
    """Add ``--creds``, ``--password-stdin``, ``--login`` and ``--authfile`` to a verb."""
    for option in (
        click.option("--authfile", default="", metavar="PATH", help="File with credentials."),
        click.option("--login", default="", metavar="NAME", help="Use a login kept by name."),
        click.option("--password-stdin", is_flag=True, help="Read the password from stdin."),
        click.option("--creds", default="", metavar="USER[:PASS]", help="Log in just for this."),
    ):
        function = option(function)
    return function


def access_of(creds: str, login: str, authfile: str, *, password_stdin: bool) -> Access:
    """The values of :func:`access_options`, the password asked for where it is missing."""
    return Access(
        credentials=_credentials(creds, from_stdin=password_stdin),
        login=login,
        auth_file=auth_file(authfile),
    )


def auth_file(option: str) -> str:
    """The file that is named here or by the environment; absolute, for the engine."""
    named = option or os.environ.get("REGISTRY_AUTH_FILE", "")
    return str(Path(named).expanduser().absolute()) if named else ""


def ask_user() -> str:
    """Ask on the terminal who to be. Raises: Refused, if there is none."""
    _must_be_there("the user name", "add --username")
    return str(click.prompt("Username", err=True))


def ask_password(username: str, *, from_stdin: bool) -> str:
    """The password, from standard input or the terminal. Raises: Refused, if there is none."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    _must_be_there("the password", "add --password-stdin")
    return str(click.prompt(f"Password of {username}", hide_input=True, err=True))


def _credentials(creds: str, *, from_stdin: bool) -> Credentials | None:
    if not creds:
        if from_stdin:
            raise click.UsageError("--password-stdin needs --creds USER")
        return None
    username, colon, password = creds.partition(":")
    if from_stdin or not colon:
        password = ask_password(username, from_stdin=from_stdin)
    return Credentials(username=username, password=password)


def _must_be_there(what: str, hint: str) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(f"nobody to ask for {what}", "standard input is not a terminal", hint=hint)
