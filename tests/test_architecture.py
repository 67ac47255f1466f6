"""What ARCHITECTURE.md promises about the shape of the code."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("core", "widgets", "tui")
MODULES = sorted(
    path.relative_to(REPOSITORY)
    for package in PACKAGES
    for path in REPOSITORY.glob(f"{package}/**/*.py")
)

FILE_LINES = 400
FUNCTION_LINES = 50

BOUNDARIES = frozenset(
    {
        "core/background.py",  # raises it again itself, unwrapped
        "core/jobs.py",  # a job: its error becomes its state
        "core/serve/native/server.py",  # a daemon's connection
    }
)
"""The only places where an unforeseen exception may end: what is around them must live on."""

LOADED = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse((REPOSITORY / path).read_text())


def name_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def loaded_after_importing(*folders: str) -> set[str]:
    """Top-level names in ``sys.modules`` of a fresh process that imported all of ``folders``."""
    names = [
        name_of(path)
        for path in MODULES
        if path.as_posix().startswith(folders) and path.name != "__main__.py"
    ]
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOADED, json.dumps(names)],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    )
    return set(json.loads(done.stdout))


def test_imports_keep_the_contracts() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stdout


def test_the_core_loads_nothing_that_draws() -> None:
    assert not loaded_after_importing("core/") & {"textual", "rich", "humanize", "click"}


def test_the_command_line_starts_without_textual() -> None:
    assert not loaded_after_importing("tui/cli/") & {"textual", "rich", "aiohttp", "asyncssh"}


def test_the_console_starts_without_a_network_client() -> None:
    assert not loaded_after_importing("widgets/", "tui/") & {"aiohttp", "asyncssh"}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    tree = parse(path)
    assert ast.get_docstring(tree)
    assert len((REPOSITORY / path).read_text().splitlines()) <= FILE_LINES
    long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_unforeseen_exceptions_are_caught_at_the_boundaries_only(path: Path) -> None:
    lines = [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ExceptHandler) and catches_anything(node)
    ]
    assert not lines or path.as_posix() in BOUNDARIES


def catches_anything(handler: ast.ExceptHandler) -> bool:
    """``except Exception`` and wider, unless it ends by raising the same exception again."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    names = (
        {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
        if handler.type
        else set()
    )
    return handler.type is None or bool(names & {"Exception", "BaseException"})


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in MODULES if len(path.parts) > 2}), ids=str
)
def test_each_folder_has_its_tests(folder: Path) -> None:
    mirror = REPOSITORY / "tests" / folder
    assert (mirror / "__init__.py").exists()
    assert list(mirror.rglob("test_*.py"))


def test_test_folders_mirror_the_packages() -> None:
    mirrored = [
        path.parent.relative_to(REPOSITORY / "tests")
        for package in PACKAGES
        for path in (REPOSITORY / "tests" / package).rglob("test_*.py")
    ]
    assert not [folder for folder in mirrored if not (REPOSITORY / folder).is_dir()]
