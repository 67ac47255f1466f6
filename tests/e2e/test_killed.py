"""Each long verb is killed at any instant: the store is in order, and the verb works when repeated.

The whole engine is in the killed process (``--embedded``): nobody is left to tidy up.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests import host
from tests.e2e.deck import Deck, new_deck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TRIES, TRIES_IN_SOAK = 1, 50
DOCKERFILE = """\
FROM {plain}/lib/busybox
RUN mkdir /made && seq 1 20000 >/made/numbers
COPY notes /notes
RUN rm /made/numbers && echo done >/made/state
"""

pytestmark = pytest.mark.soak


@dataclass(frozen=True, slots=True)
class Case:
    """A verb that is killed."""

    words: Callable[[Bench], tuple[str, ...]]
    there: Callable[[Bench], bool]
    """Whether its work is done."""
    once: bool = False
    """What it makes has a name, which is taken when it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A deck, a registry, and files to work with."""

    deck: Deck
    plain: str
    mark: str
    """Unique, for names in the registry."""

    @property
    def file(self) -> Path:
        return self.deck.root / "archive.tar"

    def named(self, reference: str) -> bool:
        return self.deck("exists", reference).code == 0


def _installed(bench: Bench, name: str) -> bool:
    return name in [distro["name"] for distro in bench.deck.items("ls")]


def _loads(bench: Bench) -> bool:
    return subprocess.run(["tar", "-tf", bench.file], stdout=subprocess.DEVNULL).returncode == 0


def _pushed(bench: Bench) -> bool:
    source = f"docker://{bench.plain}/t/{bench.mark}:1"
    seen = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", source], stdout=subprocess.DEVNULL
    )
    return seen.returncode == 0


def _holds(bench: Bench, name: str, path: str) -> bool:
    """Whether a distro has a file."""
    found = bench.deck("run", name, "--", "test", "-e", path)
    bench.deck.done("stop", name)
    return found.code == 0


CASES = {
    "pull": Case(
        lambda b: ("pull", f"{b.plain}/lib/edge", "--name", "edge"), lambda b: _installed(b, "edge")
    ),
    "push": Case(lambda b: ("push", "many:kept", f"{b.plain}/t/{b.mark}:1"), _pushed),
    "commit": Case(lambda b: ("commit", "bb", "bb:made"), lambda b: b.named("bb:made")),
    "build": Case(
        lambda b: ("build", "-t", "built:1", str(b.deck.root / "context")),
        lambda b: b.named("built:1"),
    ),
    "save": Case(lambda b: ("save", "many:kept", "-o", str(b.file)), _loads),
    "load": Case(
        lambda b: ("load", "-i", str(b.deck.root / "saved.tar")), lambda b: b.named("edge:saved")
    ),
    "clone": Case(lambda b: ("clone", "bb", "cc"), lambda b: _installed(b, "cc"), once=True),
    "rollback": Case(
        lambda b: ("rollback", "bb", "first", "--yes"), lambda b: not _holds(b, "bb", "/more")
    ),
    "upgrade": Case(lambda b: ("upgrade", "old"), lambda b: _holds(b, "old", "/work/numbers")),
    "prune": Case(lambda b: ("prune", "--all", "--yes"), lambda b: not b.named("many:kept")),
}


@pytest.fixture(scope="module")
def template(plain: str) -> Iterator[Deck]:
    """A store with images, a distro in which somebody worked, an archive and a build context."""
    with new_deck(flags=("--embedded",)) as deck:
        deck.done("pull", f"{plain}/lib/busybox", "--name", "bb")
        deck.done("run", "bb", "--", "sh", "-c", "mkdir /work && seq 1 50000 >/work/numbers")
        deck.done("pull", f"{plain}/lib/edge", "--image-only")
        deck.done("tag", f"{plain}/lib/edge", "edge:saved")
        deck.done("save", "edge:saved", "-o", str(deck.root / "saved.tar"))
        deck.done("rmi", "--force", "--now", "--yes", "edge:saved")
        deck.done("rmi", "--force", "--now", "--yes", f"{plain}/lib/edge")
        deck.done("pull", f"{plain}/lib/many", "--image-only")
        deck.done("tag", f"{plain}/lib/many", "many:kept")
        context = deck.root / "context"
        context.mkdir()
        (context / "Dockerfile").write_text(DOCKERFILE.format(plain=plain))
        (context / "notes").write_text("kept\n" * 10_000)
        deck.done("stop", "bb")
        deck.done("snapshot", "bb", "first")
        deck.done("run", "bb", "--", "sh", "-c", "seq 1 50000 >/more")
        deck.done("stop", "bb")
        _add_outdated(deck, plain)
        yield deck


def _add_outdated(deck: Deck, plain: str) -> None:
    """A distro, ``old``, whose source has another image now: that of ``bb`` with all its work."""
    source = f"{plain}/t/k{uuid.uuid4().hex}:1"
    deck.done("push", f"{plain}/lib/busybox", source)
    deck.done("pull", source, "--name", "old")
    deck.done("commit", "bb", "newer:1")
    deck.done("push", "newer:1", source)
    deck.done("rmi", "--force", "--now", "--yes", "newer:1")


@contextmanager
def copy_of(template: Deck, plain: str) -> Iterator[Bench]:
    root = host.make_root()
    try:
        root.rmdir()
        subprocess.run(["cp", "-a", template.root, root], check=True)
        shutil.rmtree(root / "run", ignore_errors=True)
        yield Bench(deck=replace(template, root=root), plain=plain, mark=f"k{uuid.uuid4().hex}")
    finally:
        host.clear_root(root)


def kill_after(deck: Deck, seconds: float, words: tuple[str, ...]) -> bool:
    """Whether the command was still at work and was killed."""
    process = subprocess.Popen(
        deck.argv(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def whole(bench: Bench) -> None:
    """The store is in order, and what was there before is there still."""
    checked = bench.deck("fsck")
    assert checked.code == 0, checked.talk + checked.out
    numbers = bench.deck.done("run", "bb", "--", "tail", "-n", "1", "/work/numbers").out
    assert numbers == "50000\n"
    bench.deck.done("stop", "bb")


@pytest.mark.timeout(7000)
@pytest.mark.parametrize("verb", CASES)
def test_a_verb_killed_at_any_instant_leaves_a_whole_store_and_works_again(
    verb: str, template: Deck, plain: str, soak: bool
) -> None:
    case = CASES[verb]
    with copy_of(template, plain) as bench:
        begun = time.monotonic()
        bench.deck.done(*case.words(bench))
        needed = time.monotonic() - begun
        assert case.there(bench)
    dice = random.Random(os.environ.get("PYTEST_SEED", verb))
    killed, wanted = 0, TRIES_IN_SOAK if soak else TRIES
    while killed < wanted:
        with copy_of(template, plain) as bench:
            if not kill_after(bench.deck, dice.uniform(0.3, 1.0) * needed, case.words(bench)):
                needed *= 0.9  # the machine is quicker now
                continue
            killed += 1
            whole(bench)
            bench.deck.done(*case.words(bench))
            assert case.there(bench)
            whole(bench)
