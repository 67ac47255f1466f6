"""Downloads: a kept part is used only if the file is still the same."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from core.errors import Unreachable
from core.images.download import Download, file_name
from core.images.transport import Patience, Transport

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.images.serving import Served

BODY = bytes(range(256)) * 1000
ONCE = Patience(attempts=1, silence=5)


DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


def answer(etag: str, *, start: int = 0) -> web.Response:
    """The file from ``start`` on."""
    headers = {"ETag": etag}
    if start:
        headers["Content-Range"] = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
    return web.Response(status=206 if start else 200, headers=headers, body=BODY[start:])


async def carry_on(
    served: Served, folder: Path, kept: bytes, etag: str, *, trusted: bool = False
) -> dict[str, str]:
    """Download with ``kept`` there from before; gives the headers of the first request."""
    async with Transport(patience=ONCE) as transport:
        url = f"http://{served.host}/f.tar"
        job = Download(url, folder, transport=transport, trusted=trusted)
        job.path.write_bytes(kept)
        job.path.with_suffix(".json").write_text(json.dumps({"value": etag, "size": len(BODY)}))
        assert await job.run(lambda done, total: None) == DIGEST
    return dict(served.requests[0].headers)


async def test_a_kept_part_goes_on_under_its_validator(served: Served, tmp_path: Path) -> None:
    served.answers = [answer('"v1"', start=1000)]
    headers = await carry_on(served, tmp_path, BODY[:1000], '"v1"')
    assert (headers["Range"], headers["If-Range"]) == ("bytes=1000-", '"v1"')


async def test_a_file_that_changed_is_fetched_whole(served: Served, tmp_path: Path) -> None:
    served.answers = [answer('"v2"')]
    await carry_on(served, tmp_path, b"old" * 1000, '"v1"')


async def test_without_validator_nothing_is_continued_unless_a_checksum_will_tell(
    served: Served, tmp_path: Path
) -> None:
    served.answers = [answer("")]
    assert "Range" not in await carry_on(served, tmp_path, BODY[:1000], "")
    served.requests.clear()
    served.answers = [answer("", start=1000)]
    headers = await carry_on(served, tmp_path, BODY[:1000], "", trusted=True)
    assert headers["Range"] == "bytes=1000-"


async def test_a_whole_file_is_confirmed_by_its_last_byte(served: Served, tmp_path: Path) -> None:
    served.answers = [answer('"v1"', start=len(BODY) - 1)]
    headers = await carry_on(served, tmp_path, BODY, '"v1"')
    assert headers["Range"] == f"bytes={len(BODY) - 1}-"


async def test_an_early_end_keeps_what_came_and_says_so(
    fix: dict[str, Any], tmp_path: Path
) -> None:
    url = f"{fix['http']['url']}/cut/300000/rootfs/busybox-amd64.tar.xz"
    async with Transport(patience=ONCE) as transport:
        job = Download(url, tmp_path, transport=transport, trusted=False)
        with pytest.raises(Unreachable, match="connection lost") as caught:
            await job.run(lambda done, total: None)
        assert job.path.stat().st_size > 0
    assert "kB of busybox-amd64.tar.xz" in caught.value.kept


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://h/a/b.tar.xz?token=x", "b.tar.xz"),
        ("/tmp/x%20y.tar", "x%20y.tar"),
        ("https://h/a%1bb.tar", "a\N{REPLACEMENT CHARACTER}b.tar"),
        ("https://h/", "the file"),
    ],
)
def test_a_file_is_named_by_its_last_part(source: str, name: str) -> None:
    assert file_name(source) == name
