"""Roots that the tests of a module share, so that each image is pulled once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.deck import new_deck
from tests.e2e.registries import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.core.images.serving import Served
    from tests.e2e.deck import Deck, Shown


@pytest.fixture(scope="session")
def plain(fix: dict[str, Any]) -> str:
    """The real registry that everybody may use."""
    host: str = fix["registries"]["plain"]["host"]
    return host


@pytest.fixture(scope="module")
def deck(plain: str) -> Iterator[Deck]:
    """Root's, with busybox installed as ``bb``."""
    with new_deck() as made:
        made.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        yield made


@pytest.fixture(scope="module")
def before(deck: Deck) -> Shown:
    """What ``deck`` showed before the tests."""
    return deck.shown()


@pytest.fixture
def unchanged(deck: Deck, before: Shown) -> Iterator[None]:
    """The store's files after the test are those from before it."""
    files = deck.files()
    yield
    assert deck.files() == files


@pytest.fixture(scope="module", params=["root", "subuids", "one uid"])
def anyone(request: pytest.FixtureRequest, plain: str) -> Iterator[Deck]:
    """Of root and of both kinds of users, with busybox installed as ``bb``."""
    users = {"subuids": "ordinary_user", "one uid": "single_uid_user"}
    name = users.get(request.param)
    user = request.getfixturevalue(name) if name else None
    with new_deck(user) as made:
        made.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        yield made


@pytest.fixture
def served() -> Iterator[Served]:
    """An empty registry whose content and faults the test decides."""
    with registry() as made:
        yield made
