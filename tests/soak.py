"""Run the fault and fuzz gates with their full counts: ``python -m tests.soak [PYTEST ARGUMENT]…``.

The same tests run with small counts in every test run; this takes as long as it takes.
"""

from __future__ import annotations

import os
import sys

import pytest


def main() -> int:
    """Run every test marked ``soak``; gives pytest's exit code."""
    os.environ["DISTRODECK_SOAK"] = "1"
    return pytest.main(["-m", "soak", "--timeout=7200", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
