"""What the layers of an image have in common, wherever they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain import Layer
from core.images.assemble import digest_of
from core.images.progress import Progress, ignore
from core.images.stack import LayerStack
from core.store.records import StagedLayer

if TYPE_CHECKING:
    from core.store.store import Store


async def test_layers_are_unpacked_once_and_those_that_are_there_are_told(store: Store) -> None:
    layers = [
        Layer(digest=digest_of(name), diff_id=digest_of(name * 2), size=1) for name in (b"a", b"b")
    ]
    unpacked: list[str] = []
    there: list[str] = []

    async def unpack(layer: Layer) -> tuple[StagedLayer, bool]:
        unpacked.append(layer.digest)
        folder = store.intake.new_stage()
        (folder / "fs").mkdir()
        staged = StagedLayer(
            key=layer.diff_id, diff_id=layer.diff_id, folder=folder, size=1, entries=1, tar_size=1
        )
        return staged, False

    async def note(layer: Layer) -> None:
        there.append(layer.digest)

    progress = Progress(ignore)
    progress.expect((layer.digest, 1) for layer in layers)
    async with store.lease() as lease:
        for _ in range(2):
            stack = LayerStack(store, layers, progress)
            await store.intake.hold(lease, stack.needs())
            await stack.bring(unpack, there=note)
            assert stack.keys == tuple(layer.diff_id for layer in layers)
    digests = sorted(layer.digest for layer in layers)
    assert sorted(unpacked) == digests
    assert sorted(there) == digests
