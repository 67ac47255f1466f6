"""The tiny programs, run as they are."""

from __future__ import annotations

import errno
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import Unsupported
from core.runtimes import stubs


def executable(name: str, folder: Path) -> str:
    path = folder / name
    path.write_bytes(stubs.program(name, os.uname().machine))
    path.chmod(0o755)
    return str(path)


def enter(stub: str, argv: list[str]) -> tuple[bytes, bytes]:
    """Standard output, and what came on descriptor 3."""
    reading, writing = os.pipe()
    code = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.execv(sys.argv[2], sys.argv[3:])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(writing), stub, *argv],
        stdout=subprocess.PIPE,
        pass_fds=(writing,),
        check=False,
    )
    os.close(writing)
    report = os.read(reading, 100)
    os.close(reading)
    return done.stdout, report


def test_enter_executes_and_keeps_its_report_to_itself(tmp_path: Path) -> None:
    stub = executable("enter", tmp_path)
    assert enter(stub, ["/bin/echo", "echo", "a", "b"]) == (b"a b\n", b"")
    out, report = enter(stub, ["/bin/ls", "ls", "/proc/self/fd"])
    assert b"3" in out  # ls's own: the folder it lists
    assert report == b""


def test_enter_reports_the_error_number(tmp_path: Path) -> None:
    stub = executable("enter", tmp_path)
    assert enter(stub, ["/no/such", "x"]) == (b"", struct.pack("<i", errno.ENOENT))
    assert enter(stub, ["/etc/passwd", "x"]) == (b"", struct.pack("<i", errno.EACCES))


def test_pause_says_that_it_runs_and_stays(tmp_path: Path) -> None:
    with subprocess.Popen([executable("pause", tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read() == b"\1"
        assert process.poll() is None
        ignored = Path(f"/proc/{process.pid}/status").read_text().partition("SigIgn:")[2].split()[0]
        assert int(ignored, 16) & (1 << (signal.SIGCHLD - 1))
        process.kill()


def test_true_is_true(tmp_path: Path) -> None:
    assert subprocess.run([executable("true", tmp_path)], check=False).returncode == 0


def test_a_loaded_program_cannot_be_written() -> None:
    fd = stubs.load("enter")
    with pytest.raises(PermissionError):
        os.write(fd, b"x")
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 0)
    os.close(fd)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("name", ["pause", "enter", "true"])
def test_each_is_a_small_executable_for_its_machine(name: str, machine: str) -> None:
    data = stubs.program(name, machine)
    kind, number = struct.unpack_from("<HH", data, 16)
    assert data[:4] == b"\x7fELF"
    assert (kind, number) == (2, {"x86_64": 62, "aarch64": 183}[machine])
    assert len(data) < 256


def test_an_unknown_machine_is_named() -> None:
    with pytest.raises(Unsupported, match="riscv64"):
        stubs.program("pause", "riscv64")
