"""What is known of a distro or image, and how it was made: ``inspect``, ``history``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import NotFound
from tui.cli import output
from tui.cli.call import call
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Distro, HistoryEntry
    from core.engine import Engine
    from core.verbs.contents import Inspection, RunDefaults
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
def inspect(names: tuple[str, ...]) -> int:
    """Show all that is known of a distro (with its image) or of an image.

    NAME is a distro, a reference, a digest or a unique part of one from its start.
    """
    settings = current()

    async def work(engine: Engine) -> None:
        found = [await _find(engine, name) for name in names]
        items = [_inspected(distro, image) for distro, image in found]
        if not output.write_json(settings, "inspect", items):
            for at, (distro, image) in enumerate(found):
                if at:
                    output.write_line("")
                pairs = _of_distro(distro) if distro else []
                output.write_pairs(pairs + (_of_image(settings, image) if image else []))

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("name")
def history(name: str) -> int:
    """Show how an image was made, newest layer first."""
    settings = current()

    async def work(engine: Engine) -> None:
        _write_history(settings, await engine.history(name))

    return call(settings, work)


async def _find(engine: Engine, name: str) -> tuple[Distro | None, Inspection | None]:
    try:
        distro = await engine.distro(name)
    except NotFound:
        return None, await engine.inspect(name)
    return distro, await engine.inspect(distro.image_digest) if distro.image_digest else None


def _inspected(distro: Distro | None, image: Inspection | None) -> dict[str, Any]:
    told = None if image is None else _image_json(image)
    if distro is None:
        return {"kind": "image", **(told or {})}
    return {"kind": "distro", **output.plain(distro), "image": told}


def _image_json(found: Inspection) -> dict[str, Any]:
    """The image's own fields and what else is known of it, side by side."""
    told = output.plain(found)
    told["config"]["labels"] = dict(found.config.labels)
    told["annotations"] = dict(found.annotations)
    image = told.pop("image")
    return {**image, **told}


def _of_distro(distro: Distro) -> list[tuple[str, str]]:
    return [
        ("Distro", distro.name),
        ("State", distro.state),
        ("Shells", str(distro.sessions)),
        ("Source", distro.url),
        ("System", distro.os_name or distro.version),
        ("Platform", str(distro.platform)),
        ("Size", f"{output.size(distro.size)} ({output.size(distro.unique_size)} its own)"),
        ("Changes", distro.path),
        ("Created", output.rfc3339(distro.created) or ""),
        ("Used", output.rfc3339(distro.used) or "never"),
        *(("Warning", warning) for warning in distro.warnings),
    ]


def _of_image(settings: Settings, found: Inspection) -> list[tuple[str, str]]:
    image = found.image
    pairs = [
        ("Image", image.digest),
        ("Platform", str(image.platform)),
        *(("Reference", reference) for reference in image.references),
        *(("Repository", digest) for digest in image.repo_digests),
        ("Config", image.config_digest),
        ("Manifest", found.manifest_type),
        ("Author", found.author),
        ("Parent", found.parent),
        ("Built", output.rfc3339(image.created) or ""),
        ("Pulled", output.rfc3339(image.pulled) or ""),
        ("Unpacked", f"{output.size(image.size)} ({output.size(found.unique_size)} its own)"),
        ("Transfer", output.size(image.transfer_size)),
        ("Distros", ", ".join(image.distros)),
        *_of_config(found.config),
        *(("Note", f"{key}={value}") for key, value in found.annotations),
        *(("Warning", warning) for warning in found.warnings),
        *(
            ("Layer", f"{output.short_digest(settings, layer.digest)}  {output.size(layer.size)}")
            for layer in image.layers
        ),
    ]
    return [(name, value) for name, value in pairs if value]


def _of_config(config: RunDefaults) -> list[tuple[str, str]]:
    health = config.healthcheck
    return [
        ("User", config.user),
        ("Folder", config.working_dir),
        ("Entrypoint", " ".join(config.entrypoint)),
        ("Command", " ".join(config.cmd)),
        ("Shell", " ".join(config.shell)),
        ("Stop", config.stop_signal),
        ("Health", " ".join(health.test) if health else ""),
        ("Ports", ", ".join(config.exposed_ports)),
        ("Volumes", ", ".join(config.volumes)),
        *(("Environment", line) for line in config.env),
        *(("Label", f"{key}={value}") for key, value in config.labels),
        *(("On build", line) for line in config.on_build),
    ]


def _write_history(settings: Settings, entries: list[HistoryEntry]) -> None:
    if output.write_json(settings, "history", entries):
        return
    if settings.quiet:
        output.write_names([entry.layer.digest for entry in entries if entry.layer])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("LAYER", "CREATED", "SIZE", "CREATED BY", "COMMENT", "TAGS"),
            right=frozenset({2}),
            spare=(4, 5, 1),
            rows=tuple(
                (
                    output.short_digest(settings, entry.layer.digest) if entry.layer else "-",
                    output.age(entry.created),
                    output.size(entry.size),
                    "(not told)" if entry.untold else entry.created_by,
                    entry.comment,
                    ", ".join(entry.tags),
                )
                for entry in entries
            ),
        ),
    )
