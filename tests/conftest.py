"""Fixtures of the whole suite: real registries, real users, private roots."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).resolve().parents[1]
FIXTURES = REPOSITORY.parent / "shared" / "fixtures" / "fixtures.sh"

BUILD_SECONDS = 1500
"""The first run on a machine builds the images."""


SETTINGS_OF_A_PERSON = (
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "TEXTUAL_THEME",
    "DISTRODECK_ROOT",
    "DISTRODECK_HOST",
    "DISTRODECK_CONFIG",
)
"""Variables that would change what the tests see; a parallel test run sets some itself."""


def pytest_configure() -> None:
    """Start from an environment that says nothing about who runs the tests, and where."""
    for name in SETTINGS_OF_A_PERSON:
        os.environ.pop(name, None)


LONGEST_IN_NAME = 40


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test after an archive's place in the list, not after its bytes.

    They hold the time at which a worker made them: each would collect other tests.
    """
    return argname if isinstance(val, bytes | str) and len(val) > LONGEST_IN_NAME else None


@functools.cache
def _facts() -> dict[str, Any]:
    if not FIXTURES.exists():
        pytest.exit(f"{FIXTURES} is missing: the tests need the folder shared beside the clone", 2)
    done = subprocess.run(
        [FIXTURES, "all"], stdout=subprocess.PIPE, text=True, check=False, timeout=BUILD_SECONDS
    )
    if done.returncode:
        pytest.exit(f"{FIXTURES} all ended with {done.returncode}; see above", done.returncode)
    facts: dict[str, Any] = json.loads(Path(done.stdout.strip()).read_text())
    return facts


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build and start the servers before the first test's timeout runs."""
    if any("fix" in getattr(item, "fixturenames", ()) for item in session.items):
        _facts()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the servers where nobody will need them again."""
    if not hasattr(session.config, "workerinput") and os.environ.get("CI") and FIXTURES.exists():
        subprocess.run([FIXTURES, "down"], check=False)


@pytest.fixture(scope="session")
def fix() -> dict[str, Any]:
    """The facts of ``fixtures.json``: registries, images, files that are served on loopback."""
    return _facts()


@pytest.fixture(scope="session")
def soak() -> bool:
    """Whether to run full counts (``python -m tests.soak``) or a quick sample."""
    return os.environ.get("DISTRODECK_SOAK") == "1"


@pytest.fixture(scope="session")
def ordinary_user() -> Iterator[host.User]:
    """A user as useradd makes them: with ranges in /etc/subuid and /etc/subgid."""
    user = host.add_user(subids=True)
    try:
        _must_execute(user)
        yield user
    finally:
        host.remove_user(user)


@pytest.fixture(scope="session")
def single_uid_user() -> Iterator[host.User]:
    """A user without subuids: sandboxes of this user know one uid only."""
    user = host.add_user(subids=False)
    try:
        _must_execute(user)
        yield user
    finally:
        host.remove_user(user)


@pytest.fixture(scope="session")
def as_user() -> Callable[[host.User], list[str]]:
    """``[*as_user(user), command, …]`` runs the command as that user, as after a login."""
    return host.as_user


@pytest.fixture
def make_root() -> Iterator[Callable[..., Path]]:
    """Makes private ``--root`` folders (see :func:`tests.host.make_root`); cleared at the end."""
    made: list[Path] = []

    def make(user: host.User | None = None, *, length: int = 0) -> Path:
        made.append(host.make_root(user, length=length))
        return made[-1]

    try:
        yield make
    finally:
        for root in made:
            host.clear_root(root)


@pytest.fixture
def deck_root(make_root: Callable[..., Path]) -> Path:
    """A private ``--root`` folder of the user that runs the tests."""
    return make_root()


@pytest.fixture(scope="session")
def leftovers() -> Callable[[Path], list[str]]:
    """Lists processes, mounts and sockets that still refer to a folder."""
    return host.leftovers


def _must_execute(user: host.User) -> None:
    done = subprocess.run(
        [*host.as_user(user), sys.executable, "-P", "-c", "import core"],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
    )
    if done.returncode:
        pytest.exit(
            f"ordinary users cannot run {sys.executable} on this checkout: {done.stderr.strip()};"
            " tests/run.sh finds a place where they can",
            2,
        )
