"""Fixtures of the archive tests: a store, and archives made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store.open(tmp_path / "data", privileged=True, idmap="root") as opened:
        yield opened
