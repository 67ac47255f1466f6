"""Builds by ordinary users: with subordinate ids all is as for root, with one id it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.core.conftest import busybox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.host import User

DECK = [sys.executable, "-P", "-m", "tui"]
DOCKERFILE = """FROM {base}
COPY --chown=7:8 a /a
RUN {command}
RUN ls -ln /a | awk '{{print $3, $4}}'; echo kept > /b
COPY --from={base} /bin/busybox /c
RUN cat /b
"""


@pytest.mark.parametrize("kind", ["ordinary_user", "single_uid_user"])
def test_an_ordinary_user_builds(
    kind: str,
    request: pytest.FixtureRequest,
    make_root: Callable[..., Path],
    as_user: Callable[[User], list[str]],
    fix: dict[str, Any],
) -> None:
    user: User = request.getfixturevalue(kind)
    root = make_root(user)
    single = kind != "ordinary_user"
    argv = [*as_user(user), *DECK, "--root", str(root / "r")]
    command = "true" if single else "chown 9:9 /bin; test $(ls -dn /bin | awk '{print $3}') = 9"
    text = DOCKERFILE.format(base=busybox(fix), command=command)
    context = root / "context"
    subprocess.run([*as_user(user), "mkdir", str(context)], check=True)
    (context / "a").write_text("a")
    (context / "Dockerfile").write_text(text)
    try:
        done = subprocess.run(
            [*argv, "build", "--format", "json", str(context)],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
        )
    finally:
        subprocess.run([*argv, "serve", "--stop"], check=False, capture_output=True, cwd="/")
    assert done.returncode == 0, done.stderr
    (image,) = json.loads(done.stdout)["items"]
    assert image["origin"] == "build"
    assert "\nkept\n" in done.stderr
    assert ("\n0 0\n" if single else "\n7 8\n") in done.stderr
    assert ("owner not set, this account has one user id only: 7:8" in done.stderr) is single
