"""pyte's own tests with this emulator in the place of its classes.

They are in the source distribution, which pip fetches; the exceptions test what terminals do
otherwise, or names inside pyte's classes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MODULES: Final = ("test_screen", "test_diff", "test_stream", "test_input_output")
"""``test_history`` is about HistoryScreen, whose place :mod:`core.terminal.history` takes."""

_ENDED: Final = re.compile(r"^(PASSED|FAILED|ERROR) .*?(test_\w+)\.py::(test_\w+)", re.MULTILINE)

EXCEPTIONS: Final = {
    "test_screen::test_colors256": "indices 0-15 stay palette indices, for themes",
    "test_screen::test_resize": "narrower lines flow into the next row instead of being cut",
    "test_screen::test_set_mode": "DECSCNM is shown reversed, not written into the cells",
    "test_screen::test_draw_width2_line_end": "a wide character that does not fit wraps",
    "test_screen::test_draw_width0_irm": "draws BEL, which the stream never hands to draw",
    "test_screen::test_draw_width0_decawm_off": "a wide character that does not fit is not drawn",
    "test_screen::test_draw_cp437": "output is UTF-8; the IBM charset is not designated",
    "test_screen::test_save_cursor": "DECRC does not pop",
    "test_screen::test_restore_cursor_out_of_bounds": "RIS forgets the saved cursor",
    "test_screen::test_erase_in_display": "ED 3 erases the history, not the screen",
    "test_screen::test_cursor_position": "in origin mode the cursor stops at the margin",
    "test_stream::test_basic_sequences": "NEL also returns to the first column",
    "test_stream::test_unknown_sequences": "nothing collects unknown sequences",
    "test_stream::test_non_csi_sequences": "a handler gets only the numbers it takes; C1 is UTF-8",
    "test_stream::test_set_mode": "private modes have handlers of their own",
    "test_stream::test_reset_mode": "private modes have handlers of their own",
    "test_stream::test_overflow": "numbers end at 65535 instead of 9999",
    "test_stream::test_interrupt": "CAN and SUB end a sequence without being drawn",
    "test_stream::test_set_title_icon_name": "C1 controls are parts of UTF-8 characters",
    "test_stream::test_compatibility_api": "a stream belongs to one screen",
    "test_stream::test_debug_stream": "needs a stream for screens that are none",
    "test_stream::test_handler_exception": "handlers do not raise",
    "test_stream::test_byte_stream_define_charset_unknown": "looks at pyte's g0_charset",
    "test_stream::test_byte_stream_define_charset": "looks at pyte's g0_charset",
    "test_stream::test_byte_stream_select_other_charset": "output is UTF-8 always",
}
"""Test to the reason why it does not hold here."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of pyte's tests."""
    folder = tmp_path_factory.mktemp("pyte")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation",
        "--no-binary", "pyte", "--dest", str(folder), f"pyte=={version('pyte')}",
    ]  # fmt: skip
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("pip cannot fetch the sources of pyte")
    archive = next(folder.glob("pyte-*.tar.gz"))
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    return archive.with_name(archive.name.removesuffix(".tar.gz")) / "tests"


def test_pyte_s_own_tests_pass_but_for_the_listed(
    sources: Path, pytestconfig: pytest.Config
) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-rfEp", "-c", "/dev/null", "--rootdir", sources,
            "-p", "no:cacheprovider", "-p", "tests.core.terminal.pyte_classes",
            *(sources / f"{module}.py" for module in MODULES),
        ],
        check=False, capture_output=True, text=True, cwd=pytestconfig.rootpath,
    )  # fmt: skip
    ended = re.findall(
        r"^(PASSED|FAILED|ERROR) .*?(test_\w+)\.py::(test_\w+)", done.stdout, re.MULTILINE
    )
    passed = {f"{module}::{name}" for how, module, name in ended if how == "PASSED"}
    failed = {f"{module}::{name}" for how, module, name in ended if how != "PASSED"}
    assert failed == set(EXCEPTIONS), done.stdout
    assert len(passed) > 60, done.stdout
