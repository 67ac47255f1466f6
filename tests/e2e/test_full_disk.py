"""Every verb that writes, on a full disk: told, nothing half-done, and room again helps."""

from __future__ import annotations

import os
import shutil
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.core.images.serving import tar
from tests.e2e.test_bad_places import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.deck import Deck

LEFT = 1 << 20
"""Bytes that are left on the disk: less than any of the verbs needs."""
NEEDED = 3 << 20

VERBS = {
    "commit": "commit bb made:1",
    "commit --squash": "commit bb made:1 --squash",
    "clone": "clone bb cc",
    "snapshot": "snapshot bb before",
    "rollback": "rollback bb first --yes",
    "upgrade": "upgrade old",
    "save": "save {plain}/lib/busybox noise:1 -o {root}/out.tar",
    "export": "export bb -o {root}/out.tar",
    "load": "load -i {aside}/saved.tar",
    "import": "import {aside}/noise.tar imported:1",
    "build": "build -t made:1 {aside}/context",
}


@pytest.fixture(scope="module")
def aside(tmp_path_factory: pytest.TempPathFactory, plain: str) -> Path:
    """Files on another disk: a tarball, a build context."""
    folder = tmp_path_factory.mktemp("aside")
    noise = tar({"noise": os.urandom(NEEDED)})
    (folder / "noise.tar").write_bytes(noise)
    (folder / "newer.tar").write_bytes(tar({"newer": os.urandom(NEEDED)}))
    context = folder / "context"
    context.mkdir()
    (context / "noise").write_bytes(os.urandom(NEEDED))
    dockerfile = f"FROM {plain}/lib/busybox\nCOPY noise /noise\nRUN cp /noise /again\n"
    (context / "Dockerfile").write_text(dockerfile)
    return folder


@pytest.fixture(scope="module")
def worked(plain: str, aside: Path) -> Iterator[Deck]:
    """A deck on a small disk, with a distro in which somebody wrote something."""
    source = f"{plain}/t/d{uuid.uuid4().hex}:1"
    with small_disk("96m") as deck:
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        deck.done("run", "bb", "--", "sh", "-c", f"head -c {NEEDED} /dev/urandom >/work")
        deck.done("import", str(aside / "noise.tar"), "noise:1")
        deck.done("save", "noise:1", "-o", str(aside / "saved.tar"))
        deck.done("tag", "noise:1", "kept:1")
        deck.done("stop", "bb")
        deck.done("snapshot", "bb", "first")
        deck.done("push", f"{plain}/lib/busybox", source)
        deck.done("pull", source, "--name", "old")
        deck.done("import", str(aside / "newer.tar"), "newer:1")
        deck.done("push", "newer:1", source)
        deck.done("rmi", "--force", "--now", "--yes", "newer:1")
        yield deck


def _fill(deck: Deck) -> Path:
    path = deck.root / "fill"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(deck.root).free - LEFT)
    return path


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_on_a_full_disk_is_refused_and_leaves_all_as_it_was(
    verb: str, worked: Deck, plain: str, aside: Path
) -> None:
    words = VERBS[verb].format(plain=plain, root=worked.root, aside=aside).split()
    if verb in {"load", "import"}:
        worked.done(
            "rmi", "--force", "--now", "--yes", worked.items("inspect", "noise:1")[0]["digest"]
        )
        worked.done("prune", "--yes")
    shown = worked.shown()
    fill = _fill(worked)
    try:
        ended = worked.refused(*words)
        assert (ended.code, ended.error["code"]) == (10, "no_space")
        assert worked.shown() == shown
        assert not (worked.root / "out.tar").exists()
    finally:
        fill.unlink()
    assert worked.done("fsck").code == 0
    worked.done(*words)
    (worked.root / "out.tar").unlink(missing_ok=True)
