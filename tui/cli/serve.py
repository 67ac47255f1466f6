"""``serve``: the engine daemon in the foreground, its state, its end."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import socket
import struct
from typing import TYPE_CHECKING

import click

from core.connect import remote
from core.errors import DaemonUnreachable
from core.paths import find_paths
from core.serve.native.link import connect
from tui.cli import output, report
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import EngineInfo
    from core.paths import Paths

_END_SECONDS = 30
"""What a daemon may take to end; it has nothing to wait for but calls under way."""


@click.command(cls=Verb)
@click.option("--stop", is_flag=True, help="End the running daemon; sessions stay.")
@click.option("--status", is_flag=True, help="Tell whether one runs (exit 8 if not).")
def serve(*, stop: bool, status: bool) -> int:
    """Run the engine daemon in the foreground until ctrl+C.

    There is no need to: it starts by itself with the first verb that needs it and ends when
    nothing does.
    """
    settings = current()
    if stop and status:
        raise click.UsageError("--stop and --status exclude each other")
    paths = find_paths(settings.root)
    if stop:
        return _stop(paths)
    if status:
        found = asyncio.run(_status(paths))
        if not output.write_json(settings, "info", [found]):
            output.write_line(f"running, process {found.pid}, version {found.version}")
        return report.OK
    from core.daemon import serve as serve_forever

    paths.make()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    report.note(f"serving on {paths.socket}")
    asyncio.run(serve_forever(paths, idle_seconds=0, ready=None))
    return report.OK


async def _status(paths: Paths) -> EngineInfo:
    async with remote(paths, start=False) as engine:
        return await engine.info()


def _stop(paths: Paths) -> int:
    """End the daemon, whatever version of the protocol it speaks.

    Raises:
        DaemonUnreachable: it did not end.
    """
    try:
        with connect(paths.socket) as line:
            peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        report.note("no daemon runs")
        return report.OK
    pid = struct.unpack("3i", peer)[0]
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return report.OK
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        if not select.select([process], [], [], _END_SECONDS)[0]:
            raise DaemonUnreachable(
                "engine daemon", f"process {pid} does not end", hint=f"see {paths.log}"
            )
    finally:
        os.close(process)
    return report.OK
