"""The book of jobs."""

from __future__ import annotations

import asyncio

import pytest

from core.background import background
from core.bus import Bus
from core.domain import LayerState
from core.errors import Cancelled, Conflict, Corrupt, DeckError, NotFound
from core.jobs import KEPT_JOBS, JobBook, Progress
from core.pausing import passage


async def test_a_job_reports_and_gives_what_it_made() -> None:
    async with background() as tasks:
        book = JobBook(Bus(), tasks)

        async def work(progress: Progress) -> str:
            progress.report("fetch", (LayerState(digest="a", phase="fetch", done=3, total=9),))
            progress.warn("careful")
            return "made"

        job = book.start("pull", "x", "key", work)
        assert job.state == "running"
        done = await book.result(job.id)
    assert (done.result, done.phase, done.done, done.total) == ("made", "fetch", 3, 9)
    assert done.warnings == ("careful",)


async def test_the_same_work_asked_twice_is_one_job() -> None:
    async with background() as tasks:
        book = JobBook(Bus(), tasks)
        go = asyncio.Event()

        async def work(_: Progress) -> str:
            await go.wait()
            return ""

        first = book.start("pull", "x", "key", work)
        assert book.start("pull", "x", "key", work) == first
        go.set()
        await book.result(first.id)
        assert book.start("pull", "x", "key", work).id != first.id


async def test_a_failed_job_raises_its_own_error_for_everybody() -> None:
    async with background() as tasks:
        book = JobBook(Bus(), tasks)

        async def work(_: Progress) -> str:
            raise Corrupt("layer ab", "wrong digest", hint="pull again", kept="nothing")

        job = book.start("pull", "x", "key", work)
        for _ in range(2):
            with pytest.raises(Corrupt, match="layer ab: wrong digest") as caught:
                await book.result(job.id)
            assert (caught.value.hint, caught.value.kept) == ("pull again", "nothing")


async def test_a_defect_ends_one_job_and_not_the_engine() -> None:
    async with background() as tasks:
        book = JobBook(Bus(), tasks)

        async def work(_: Progress) -> str:
            raise ZeroDivisionError

        job = book.start("pull", "x", "key", work)
        with pytest.raises(DeckError, match="ZeroDivisionError"):
            await book.result(job.id)


async def test_cancel_waits_until_the_work_has_ended() -> None:
    cleaned = False
    async with background() as tasks:
        book = JobBook(Bus(), tasks)

        async def work(_: Progress) -> str:
            nonlocal cleaned
            try:
                await asyncio.Event().wait()
            finally:
                cleaned = True
            return ""

        job = book.start("pull", "x", "key", work)
        await asyncio.sleep(0)
        await book.cancel(job.id)
        assert cleaned
        assert book.get(job.id).state == "cancelled"
        await book.cancel(job.id)
        with pytest.raises(Cancelled):
            await book.result(job.id)


async def test_the_oldest_ended_jobs_are_forgotten() -> None:
    async with background() as tasks:
        book = JobBook(Bus(), tasks)

        async def work(_: Progress) -> str:
            return ""

        ids = []
        for number in range(KEPT_JOBS + 5):
            job = book.start("pull", "x", str(number), work)
            ids.append(job.id)
            await book.result(job.id)
        assert len(book.all()) == KEPT_JOBS
        with pytest.raises(NotFound):
            book.get(ids[0])


async def test_a_job_cancelled_before_its_first_step_has_ended() -> None:
    async with background() as tasks:
        book = JobBook(Bus(), tasks)

        async def work(_: Progress) -> str:
            return ""

        job = book.start("pull", "x", "key", work)
        await book.cancel(job.id)
        assert book.get(job.id).state == "cancelled"


async def test_jobs_over_the_limit_run_in_the_order_in_which_they_came() -> None:
    async with background() as tasks:
        book = JobBook(Bus(), tasks, limits={"pull": 1})
        ran = list[str]()
        go = asyncio.Event()

        def work(name: str):
            async def run(_: Progress) -> str:
                await go.wait()
                ran.append(name)
                return name

            return run

        jobs = [book.start("pull", name, name, work(name)) for name in "abc"]
        other = book.start("refresh", "r", "r", work("r"))
        assert [job.state for job in (*jobs, other)] == ["running", "queued", "queued", "running"]
        await book.cancel(jobs[1].id)
        go.set()
        assert (await book.result(jobs[2].id)).result == "c"
        assert [name for name in ran if name != "r"] == ["a", "c"]


async def test_a_paused_job_passes_nothing_and_a_resumed_one_waits_for_its_turn() -> None:
    async with background() as tasks:
        book = JobBook(Bus(), tasks, limits={"pull": 1})
        passed = asyncio.Event()

        async def bytes_() -> None:
            await passage()
            passed.set()

        async def work(_: Progress) -> str:
            async with asyncio.TaskGroup() as group:
                group.create_task(bytes_())
            return ""

        first = book.start("pull", "a", "a", work)
        assert book.pause(first.id) == book.pause(first.id)
        second = book.start("pull", "b", "b", work)
        assert second.state == "running"
        assert book.resume(first.id).state == "queued"
        await book.result(second.id)
        assert (await book.result(first.id)).state == "done"
        assert passed.is_set()
        with pytest.raises(Conflict, match="has ended"):
            book.pause(first.id)
        with pytest.raises(NotFound):
            book.resume("nope")
