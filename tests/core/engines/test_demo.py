"""The demonstration engine keeps the contract well enough to stand for a real one."""

from __future__ import annotations

import pytest

from core.domain import PullSpec, RunSpec, ShellSpec
from core.engine import Attachment, Engine, Output
from core.engines.demo import DemoEngine
from core.errors import Conflict, LoginNeeded, NotFound, Unreachable
from core.events import JobChanged


def test_it_is_an_engine() -> None:
    assert isinstance(DemoEngine(), Engine)


async def test_pull_goes_on_by_hand_until_the_distro_is_there() -> None:
    engine = DemoEngine(pulls=False)
    job = await engine.pull(PullSpec(name="void"))
    assert (await engine.pull(PullSpec(name="void"))).id == job.id
    async with engine.watch(job.id) as states:
        engine.advance(60)
        seen = [state async for state in states]
    assert seen[-1].state == "done"
    assert [state.done for state in seen] == sorted(state.done for state in seen)
    assert (await engine.distro("void")).size > 0


async def test_a_paused_pull_stands_still_until_it_is_resumed() -> None:
    engine = DemoEngine(pulls=False)
    job = await engine.pull(PullSpec(name="void"))
    assert (await engine.pause(job.id)).state == "paused"
    engine.advance(60)
    assert (await engine.jobs())[0].state == "paused"
    await engine.resume(job.id)
    engine.advance(60)
    assert (await engine.result(job.id)).result == "void"


@pytest.mark.parametrize(
    ("source", "error", "kept"),
    [("registry.example.com/a", LoginNeeded, ""), ("host/flaky:1", Unreachable, "49 of 96 MB")],
)
async def test_pulls_that_fail_say_why(source: str, error: type[Exception], kept: str) -> None:
    engine = DemoEngine(pulls=False)
    job = await engine.pull(PullSpec(source=source))
    engine.advance(60)
    with pytest.raises(error) as caught:
        await engine.result(job.id)
    assert getattr(caught.value, "kept") == kept  # noqa: B009


async def test_session_echoes_and_its_output_is_the_same_for_who_comes_later() -> None:
    engine = DemoEngine(sessions=False)
    session = await engine.open(ShellSpec(distro="debian", rows=5, columns=40))
    async with engine.attach(session.id) as attachment:
        assert isinstance(attachment, Attachment)
        await attachment.write(b"echo hi\rexit 7\r")
        pieces = [piece async for piece in attachment.output()]
        assert isinstance(pieces[0], Output)
        assert await attachment.exit_code() == 7
    text = b"".join(piece.data for piece in pieces)
    assert b"hi\r\n" in text
    async with engine.attach(session.id) as later:
        assert b"".join([piece.data async for piece in later.output()]) == text


async def test_attachment_goes_on_from_a_checkpoint() -> None:
    engine = DemoEngine(sessions=False)
    session = await engine.open(ShellSpec(distro="debian"))
    async with engine.attach(session.id) as attachment:
        await attachment.write(b"echo one\r")
        offsets = []
        async for piece in attachment.output():
            offsets.append(piece.offset)
            if b"one" in piece.data:
                break
        await attachment.hand_in(b"state", offsets[-1])
        await attachment.write(b"exit\r")
    async with engine.attach(session.id) as later:
        assert later.checkpoint == b"state"
        assert all([piece.offset > offsets[-1] async for piece in later.output()])


async def test_remove_refuses_while_shells_run() -> None:
    engine = DemoEngine()
    with pytest.raises(Conflict):
        await engine.remove("ubuntu")
    await engine.remove("ubuntu", force=True)
    with pytest.raises(NotFound):
        await engine.distro("ubuntu")


async def test_events_begin_with_the_state_of_everything() -> None:
    engine = DemoEngine()
    async with engine.events() as events:
        engine.hang_up()
        seen = [event async for event in events]
    assert {event.job.title for event in seen if isinstance(event, JobChanged)} == {
        "archlinux",
        "kalilinux",
    }


async def test_run_gives_both_streams_and_the_code() -> None:
    result = await DemoEngine().run(RunSpec(distro="debian", argv=("make",)))
    assert (result.exit_code, bool(result.stdout), bool(result.stderr)) == (2, True, True)
