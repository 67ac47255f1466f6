"""``build`` by the command line, on a real engine."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Job
from tests import host
from tests.tui.cli.conftest import Ended, environment
from tui.cli.progress import Fetching

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


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("nosuchcommand", "exit code 127.*try: install the command"),
        ("touch /x; /x", "exit code 126.*try: make the file executable"),
        ("kill -9 $$", "exit code 137.*try: it was killed"),
        ("exit 3", "exit code 3.*try: do it by hand .*: distrodeck create try [0-9a-f]{12},"),
    ],
)
def test_a_failing_command_ends_with_where_what_and_the_next_step(
    run: Callable[..., Ended], base: str, command: str, told: str
) -> None:
    ended = run("build", "-f", "-", given=f"FROM {base}\nRUN {command}\n".encode())
    assert ended.code == 1
    assert re.search(
        f"^distrodeck: Dockerfile:2: RUN ended with {told}", ended.talk, re.MULTILINE | re.DOTALL
    )
    if "create try" in told:
        image = ended.talk.partition("create try ")[2][:12]
        run("create", "try", image)
        assert run("run", "try", "--", "true").code == 0


def test_a_long_fetch_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    reporter = Fetching(lambda: now)
    job = Job(id="1", kind="build", title="x", state="running", phase="fetch")
    for now in (0.1, 2.5, 2.6, 4.9):
        reporter.show(replace(job, done=int(now * 1e6), total=9_000_000))
    reporter.show(replace(job, phase="build"))
    assert capsys.readouterr().err == "  fetch 2.5/9.0 MB\n  fetch 4.9/9.0 MB\n"


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
