"""Contexts from elsewhere: archives and lone Dockerfiles as content or by HTTP, repositories."""

from __future__ import annotations

import base64
import io
import subprocess
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from core.builds.context import open_context, unpack_content
from core.builds.remote import clone, fetch_context, is_remote
from core.errors import Corrupt, DeckError, InvalidInput, NotFound
from core.verbs.builds import BuildSpec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

TEXT = b"FROM scratch\nCOPY a /\n"


def packed(mode: str, **files: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=f"w:{mode}") as tar:  # type: ignore[call-overload]
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return made.getvalue()


async def sent(data: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("mode", ["", "gz", "bz2", "xz"])
async def test_an_archive_may_be_compressed_in_any_way(mode: str, tmp_path: Path) -> None:
    root = tmp_path / "context"
    assert await unpack_content(sent(packed(mode, Dockerfile=TEXT, a=b"a")), root) == b""
    context = open_context(root, BuildSpec(), b"")
    assert (context.dockerfile, context.file) == (TEXT, "Dockerfile")
    assert (root / "a").read_bytes() == b"a"


@pytest.mark.parametrize("text", [TEXT, b"FROM x", TEXT + b"# " + b"x" * 3000])
async def test_content_that_is_text_is_the_dockerfile(text: bytes, tmp_path: Path) -> None:
    assert await unpack_content(sent(text), tmp_path / "context") == text


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", InvalidInput),
        (packed("gz", Dockerfile=TEXT)[:-9], Corrupt),
        (packed("", Dockerfile=TEXT * 200)[:900], Corrupt),
        (b"\0" * 600 + b"x", DeckError),
    ],
)
async def test_what_is_neither_is_refused(
    data: bytes, error: type[DeckError], tmp_path: Path
) -> None:
    with pytest.raises(error):
        await unpack_content(sent(data), tmp_path / "context")
    assert list(tmp_path.iterdir()) == []


def test_the_ignore_file_of_the_dockerfile_comes_before_that_of_the_context(
    tmp_path: Path,
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "My.df").write_bytes(TEXT)
    (tmp_path / ".dockerignore").write_text("general")
    assert open_context(tmp_path, BuildSpec(file="sub/My.df"), b"").ignore == "general"
    (tmp_path / "sub" / "My.df.dockerignore").write_text("own")
    assert open_context(tmp_path, BuildSpec(file="sub/My.df"), b"").ignore == "own"


def test_a_dockerfile_is_looked_for_inside_the_context_only(tmp_path: Path) -> None:
    root = tmp_path / "context"
    root.mkdir()
    (tmp_path / "Dockerfile").write_bytes(TEXT)
    (root / "Dockerfile").symlink_to("../Dockerfile")
    for file in ("", "../Dockerfile", "Dockerfile"):
        with pytest.raises((NotFound, InvalidInput)):
            open_context(root, BuildSpec(file=file), b"")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


async def test_a_url_may_be_an_archive_or_a_dockerfile(
    served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, url = served
    (folder / "context.tar.gz").write_bytes(packed("gz", Dockerfile=TEXT, a=b"a"))
    (folder / "Dockerfile").write_bytes(TEXT)
    for name, text in (("context.tar.gz", b""), ("Dockerfile", TEXT)):
        place = tmp_path / name
        place.mkdir()
        root, found = await fetch_context(f"{url}/{name}", place, plain_http=False)
        assert found == text
        assert (root / "a").exists() is (not text)
    with pytest.raises(NotFound):
        await fetch_context(f"{url}/none", tmp_path, plain_http=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a branch, a folder, a hook that must not run and a link that leads out."""
    place = tmp_path / "source.git"

    def git(*words: str) -> None:
        name = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *name, *words], cwd=place, check=True, capture_output=True)

    place.mkdir()
    git("init")
    (place / "sub").mkdir()
    (place / "sub" / "Dockerfile").write_bytes(TEXT)
    (place / "out").symlink_to(tmp_path)
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "other")
    (place / "sub" / "a").write_text("other")
    git("add", ".")
    git("commit", "-m", "two")
    git("checkout", "main")
    return place


async def test_a_repository_gives_the_branch_and_folder_that_are_named(
    repository: Path, tmp_path: Path
) -> None:
    url = f"file://{repository}"
    main = await clone(url, tmp_path / "1")
    assert sorted(path.name for path in main.iterdir()) == ["out", "sub"]
    other = await clone(f"{url}#other:sub", tmp_path / "2")
    assert (other / "a").read_text() == "other"


@pytest.mark.parametrize(
    ("fragment", "error"),
    [
        ("#none", NotFound),
        ("#main:nofolder", NotFound),
        ("#main:out/1", NotFound),
        ("#--upload-pack=touch x", InvalidInput),
        ("#a..b", InvalidInput),
    ],
)
async def test_a_fragment_that_means_nothing_is_refused(
    repository: Path, tmp_path: Path, fragment: str, error: type[DeckError]
) -> None:
    with pytest.raises(error):
        await clone(f"file://{repository}{fragment}", tmp_path / "1")


async def test_no_way_of_fetching_may_run_a_command(tmp_path: Path) -> None:
    with pytest.raises(DeckError, match="not allowed"):
        await clone(f"ext::sh -c touch% {tmp_path}/pwned", tmp_path / "1")
    assert not (tmp_path / "pwned").exists()


def test_a_url_is_told_from_a_folder() -> None:
    remote = ("https://x/y.git#a", "http://x/y.tar", "git://x/y", "git@x.y:z", "github.com/a/b")
    assert all(map(is_remote, remote))
    assert not any(map(is_remote, ("/a/b.git", ".", "ext::sh", "httpd")))


async def test_a_password_is_in_no_argument_of_git_and_in_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(
        f'#!/bin/sh\necho "$@" >>{told}\ncase "$*" in *fetch*) ;; *) exit 0 ;; esac\n'
        f'echo "$GIT_CONFIG_KEY_0=$GIT_CONFIG_VALUE_0" >{told}.env\nexit 1\n'
    )
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:/usr/bin:/bin")
    for fragment in ("", "#..bad"):
        with pytest.raises(DeckError) as caught:
            await clone(f"https://me:s%40cret@lab.example/x.git{fragment}", tmp_path / "to")
        assert "cret" not in str(caught.value)
    assert "cret" not in told.read_text()
    assert "https://lab.example/x.git" in told.read_text()
    header = base64.b64encode(b"me:s@cret").decode()
    assert (tmp_path / "told.env").read_text() == (
        f"http.https://lab.example/.extraHeader=Authorization: Basic {header}\n"
    )
