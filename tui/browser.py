"""Hand an address to the person's browser, where there is one."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OPENER = "xdg-open"
SECONDS = 5.0
"""An opener that takes longer than this has become the browser itself."""


async def open_address(address: str, environ: Mapping[str, str]) -> bool:
    """Open ``address``; False where there is no desktop to open it on, or it refuses.

    Only on a desktop: on a terminal xdg-open would start a text browser in the console's place.
    """
    opener = shutil.which(OPENER, path=environ.get("PATH"))
    if opener is None or not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return False
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        opener,
        address,
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        env=dict(environ),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(SECONDS):
            return await process.wait() == 0
    except TimeoutError:
        return True
