"""Copies of the host's resolver files."""

from __future__ import annotations

from pathlib import Path

from core.runtimes.network import write_network_files


def test_the_copies_are_the_hosts_and_readable_by_all(tmp_path: Path) -> None:
    mounts = write_network_files(str(tmp_path), "a box")
    assert [mount["target"] for mount in mounts] == ["/etc/resolv.conf", "/etc/hosts"]
    resolv, hosts = (Path(mount["source"]) for mount in mounts)
    assert resolv.read_bytes() == Path("/etc/resolv.conf").read_bytes()
    assert hosts.read_text().endswith("\n127.0.1.1 a-box\n")
    assert {path.stat().st_mode & 0o777 for path in (resolv, hosts)} == {0o644}


def test_a_change_of_the_host_goes_into_the_same_file(tmp_path: Path) -> None:
    mount = write_network_files(str(tmp_path), "box")[0]
    copy = Path(mount["source"])
    before = copy.stat().st_ino
    copy.write_text("an older state, and longer than the new one is " * 9)
    write_network_files(str(tmp_path), "box")
    assert copy.read_bytes() == Path("/etc/resolv.conf").read_bytes()
    assert copy.stat().st_ino == before
