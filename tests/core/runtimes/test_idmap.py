"""Which ids a distro gets, tried as each kind of user."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import HostForbids
from core.runtimes import idmap
from core.runtimes.bwrap import hostname
from tests import host

if TYPE_CHECKING:
    from pathlib import Path


DECIDE = """
import json, sys
from core.errors import HostForbids
from core.runtimes.idmap import decide
try:
    found = decide(*sys.argv[1:])
    print(json.dumps([found.kind, found.enter, found.namespaces, found.privileged, found.warnings]))
except HostForbids as error:
    print(json.dumps([error.code, error.hint]))
"""


def decide(prefix: list[str], *arguments: str) -> list[Any]:
    done = subprocess.run(
        [*prefix, sys.executable, "-P", "-c", DECIDE, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def test_root_needs_no_namespace() -> None:
    assert decide([]) == ["root", [], [], True, []]


def test_ranges_are_used_where_they_work(ordinary_user: host.User) -> None:
    kind, enter, namespaces, privileged, warnings = decide(host.as_user(ordinary_user))
    assert (kind, privileged, warnings) == ("subuid", False, [])
    assert namespaces == [*enter, "--mount"]
    count = "awk '{n += $3} END {print n}' /proc/self/uid_map"
    done = subprocess.run(
        [*host.as_user(ordinary_user), *enter, "sh", "-c", count],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) > 60_000


def test_one_uid_is_the_fallback_and_it_is_said(single_uid_user: host.User) -> None:
    kind, enter, namespaces, _, warnings = decide(host.as_user(single_uid_user))
    assert (kind, enter) == ("single", [])
    assert namespaces
    assert "one user id only" in warnings[0]


def test_a_store_of_another_kind_is_refused_with_the_repair(single_uid_user: host.User) -> None:
    code, hint = decide(host.as_user(single_uid_user), "subuid")
    assert code == "host_forbids"
    assert "usermod --add-subuids " in hint
    assert single_uid_user.name in hint


def test_forbidden_namespaces_are_told_with_the_repair(single_uid_user: host.User) -> None:
    # user_namespaces(7): the limit of a namespace counts for those made inside it.
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'
    inside = ["unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-c", forbid, "sh"]
    code, hint = decide([*host.as_user(single_uid_user), *inside])
    assert code == "host_forbids"
    assert "sysctl" in hint


async def test_the_finder_is_the_same_off_the_loop() -> None:
    assert await idmap.find_idmap() == idmap.decide()


def test_a_repair_gives_ranges_that_nobody_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "subuid").write_text("a:100000:65536\nb:165536:65536\n# c\n")
    first = idmap._first_free
    monkeypatch.setattr(idmap, "_first_free", lambda _: first(str(tmp_path / "subuid")))
    assert "231072-296607" in idmap.subuid_repair()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("dev", "dev"), ("a.b_c", "a-b-c"), ("--", "distro"), ("x" * 99, "x" * 63), ("é", "distro")],
)
def test_a_host_name_is_one(name: str, wanted: str) -> None:
    assert hostname(name) == wanted


def test_the_error_is_the_documented_one() -> None:
    assert HostForbids.exit_code == 11
