"""What the inside of a sandbox looks like, for each kind of user."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.domain import Mount
from core.errors import HostForbids, InvalidInput, NotFound
from tests.core import distros
from tests.core.distros import holding, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.shells.launch import HolderSpec
    from core.shells.link import HolderLink
    from tests.core.shells.conftest import Person

LOOK = """
hostname
stat -c '%a %F' /tmp /dev/shm /run
cat /proc/1/comm
ls -d /dev/null /dev/pts /dev/tty /proc/self /sys/kernel
touch /sys/x 2>/dev/null || echo sys is read-only
ls /proc | grep -c '^[0-9]*$'
grep CapEff /proc/self/status
ls /root /home
"""


def test_it_looks_like_a_machine_of_its_own(person: Person, busybox_archive: Path) -> None:
    (result,) = person.play(archives=[str(busybox_archive)], steps=[{"argv": ["sh", "-c", LOOK]}])
    lines = result["out"].splitlines()
    assert lines[:4] == ["test", "1777 directory", "1777 directory", "755 directory"]
    assert "/dev/pts" in lines
    assert "sys is read-only" in lines
    assert any(line.endswith("00000000a00425fb") for line in lines), lines


def test_capabilities_that_the_starter_lets_inherit_do_not_reach_a_command(
    make_root: Callable[..., Path], busybox_archive: Path
) -> None:
    step = {"argv": ["sh", "-c", "grep -E 'Cap(Inh|Prm|Amb)' /proc/self/status"]}
    plan = {"archives": [str(busybox_archive)], "steps": [step]}
    starter = ["setpriv", "--inh-caps=+sys_admin"]
    (result,) = distros.play_as(starter, make_root(), plan)
    none = "0" * 16
    assert result["out"].split() == [
        *("CapInh:", none),
        *("CapPrm:", "00000000a00425fb"),
        *("CapAmb:", none),
    ]


def test_files_of_every_owner_work_where_there_are_ids(
    person: Person, busybox_archive: Path
) -> None:
    script = "touch /f && chown 1000:1000 /f && stat -c '%u:%g' /f"
    (result,) = person.play(archives=[str(busybox_archive)], steps=[{"argv": ["sh", "-c", script]}])
    assert (result["out"] == "1000:1000\n") is (person.kind != "single")


def test_a_user_without_ids_cannot_be_another(person: Person, busybox_archive: Path) -> None:
    (result,) = person.play(
        archives=[str(busybox_archive)], steps=[{"argv": ["id", "-u"], "user": "12:34"}]
    )
    if person.kind == "single":
        assert result["error"] == "invalid_input"
        assert "/etc/subuid" in result["hint"]
    else:
        assert result["out"] == "12\n"


CONTROL = """\
Package: probe-tool
Version: 1.0
Architecture: all
Maintainer: nobody <nobody@example.invalid>
Description: a package with a script and an owner
"""
POSTINST = """\
#!/bin/sh
set -e
echo configured > /var/lib/probe-tool
OWNER
"""


@pytest.mark.timeout(180)
def test_apt_installs_a_package(person: Person, debian_archive: Path, tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "usr" / "bin").mkdir(parents=True)
    tool = package / "usr" / "bin" / "probe-tool"
    tool.write_text("#!/bin/sh\necho installed\n")
    tool.chmod(0o755)
    (package / "DEBIAN" / "control").write_text(CONTROL)
    owner = "" if person.kind == "single" else "chown 33:33 /var/lib/probe-tool"
    script = package / "DEBIAN" / "postinst"
    script.write_text(POSTINST.replace("OWNER", owner))
    script.chmod(0o755)
    repository = person.root / "repository"
    subprocess.run([*person.prefix, "mkdir", str(repository)], check=True)
    deb = repository / "probe-tool_1.0_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(package), str(deb)],
        check=True,
        capture_output=True,
    )
    (repository / "Packages").write_text(packages(deb))
    repository.chmod(0o755)
    plain = "echo 'APT::Sandbox::User \"root\";' > /etc/apt/apt.conf.d/sandbox; "
    install = (
        "rm -rf /etc/apt/sources.list*; echo 'deb [trusted=yes] file:/repository ./'"
        " > /etc/apt/sources.list; apt-get update -q && apt-get install -qy probe-tool"
        " && probe-tool && cat /var/lib/probe-tool"
    )
    script_text = (plain if person.kind == "single" else "") + install
    bind = {"source": str(repository), "target": "/repository"}
    (result,) = person.play(
        archives=[str(debian_archive)],
        steps=[{"argv": ["bash", "-c", script_text], "binds": [bind]}],
    )
    assert result["code"] == 0, result
    assert result["out"].endswith("installed\nconfigured\n")


def packages(deb: Path) -> str:
    data = deb.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return f"{CONTROL}Filename: ./{deb.name}\nSize: {len(data)}\nSHA256: {digest}\n"


async def test_sudo_like_programs_work(deck_root: Path, debian: Path) -> None:
    async with holding(distros.holder_spec(deck_root, [debian])) as link:
        script = "cp /usr/bin/id /usr/bin/who-acts; chmod 4755 /usr/bin/who-acts"
        assert (await run(link, 2, ["sh", "-c", script]))[0] == 0
        code, out, _ = await run(link, 3, ["who-acts", "-u"], user="1000:1000")
    assert (code, out) == (0, b"0\n")


async def test_devices_in_an_image_are_not_devices(deck_root: Path, busybox: Path) -> None:
    layer = deck_root / "devices"
    layer.mkdir()
    subprocess.run(["mknod", "-m", "666", str(layer / "zero"), "c", "1", "5"], check=True)
    async with holding(distros.holder_spec(deck_root, [busybox, layer])) as link:
        code, _, err = await run(link, 2, ["head", "-c1", "/zero"])
        assert code == 1
        assert b"Permission denied" in err
        assert (await run(link, 3, ["mknod", "/mine", "c", "1", "3"]))[0] == 1
        assert (await run(link, 4, ["mknod", "/dev/mine", "c", "1", "3"]))[0] == 1


@pytest.mark.parametrize("path", ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname"])
async def test_root_in_a_distro_cannot_turn_the_hosts_switches(link: HolderLink, path: str) -> None:
    code, _, err = await run(link, 2, ["sh", "-c", f"echo x > {path}"])
    assert code != 0
    assert b"Read-only" in err


async def test_a_working_directory_in_proc_leads_nowhere(link: HolderLink) -> None:
    for fd in range(3, 20):
        with pytest.raises(NotFound):
            await run(link, 100 + fd, ["true"], workdir=f"/proc/self/fd/{fd}")


async def test_the_interpreter_of_the_holder_is_out_of_reach(link: HolderLink) -> None:
    code, out, err = await run(link, 2, ["/proc/self/exe", "-c", "print('python')"])
    assert code == 127
    assert out == b""
    script = "printf '#!/proc/self/exe\\n' > /x; chmod 755 /x; exec /x"
    code, out, err = await run(link, 3, ["sh", "-c", script])
    assert b"python" not in (out + err).lower()


async def test_links_in_an_image_lead_nowhere_else(deck_root: Path, busybox: Path) -> None:
    layer = deck_root / "links"
    (layer / "etc").mkdir(parents=True)
    (layer / "etc" / "resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    (layer / "etc" / "hosts").symlink_to(str(deck_root / "outside" / "hosts"))
    (layer / "way").symlink_to(str(deck_root / "outside"))
    (deck_root / "outside").mkdir()
    source = deck_root / "source"
    source.mkdir()
    (source / "file").write_text("shared")
    mounts = (Mount(source=str(source), target="/way/in"),)
    spec = distros.holder_spec(deck_root, [busybox, layer], mounts=mounts)
    async with holding(spec) as link:
        code, out, err = await run(link, 2, ["cat", "/way/in/file", "/etc/hosts"])
    assert code == 0, err
    assert out.startswith(b"shared127.0.0.1")
    assert list((deck_root / "outside").iterdir()) == []


async def test_names_are_resolved_as_on_the_host(link: HolderLink) -> None:
    expected = Path("/etc/resolv.conf").read_bytes()
    assert (await run(link, 2, ["cat", "/etc/resolv.conf"]))[1] == expected
    assert b"127.0.1.1 test" in (await run(link, 3, ["cat", "/etc/hosts"], user="1000"))[1]


async def test_a_missing_layer_is_named(spec: HolderSpec, deck_root: Path) -> None:
    broken = distros.holder_spec(deck_root, [deck_root / "gone"])
    with pytest.raises(NotFound, match="gone"):
        async with holding(broken):
            pass


@pytest.mark.parametrize("target", ["relative", "/", "/.."])
async def test_a_bad_mount_is_refused(deck_root: Path, busybox: Path, target: str) -> None:
    mounts = (Mount(source="/etc", target=target),)
    with pytest.raises(InvalidInput):
        async with holding(distros.holder_spec(deck_root, [busybox], mounts=mounts)):
            pass


async def test_a_missing_bubblewrap_is_told(
    spec: HolderSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.shells.launch.bwrap_path", lambda: "/no/such/bwrap")
    with pytest.raises(HostForbids, match="no such file"):
        async with holding(spec):
            pass


async def test_127_layers_under_a_root_of_100_characters_run(
    make_root: Callable[..., Path], busybox: Path
) -> None:
    root = make_root(length=100)
    stack = [busybox]
    for number in range(126):
        layer = root / "layers" / hashlib.sha256(b"%d" % number).hexdigest() / "fs"
        (layer / "srv").mkdir(parents=True)
        (layer / "srv" / f"{number}").write_text("")
        (layer / "srv" / "top").write_text(f"{number}")
        stack.append(layer)
    async with holding(distros.holder_spec(root, stack)) as link:
        code, out, err = await run(link, 2, ["sh", "-c", "ls /srv | wc -l; cat /srv/top"])
    assert (code, out, err) == (0, b"127\n125", b"")
