"""Lists of images, filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import InvalidInput, NotFound
from core.verbs.storage import ImageQuery
from tests.core.store.conftest import add_image

if TYPE_CHECKING:
    from core.store.store import Store


@pytest.fixture
async def known(store: Store) -> dict[str, str]:
    """Three images made one after the other, and a step of a build."""
    async with store.lease() as lease:
        return {
            "old": await add_image(
                store, lease, "a", reference="docker.io/library/alpine:3", pinned=True, created=10.0
            ),
            "mid": await add_image(
                store,
                lease,
                "b",
                reference="q.io/lib/dev:1",
                pinned=True,
                created=20.0,
                labels={"team": "deck", "stage": ""},
            ),
            "new": await add_image(store, lease, "c", pinned=True, created=30.0),
            "step": await add_image(store, lease, "d", pinned=True, intermediate=True),
        }


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ((), "old mid new"),
        (("dangling=true",), "new"),
        (("dangling=false",), "old mid"),
        (("reference=alpine",), "old"),
        (("reference=library/alpine",), "old"),
        (("reference=alpine:3",), "old"),
        (("reference=alpine:4",), ""),
        (("reference=*/dev", "reference=alp*"), "old mid"),
        (("reference=q.io/lib/dev:1",), "mid"),
        (("before=q.io/lib/dev:1",), "old"),
        (("since=q.io/lib/dev:1",), "new"),
        (("label=team",), "mid"),
        (("label=team=deck", "label=stage"), "mid"),
        (("label=team=other",), ""),
    ],
)
async def test_filters_let_through(
    store: Store, known: dict[str, str], filters: tuple[str, ...], names: str
) -> None:
    pairs = tuple((key, value) for key, _, value in (text.partition("=") for text in filters))
    found = {image.digest for image in await store.choose_images(ImageQuery(filters=pairs))}
    assert found == {known[name] for name in names.split()}


async def test_steps_of_builds_are_shown_when_asked_for(
    store: Store, known: dict[str, str]
) -> None:
    found = {image.digest for image in await store.choose_images(ImageQuery(all=True))}
    assert found == set(known.values())


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("colour", "red", InvalidInput),
        ("dangling", "perhaps", InvalidInput),
        ("before", "q.io/none:1", NotFound),
    ],
)
async def test_what_cannot_be_filtered_is_told(
    store: Store, known: dict[str, str], key: str, value: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await store.choose_images(ImageQuery(filters=((key, value),)))
