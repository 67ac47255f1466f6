"""What every engine promises about registries, shown on real ones."""

from __future__ import annotations

import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Credentials, PullSpec
from core.errors import InvalidInput, LoginNeeded, NotFound, Refused, Unreachable
from core.verbs.registries import LoginSpec, PushSpec, SearchSpec, TagsSpec

if TYPE_CHECKING:
    from core.domain import Image
    from core.engine import Engine


@pytest.fixture
def alice(fix) -> Credentials:
    return Credentials(**fix["credentials"])


@pytest.fixture
def auth_file(tmp_path: Path) -> str:
    return str(tmp_path / "auth.json")


def host(fix: dict[str, Any], kind: str) -> str:
    return str(fix["registries"][kind]["host"])


async def keep(engine: Engine, source: str, **options: Any) -> Image:
    job = await engine.pull(PullSpec(source=source, image_only=True, **options))
    return await engine.image((await engine.result(job.id)).result)


def somewhere(fix: dict[str, Any], kind: str) -> str:
    return f"{host(fix, kind)}/t/contract-{secrets.token_hex(6)}/x:1"


@pytest.mark.parametrize("kind", ["basic", "token"])
async def test_a_login_opens_private_repositories_until_it_is_forgotten(
    opener, fix, alice, auth_file, kind
) -> None:
    source = f"{host(fix, kind)}/private/busybox"
    async with opener() as engine:
        with pytest.raises(LoginNeeded):
            await keep(engine, source, auth_file=auth_file)
        login = await engine.login(
            LoginSpec(host=host(fix, kind), credentials=alice, auth_file=auth_file)
        )
        assert (login.host, login.username, login.checked) == (host(fix, kind), "alice", True)
        assert stat.S_IMODE(Path(auth_file).stat().st_mode) == 0o600
        assert await engine.logins(auth_file=auth_file) == [
            type(login)(host=login.host, username="alice", kept=auth_file)
        ]
        image = await keep(engine, source, auth_file=auth_file)
        assert image.digest == fix["images"]["busybox"]["digest"]
        await engine.logout(login.host, auth_file=auth_file)
        assert await engine.logins(auth_file=auth_file) == []
        with pytest.raises(LoginNeeded):
            await engine.tags(TagsSpec(repository=source, auth_file=auth_file))


async def test_a_wrong_password_is_not_kept(opener, fix, auth_file) -> None:
    wrong = Credentials(username="alice", password="canary-1")
    async with opener() as engine:
        with pytest.raises(LoginNeeded) as caught:
            await engine.login(
                LoginSpec(host=host(fix, "basic"), credentials=wrong, auth_file=auth_file)
            )
        assert "canary-1" not in caught.value.message + caught.value.hint
        with pytest.raises(Unreachable):
            await engine.login(
                LoginSpec(host="127.0.0.1:1", credentials=wrong, auth_file=auth_file)
            )
        with pytest.raises(InvalidInput):
            await engine.login(LoginSpec(host="a b", credentials=wrong, auth_file=auth_file))
        assert await engine.logins(auth_file=auth_file) == []
        assert not Path(auth_file).exists()


async def test_a_named_login_is_for_its_registry_and_survives_the_engine(
    opener, fix, alice, auth_file
) -> None:
    source = f"{host(fix, 'basic')}/private/busybox"
    async with opener() as engine:
        await engine.login(
            LoginSpec(host=host(fix, "basic"), credentials=alice, name="ci", auth_file=auth_file)
        )
        assert not Path(auth_file).exists()
    async with opener() as engine:
        (login,) = await engine.logins(auth_file=auth_file)
        assert (login.name, login.host) == ("ci", host(fix, "basic"))
        await keep(engine, source, login="ci", auth_file=auth_file)
        with pytest.raises(Refused, match="is for"):
            await keep(engine, f"{host(fix, 'token')}/private/busybox", login="ci")
        with pytest.raises(NotFound, match="nope"):
            await keep(engine, source, login="nope")
        await engine.logout("", name="ci")
        assert await engine.logins(auth_file=auth_file) == []
        with pytest.raises(NotFound):
            await engine.logout("", name="ci")


