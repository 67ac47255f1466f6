"""``search`` and ``tags``: what can be pulled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from core.verbs.registries import SearchSpec, TagsSpec
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.credentials import access_of, access_options
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.registries import SearchHit
    from tui.cli.credentials import Access
    from tui.cli.options import Settings

_LIMIT = 25
_HOST = re.compile(r"[.:]|^localhost$")
"""What tells a registry's host from the first part of a repository's name."""


@click.command(cls=Verb)
@click.argument("term", nargs=-1, required=True)
@click.option("--catalog", default="", metavar="NAME", help="Only this source of the catalog.")
@click.option("--registry", default="", metavar="HOST", help="Ask this registry (docker.io, say).")
@click.option("--limit", type=click.IntRange(1, 1000), default=_LIMIT, show_default=True)
@click.option("--tags", "wants_tags", is_flag=True, help="TERM is a repository: list its tags.")
@access_options
def search(
    term: tuple[str, ...],
    *,
    catalog: str,
    registry: str,
    limit: int,
    wants_tags: bool,
    creds: str,
    password_stdin: bool,
    login: str,
    authfile: str,
) -> int:
    """Look for images by words of their names and descriptions.

    Without flags the store and the catalog are searched, which needs no network. TERM may be
    `HOST/WORD` instead of --registry HOST.
    """
    settings = current()
    host, slash, word = term[0].partition("/")
    if slash and not (registry or catalog or wants_tags) and _HOST.search(host):
        registry, term = host, (word, *term[1:])
    if catalog and registry:
        raise click.UsageError("--catalog and --registry: choose one")
    access = access_of(creds, login, authfile, password_stdin=password_stdin)
    if wants_tags:
        if len(term) != 1:
            raise click.UsageError("--tags takes one repository")
        return _list_tags(settings, term[0], access)
    spec = SearchSpec(
        term=" ".join(term),
        catalog=catalog,
        registry=registry,
        limit=limit,
        credentials=access.credentials,
        login=access.login,
        auth_file=access.auth_file,
        plain_http=settings.plain_http,
    )

    async def work(engine: Engine) -> None:
        _write_hits(settings, spec, await engine.search(spec))

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("repository")
@access_options
def tags(repository: str, *, creds: str, password_stdin: bool, login: str, authfile: str) -> int:
    """List the tags of a repository in a registry."""
    access = access_of(creds, login, authfile, password_stdin=password_stdin)
    return _list_tags(current(), repository, access)


def _list_tags(settings: Settings, repository: str, access: Access) -> int:
    spec = TagsSpec(
        repository=repository,
        credentials=access.credentials,
        login=access.login,
        auth_file=access.auth_file,
        plain_http=settings.plain_http,
    )

    async def work(engine: Engine) -> None:
        found = await engine.tags(spec)
        items = [
            {"repository": found.repository, "tag": tag, "reference": f"{found.repository}:{tag}"}
            for tag in found.tags
        ]
        if not output.write_json(settings, "tags", items):
            output.write_names(found.tags)

    return call(settings, work)


def _write_hits(settings: Settings, spec: SearchSpec, hits: list[SearchHit]) -> None:
    if output.write_json(settings, "search", hits):
        return
    if settings.quiet:
        output.write_names([hit.name for hit in hits])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("NAME", "STARS", "OFFICIAL", "FOUND IN", "DESCRIPTION"),
            right=frozenset({1}),
            rows=tuple(
                (
                    hit.name,
                    "" if hit.stars is None else str(hit.stars),
                    "yes" if hit.official else "",
                    " ".join(filter(None, (hit.found_in, hit.source))),
                    hit.description,
                )
                for hit in hits
            ),
        ),
    )
    if not hits:
        where = "" if spec.registry else "; --registry docker.io asks Docker's"
        report.note(f"nothing found{where}")
