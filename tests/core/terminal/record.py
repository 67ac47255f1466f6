# ruff: noqa: E501 (keys are typed in one go)
"""Record real programs in a PTY: ``python -m tests.core.terminal.record [NAME...]``.

Each recording is the program's output at one size while a script types into it; next to it
stands the screen that tmux shows after the same bytes, for the tests to compare with. A name
ends in ``.120x40`` at that size and in nothing at 80x24. ``apt`` needs the package ``hello``
installed and downloaded.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
import zlib
from pathlib import Path

from tests.core.terminal.tmux import Tmux

FOLDER = Path(__file__).parent / "recordings"
SIZES = {"": (24, 80), ".120x40": (40, 120)}
"""What a name ends in, and the rows and columns that mean."""
SETTLE = 0.4
LIMIT = 15.0

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM": "xterm-256color",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "PS1": r"\[\e[1;32m\]user@host\[\e[m\]:\[\e[34m\]\w\[\e[m\]\$ ",
}
BASH = ["bash", "--norc", "--noprofile", "-i"]
TEXT = Path("/usr/share/common-licenses/Apache-2.0")

PROGRAMS: dict[str, tuple[list[str], list[bytes]]] = {
    "bash": (
        BASH,
        [b"cd /etc\r", b"ls --color=always /usr\r", b"echo hello wor", b"\x1b[D\x1b[D\x1b[Dbig \x05ld\r",
         b"\x12hel", b"\x07", b"cat pas\t\t", b"\x15", b"for i in $(seq 30); do echo line $i; done\r",
         b"printf '\\e[3;5r\\e[3Hregion\\n\\n\\nend\\e[r\\e[20H'\r",
         b"echo a very long command line that is longer than eighty columns and so wraps in readline "
         b"\x01\x1bf\x1bf\x0b\x19", b"\r"],
    ),
    "vim": (
        ["vim", "-n", "-u", "NONE", "-N", "-c", "syntax on | set number ruler showcmd hlsearch", str(TEXT)],
        [b"\x06\x06\x02", b"/License\r", b"nn", b"ddp", b"yy5p", b":split\r", b"\x17j", b"GoAdded text \xe6\xbc\xa2\xe5\xad\x97\x1b",
         b"V3k", b"\x1b:set list\r", b"10j\x04\x15zz"],
    ),
    "vim-quit": (
        BASH,
        [b"echo before\r", b"vim -n -u NONE -N /etc/passwd\r", b"\x06jjx", b":q!\r", b"echo after\r"],
    ),
    "htop": (["htop", "-d", "100", "--no-color"], [b"", b"\x1bOB\x1bOB", b"t", b"\x1bOQ"]),
    "htop-color": (["htop", "-d", "100"], [b"", b"\x1bOB", b"h"]),
    "less": (["less", "-N", str(TEXT)], [b"  ", b"b", b"/Work\r", b"n", b"G", b"g", b"10j", b"5k"]),
    "less-quit": (BASH, [b"less " + str(TEXT).encode() + b"\r", b" ", b"q", b"echo done\r"]),
    "nano": (
        ["nano", "--ignorercfiles", str(TEXT)],
        [b"\x16\x16", b"typed \xc3\xa9 \xe6\xbc\xa2 text\r", b"\x0b\x0b", b"\x17License\r", b"\x15"],
    ),
    "mc": (["mc", "-u", "/etc", "/usr"], [b"", b"\x1b[B\x1b[B\x1b[B", b"\t", b"\x1b[B", b"\x1b9", b"\x1b[B\x1b[B"]),
    "mc-quit": (BASH, [b"cd /usr; mc -u\r", b"\x1b[B", b"\x1b0", b"\r", b"echo after mc\r"]),
    "tmux": (
        ["tmux", "-L", "recording", "-f", "/dev/null", "new", "bash --norc --noprofile"],
        [b"", b"ls --color=always /usr\r", b"\x02%", b"echo right\r", b"\x02\"", b"seq 50\r", b"\x02o", b"\x02[\x1b[5~"],
    ),
    "python": ([
        "python3", "-q"], [b"print('\\u2500'*30)\r", b"[x for x in range(60)]\r", b"help('for')\r", b"q", b"1/0\r"]),
    "unicode": (
        BASH,
        ["printf '漢字 かな e\\u0301 ❤ ☺ ─│┌┐ ｱ 한글 привет ไทย\\n'\r".encode(),
         "echo 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字\r".encode()],
    ),
    "colours": (
        BASH,
        [b"for i in $(seq 0 255); do printf '\\e[48;5;%dm %3d \\e[m' $i $i; done; echo\r",
         b"for i in $(seq 0 60); do printf '\\e[38;2;%d;%d;128mX\\e[0;4;9m_\\e[m' $i $((i*4)); done; echo\r"],
    ),
    "emoji": (
        BASH,
        ["printf '👍🏽 👨\u200d👩\u200d👧 🇩🇪 1\ufe0f\u20e3 ❤\ufe0f 🏳\ufe0f\u200d🌈 ไทย नमस्ते e\u0301\u0323 ｶﾞ Ａ한|\n'\r".encode(),
         "for i in $(seq 12); do printf '%*s漢字🙂|\n' $((i*7)) ''; done\r".encode(), "echo 漢\x01\x1bf字\x02\x02\x04\r".encode()],
    ),
    "top": (["top", "-d", "100"], [b"", b"m", b"z", b"1"]),
    "dialog": (
        BASH,
        [b"dialog --menu 'Which one?' 15 50 5 one First two Second three Third\r", b"\x1b[B", b"\x1b[B", b"\t", b"\r",
         b"dialog --checklist 'Which ones?' 12 40 4 a First on b Second off c Third on\r", b" ", b"\x1b[B ", b"\r",
         b"seq 0 10 100 | dialog --gauge Working 8 50\r"],
    ),
    "whiptail": (
        BASH,
        [b"whiptail --title Choose --menu 'Which one?' 15 50 5 one First two Second three Third\r", b"\x1b[B", b"\t", b"\r",
         b"whiptail --inputbox 'A name' 10 50 default\r", b"\x7f\x7fX\xc3\xa9", b"\r"],
    ),
    "vttest-cursor": (["vttest"], [b"\x1b[?62;1c", b"1\r", b"\r", b"\r", b"\r", b"\r", b"\r"]),
    "vttest-screen": (["vttest"], [b"\x1b[?62;1c", b"2\r", b"\r", b"\r", b"\r", b"\r", b"\r", b"\r", b"\r", b"\r", b"\r", b"\r", b"\r"]),
    "vttest-charsets": (["vttest"], [b"\x1b[?62;1c", b"3\r", b"8\r", b"\r", b"9\r", b"\r"]),
    "vttest-insert": (["vttest"], [b"\x1b[?62;1c", b"8\r", b"\r", b"\r", b"\r", b"\r", b"\r", b"\r"]),
    "git": (
        BASH,
        [b"cd $(mktemp -d); git init -q -b main .; git config user.name A; git config user.email a@example.org; "
         b"for n in 1 2 3 4 5; do git commit -q --allow-empty -m \"Commit $n\"; git checkout -q -b side$n; git commit -q --allow-empty -m \"Side $n\"; "
         b"git checkout -q main; git commit -q --allow-empty -m \"More $n\"; git merge -q --no-edit side$n; done; clear\r",
         b"git --no-pager log --graph --oneline --color --all\r", b"git log --graph --color --decorate\r", b" ", b"/Side\r", b"q", b"git status\r"],
    ),
    "apt": (
        BASH,
        [b"apt-get -o Dpkg::Progress-Fancy=1 -o Dir::Ignore-Files-Silently::=. install --reinstall -y hello\r", *[b""] * 25, b"echo done\r"],
    ),
    "progress": (
        BASH,
        [b"printf '\\e7\\e[0;23r\\e8\\e[1A'; for i in $(seq 40); do printf '\\e7\\e[24;0fProgress %d\\e8unpacking %d\\n' $i $i; done; printf '\\e7\\e[0;24r\\e8'\r"],
    ),
}  # fmt: skip


APART = (
    "unshare",
    "-pfu",
    "--kill-child",
    "--mount-proc",
    "sh",
    "-c",
    'hostname host; exec "$@"',
    "sh",
)
"""Neither processes nor the name of the machine get into a recording."""


def _read(fd: int, seconds: float) -> bytes:
    """Output until it has been quiet for ``seconds``."""
    output = b""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        ready, _, _ = select.select([fd], [], [], seconds)
        if not ready:
            break
        try:
            chunk = os.read(fd, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    return output


def record(argv: list[str], keys: list[bytes], rows: int, columns: int) -> bytes:
    """The output of a program while the keys are typed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir("/")
        os.execvpe(APART[0], [*APART, *argv], ENVIRONMENT)
    try:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(pid, signal.SIGWINCH)
        output = _read(fd, 1.0)
        for typed in keys:
            os.write(fd, typed)
            output += _read(fd, SETTLE)
        return output
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)


def main(names: list[str]) -> None:
    """Record what is named, or everything at every size."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or [program + end for end in SIZES for program in PROGRAMS]:
        program, dot, size = name.partition(".")
        rows, columns = SIZES[dot + size]
        data = record(*PROGRAMS[program], rows, columns)
        with Tmux(rows, columns) as tmux:
            y, x, shown = tmux.show(data)
        (FOLDER / f"{name}.z").write_bytes(zlib.compress(data, 9))
        (FOLDER / f"{name}.tmux").write_text("\n".join([f"{y} {x}", *shown, ""]))
        sys.stdout.write(f"{name}: {len(data)} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
