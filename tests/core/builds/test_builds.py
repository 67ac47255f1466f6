"""Whole builds on a real engine: what they make, what they keep, how they fail."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.builds.output import Output
from core.errors import (
    Cancelled,
    CommandNotFound,
    DeckError,
    Hostile,
    InvalidInput,
    NotFound,
    Refused,
)
from core.store.layout import Layout
from core.verbs.builds import BuildLine, BuildSpec
from core.verbs.storage import ImageQuery, PruneSpec
from tests.core.conftest import SECONDS, Deck, busybox, process_ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Image
    from core.engine import Engine


@pytest.fixture
async def engine(deck: Deck) -> AsyncIterator[Engine]:
    async with deck.open(embedded=True) as engine:
        yield engine


@pytest.fixture
def base(fix: dict[str, Any]) -> str:
    return busybox(fix)


async def build(engine: Engine, text: str, **more: Any) -> Image:
    job = await engine.build(BuildSpec(dockerfile=text, **more))
    return await engine.image((await engine.result(job.id)).result)


async def told(engine: Engine, text: str, **more: Any) -> list[BuildLine]:
    """All that a build says, however it ends."""
    job = await engine.build(BuildSpec(dockerfile=text, **more))
    async with engine.build_output(job.id) as lines:
        return [line async for line in lines]


def wrote(lines: list[BuildLine]) -> list[str]:
    return [line.text for line in lines if line.kind == "output"]


def config_of(deck: Deck, image: Image) -> dict[str, Any]:
    path = Layout(deck.paths.data).blob(image.config_digest)
    return dict(json.loads(path.read_text()))


def staged(deck: Deck) -> list[Path]:
    return list(Layout(deck.paths.data).staging.iterdir())


async def test_an_image_has_its_names_its_parent_and_its_history(engine: Engine, base: str) -> None:
    text = f"FROM {base}\nRUN echo a > /a\nENV X=1\n"
    image = await build(engine, text, tags=("127.0.0.1:1/t/x:1", "127.0.0.1:1/t/y"))
    assert image.references == ("127.0.0.1:1/t/x:1", "127.0.0.1:1/t/y:latest")
    assert (image.origin, image.intermediate) == ("build", False)
    steps = await engine.history(image.digest)
    assert [step.created_by for step in steps[:2]] == ["ENV X=1", "RUN echo a > /a"]
    parent = await engine.image(image.parent)
    assert parent.intermediate
    shown = {one.digest for one in await engine.images()}
    assert image.digest in shown
    assert parent.digest not in shown
    assert parent.digest in {one.digest for one in await engine.images(ImageQuery(all=True))}


async def test_a_command_has_variables_user_and_folder_of_the_stage(
    engine: Engine, base: str
) -> None:
    text = (
        f"FROM {base}\nARG A=one\nARG B\nENV B=env\nUSER 12:34\nWORKDIR /w/x\n"
        'RUN echo "$A $B $C"; id -u; id -g; pwd; echo told >&2\n'
    )
    lines = await told(engine, text, arguments=(("B", "given"), ("C", "undeclared")))
    assert wrote(lines) == ["one env ", "12", "34", "/w/x"]
    assert [line.text for line in lines if line.kind == "error"] == ["told"]
    assert any("uses the build argument C" in line.text for line in lines if line.kind == "note")


async def test_steps_done_before_are_not_done_again(engine: Engine, base: str) -> None:
    text = f"FROM {base}\nRUN cat /proc/sys/kernel/random/uuid > /id\nENV A=1\nRUN echo $A > /a\n"
    first = await build(engine, text)
    assert (await build(engine, text)).digest == first.digest
    kinds = [line.kind for line in await told(engine, text)]
    assert kinds.count("cached") == 2
    changed = await build(engine, text.replace("A=1", "A=2"))
    assert changed.layers[1] == first.layers[1]
    assert changed.layers[2] != first.layers[2]
    again = await build(engine, text, cache=False)
    assert again.layers[1] != first.layers[1]


async def test_an_argument_matters_to_the_commands_after_it(engine: Engine, base: str) -> None:
    text = f"FROM {base}\nRUN echo 1 > /1\nARG A\nRUN echo $A > /2\n"
    one, two = [await build(engine, text, arguments=(("A", value),)) for value in "12"]
    assert one.layers[1] == two.layers[1]
    assert one.layers[2] != two.layers[2]
    proxied = [("A", "1"), ("http_proxy", "http://127.0.0.1:1")]
    assert (await build(engine, text, arguments=tuple(proxied))).digest == one.digest


async def test_what_is_copied_counts_by_content_and_mode_not_by_time(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("1")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY file /\n")

    async def digest() -> str:
        job = await engine.build(BuildSpec(context=str(tmp_path)))
        return (await engine.result(job.id)).result

    first = await digest()
    os.utime(file, (1, 1))
    assert await digest() == first
    file.chmod(0o600)
    second = await digest()
    file.write_text("2")
    assert len({first, second, await digest()}) == 3


async def test_a_cached_step_whose_image_is_gone_is_done_again(engine: Engine, base: str) -> None:
    text = f"FROM {base}\nRUN echo a > /a\n"
    first = await build(engine, text)
    await engine.remove_image(first.digest, force=True)
    for image in await engine.images(ImageQuery(all=True)):
        if image.origin == "build":
            await engine.remove_image(image.digest, force=True)
    kinds = [line.kind for line in await told(engine, text)]
    assert "cached" not in kinds


async def test_only_stages_that_are_needed_are_built(engine: Engine, base: str) -> None:
    text = (
        f"FROM {base} AS one\nRUN echo 1 > /1\nFROM {base} AS broken\nRUN false\n"
        "FROM scratch AS last\nCOPY --from=one /1 /\n"
    )
    lines = await told(engine, text)
    assert [line.text for line in lines if line.kind == "step"] == [
        "FROM scratch AS last", f"FROM {base} AS one", "RUN echo 1 > /1", "COPY --from=one /1 /",
    ]  # fmt: skip
    assert {line.steps for line in lines} == {4}
    image = await build(engine, text, target="one")
    assert len(image.layers) == 2


async def test_a_trigger_waits_for_the_image_that_is_built_on_it(
    engine: Engine, deck: Deck, base: str
) -> None:
    text = f"FROM {base}\nONBUILD RUN echo later > /later\nONBUILD ENV T=1\n"
    one = await build(engine, text, tags=("127.0.0.1:1/t/on",))
    assert config_of(deck, one)["config"]["OnBuild"] == ["RUN echo later > /later", "ENV T=1"]
    two = await build(engine, "FROM 127.0.0.1:1/t/on\n")
    config = config_of(deck, two)["config"]
    assert "OnBuild" not in config
    assert "T=1" in config["Env"]
    assert len(two.layers) == len(one.layers) + 1


async def test_here_documents_are_scripts_and_files(engine: Engine, base: str) -> None:
    text = (
        f"FROM {base}\nENV A=1\nCOPY <<one <<'two' /d/\nit's $A\none\n$A\ntwo\n"
        "RUN <<EOF\ncat /d/one\ncat /d/two\nEOF\n"
        "RUN <<EOF\n#!/bin/sh -e\necho script\nEOF\n"
        "RUN cat <<EOF\nto cat\nEOF\n"
    )
    assert wrote(await told(engine, text)) == ["it's 1", "$A", "script", "to cat"]


async def test_mounts_are_there_for_one_command(engine: Engine, tmp_path: Path, base: str) -> None:
    (tmp_path / "src").write_text("from the context\n")
    text = (
        f"FROM {base}\n"
        "RUN --mount=target=/m --mount=type=cache,target=/c --mount=type=tmpfs,target=/t "
        "cat /m/src; touch /m/no 2>/dev/null || echo read-only; ls /c; echo kept > /c/f\n"
        "RUN --mount=type=cache,target=/c cat /c/f; ls -d /m /t 2>/dev/null || echo gone\n"
    )
    lines = await told(engine, text, context=str(tmp_path))
    assert wrote(lines) == ["from the context", "read-only", "kept", "gone"]


async def test_a_step_is_done_again_when_what_it_mounts_has_changed(
    engine: Engine, tmp_path: Path, base: str
) -> None:
    text = f"FROM {base}\nRUN --mount=source=src,target=/m cat /m\n"
    (tmp_path / "src").write_text("one\n")
    assert wrote(await told(engine, text, context=str(tmp_path))) == ["one"]
    (tmp_path / "other").write_text("not mounted")
    assert wrote(await told(engine, text, context=str(tmp_path))) == []
    (tmp_path / "src").write_text("two\n")
    assert wrote(await told(engine, text, context=str(tmp_path))) == ["two"]


async def test_what_commands_keep_is_told_and_goes_with_all_that_is_unused(
    engine: Engine, base: str
) -> None:
    text = f"FROM {base}\nRUN --mount=type=cache,id=pip,target=/c chown 1 /c; seq 9999 > /c/f\n"
    await build(engine, text, tags=("kept:1",))
    (space,) = [one for one in (await engine.usage()).spaces if one.kind == "build cache"]
    assert (space.count, space.active) == (1, 0)
    assert space.size == space.reclaimable > 40_000
    assert "pip" not in [one.name for one in (await engine.prune(PruneSpec())).items]
    plan = await engine.prune(PruneSpec(all=True, dry_run=True))
    assert ("build cache", "pip") in [(one.kind, one.name) for one in plan.items]
    await engine.prune(PruneSpec(all=True))
    (space,) = [one for one in (await engine.usage()).spaces if one.kind == "build cache"]
    assert (space.count, space.size) == (0, 0)
    await build(engine, text)


async def test_an_archive_that_asks_for_more_than_is_allowed_is_refused(
    deck: Deck, tmp_path: Path
) -> None:
    deck.configure("[limits]\nentries = 3\n")
    with tarfile.open(tmp_path / "many.tar", "w") as archive:
        for number in range(4):
            archive.addfile(tarfile.TarInfo(f"f{number}"))
    async with deck.open(embedded=True) as engine:
        with pytest.raises(Hostile):
            await build(engine, "FROM scratch\nADD many.tar /d/\n", context=str(tmp_path))

        async def content() -> AsyncIterator[bytes]:
            yield (tmp_path / "many.tar").read_bytes()

        with pytest.raises(Hostile, match="context"):
            await engine.build(BuildSpec(), content())


async def test_files_come_from_urls_and_other_images(
    engine: Engine, fix: dict[str, Any], base: str
) -> None:
    url = fix["http"]["files"]["busybox-amd64.tar.gz"]
    text = (
        f"FROM {base}\nADD --checksum=sha256:{url['sha256']} {url['url']} /got/\n"
        f"COPY --from={base}-v2s2 /bin/busybox /other\n"
        "RUN ls -l /got | cut -c1-10; cmp /other /bin/busybox && echo same\n"
    )
    assert wrote(await told(engine, text))[1:] == ["-rw-------", "same"]
    with pytest.raises(DeckError, match=r"Dockerfile:2: ADD: .*has the digest"):
        await build(engine, text.replace(url["sha256"], "0" * 64))


async def test_a_failing_command_says_where_and_what(engine: Engine, deck: Deck, base: str) -> None:
    text = f"FROM {base}\nRUN echo first; echo the reason >&2; exit 3\n"
    with pytest.raises(DeckError, match=r"RUN ended with exit code 3.*the reason") as raised:
        await build(engine, text)
    assert raised.value.what == "Dockerfile:2"
    assert staged(deck) == []
    with pytest.raises(CommandNotFound, match="Dockerfile:2: RUN: nosuch"):
        await build(engine, f'FROM {base}\nRUN ["nosuch"]\n')
    with pytest.raises(DeckError) as raised:
        await build(engine, text, keep_failed=True)
    assert "upper" in raised.value.kept


@pytest.mark.parametrize(
    ("lines", "error", "why"),
    [
        ("COPY none /", NotFound, "none: no such file or folder"),
        ("COPY ../up /", InvalidInput, "leads out of the context"),
        ("COPY --from=1 x /", NotFound, "no such stage"),
        ("COPY --parents a /", InvalidInput, "--parents is not supported"),
        ("COPY --chmod=x a /", InvalidInput, "no octal mode"),
        ("COPY --chown=nobodyhere a /", NotFound, "nobodyhere"),
        ("COPY a", InvalidInput, "needs something to copy"),
        ("COPY a b /etc/passwd", InvalidInput, "is a file"),
        ("RUN --mount=type=ssh true", InvalidInput, "type=ssh is not supported"),
        ("RUN --network=none true", InvalidInput, "--network"),
        ("ADD https://x/y.git /", InvalidInput, "git repositories"),
        ("FROM nosuch.invalid:1/x:y z", InvalidInput, "needs an image"),
        ("EXPOSE 99999", InvalidInput, "no port"),
        ("ENV A=${B", InvalidInput, "has no end"),
    ],
)
async def test_what_cannot_be_done_is_an_error_with_its_line(
    engine: Engine, tmp_path: Path, base: str, lines: str, error: type[DeckError], why: str
) -> None:
    for name in "ab":
        (tmp_path / name).write_text(name)
    with pytest.raises(error, match=why) as raised:
        await build(engine, f"FROM {base}\n\n{lines}\n", context=str(tmp_path))
    assert raised.value.what == "Dockerfile:3"


async def test_links_of_the_context_lead_nowhere_else(engine: Engine, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("no")
    context = tmp_path / "context"
    context.mkdir()
    (context / "up").symlink_to("../outside/secret")
    (context / "folder").symlink_to(outside)
    for name in ("up", "folder/secret", "folder"):
        with pytest.raises(NotFound, match="no such file or folder"):
            await build(engine, f"FROM scratch\nCOPY {name} /x\n", context=str(context))


async def test_links_of_the_image_lead_nowhere_else(
    engine: Engine, tmp_path: Path, base: str
) -> None:
    target = tmp_path / "outside"
    target.mkdir()
    context = tmp_path / "context"
    context.mkdir()
    (context / "a").write_text("a")
    text = f"FROM {base}\nRUN ln -s {target} /trap\nCOPY a /trap/\nRUN find {target} /trap/a\n"
    lines = await told(engine, text, context=str(context))
    assert wrote(lines) == [str(target), f"{target}/a", "/trap/a"]
    assert list(target.iterdir()) == []


async def test_a_cancelled_build_ends_its_command_and_leaves_nothing(
    engine: Engine, deck: Deck, base: str
) -> None:
    job = await engine.build(BuildSpec(dockerfile=f"FROM {base}\nRUN echo $$; sleep 1000\n"))
    async with engine.build_output(job.id) as lines, asyncio.timeout(SECONDS):
        async for line in lines:
            if line.kind == "output":
                break
    await engine.cancel(job.id)
    with pytest.raises(Cancelled):
        await engine.result(job.id)
    assert staged(deck) == []
    # what follows a cancelled build is as good as ever
    assert wrote(await told(engine, f"FROM {base}\nRUN echo fine\n")) == ["fine"]


async def test_a_killed_daemon_leaves_no_command_and_no_half_image(
    deck: Deck, base: str, tmp_path: Path
) -> None:
    mark = f"sleep-{os.getpid()}-{time.monotonic_ns()}"
    text = f"FROM {base}\nRUN echo done > /one\nRUN echo {mark}; exec sleep 1000\n"
    async with deck.open() as engine:
        job = await engine.build(BuildSpec(dockerfile=text, tags=("127.0.0.1:1/t/killed",)))
        async with engine.build_output(job.id) as lines, asyncio.timeout(SECONDS):
            async for line in lines:
                if line.kind == "output":
                    break
        names = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
        runners = [int(pid) for pid in names if _runs(pid, deck)]
        assert runners
        await deck.kill()
        for pid in runners:
            await process_ended(pid)
    async with deck.open() as engine:
        assert staged(deck) == []
        with pytest.raises(NotFound):
            await engine.image("127.0.0.1:1/t/killed")
        kinds = [line.kind for line in await told(engine, text.replace(" 1000", " 0"))]
        assert "cached" in kinds


def _runs(pid: str, deck: Deck) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"core.builds.runner" in words and str(deck.root).encode() in words


async def test_a_viewer_builds_nothing(engine: Any) -> None:
    from core.domain import Caller

    viewer = engine.bind(Caller(uid=1234, role="viewer"))
    with pytest.raises(Refused):
        await viewer.build(BuildSpec(dockerfile="FROM scratch\n"))


async def archive(*names: str, mode: str = "w:gz") -> AsyncIterator[bytes]:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as tar:  # type: ignore[call-overload]
        for name in names:
            body = b"FROM scratch\nCOPY a /\n" if name == "Dockerfile" else name.encode()
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    data = made.getvalue()
    for start in range(0, len(data), 100):
        yield data[start : start + 100]


async def test_a_hostile_archive_is_no_context(engine: Engine, deck: Deck) -> None:
    with pytest.raises(DeckError, match="goes up"):
        await engine.build(BuildSpec(), archive("Dockerfile", "../a"))
    assert staged(deck) == []
    assert await engine.jobs() == []


async def test_output_is_bounded_and_safe_to_show(tmp_path: Path) -> None:
    output = Output(tmp_path)
    output.say(BuildLine(kind="output", text="a\x1b[31m\tb" + "x" * 9000))
    for _ in range(9000):
        output.say(BuildLine(kind="output", text="y" * 4000))
    output.say(BuildLine(kind="step", text="RUN more"))
    output.end()
    lines = [line async for line in output.lines()]
    output.close()
    assert "\x1b" not in lines[0].text
    assert len(lines[0].text) == 4096
    assert sum(len(line.text) for line in lines) < 33 << 20
    assert [line.kind for line in lines[-2:]] == ["note", "step"]
