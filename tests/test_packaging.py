"""A wheel of this checkout: what is in it, and that it works where the checkout is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("core", "widgets", "tui")
DATA = (".toml", ".tcss", ".typed")

IMPORT_ALL = """
import importlib, pathlib, sys
import core
root = pathlib.Path(core.__file__).parents[1]
assert root == pathlib.Path(sys.argv[1]), root
for package in ("core", "widgets", "tui"):
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] != "__main__":
            importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
from core.catalog.builtin import distros
assert distros("amd64")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that nothing is left in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for package in (*PACKAGES, "tests"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / package, source / package, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*build, "--wheel-dir", source / "dist", source], check=True, capture_output=True, cwd="/"
    )
    (built,) = (source / "dist").glob("*.whl")
    return built


def test_wheel_holds_the_three_packages_their_data_and_no_tests(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(REPOSITORY).as_posix()
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*")
        if path.suffix in (".py", *DATA)
    }
    assert held == wanted


def test_wheel_has_the_licence_and_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        about = {name.partition(".dist-info/")[2]: name for name in archive.namelist()}
        assert b"Apache License" in archive.read(about["licenses/LICENSE"])
        assert b"distrodeck = tui.cli.main:main" in archive.read(about["entry_points.txt"])
        assert b"License-Expression: Apache-2.0" in archive.read(about["METADATA"])


def test_wheel_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL, site],
        check=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "HOME": str(tmp_path)},
    )
