"""The engines on which the contract of :mod:`core.engine` is run."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from core.connect import open_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from core.engine import Engine

    Opener = Callable[[], AbstractAsyncContextManager[Engine]]


@pytest.fixture(params=["embedded", "daemon"])
def opener(request: pytest.FixtureRequest, deck_root: Path) -> Opener:
    """Opens the engine under test on a private root; may be opened again and again."""

    @asynccontextmanager
    async def open_one() -> AsyncIterator[Engine]:
        async with open_engine(root=deck_root, embedded=request.param == "embedded") as engine:
            yield engine

    return open_one


@pytest.fixture
def deck_config(deck_root: Path, fix: dict[str, Any]) -> Path:
    """The root's config.toml, with the plain registry as a source of the catalog."""
    path = deck_root / "config" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    url = fix["registries"]["plain"]["url"]
    path.write_text(f'[catalog.sources.fixture]\nkind = "registry"\nurl = "{url}"\n')
    return path
