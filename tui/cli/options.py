"""Flags that every verb takes, before or after its name.

Each flag is declared once and given to the group and to every verb; what the person wrote in
either place ends up in the context's ``meta``, which click shares between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
from click.core import ParameterSource
from typing_extensions import override

Format = Literal["table", "json", "jsonl"]
Progress = Literal["auto", "tty", "plain", "json", "none"]

_META = "tui.cli.options"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the global flags say."""

    root: Path | None = None
    embedded: bool = False
    format: Format = "table"
    quiet: bool = False
    yes: bool = False
    no_trunc: bool = False
    plain_http: bool = False
    progress: Progress = "auto"
    debug: bool = False
    timeout: float | None = None
    """Seconds that the whole verb may take."""

    @classmethod
    def of(cls, ctx: click.Context) -> Settings:
        """The settings of the verb being run."""
        return cls(**ctx.meta.get(_META, {}))


def current() -> Settings:
    """The settings of the verb being run, from anywhere inside it."""
    return Settings.of(click.get_current_context())


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    name = param.name or ""
    if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        ctx.meta.setdefault(_META, {})[name] = value


def _folder(value: str) -> Path:
    """An absolute path; the folder need not exist yet."""
    if not value or "\0" in value:
        raise click.BadParameter("needs the name of a folder")
    return Path(value).absolute()


def global_options() -> list[click.Parameter]:
    """Fresh option objects; click keeps no state in them, but shares no lists either."""

    def flag(*names: str, text: str) -> click.Option:
        return click.Option(names, is_flag=True, help=text, expose_value=False, callback=_remember)

    def option(*names: str, kind: Any, text: str, metavar: str = "") -> click.Option:
        return click.Option(
            names,
            type=kind,
            help=text,
            metavar=metavar or None,
            expose_value=False,
            callback=_remember,
        )

    return [
        option("--root", kind=_folder, metavar="DIR", text="Keep everything below DIR."),
        flag("--embedded", text="Run the engine in this process, without the daemon."),
        option(
            "--format",
            kind=click.Choice(["table", "json", "jsonl"]),
            text="How data is written to standard output.",
        ),
        flag("-q", "--quiet", text="Names only; no progress."),
        flag("-y", "--yes", text="Do not ask."),
        flag("--no-trunc", text="Do not shorten digests and long columns."),
        flag("--plain-http", text="Allow plain HTTP for a registry that is not on this host."),
        option(
            "--progress",
            kind=click.Choice(["auto", "tty", "plain", "json", "none"]),
            text="How progress is written to standard error.",
        ),
        flag("--debug", text="Show where an error came from."),
        option(
            "--timeout",
            kind=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            text="Give up after so long (exit 124).",
        ),
    ]


class Verb(click.Command):
    """A command that also takes the global flags; its help names only its own."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._own = len(self.params)
        taken = {name for param in self.params for name in param.opts}
        self.params.extend(one for one in global_options() if not taken.intersection(one.opts))

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [*self.params[: self._own], *filter(None, [self.get_help_option(ctx)])]
        rows = [row for param in own if (row := param.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(rows)
        formatter.write_paragraph()
        formatter.write_text("The flags of `distrodeck --help` may stand here too.")


class CommandVerb(Verb):
    """A verb whose last part is somebody else's command line: ``NAME [flags] [--] CMD…``.

    Flags may stand on both sides of NAME; from the first word after it that is no flag, or from
    ``--``, everything belongs to the command, so that ``run dev grep -q x`` greps quietly.
    """

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._guard_command(args))

    def _guard_command(self, args: list[str]) -> list[str]:
        takes_value = {
            spelling
            for param in self.params
            if isinstance(param, click.Option) and not param.is_flag
            for spelling in param.opts
        }
        named = False
        words = iter(range(len(args)))
        for at in words:
            word = args[at]
            if word == "--":
                break
            if word in takes_value:
                next(words, None)
            elif not word.startswith("-") or word == "-":
                if named:
                    return [*args[:at], "--", *args[at:]]
                named = True
        return args
