"""Chain ids: what a layer is on top of the layers below it.

OCI image specification v1.1, "Layer ChainID".
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def chain_ids(diff_ids: Iterable[str]) -> list[str]:
    """The chain id of each layer, bottom to top."""
    found: list[str] = []
    for diff_id in diff_ids:
        if found:
            whole = f"{found[-1]} {diff_id}".encode()
            found.append(f"sha256:{hashlib.sha256(whole).hexdigest()}")
        else:
            found.append(diff_id)
    return found


def settled_key(chain_id: str) -> str:
    """The key of a layer whose tree was completed from the layers below.

    Not the chain id itself: that of a lowest layer is its diff_id, under which the same layer
    would be taken for complete on top of others too.
    """
    return f"sha256:{hashlib.sha256(f'settled {chain_id}'.encode()).hexdigest()}"
