"""Tell what a person typed from what their terminal answered.

Live output reaches every terminal that watches a session, and each answers the queries in it;
only the controller's answers may arrive. DA, DSR and CPR, DECRPM, XTVERSION, colour reports,
window reports, the kitty keyboard query, and focus reports.
"""

from __future__ import annotations

import re

_ANSWER = re.compile(
    rb"\x1b\[[?>=][0-9;]*c"  # DA1, DA2
    rb"|\x1b\[\??[0-9;]*n"  # DSR
    rb"|\x1b\[\??[0-9]+;[0-9;]+R"  # CPR
    rb"|\x1b\[\?[0-9;]*\$y|\x1b\[[0-9;]*\$y"  # DECRPM
    rb"|\x1b\[\?[0-9]*u"  # kitty keyboard flags
    rb"|\x1b\[[0-9;]+t"  # window reports
    rb"|\x1b\[[IO]"  # focus
    rb"|\x1b[P\]][^\x07\x1b]*(?:\x07|\x1b\\)"  # DCS and OSC reports
)


def without_answers(data: bytes) -> bytes:
    """``data`` without reports that a terminal sends by itself."""
    return _ANSWER.sub(b"", data) if b"\x1b" in data else data