async def test_a_push_is_a_job_and_known_afterwards(opener, fix, alice) -> None:
    async with opener() as engine:
        image = await keep(engine, f"{host(fix, 'plain')}/lib/edge")
        for kind, credentials in (("plain", None), ("basic", alice), ("token", alice)):
            to = somewhere(fix, kind)
            job = await engine.push(
                PushSpec(name=image.digest, reference=to, credentials=credentials)
            )
            assert (job.kind, job.title) == ("push", to)
            done = await engine.result(job.id)
            assert done.result == f"{to.removesuffix(':1')}@{image.digest}"
            assert done.done == done.total == sum(layer.size for layer in image.layers)
            assert {layer.phase for layer in done.layers} <= {"done", "exists"}
            assert done.result in (await engine.image(image.digest)).repo_digests
            spec = TagsSpec(repository=to, credentials=credentials)
            assert (await engine.tags(spec)).tags == ("1",)


async def test_a_push_that_cannot_be_starts_nothing(opener, fix) -> None:
    async with opener() as engine:
        image = await keep(engine, f"{host(fix, 'plain')}/lib/busybox")
        before = await engine.jobs()
        for spec, error in (
            (PushSpec(name="nothing/here"), NotFound),
            (PushSpec(name=image.digest), NotFound),
            (PushSpec(name=image.digest, reference="UPPER//x"), InvalidInput),
            (PushSpec(name=image.digest, reference="lab/x", login="nope"), NotFound),
        ):
            with pytest.raises(error):
                await engine.push(spec)
        assert await engine.jobs() == before
        job = await engine.push(PushSpec(name=image.digest, reference="127.0.0.1:1/t/x"))
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
            await engine.result(job.id)


async def test_all_tags_of_a_repository_come_with_one_job(opener, fix) -> None:
    source = f"{host(fix, 'plain')}/lib/busybox"
    async with opener() as engine:
        job = await engine.pull(PullSpec(source=source, all_tags=True))
        done = await engine.result(job.id)
        assert done.result == source
        assert len(done.layers) == 1
        (image,) = await engine.images()
        assert image.references == tuple(f"{source}:{tag}" for tag in ("1", "latest", "stable"))
        assert await engine.distros() == []
        job = await engine.pull(PullSpec(source=f"{source}-nothing", all_tags=True))
        with pytest.raises(NotFound, match="no such repository"):
            await engine.result(job.id)
        with pytest.raises(InvalidInput, match="no tags"):
            await engine.pull(PullSpec(source="/srv/x.tar", all_tags=True))


async def test_a_search_finds_what_is_here_what_is_known_and_what_a_registry_has(
    opener, deck_config, fix
) -> None:
    plain = host(fix, "plain")
    async with opener() as engine:
        await keep(engine, f"{plain}/lib/busybox")
        await engine.result((await engine.refresh()).id)
        hits = await engine.search(SearchSpec(term="busybox"))
        assert (hits[0].found_in, hits[0].name) == ("store", f"{plain}/lib/busybox:latest")
        assert ("catalog", "lib/busybox", "fixture") in {
            (hit.found_in, hit.name, hit.source) for hit in hits
        }
        only = await engine.search(SearchSpec(term="busybox", catalog="fixture", limit=2))
        assert [hit.found_in for hit in only] == ["catalog", "catalog"]
        there = await engine.search(SearchSpec(term="lib many", registry=plain))
        assert [hit.name for hit in there] == [f"{plain}/lib/many"]
        with pytest.raises(NotFound):
            await engine.search(SearchSpec(term="x", catalog="nope"))
        with pytest.raises(InvalidInput):
            await engine.search(SearchSpec(term="  "))
        tags = await engine.tags(TagsSpec(repository=f"{plain}/lib/busybox:1"))
        assert tags.repository == f"{plain}/lib/busybox"
        assert set(tags.tags) == {"1", "latest", "stable"}
        with pytest.raises(NotFound):
            await engine.tags(TagsSpec(repository=f"{plain}/lib/nothing"))


async def test_a_mirror_of_the_settings_serves_and_is_told(opener, deck_root, fix) -> None:
    plain = host(fix, "plain")
    config = deck_root / "config" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f'[registry."registry.invalid"]\nmirrors = ["http://127.0.0.1:1", "http://{plain}"]\n'
    )
    async with opener() as engine:
        job = await engine.pull(PullSpec(source="registry.invalid/lib/busybox", name="box"))
        done = await engine.result(job.id)
        assert done.served_by == plain
        assert any("127.0.0.1:1" in warning for warning in done.warnings)
        (distro,) = await engine.distros()
        assert distro.repo_digest.startswith("registry.invalid/lib/busybox@")
