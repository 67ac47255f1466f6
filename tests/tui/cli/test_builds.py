"""``build`` by the command line, on a real engine."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests import host
from tests.tui.cli.conftest import Ended, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DECK = [sys.executable, "-P", "-m", "tui"]


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """One engine for all of them."""
    root = host.make_root()
    try:
        yield root
        subprocess.run([*DECK, "--root", str(root), "serve", "--stop"], check=False, cwd="/")
    finally:
        host.clear_root(root)


@pytest.fixture
def run(root: Path, tmp_path: Path) -> Callable[..., Ended]:
    def deck(*words: str, given: bytes = b"") -> Ended:
        done = subprocess.run(
            [*DECK, "--root", str(root), *words],
            input=given,
            capture_output=True,
            cwd=tmp_path,
            env=environment(),
            timeout=100,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return deck


@pytest.fixture
def base(fix: dict[str, Any]) -> str:
    return f"{fix['registries']['plain']['host']}/lib/busybox"


def test_a_folder_is_built_and_named(run: Callable[..., Ended], tmp_path: Path, base: str) -> None:
    context = tmp_path / "ctx"
    context.mkdir()
    (context / "file").write_text("content")
    text = f"FROM {base}\nARG A=0\nCOPY file /\nRUN cat /file; echo $A\n"
    (context / "Containerfile").write_text(text)
    words = ["build", "-t", "127.0.0.1:1/t/x", "--build-arg", "A=7", "--label", "k=v", "ctx"]
    ended = run(*words, "--iidfile", str(tmp_path / "id"))
    assert ended.code == 0, ended.talk
    assert ended.text.startswith("sha256:")
    assert (tmp_path / "id").read_text() == ended.text.strip()
    told = ended.talk.splitlines()
    assert told[0] == f"STEP 1/4: FROM {base}"
    assert "content7" in told
    again = run(*words, "--format", "json", "--progress", "json")
    (image,) = again.document["items"]
    assert image["references"] == ["127.0.0.1:1/t/x:latest"]
    assert image["digest"] == ended.text.strip()
    events = [json.loads(line) for line in again.talk.splitlines()]
    assert {event["event"] for event in events} == {"build"}
    assert [event["kind"] for event in events].count("cached") == 2
    quiet = run(*words, "--quiet")
    assert (quiet.text, quiet.talk) == (ended.text, "")


def test_context_or_dockerfile_may_come_from_standard_input(
    run: Callable[..., Ended], tmp_path: Path
) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz") as tar:
        body = b"FROM scratch\nCOPY Dockerfile /d\n"
        info = tarfile.TarInfo("Dockerfile")
        info.size = len(body)
        tar.addfile(info, io.BytesIO(body))
    streamed = run("build", "-q", "-", given=made.getvalue())
    assert streamed.code == 0, streamed.talk
    (tmp_path / "Dockerfile").write_bytes(body)
    assert run("build", "-q", ".").text.startswith("sha256:")
    given = run("build", "-q", "-f", "-", ".", given=body)
    assert given.code == 0, given.talk
    alone = run("build", "-f", "-", given=b"FROM scratch\nENV A=1\n")
    assert alone.code == 0, alone.talk
    assert "STEP 2/2: ENV A=1" in alone.talk


@pytest.mark.parametrize(
    ("words", "given", "code", "said"),
    [
        (["build"], b"", 2, "CONTEXT"),
        (["build", "-f", "-", "-"], b"", 2, "cannot both come"),
        (["build", "nofolder"], b"", 3, "no such folder"),
        (["build", "."], b"", 3, "no such Dockerfile"),
        (["build", "-"], b"FROM scratch\nRUNN x\n", 2, "Dockerfile:2: no such instruction"),
        (["build", "-", "--target", "t"], b"FROM scratch\n", 3, "no such stage"),
        (["build", "-", "-t", "A b"], b"FROM scratch\n", 2, "A b"),
        (["build", "-", "--build-arg", "=x"], b"FROM scratch\n", 2, "not K=V"),
        (["build", "-", "--creds", "x"], b"FROM scratch\n", 2, "HOST=USER"),
    ],
)
def test_a_mistake_is_told_with_its_exit_code(
    run: Callable[..., Ended], words: list[str], given: bytes, code: int, said: str
) -> None:
    ended = run(*words, given=given)
    assert (ended.code, said in ended.talk) == (code, True), ended.talk
