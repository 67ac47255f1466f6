"""What a verb loads before it does anything, and from where."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.tui.cli.conftest import CHECKOUT, environment

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("textual", "rich", "aiohttp", "pyte", "asyncssh")


def modules_after(*words: str) -> set[str]:
    code = f"""
import json, sys
import tests.tui.cli.host_engine as host
sys.argv = ["distrodeck", *{words!r}]
try:
    host.main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=CHECKOUT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "words",
    [
        ("ls",),
        ("ls", "--available"),
        ("images",),
        ("history", "dev"),
        ("inspect", "dev"),
        ("pull", "x", "--quiet"),
        ("run", "dev", "--", "true"),
        ("sessions",),
        ("doctor",),
        ("version",),
    ],
    ids=" ".join,
)
def test_a_verb_loads_neither_the_console_nor_the_network(words) -> None:
    loaded = {name.partition(".")[0] for name in modules_after(*words)}
    assert not loaded & set(HEAVY)


def test_help_loads_no_verb_and_no_engine() -> None:
    code = (
        "import sys\nfrom tui.cli.main import main\nmain(['--help'])\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env=environment(),
        timeout=60,
        check=True,
    )
    loaded = done.stderr.split()
    assert "tui.cli.main" in loaded
    assert not {"tui.cli.distros", "tui.cli.run", "asyncio", "core.engine"} & set(loaded)


@pytest.mark.parametrize("folder", ["core", "tui", "widgets"])
def test_a_folder_of_our_name_in_the_working_directory_is_not_run(
    folder: str, tmp_path: Path
) -> None:
    (tmp_path / folder).mkdir()
    if folder != "tui":  # a package of that very name is what `-m tui` asks Python for
        (tmp_path / folder / "__init__.py").write_text("raise SystemExit('not ours')")
    for name in ("errors.py", "text.py", "version.py"):
        (tmp_path / folder / name).write_text("raise SystemExit('not ours')")
    done = subprocess.run(
        [sys.executable, "-m", "tui", "version"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout[:11]) == (0, "distrodeck "), done.stderr
