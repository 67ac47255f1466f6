"""What every engine tells of the contents of images and distros."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import PullSpec, RunSpec
from core.errors import Conflict, InvalidInput, NotFound, Unsupported
from core.verbs.contents import ExtractSpec, FilesSpec

if TYPE_CHECKING:
    from pathlib import Path

    from core.engine import Engine
    from core.verbs.contents import FileChange, FileEntry


async def install(engine: Engine, fix: dict[str, Any], *names: str) -> None:
    for name in names:
        source = f"{fix['registries']['plain']['host']}/lib/{name}"
        await engine.result((await engine.pull(PullSpec(name=name, source=source))).id)


async def files(engine: Engine, name: str, path: str = "/", **more: Any) -> list[FileEntry]:
    async with engine.files(FilesSpec(name=name, path=path, **more)) as pieces:
        return [entry async for piece in pieces for entry in piece]


async def read(engine: Engine, name: str, path: str, layer: str = "") -> bytes:
    async with engine.read_file(FilesSpec(name=name, path=path, layer=layer)) as pieces:
        return b"".join([piece async for piece in pieces])


async def differences(engine: Engine, old: str, new: str = "") -> list[FileChange]:
    async with engine.diff(old, new) as pieces:
        return [change async for piece in pieces for change in piece]


async def test_files_of_an_image_and_of_each_layer_are_listed_and_read(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix, "edge")
        image = (await engine.images())[0]
        whole = await files(engine, image.digest, recursive=True)
        paths = [entry.path for entry in whole]
        assert len(paths) == len(set(paths))
        layers = [
            {e.path: e for e in await files(engine, image.digest, layer=layer, recursive=True)}
            for layer in (layer.digest[7:19] for layer in image.layers)
        ]
        top = str(len(layers))
        assert await files(engine, image.digest, layer=top, recursive=True) == [
            *layers[-1].values()
        ]
        seen = {entry.path: entry for entry in whole}
        for path, entry in layers[-1].items():
            if entry.change == "removed":
                assert path not in seen
            elif entry.type != "folder":
                assert seen[path].layer == len(layers)
        assert all(entry.change == "added" for entry in layers[0].values())
        assert {"added", "changed", "removed"} <= {
            entry.change for layer in layers for entry in layer.values()
        }
        await install(engine, fix, "busybox")
        assert (await read(engine, "busybox", "/bin/sh"))[:4] == b"\x7fELF"
        assert await read(engine, "busybox", "/../etc/./passwd")
        first = (await files(engine, "busybox", "/etc"))[0]
        assert [first] == await files(engine, "busybox", first.path)


async def test_what_is_not_there_or_no_file_says_so(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix, "busybox")
        for name, path, layer, error in (
            ("nope", "/", "", NotFound),
            ("busybox", "/nope", "", NotFound),
            ("busybox", "/", "9", NotFound),
            ("busybox", "/", "abcd", NotFound),
            ("busybox", "", "", InvalidInput),
        ):
            with pytest.raises(error) as caught:
                await files(engine, name, path, layer=layer)
            assert caught.value.hint, caught.value
        with pytest.raises(InvalidInput, match="a folder"):
            await read(engine, "busybox", "/etc")


async def test_a_copy_on_the_host_is_confined_and_overwrites_nothing(
    opener, fix, deck_root: Path
) -> None:
    target = deck_root / "out"
    async with opener() as engine:
        await install(engine, fix, "busybox")
        spec = ExtractSpec(name="busybox", path="/etc", to=str(target))
        done = await engine.extract(spec)
        assert done.path == str(target / "etc")
        assert done.entries >= len(list((target / "etc").rglob("*")))
        passwd = (target / "etc" / "passwd").read_bytes()
        assert passwd == await read(engine, "busybox", "/etc/passwd")
        (target / "etc" / "passwd").write_text("mine")
        with pytest.raises(Conflict, match="is there already"):
            await engine.extract(spec)
        assert (target / "etc" / "passwd").read_text() == "mine"
        forced = ExtractSpec(name="busybox", path="/etc", to=str(target), force=True)
        await engine.extract(forced)
        assert (target / "etc" / "passwd").read_bytes() == passwd
        with pytest.raises(InvalidInput, match="not an absolute path"):
            await engine.extract(ExtractSpec(name="busybox", path="/etc", to="out"))


async def test_a_folder_is_packed_with_its_attributes(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix, "edge")
        whole = {e.path: e for e in await files(engine, "edge", recursive=True)}
        async with engine.pack(FilesSpec(name="edge")) as pieces:
            data = b"".join([piece async for piece in pieces])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = {f"/{member.name}".rstrip("/."): member for member in archive}
    files_of = {path for path, entry in whole.items() if "\\x" not in path}
    assert files_of <= {member for member in members if "\\x" not in member}
    for path in files_of:
        member, entry = members[path], whole[path]
        assert (member.mode, member.uid, member.gid) == (entry.mode, entry.uid, entry.gid), path


async def test_a_distro_tells_what_it_changed(opener, fix) -> None:
    script = (
        "echo x >/etc/new; echo y >>/etc/passwd; rm /etc/group; chmod 700 /root;"
        " mkdir -p /srv/a; ln -s b /srv/a/l"
    )
    async with opener() as engine:
        await install(engine, fix, "busybox")
        assert await differences(engine, "busybox") == []
        await engine.run(RunSpec(distro="busybox", argv=("sh", "-c", script)))
        changes = await differences(engine, "busybox")
        found = {change.path: change for change in changes}
        assert found["/etc/new"].kind == "added"
        assert set(found["/etc/passwd"].why) == {"content", "size"}
        assert found["/etc/group"].kind == "removed"
        assert found["/root"].why == ("mode",)
        assert found["/srv/a/l"].type == "symlink"
        assert "/etc" not in found
        assert await read(engine, "busybox", "/etc/new") == b"x\n"
        image = (await engine.images())[0]
        assert await differences(engine, "busybox", image.digest)
        assert "/etc/new" not in {e.path for e in await files(engine, image.digest, "/etc")}
        own = await files(engine, "busybox", layer="2", recursive=True)
        assert {"/etc/group": "removed", "/etc/new": "added", "/etc/passwd": "changed"}.items() <= {
            entry.path: entry.change for entry in own
        }.items()
        with pytest.raises(Unsupported, match="no changes of its own"):
            await differences(engine, image.digest)


async def test_images_of_one_family_are_told_apart_and_together(opener, fix) -> None:
    async with opener() as engine:
        await install(engine, fix, "app1", "app2", "minbase")
        changes = await differences(engine, "app1", "app2")
        fields = await engine.diff_config("app1", "app2")
        assert await differences(engine, "app1", "app1") == []
        assert await engine.diff_config("app1", "app1") == []
        digests = {distro.name: distro.image_digest for distro in await engine.distros()}
        app, base = await engine.inspect("app1"), await engine.inspect("minbase")
        history = await engine.history("app1")
        waste = await engine.waste("app1")
    assert [(change.path, change.kind, change.why) for change in changes] == [
        ("/opt/app/name", "changed", ("content",))
    ]
    assert ("env.FIXTURE", "app1", "app2") in {(f.field, f.old, f.new) for f in fields}

    assert app.config.cmd == ("/opt/app/run",)
    assert "FIXTURE=app1" in app.config.env
    assert ("org.opencontainers.image.title", "app1") in app.config.labels
    assert app.image.digest == digests["app1"]
    assert app.root_fs == tuple(layer.diff_id for layer in app.image.layers)
    assert app.manifest_type == "application/vnd.oci.image.manifest.v1+json"
    assert app.parent == digests["minbase"]
    assert set(base.children) == {digests["app1"], digests["app2"]}
    assert sum(app.layer_sizes) == app.image.size > app.unique_size > 0

    assert history[0].id == digests["app1"]
    assert history[0].tags == app.image.references
    steps = {entry.id: entry for entry in history if entry.id}
    assert steps[digests["minbase"]].tags == base.image.references
    assert history[0].empty
    assert not any(entry.untold for entry in history)

    assert [layer.number for layer in waste.layers] == [1, 2, 3]
    assert waste.layers[2].wasted == 0
    assert waste.wasted == sum(layer.wasted for layer in waste.layers) > 0
    assert waste.size == sum(layer.size for layer in waste.layers)
    assert 0 < waste.efficiency < 100
    assert "/var/lib/dpkg/status" in {file.path for file in waste.files}


async def test_this_hosts_own_root_says_what_it_cannot_tell(opener) -> None:
    async with opener() as engine:
        await engine.result((await engine.pull(PullSpec(name="host", source="host:"))).id)
        for verb in (engine.history, engine.waste, engine.inspect):
            with pytest.raises(Unsupported, match="no image") as caught:
                await verb("host")
            assert caught.value.hint
        await engine.run(RunSpec(distro="host", argv=("touch", "/etc/made-by-a-test")))
        changes = {change.path: change.kind for change in await differences(engine, "host")}
        assert changes["/etc/made-by-a-test"] == "added"
