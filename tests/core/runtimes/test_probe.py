"""Doctor on this machine, and on one that lacks things."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.paths import find_paths
from core.runtimes import bwrap, probe
from core.runtimes.spec import SandboxSpec
from tests import host

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.core.shells.conftest import Person

DOCTOR = """
import asyncio, dataclasses, json, pathlib, sys
from core.paths import find_paths
from core.runtimes.probe import probe
paths = find_paths(pathlib.Path(sys.argv[1]))
print(json.dumps([dataclasses.asdict(check) for check in asyncio.run(probe(paths))]))
"""


def doctor(person: Person) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [*person.prefix, sys.executable, "-P", "-c", DOCTOR, str(person.root / "deck")],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    return {check["name"]: check for check in json.loads(done.stdout)}


def test_what_distros_need_works_here(person: Person) -> None:
    checks = doctor(person)
    assert [one for one in checks.values() if one["required"] and not one["ok"]] == []
    assert checks["sandbox"]["detail"].endswith(person.kind)
    assert checks["subordinate ids"]["ok"] is (person.kind != "single")
    assert host.leftovers(person.root) == []
    assert [path.name for path in person.root.rglob("*")] == []


def test_each_failure_says_what_is_lost(person: Person) -> None:
    for check in doctor(person).values():
        assert check["ok"] or (check["detail"] and check["lost"]), check


async def test_a_failure_names_the_repair(deck_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "bwrap_path", lambda: "/no/such/bwrap")
    checks = {check.name: check for check in await probe.probe(find_paths(deck_root))}
    assert not checks["bubblewrap"].ok
    assert "pip install" in checks["bubblewrap"].repair
    assert not checks["sandbox"].ok
    assert checks["overlay"].ok


async def test_a_check_that_hangs_is_given_up(
    deck_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = probe._Trial(name="stuck", attempt=lambda _: str(time.sleep(2)), lost="time")
    monkeypatch.setattr(probe, "_TRIALS", (stuck, replace(stuck, attempt=lambda _: "quick")))
    first, second = await probe.probe(find_paths(deck_root))
    assert (first.ok, second.ok) == (False, True)
    assert "no answer" in first.detail


def test_the_trial_of_a_sandbox_says_why_not(deck_root: Path) -> None:
    spec = SandboxSpec(
        name="x",
        layers=["/no/such/layer"],
        upper=str(deck_root / "upper"),
        work=str(deck_root / "work"),
        namespaces=[],
        bwrap=bwrap.bwrap_path(),
        host_root=False,
        masks=[],
        mounts=[],
    )
    (deck_root / "spec.json").write_text(json.dumps(spec))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "core.runtimes.trial", "sandbox", str(deck_root)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 1
    assert done.stdout == "/no/such/layer: the unpacked layer is missing"
