"""``python -m tui``: the console script under its module name.

Python puts the working directory first on ``sys.path`` for ``-m``. A folder named ``core`` in
somebody's project must not be taken for ours, so the entry goes before anything is imported.
"""

from __future__ import annotations

import os
import sys


def forget_working_directory() -> None:
    """Drop the entry that ``-m`` put on ``sys.path``, unless this package is found through it."""
    home = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if not sys.flags.safe_path and sys.path and os.path.realpath(sys.path[0]) != home:
        del sys.path[0]


if __name__ == "__main__":
    forget_working_directory()
    from tui.cli.main import main

    sys.exit(main())
