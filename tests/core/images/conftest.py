"""Fixtures of the image tests: a store, a registry with faults, short waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.images.transport import Patience
from core.store.store import Store
from tests.core.images.serving import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.images.serving import Served

QUICK = Patience(attempts=3, base=0.01, longest=0.05, connect=5.0, silence=5.0)


@pytest.fixture
def patience() -> Patience:
    return QUICK


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store.open(tmp_path / "data", privileged=True, idmap="root") as opened:
        yield opened


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve() as registry:
        yield registry


@pytest.fixture
async def elsewhere() -> AsyncIterator[Served]:
    """A second server."""
    async with serve() as registry:
        yield registry
