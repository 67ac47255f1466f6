"""What else of this machine ``doctor`` tries: each function does one thing or raises OSError."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from core.runtimes import stubs

_LOW_SPACE = 1 << 30
_WANTED_FILES = 1024
_TUNSETIFF = 0x4004_54CA
_IFF_TUN = 1
_KVM_GET_API_VERSION = 0xAE00
_KVM_CREATE_VM = 0xAE01
_CGROUP = Path("/sys/fs/cgroup")


def open_files() -> str:
    """Raise the soft limit of open files to the hard one, and back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if 0 <= hard < _WANTED_FILES:
        raise OSError(0, f"at most {hard} at once")
    return f"{soft}, at most {hard}"


def free_disk(folder: Path) -> str:
    """How much is free; less than 1 GiB is a failure."""
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free at {folder}"
    if free < _LOW_SPACE:
        raise OSError(0, text)
    return text


def private_folder(folder: Path, *, exact: bool) -> str:
    """Whether it, or with ``exact`` off where it will be, belongs to this user alone."""
    status = folder.stat()
    if exact and status.st_uid != os.geteuid():
        raise OSError(0, "belongs to another user", str(folder))
    if exact and stat.S_IMODE(status.st_mode) & 0o077:
        raise OSError(0, f"has mode {stat.S_IMODE(status.st_mode):04o}", str(folder))
    if not os.access(folder, os.W_OK):
        raise OSError(0, "cannot be written", str(folder))
    return str(folder)


def make_cgroup() -> str:
    """Make a group below this process's own in each hierarchy, and remove it."""
    made = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, own = line.split(":", 2)
        place = _CGROUP / (names.removeprefix("name=") if names else "")
        if not names and (_CGROUP / "unified").is_dir():
            place = _CGROUP / "unified"
        folder = place / own.strip("/") / f"distrodeck-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        folder.rmdir()
        made.append(names or "v2")
    if not made:
        raise OSError(0, "no group can be made in any hierarchy")
    return ", ".join(made)


def open_tun() -> str:
    """Make a network interface and let it go."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        request = b"distrodeck%d".ljust(16, b"\0") + _IFF_TUN.to_bytes(2, "little")
        # Without privileges only the opening counts: the interface is made in a namespace.
        with contextlib.suppress(PermissionError):
            fcntl.ioctl(fd, _TUNSETIFF, request.ljust(40, b"\0"))
    finally:
        os.close(fd)
    return "/dev/net/tun"


def run_oci() -> str:
    """Run a static program in a container of runc or crun."""
    runtime = shutil.which("runc") or shutil.which("crun")
    if runtime is None:
        raise OSError(0, "neither runc nor crun is installed")
    with tempfile.TemporaryDirectory(prefix="distrodeck-doctor-") as name:
        bundle = Path(name)
        (bundle / "rootfs").mkdir()
        program = bundle / "rootfs" / "true"
        program.write_bytes(stubs.program("true", os.uname().machine))
        program.chmod(0o755)
        subprocess.run(
            [runtime, "spec", *([] if os.geteuid() == 0 else ["--rootless"])],
            cwd=bundle,
            check=False,
            capture_output=True,
            timeout=1,
        )
        config = json.loads((bundle / "config.json").read_text())
        config["process"] |= {"terminal": False, "args": ["/true"]}
        config["process"].pop("rlimits", None)  # a root without CAP_SYS_RESOURCE may not set them
        (bundle / "config.json").write_text(json.dumps(config))
        done = subprocess.run(
            [runtime, "--root", str(bundle / "state"), "run", f"doctor-{os.getpid()}"],
            cwd=bundle,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=1,
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise OSError(0, lines[-1][:200] if lines else f"exit status {done.returncode}", runtime)
    return runtime


def use_kvm() -> str:
    """Create a virtual machine, on a processor that can run stock guests in one."""
    fd = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    try:
        version = fcntl.ioctl(fd, _KVM_GET_API_VERSION, 0)
        os.close(fcntl.ioctl(fd, _KVM_CREATE_VM, 0))
    finally:
        os.close(fd)
    if os.uname().machine == "x86_64":
        flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
        # kvm_pvm creates machines, too, but stock guests do not boot in them.
        if not {"vmx", "svm"} & set(flags) or Path("/sys/module/kvm_pvm").exists():
            raise OSError(0, "opens, but this processor cannot run stock guests", "/dev/kvm")
    return f"API {version}"


def kvm_repair() -> str:
    """The command that lets this account use /dev/kvm; empty where none would help."""
    if not Path("/dev/kvm").exists():
        return "modprobe kvm_intel || modprobe kvm_amd"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "usermod --append --groups kvm $(id -un)"
    return ""
