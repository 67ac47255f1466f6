"""Run every benchmark, one after the other: ``python -m benchmarks [NAME]…``.

Each runs in a process of its own. The exit code tells how many could not run; a missed target is
a line in the output and not a failure, since it depends on the machine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NOT_MEASURING = frozenset({"__init__", "__main__", "bare_input", "pane_app"})
"""Modules here that measure nothing by themselves."""


def names() -> list[str]:
    """The benchmarks, by name."""
    found = {path.stem for path in Path(__file__).parent.glob("*.py")}
    return sorted(found - NOT_MEASURING)


def main(wanted: list[str]) -> int:
    """Run those wanted, or all."""
    if unknown := set(wanted) - set(names()):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(names())}")
        return 2
    broken = 0
    for name in wanted or names():
        print(f"== benchmarks.{name}", flush=True)
        broken += (
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
            != 0
        )
        print(flush=True)
    return broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
