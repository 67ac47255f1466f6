"""Images of several platforms that came under one reference stay together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.images.pull import pull_image
from core.images.reference import parse_platform, parse_reference
from core.verbs.storage import ImageQuery, PruneSpec

if TYPE_CHECKING:
    from core.images.transport import Patience
    from core.store.store import Store
    from tests.core.images.serving import Served


async def pulled(store: Store, served: Served, patience: Patience, architecture: str) -> str:
    async with store.lease() as lease:
        found = await pull_image(
            store,
            parse_reference(f"{served.host}/t/x"),
            lease=lease,
            platform=parse_platform(f"linux/{architecture}"),
            pinned=True,
            patience=patience,
        )
    return found.digest


def there(store: Store) -> set[str]:
    return {image.digest for image in store.images()}


async def test_the_second_platform_of_a_tag_leaves_the_first_in_place(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_index("amd64", "arm64")
    both = {await pulled(store, served, patience, one) for one in ("amd64", "arm64")}
    assert (await store.prune(PruneSpec())).items == ()
    assert there(store) == both
    query = ImageQuery(filters=(("dangling", "true"),))
    assert await store.choose_images(query) == []
    for digest in both:
        assert [one.digest for one in store.siblings(digest)] == list(both - {digest})


async def test_when_the_tag_moves_on_all_platforms_of_the_old_index_may_go(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_index("amd64", "arm64")
    for one in ("amd64", "arm64"):
        await pulled(store, served, patience, one)
    served.add_index("amd64", "arm64", mark="newer")
    newer = await pulled(store, served, patience, "amd64")
    await store.prune(PruneSpec())
    assert there(store) == {newer}
