"""Search what is known here for names: images in the store, the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotFound
from core.text import clean
from core.verbs.registries import SearchHit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.domain import CatalogEntry, Image


def search_store(term: str, images: Iterable[Image]) -> list[SearchHit]:
    """References of images in the store."""
    names = dict.fromkeys(name for image in images for name in image.references)
    return rank(term, (SearchHit(name=name, found_in="store") for name in names))


def search_catalog(
    term: str, entries: Iterable[CatalogEntry], *, catalog: str = "", known: Iterable[str] = ()
) -> list[SearchHit]:
    """Entries of the catalog, or of one source of it (``known`` are all there are).

    Raises:
        NotFound: no source has that name.
    """
    if catalog and catalog not in known:
        hint = f"there is {', '.join(known)}"
        raise NotFound(clean(catalog, 80), "no such source of the catalog", hint=hint)
    aliases: dict[str, tuple[str, ...]] = {}
    hits = []
    for entry in entries:
        if catalog in ("", entry.catalog):
            aliases[entry.name] = entry.aliases
            hits.append(
                SearchHit(
                    name=entry.name,
                    description=entry.title or entry.source,
                    found_in="catalog",
                    source=entry.catalog,
                )
            )
    return rank(term, hits, aliases)


def rank(
    term: str, hits: Iterable[SearchHit], aliases: dict[str, tuple[str, ...]] | None = None
) -> list[SearchHit]:
    """Those with every word of ``term`` in name or description, the nearest names first."""
    words = term.lower().split()
    found = []
    for position, hit in enumerate(hits):
        names = [hit.name.lower(), *(alias.lower() for alias in (aliases or {}).get(hit.name, ()))]
        text = " ".join((*names, hit.description.lower()))
        if all(word in text for word in words):
            found.append((min(_distance(words, name) for name in names), position, hit))
    return [hit for _, _, hit in sorted(found, key=lambda one: one[:2])]


def _distance(words: list[str], name: str) -> int:
    """0 where a word is a whole part of the name, 1 where one begins it, 2 inside, 3 nowhere."""
    last = name.rpartition("/")[2]
    parts = {last, last.partition(":")[0], *name.replace(":", "/").split("/")}
    if any(word in parts for word in words):
        return 0
    if any(last.startswith(word) for word in words):
        return 1
    return 2 if any(word in name for word in words) else 3
