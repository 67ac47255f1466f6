"""Hostile archives: each is refused by a typed error that names the file, the store untouched."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from backports import zstd

from core.errors import Corrupt, DeckError, Hostile, NotFound, Unsupported
from core.images.manifest import MANIFEST_CAP, OCI_INDEX
from core.limits import DEFAULTS, Limits
from tests.core.archives.making import (
    Docker,
    Link,
    Oci,
    Special,
    as_json,
    config_of,
    digest_of,
    in_pieces,
    layer_tar,
    load,
    tar_of,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.store.store import Store

A = layer_tar("a")
NAME_A = f"{digest_of(A)[7:]}.tar"

Case = tuple[bytes, type[DeckError], str]
CASES: dict[str, Case] = {}


def case(error: type[DeckError], match: str) -> Callable[[Callable[[], bytes]], None]:
    """An archive, what it is refused with, and what the error says."""

    def take(make: Callable[[], bytes]) -> None:
        CASES[make.__name__] = (make(), error, match)

    return take


def docker(**files: Any) -> bytes:
    """A right archive with more members, or others under their names (``__`` is ``/``)."""
    made = Docker.of(A)
    made.files |= {name.replace("__", "/"): body for name, body in files.items()}
    return made.tar()


def manifest(**fields: Any) -> bytes:
    """A right archive but for some fields of its ``manifest.json``."""
    made = Docker.of(A)
    made.entries[0] |= fields
    return made.tar()


# -- names and links -----------------------------------------------------------------------


@case(Hostile, "leads out of the archive")
def a_name_goes_up() -> bytes:
    return tar_of([("../../etc/cron.d/x", b"x"), *Docker.of(A).listed()])


@case(Hostile, "an absolute path")
def a_name_is_absolute() -> bytes:
    return tar_of([("/etc/cron.d/x", b"x"), *Docker.of(A).listed()])


@case(Hostile, "an absolute path")
def the_layer_is_a_link_to_a_file_of_the_host() -> bytes:
    return docker(**{NAME_A: Link("/etc/passwd")})


@case(Hostile, "leads out of the archive")
def the_layer_is_a_link_that_goes_up() -> bytes:
    return docker(**{NAME_A: Link("../../../../etc/passwd")})


@case(Hostile, "leads out of the archive")
def the_layer_is_a_hard_link_that_goes_up() -> bytes:
    return docker(**{NAME_A: Link("../etc/passwd", hard=True)})


@case(Hostile, "round in circles")
def links_go_round() -> bytes:
    return docker(**{NAME_A: Link("x"), "x": Link(NAME_A)})


@case(Corrupt, "is not in the archive")
def a_link_leads_nowhere() -> bytes:
    return docker(**{NAME_A: Link("x")})


@case(Hostile, "a character device")
def a_member_is_a_device() -> bytes:
    return docker(dev=Special(tarfile.CHRTYPE))


@case(Hostile, "a fifo")
def a_member_is_a_fifo() -> bytes:
    return docker(pipe=Special(tarfile.FIFOTYPE))


@case(Hostile, "manifest.json: is in the archive twice")
def two_manifests() -> bytes:
    return tar_of([*Docker.of(A).listed(), ("manifest.json", b"[]")])


@case(Hostile, "is in the archive twice")
def two_manifests_by_another_spelling() -> bytes:
    return tar_of([*Docker.of(A).listed(), ("./x/../manifest.json", b"[]")])


# -- documents -----------------------------------------------------------------------------


@case(Corrupt, "none.tar: is not in the archive")
def a_layer_is_missing() -> bytes:
    return manifest(Layers=["none.tar"])


@case(Hostile, "an absolute path")
def a_layer_is_named_absolutely() -> bytes:
    return manifest(Layers=["/etc/passwd"])


@case(Hostile, "leads out of the archive")
def a_layer_is_named_upwards() -> bytes:
    return manifest(Layers=["../../etc/passwd"])


@case(Hostile, "an absolute path")
def the_config_is_named_absolutely() -> bytes:
    return manifest(Config="/etc/passwd")


@case(Corrupt, "1 layers but 2 diff_ids|2 layers but 1 diff_ids")
def more_layers_than_diff_ids() -> bytes:
    return manifest(Layers=[NAME_A, NAME_A])


@case(Hostile, f"more than {DEFAULTS.layers} layers")
def layers_without_end() -> bytes:
    return manifest(Layers=[NAME_A] * (DEFAULTS.layers + 1))


@case(Corrupt, "differs from the digest in its name")
def the_config_is_not_what_its_name_says() -> bytes:
    made = Docker.of(A)
    made.files[made.entries[0]["Config"]] = config_of(A, author="somebody else")
    return made.tar()


@case(Corrupt, "bad name")
def a_name_with_control_characters() -> bytes:
    return manifest(RepoTags=["q.io/x\x1b]52;c;aGk=\x07:1"])


@case(Corrupt, "is the name of two images")
def one_name_for_two_images() -> bytes:
    made = Docker.of(A)
    made.add(layer_tar("b"))
    return made.tar()


@case(Corrupt, "names no image")
def an_empty_manifest() -> bytes:
    return tar_of([("manifest.json", b"[]")])


@case(Corrupt, "not JSON")
def a_manifest_that_is_no_json() -> bytes:
    return tar_of([("manifest.json", b"[{")])


@case(Corrupt, "manifest.json")
def a_manifest_of_other_types() -> bytes:
    return tar_of([("manifest.json", as_json([{"Config": 3, "Layers": {}}]))])


@case(Hostile, "the same key twice")
def a_key_twice() -> bytes:
    body = b'[{"Config":"a.json","Config":"b.json","Layers":[]}]'
    return tar_of([("manifest.json", body)])


@case(Hostile, "larger than")
def an_endless_manifest() -> bytes:
    return tar_of([("manifest.json", b" " * (MANIFEST_CAP + 1))])


@case(Hostile, "nested too deeply")
def a_manifest_nested_without_end() -> bytes:
    return tar_of([("manifest.json", b"[" * 200_000)])


@case(Unsupported, "built for windows")
def an_image_for_another_system() -> bytes:
    made = Docker()
    made.add(A, config=config_of(A, os="windows"))
    return made.tar()


@case(Corrupt, "differs from its digest|differs from the diff_id")
def a_layer_is_not_what_its_config_says() -> bytes:
    return docker(**{NAME_A: layer_tar("other")})


@case(Corrupt, "compressed with xz|is not")
def a_layer_in_a_strange_compression() -> bytes:
    return docker(**{NAME_A: b"\xfd7zXZ\x00" + bytes(1000)})


@case(Hostile, "goes up")
def a_layer_that_escapes() -> bytes:
    return Docker.of(layer_tar("../../escape")).tar()


# -- OCI -----------------------------------------------------------------------------------


def changed(change: Callable[[Oci], None]) -> bytes:
    made = Oci.of(A)
    change(made)
    return made.tar()


@case(Corrupt, "differs from its digest")
def a_blob_is_something_else() -> bytes:
    def change(made: Oci) -> None:
        made.blobs[digest_of(A)] = layer_tar("b")

    return changed(change)


@case(Corrupt, "differs from its digest|is not of")
def the_manifest_is_something_else() -> bytes:
    def change(made: Oci) -> None:
        made.blobs[made.entries[0]["digest"]] = b"{}" * 40

    return changed(change)


@case(Corrupt, "is not of 7 bytes")
def a_size_that_lies() -> bytes:
    def change(made: Oci) -> None:
        made.entries[0]["size"] = 7

    return changed(change)


@case(Hostile, "promises a manifest of -1 bytes")
def a_negative_size() -> bytes:
    def change(made: Oci) -> None:
        made.entries[0]["size"] = -1

    return changed(change)


@case(Corrupt, "bad digest")
def a_digest_that_is_a_path() -> bytes:
    def change(made: Oci) -> None:
        made.entries[0]["digest"] = "sha256:../../../etc/passwd"

    return changed(change)


@case(Hostile, "indexes nested more than 3 deep")
def indexes_in_indexes() -> bytes:
    made = Oci()
    entry = made.image(A)
    for _ in range(4):
        entry = made.index(entry)
    made.entries = [entry]
    return made.tar()


@case(Corrupt, "is not of|differs from its digest")
def an_index_that_holds_itself() -> bytes:
    def change(made: Oci) -> None:
        digest = f"sha256:{'ab' * 32}"
        entry = {"mediaType": OCI_INDEX, "digest": digest, "size": 300}
        body = as_json({"schemaVersion": 2, "manifests": [entry]}).ljust(300)
        made.files[f"blobs/sha256/{'ab' * 32}"] = body
        made.entries = [entry]

    return changed(change)


@case(Hostile, "announced as|reads as an index and as a manifest")
def a_manifest_that_is_announced_as_an_index() -> bytes:
    def change(made: Oci) -> None:
        made.entries[0]["mediaType"] = OCI_INDEX

    return changed(change)


@case(Unsupported, "not an image layout")
def a_layout_from_the_future() -> bytes:
    made = Oci.of(A)
    made.files["oci-layout"] = b'{"imageLayoutVersion":"9.0.0"}'
    return made.tar()


@case(Corrupt, "names no image")
def an_index_of_nothing() -> bytes:
    return Oci().tar()


@case(NotFound, "no image for linux")
def an_index_for_other_machines() -> bytes:
    made = Oci()
    entry = made.image(A)
    platform = {"os": "linux", "architecture": "mips64"}
    made.entries = [made.index({**entry, "platform": platform})]
    return made.tar()


# -- the file itself -----------------------------------------------------------------------


@case(Corrupt, "truncated")
def a_truncated_file() -> bytes:
    return Docker.of(layer_tar("a", os.urandom(50_000))).tar()[:30_000]


@case(Corrupt, "truncated")
def a_truncated_compressed_file() -> bytes:
    return gzip.compress(Docker.of(layer_tar("a", os.urandom(50_000))).tar())[:-3000]


@case(Corrupt, "something follows its end")
def trailing_garbage() -> bytes:
    return Docker.of(A).tar() + b"garbage" * 200


@case(Corrupt, "after 1 good parts|something follows")
def garbage_after_the_compressed_data() -> bytes:
    return zstd.compress(Docker.of(A).tar()) + b"garbage" * 200


@case(Corrupt, "the checksum does not match")
def a_damaged_header() -> bytes:
    body = bytearray(Docker.of(A).tar())
    body[3] ^= 0xFF
    return bytes(body)


@case(Hostile, "impossible size|bad size")
def a_member_of_negative_size() -> bytes:
    body = bytearray(tar_of([("manifest.json", b"[]")]))
    body[124:136] = b"\xff" * 12
    body[148:156] = b" " * 8
    body[148:156] = b"%06o\0 " % sum(body[:512])
    return bytes(body)


@pytest.mark.parametrize("piped", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("name", CASES)
async def test_it_is_refused_and_the_store_is_as_it_was(
    store: Store, tmp_path: Path, name: str, piped: bool
) -> None:
    body, error, match = CASES[name]
    path = tmp_path / "archive.tar"
    path.write_bytes(body)
    with pytest.raises(error, match=match) as caught:
        await load(store, in_pieces(body, 4096) if piped else path)
    assert caught.value.what.startswith("standard input" if piped else "archive.tar")
    assert untouched(store)


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
async def test_a_bomb_is_refused_while_it_goes_off(
    store: Store, tmp_path: Path, compress: Callable[[bytes], bytes], monkeypatch: Any
) -> None:
    monkeypatch.setattr("core.archives.reading._GRACE", 1 << 20)
    body = compress(tar_of([("bomb", bytes(8 << 20))]))
    (tmp_path / "x").write_bytes(body)
    with pytest.raises(Hostile, match="expands more than 20 times"):
        await load(store, tmp_path / "x", limits=Limits(ratio=20))
    assert untouched(store)


async def test_a_layer_in_an_archive_has_the_limits_of_any_layer(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(Docker.of(tar_of([(f"f{n}", b"") for n in range(50)])).tar())
    with pytest.raises(Hostile, match="more than 40 entries"):
        await load(store, tmp_path / "x", limits=Limits(entries=40))
    assert untouched(store)


async def test_one_bad_image_keeps_the_good_ones_out(store: Store, tmp_path: Path) -> None:
    made = Docker.of(A, name="q.io/good:1")
    made.add(layer_tar("../bad"), name="q.io/bad:1")
    (tmp_path / "x").write_bytes(made.tar())
    with pytest.raises(Hostile):
        await load(store, tmp_path / "x")
    assert untouched(store)


async def test_a_folder_that_is_no_archive_is_not_searched(store: Store, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/link").symlink_to("/etc/passwd")
    with pytest.raises(Unsupported, match="no archive of images"):
        await load(store, tmp_path)


async def test_a_folder_with_links_out_of_it_is_refused(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps([{"Config": "c", "Layers": []}]))
    (folder / "c").symlink_to("/etc/passwd")
    with pytest.raises(Hostile, match="an absolute path"):
        await load(store, folder)
    (folder / "c").unlink()
    os.mkfifo(folder / "c")
    with pytest.raises(Hostile, match="neither a file"):
        await load(store, folder)
    assert untouched(store)
