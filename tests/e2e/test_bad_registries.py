"""Registries that refuse, break off, lie or attack cost an error each, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from tests.core.images.serving import digest_of, tar
from tests.e2e.registries import add_blob, archive, member, packed, registry, self_signed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.images.serving import Served
    from tests.e2e.deck import Deck, Shown

pytestmark = pytest.mark.usefixtures("unchanged")

BIN = tar({"bin/noise": os.urandom(600_000)})
ASKED = 20
"""As many answers as one pull may ask for."""


def refuse(served: Served, status: int, *, text: str = "", **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    served.answers = [web.Response(status=status, text=text, headers=named) for _ in range(ASKED)]


def test_a_login_is_asked_for_and_a_wrong_one_is_told(deck: Deck, fix: dict[str, Any]) -> None:
    for kind, repository in (("basic", "lib/busybox"), ("token", "private/busybox")):
        host = fix["registries"][kind]["host"]
        for more in ((), ("--creds", "alice:wrong")):
            ended = deck.refused("pull", f"{host}/{repository}", "--name", "x", *more)
            assert (ended.code, ended.error["code"]) == (5, "login_needed")
            assert host in ended.error["message"]
            assert "--creds" in ended.error["hint"]
            assert "wrong" not in ended.talk


def test_403_gives_the_registrys_own_reason(deck: Deck, served: Served) -> None:
    refuse(served, 403, text='{"errors":[{"code":"DENIED","message":"not in your plan"}]}')
    ended = deck.refused("pull", f"{served.host}/lib/x")
    assert (ended.code, ended.error["code"]) == (5, "login_needed")
    assert f"{served.host}/lib/x:latest: not in your plan" in ended.error["message"]


def test_429_says_when_to_come_back(deck: Deck, served: Served) -> None:
    refuse(served, 429, Retry_After="3600")
    ended = deck.refused("pull", f"{served.host}/lib/x")
    assert (ended.code, ended.error["code"]) == (6, "unreachable")
    assert "too many requests" in ended.error["message"]
    assert "3600 s" in ended.error["hint"]


def test_503_is_tried_again_and_then_told(deck: Deck, served: Served) -> None:
    refuse(served, 503)
    ended = deck.refused("pull", f"{served.host}/lib/x")
    assert (ended.code, ended.error["code"]) == (6, "unreachable")
    assert f"{served.host}: answered 503" in ended.error["message"].replace("/lib/x:latest", "")
    assert len(served.requests) > 3


@pytest.mark.parametrize(("status", "code"), [(404, 3), (403, 5), (401, 5), (418, 6)])
def test_a_file_server_that_refuses_is_told_by_status(
    deck: Deck, fix: dict[str, Any], status: int, code: int
) -> None:
    url = f"{fix['http']['url']}/status/{status}/rootfs/busybox-amd64.tar.gz"
    ended = deck.refused("pull", url, "--name", "x")
    assert ended.code == code
    assert "busybox-amd64.tar.gz" in ended.error["message"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("127.0.0.1:1/lib/x", "127.0.0.1:1: connection refused"),
        ("nowhere.invalid/lib/x", "nowhere.invalid: no such host"),
        ("https://nowhere.invalid/x.tar.gz", "nowhere.invalid: no such host"),
    ],
)
def test_nobody_there_is_told(deck: Deck, source: str, why: str) -> None:
    ended = deck.refused("pull", source, "--name", "x")
    assert (ended.code, ended.error["code"]) == (6, "unreachable")
    assert ended.error["message"] == why


def test_plain_http_is_not_for_other_hosts(deck: Deck) -> None:
    ended = deck.refused("pull", "http://nowhere.invalid/x.tar.gz", "--name", "x")
    assert (ended.code, ended.error["code"]) == (2, "invalid_input")
    assert "plain http" in ended.error["message"]


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(deck: Deck, tmp_path: Path) -> None:
    with registry(self_signed(tmp_path)) as served:
        served.add_image(BIN)
        ended = deck.refused("pull", f"localhost:{served.port}/lib/x")
    assert (ended.code, ended.error["code"]) == (6, "unreachable")
    assert f"localhost:{served.port}: certificate not trusted" in ended.error["message"]
    assert "SSL_CERT_FILE" in ended.error["hint"]
    assert not any("/lib/" in request.path for request in served.requests)


def test_a_blob_that_does_not_have_its_digest_is_thrown_away(deck: Deck, served: Served) -> None:
    served.add_image(BIN)
    (digest,) = served.layers()
    served.blobs[digest] = served.blobs[digest][:-1] + b"x"
    ended = deck.refused("pull", f"{served.host}/lib/x")
    assert (ended.code, ended.error["code"]) == (7, "corrupt")
    assert f"layer {digest[7:19]}" in ended.error["message"]


def test_a_manifest_that_does_not_have_its_digest_is_refused(deck: Deck, served: Served) -> None:
    served.add_image(BIN)
    wrong = digest_of(b"another")
    served.manifests[wrong] = served.manifests["latest"]
    ended = deck.refused("pull", f"{served.host}/lib/x@{wrong}")
    assert (ended.code, ended.error["code"]) == (7, "corrupt")


def test_a_tree_that_does_not_have_its_diff_id_is_refused(deck: Deck, served: Served) -> None:
    served.add_image(BIN, diff_ids=[digest_of(b"another")])
    ended = deck.refused("pull", f"{served.host}/lib/x")
    assert (ended.code, ended.error["code"]) == (7, "corrupt")
    assert "diff_id" in ended.error["message"]


@pytest.mark.parametrize(
    ("blob", "size"),
    [
        (packed(BIN)[:-1000], 0),
        (packed(BIN[:300_000]), 0),
        (packed(BIN), 10),
        (b"not a layer", 0),
    ],
    ids=["gzip cut short", "tar cut short", "longer than promised", "something else"],
)
def test_a_layer_that_is_not_whole_is_refused(
    deck: Deck, served: Served, blob: bytes, size: int
) -> None:
    digest = add_blob(served, blob, digest_of(BIN), size=size)
    ended = deck.refused("pull", f"{served.host}/lib/x")
    assert (ended.code, ended.error["code"]) == (7, "corrupt")
    assert f"layer {digest[7:19]}" in ended.error["message"]


@pytest.mark.parametrize(
    "members",
    [
        [member("../../../../../../../../OUT")],
        [member("a/../../../../../../../../../OUT")],
        [member("passwd", tarfile.LNKTYPE, "../../../../../../../../etc/passwd")],
        [member("a", tarfile.LNKTYPE, "a")],
        [member("..", tarfile.DIRTYPE)],
        [member("a"), member("a/b")],
    ],
    ids=["goes up", "goes up later", "hard link out", "link to itself", "above", "through a file"],
)
def test_a_hostile_layer_is_refused_and_named(
    deck: Deck, served: Served, members: list[tarfile.TarInfo], tmp_path: Path
) -> None:
    out = tmp_path / "evil"
    for one in members:
        one.name = one.name.replace("OUT", str(out))
    data = archive(*members)
    digest = add_blob(served, packed(data), digest_of(data))
    ended = deck.refused("pull", f"{served.host}/lib/x")
    assert (ended.code, ended.error["code"]) in [(1, "hostile"), (7, "corrupt")]
    assert f"layer {digest[7:19]}" in ended.error["message"]
    assert not out.exists()


@pytest.mark.parametrize("kind", ["absolute", "relative"])
def test_a_link_out_of_the_layer_leads_nowhere(
    deck: Deck, served: Served, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "target"
    out.mkdir()
    to = str(out) if kind == "absolute" else "../../../../../../../.." + str(out)
    data = archive(member("link", tarfile.SYMTYPE, to), member("link/evil"))
    served.add_image(data)
    ended = deck("pull", f"{served.host}/lib/link", "--quiet")
    assert not list(out.iterdir())
    if ended.code == 0:
        deck.done("rm", "--now", "--yes", "link")


def test_a_cut_pull_keeps_what_came_and_goes_on_from_there(deck: Deck, served: Served) -> None:
    served.add_image(BIN)
    (digest,) = served.layers()
    served.cuts[digest] = [200_000, *([10] * ASKED)]

    async def arrived(_digest: str, count: int) -> None:
        ingest = deck.root / "data" / "ingest"
        async with asyncio.timeout(20):
            while max((path.stat().st_size for path in ingest.iterdir()), default=0) < count:
                await asyncio.sleep(0.01)

    served.arrived = arrived
    ended = deck.refused("pull", f"{served.host}/lib/cut")
    assert (ended.code, ended.error["code"]) == (6, "unreachable")
    assert f"{served.host}: connection lost" in ended.error["message"]
    assert f"layer {digest[7:19]}" in ended.error["kept"]
    assert not [one for one in deck.items("ls") if one["name"] == "cut"]
    served.cuts.clear()
    assert deck.done("pull", f"{served.host}/lib/cut").out == "cut\n"
    start = int(served.asked(digest)[-1].removeprefix("bytes=").removesuffix("-"))
    assert start > 64 << 10
    deck.done("rm", "--now", "--yes", "cut")


@pytest.mark.parametrize("stop", ["timeout", "ctrl+C"])
def test_a_pull_that_takes_too_long_can_be_given_up(
    deck: Deck, fix: dict[str, Any], stop: str
) -> None:
    url = f"{fix['http']['url']}/slow/5/rootfs/busybox-amd64.tar.xz"
    if stop == "timeout":
        assert deck.refused("--timeout", "1", "pull", url, "--name", "slow").code == 124
    else:
        argv = deck.argv("--progress", "json", "pull", url, "--name", "slow")
        with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            while '"done": 0' in (line := process.stderr.readline()):
                assert line
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
    job = deck.items("jobs")[0]
    assert (job["title"], job["state"]) == ("slow", "cancelled")
    for name in deck.files():
        if name.startswith("ingest/url-"):
            (deck.root / "data" / name).unlink()


def test_after_all_of_that_the_store_shows_what_it_did_and_a_good_pull_works(
    deck: Deck, plain: str, before: Shown
) -> None:
    assert deck.shown() == before
    assert deck.done("pull", f"{plain}/lib/busybox-v2s2", "--name", "again").out == "again\n"
    deck.done("rm", "--now", "--yes", "again")
