"""What a distro's holder has to know, from what the store has on file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.shells.launch import HolderSpec

if TYPE_CHECKING:
    from core.paths import Paths
    from core.runtimes.idmap import IdMap
    from core.store.records import DistroRecord
    from core.store.store import Store


def plan_holder(record: DistroRecord, *, store: Store, paths: Paths, idmap: IdMap) -> HolderSpec:
    """The holder of ``record``; one of *this host* does not show the engine's own folders."""
    host = not record.image_digest
    own = (paths.data, paths.run, paths.state, paths.cache, paths.config)
    return HolderSpec(
        run=paths.run,
        distro=record.id,
        name=record.name,
        layers=() if host else tuple(store.layer_paths(record.image_digest)),
        upper=record.upper,
        work=record.work,
        idmap=idmap,
        env=record.config.env,
        user=record.config.user,
        host_root=host,
        masks=own if host else (),
    )
