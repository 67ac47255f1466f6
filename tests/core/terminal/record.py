# ruff: noqa: E501 (keys are typed in one go)
"""Record real programs in a PTY: ``python -m tests.core.terminal.record [NAME...]``.

Each recording is the program's output at one size while a script types into it; next to it
stands the screen that tmux shows after the same bytes, for the tests to compare with.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import zlib
from pathlib import Path

FOLDER = Path(__file__).parent / "recordings"
ROWS, COLUMNS = 24, 80
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
    "mc-quit": (BASH, [b"mc -u\r", b"\x1b[B", b"\x1b0", b"\r", b"echo after mc\r"]),
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


def record(argv: list[str], keys: list[bytes]) -> bytes:
    """The output of a program while the keys are typed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir("/")
        os.execvpe(APART[0], [*APART, *argv], ENVIRONMENT)
    try:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
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


def tmux_screen(data: bytes) -> str:
    """What tmux shows after the same bytes: the cursor's row and column, then the rows."""
    tmux = ["tmux", "-L", f"oracle{os.getpid()}", "-f", "/dev/null"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "data")
        source.write_bytes(data)
        command = f"stty raw -echo; cat {source}; tmux wait-for -S fed; exec sleep 60"
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        environment = {**ENVIRONMENT, "TERM": "screen-256color"}
        try:
            subprocess.run(
                [*tmux, "new-session", "-d", *size, command], check=True, env=environment
            )
            subprocess.run([*tmux, "wait-for", "fed"], check=True, env=environment)
            time.sleep(0.2)
            position = subprocess.run(
                [*tmux, "display", "-p", "#{cursor_y} #{cursor_x}"],
                check=True, env=environment, capture_output=True, text=True,
            ).stdout  # fmt: skip
            shown = subprocess.run(
                [*tmux, "capture-pane", "-p"],
                check=True, env=environment, capture_output=True, text=True,
            ).stdout  # fmt: skip
        finally:
            subprocess.run([*tmux, "kill-server"], check=False, env=environment)
    return position + shown


def main(names: list[str]) -> None:
    """Record what is named, or everything."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or PROGRAMS:
        argv, keys = PROGRAMS[name]
        data = record(argv, keys)
        (FOLDER / f"{name}.z").write_bytes(zlib.compress(data, 9))
        (FOLDER / f"{name}.tmux").write_text(tmux_screen(data))
        sys.stdout.write(f"{name}: {len(data)} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
