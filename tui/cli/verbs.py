"""The verbs, where each is defined, and the group that loads only the one being run."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from typing_extensions import override

from tui.cli.options import global_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One verb."""

    module: str
    """Last part of its module's name under :mod:`tui.cli`."""
    summary: str
    attribute: str = ""
    """Name of its command object; empty: the verb's own name."""


SECTIONS: dict[str, dict[str, Entry]] = {
    "Distros": {
        "ls": Entry(module="distros", attribute="list_", summary="List distros."),
        "pull": Entry(module="pull", summary="Fetch and install a distro."),
        "create": Entry(module="making", summary="Make a distro from an image."),
        "start": Entry(module="distros", summary="Start a distro and keep it up."),
        "stop": Entry(module="distros", summary="End every process in a distro."),
        "restart": Entry(module="distros", summary="Stop, then start."),
        "upgrade": Entry(module="upgrade", summary="Move distros to newer images."),
        "clone": Entry(module="making", summary="Make a distro like another."),
        "rename": Entry(module="making", summary="Give a distro another name."),
        "snapshot": Entry(module="snapshots", summary="Keep a distro's changes as they are."),
        "snapshots": Entry(module="snapshots", summary="List the snapshots there are."),
        "rollback": Entry(module="snapshots", summary="Go back to a snapshot."),
        "export": Entry(module="commit", summary="Write a root file system as an archive."),
        "rm": Entry(module="distros", attribute="remove", summary="Remove distros."),
        "undo": Entry(module="undo", summary="Bring back what was removed."),
        "catalog": Entry(module="catalog", summary="What can be installed."),
    },
    "Images": {
        "images": Entry(module="images", summary="List images in the store."),
        "search": Entry(module="search", summary="Look for images."),
        "tags": Entry(module="search", summary="List the tags of a repository."),
        "push": Entry(module="push", summary="Bring an image to a registry."),
        "inspect": Entry(module="inspect", summary="All that is known of a distro or image."),
        "history": Entry(module="inspect", summary="How an image was made, layer by layer."),
        "files": Entry(module="contents", summary="List, show or copy out files."),
        "cat": Entry(module="contents", summary="Write a file of an image or distro."),
        "diff": Entry(module="contents", summary="What differs, or what a distro changed."),
        "waste": Entry(module="contents", summary="Bytes of layers that nobody can see."),
        "save": Entry(module="archives", summary="Write images to an archive."),
        "load": Entry(module="archives", summary="Read images from an archive."),
        "import": Entry(
            module="archives", attribute="import_", summary="Make an image of a root file system."
        ),
        "exists": Entry(module="naming", summary="Whether a distro or image is here."),
        "commit": Entry(module="commit", summary="Make an image of a distro."),
        "tag": Entry(module="naming", summary="Give an image one more name."),
        "untag": Entry(module="naming", summary="Take names of images away."),
        "rmi": Entry(module="naming", summary="Remove images."),
        "build": Entry(module="builds", summary="Build an image from a Dockerfile."),
    },
    "Store": {
        "df": Entry(module="df", summary="Where the space goes."),
        "prune": Entry(module="prune", summary="Delete what nothing uses."),
        "fsck": Entry(module="fsck", summary="Check the store, and mend it."),
    },
    "Registries": {
        "login": Entry(module="logins", summary="Log in to a registry."),
        "logout": Entry(module="logins", summary="Forget a login."),
        "logins": Entry(module="logins", summary="List the logins there are."),
    },
    "Run": {
        "run": Entry(module="run", summary="Run a command in a distro."),
        "shell": Entry(module="shell", summary="Open a shell in a distro."),
        "sessions": Entry(module="sessions", summary="List shells and commands."),
        "attach": Entry(module="shell", summary="Go back into a session."),
        "close": Entry(module="sessions", summary="End a session."),
        "record": Entry(module="recording", summary="Record a session as an asciicast."),
        "replay": Entry(module="recording", summary="Play a recording in this terminal."),
    },
    "Jobs": {
        "jobs": Entry(
            module="jobs", attribute="list_", summary="List what goes on, and what ended lately."
        ),
        "watch": Entry(module="jobs", summary="Follow a job to its end."),
        "cancel": Entry(module="jobs", summary="Stop a job; what can be resumed is kept."),
        "pause": Entry(module="jobs", summary="Hold a job where it is."),
        "resume": Entry(module="jobs", summary="Let a paused job go on."),
    },
    "Self": {
        "doctor": Entry(module="about", summary="Check what distros need on this host."),
        "serve": Entry(module="serve", summary="Run the engine daemon, or end it."),
        "info": Entry(module="about", summary="What engine this is and where its store is."),
        "version": Entry(module="about", summary="Print the version."),
    },
}

ALIASES = {"list": "ls", "remove": "rm", "exec": "run"}

ENTRIES = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class Verbs(click.Group):
    """The group behind ``distrodeck``; knows the verbs by name and imports none before its use."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.params.extend(global_options())

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ENTRIES)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = ALIASES.get(cmd_name, cmd_name)
        entry = ENTRIES.get(name)
        if entry is None:
            return None
        found = getattr(import_module(f"tui.cli.{entry.module}"), entry.attribute or name)
        if not isinstance(found, click.Command):
            raise TypeError(f"{entry.module}.{entry.attribute or name} is no command")
        return found

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and args[0] not in (*ENTRIES, *ALIASES):
            near = difflib.get_close_matches(args[0], [*ENTRIES, *ALIASES], n=1)
            meant = f", did you mean {near[0]}?" if near else ""
            ctx.fail(f"no such verb: {args[0]}{meant}")
        return super().resolve_command(ctx, args)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.summary) for name, entry in section.items()])


def on_terminal() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()
