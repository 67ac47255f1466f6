"""What a stage has come to: its config so far, its layers, its variables."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.builds.cache import step_key
from core.builds.stages import PROXIES
from core.images.assemble import canonical, platform_fields
from core.images.changes import environment
from core.runtimes.users import PATH

if TYPE_CHECKING:
    from core.domain import Layer, Platform


@dataclass(slots=True, kw_only=True)
class State:
    """Changed in place by each step; a stage that goes on from another has a copy of its own."""

    document: dict[str, Any]
    """The image's config, as it would be if the stage ended here."""
    image: str = ""
    """Digest of the stored image that has just these layers; empty: there are none."""
    key: str = ""
    """Of the last step, for the cache."""
    arguments: dict[str, str] = field(default_factory=dict)
    """ARGs of this stage that have a value."""
    keep_cmd: bool = False
    """CMD was set in this stage."""

    @classmethod
    def scratch(cls, platform: Platform) -> State:
        """A stage on nothing."""
        config = {"Env": [f"PATH={PATH}"]}
        document = {**platform_fields(platform), "config": config, "history": []}
        document["rootfs"] = {"type": "layers", "diff_ids": []}
        return cls(document=document, key=step_key("scratch", str(platform)))

    @classmethod
    def on_image(cls, document: dict[str, Any], image: str, config_digest: str) -> State:
        """A stage on an image that is in the store."""
        for stale in ("container", "container_config", "docker_version", "id", "parent"):
            document.pop(stale, None)
        document["config"] = document.get("config") or {}
        document["history"] = document.get("history") or []
        return cls(document=document, image=image, key=step_key("image", config_digest))

    def next_stage(self) -> State:
        """What a stage that goes on from this one begins with."""
        return State(document=copy.deepcopy(self.document), image=self.image, key=self.key)

    @property
    def config(self) -> dict[str, Any]:
        """How to run it."""
        found: dict[str, Any] = self.document["config"]
        return found

    @property
    def workdir(self) -> str:
        """Absolute."""
        return str(self.config.get("WorkingDir") or "/")

    @property
    def env(self) -> dict[str, str]:
        """What a command has: arguments, over them the image's own variables."""
        return {**self.arguments, **environment(self.config)}

    def lookup(self, name: str) -> str | None:
        """A variable in an instruction."""
        return self.env.get(name)

    def used_arguments(self) -> list[str]:
        """What of the arguments a command sees and its result may depend on."""
        own = environment(self.config)
        shown = self.arguments.items()
        return sorted(f"{k}={v}" for k, v in shown if k not in own and k not in PROXIES)

    def note(self, created_by: str, layer: Layer | None = None) -> None:
        """Add a line of history, with the layer it made or as one that made none."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        entry: dict[str, Any] = {"created": now, "created_by": created_by}
        self.document["created"] = now
        if layer is None:
            entry["empty_layer"] = True
        else:
            rootfs = self.document["rootfs"]
            self.document["rootfs"] = {**rootfs, "diff_ids": [*rootfs["diff_ids"], layer.diff_id]}
        self.document["history"] = [*self.document["history"], entry]

    def chain(self, *parts: str) -> None:
        """Go on to the key of a step that only changed the config."""
        self.key = step_key(self.key, *parts, canonical(self.config).decode())
