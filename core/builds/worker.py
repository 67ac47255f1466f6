"""The process that changes a stage's file system for COPY, ADD and WORKDIR.

Run as ``python -P -m`` this module in new user and mount namespaces (real root needs none). It
mounts the stage's layers under a fresh upper directory, opens where files come from, makes the
stage its own root and places them. Its argument is a :class:`core.builds.spec.PlaceSpec` as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, cast

from core.builds.confined import Tree, open_tree
from core.builds.extraction import extract, is_archive
from core.builds.ignore import parse_ignore
from core.builds.placing import Placer
from core.builds.selection import select
from core.errors import InvalidInput
from core.layers.attributes import Stamper, Warnings
from core.layers.compression import load_codecs
from core.layers.worker import main
from core.limits import Limits
from core.runtimes import overlay, syscalls, users

if TYPE_CHECKING:
    from core.builds.spec import GroupSpec, OverlaySpec, PlaceSpec


def _place(path: str) -> dict[str, object]:
    with open(path, encoding="utf-8") as file:
        spec = cast("PlaceSpec", json.load(file))
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    folder = spec["overlay"]["folder"]
    trees = [
        _open(group, os.path.join(folder, f"from-{number}"))
        for number, group in enumerate(spec["groups"])
    ]
    if any(group["extract"] for group in spec["groups"]):
        load_codecs()
    _enter_stage(spec["overlay"])
    warnings = Warnings()
    placer = Placer(
        os.fsencode(spec["target"]),
        Stamper(privileged=spec["owners"], warnings=warnings),
        owner=_owner(spec["owner"], named=bool(spec["groups"])) if spec["owner"] else None,
        mode=spec["mode"],
    )
    if spec["owner"] and not spec["owners"] and placer.owner != (0, 0):
        warnings.add("owner not set, this account has one user id only", os.fsencode(spec["owner"]))
    if not spec["groups"]:
        placer.make_folders(placer.target)
    limits = Limits(**spec["limits"])
    total = sum(len(group["wanted"]) for group in spec["groups"])
    for group, tree in zip(spec["groups"], trees, strict=True):
        _place_group(placer, tree, group, total, limits)
    placer.finish()
    return {"warnings": warnings.lines()}


def _open(group: GroupSpec, folder: str) -> Tree:
    if group["tree"]:
        return open_tree(group["tree"])
    os.makedirs(folder)
    return open_tree(overlay.mount_layers(folder, group["layers"]))


def _enter_stage(spec: OverlaySpec) -> None:
    """Mount the stage, whole, and make it this process's root."""
    folder, layers = spec["folder"], spec["layers"]
    overlay.prepare_upper(spec["upper"], spec["work"])
    overlay.link_layers(folder, layers, spec["upper"], spec["work"])
    overlay.mount_overlay(folder, len(layers))
    os.chdir(os.path.join(folder, overlay.ROOT))
    os.chroot(".")
    os.chdir("/")
    sys.path.clear()  # from here on nothing may be imported


def _owner(wanted: str, *, named: bool) -> tuple[int, int]:
    """Uid and gid; without a group the user's.

    ``named`` as ``--chown`` does it: of a bare number the group is the same number.
    """
    name, colon, group = wanted.partition(":")
    user = users.find_user(wanted if group else name)
    if named and not group and name.isdigit():
        return user.uid, user.uid
    if colon and not group:
        raise InvalidInput(wanted, "no group after the colon")
    return user.uid, user.gid


def _place_group(placer: Placer, tree: Tree, group: GroupSpec, total: int, limits: Limits) -> None:
    ignore = parse_ignore(group["ignore"].encode(), ".dockerignore")
    placer.keep_owners = group["keep_owners"]
    sources = select(tree, group["wanted"], ignore)
    into = placer.is_folder(max(total, len(sources)))
    for source in sources:
        if group["extract"] and not source.folder:
            fd = tree.open_file(source.path)
            try:
                if is_archive(fd):
                    placer.make_folders(placer.target)
                    extract(fd, placer, limits)
                    continue
            finally:
                os.close(fd)
        placer.place_one(tree, source, ignore, into=into)


_VERBS = {"place": _place}

if __name__ == "__main__":
    status = main(sys.argv[1:], _VERBS)
    os._exit(status)
