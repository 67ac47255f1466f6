"""Certificates of registries: where they are looked for, and what they open."""

from __future__ import annotations

import ssl
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from core.errors import InvalidInput, Unreachable
from core.images import trust
from core.images.reference import parse_reference
from core.images.registry import Registry
from core.images.trust import Trust
from tests.core.images.serving import serve, tar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.images.transport import Patience
    from tests.core.images.serving import Served


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for localhost that vouches for itself, and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.pem.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", key, "-out", made),
        ],
        check=True,
        capture_output=True,
    )
    return made, key


@asynccontextmanager
async def tls_registry(folder: Path, *, clients: Path | None = None) -> AsyncIterator[Served]:
    made, key = certificate(folder, "server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    async with serve(context) as served:
        served.add_image(tar({"a": b"x"}))
        yield served


async def fetch(port: int, patience: Patience, found: Trust | None = None) -> None:
    reference = parse_reference(f"localhost:{port}/t/x")
    async with Registry(reference.api_host, patience=patience, trust=found) as registry:
        await registry.manifest(reference)


@pytest.fixture
def certs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own ``certs.d``; the system's are not looked at."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(trust, "SYSTEM_FOLDERS", (tmp_path / "system",))
    folder = tmp_path / "config" / "containers" / "certs.d"
    folder.mkdir(parents=True)
    return folder


async def test_an_authority_counts_for_its_registry_alone(
    tmp_path: Path, certs: Path, patience: Patience
) -> None:
    async with tls_registry(tmp_path) as served:
        with pytest.raises(Unreachable, match="certificate not trusted") as caught:
            await fetch(served.port, patience)
        assert f"certs.d/localhost:{served.port}/ca.crt" in caught.value.hint
        for folder in (certs / f"localhost:{served.port}", tmp_path / "system" / "localhost"):
            folder.mkdir(parents=True)
        (tmp_path / "system" / "localhost" / "ca.crt").write_bytes(
            (tmp_path / "server.pem").read_bytes()
        )
        with pytest.raises(Unreachable, match="certificate not trusted"):
            await fetch(served.port, patience)
        authority = certs / f"localhost:{served.port}" / "ca.crt"
        authority.write_bytes((tmp_path / "server.pem").read_bytes())
        await fetch(served.port, patience)


async def test_an_authority_of_the_settings_counts_too(
    tmp_path: Path, certs: Path, patience: Patience
) -> None:
    async with tls_registry(tmp_path) as served:
        authority = tmp_path / "server.pem"
        with pytest.raises(Unreachable, match="certificate not trusted"):
            await fetch(served.port, patience, Trust({"localhost:1": authority}))
        await fetch(served.port, patience, Trust({f"localhost:{served.port}": authority}))


async def test_a_client_certificate_is_shown(
    tmp_path: Path, certs: Path, patience: Patience
) -> None:
    made, key = certificate(tmp_path, "client")
    async with tls_registry(tmp_path, clients=made) as served:
        folder = certs / f"localhost:{served.port}"
        folder.mkdir()
        (folder / "ca.crt").write_bytes((tmp_path / "server.pem").read_bytes())
        with pytest.raises(Unreachable):
            await fetch(served.port, patience)
        (folder / "me.cert").write_bytes(made.read_bytes())
        (folder / "me.key").write_bytes(key.read_bytes())
        await fetch(served.port, patience)


async def test_a_broken_certificate_is_told_by_its_path(
    tmp_path: Path, certs: Path, patience: Patience
) -> None:
    async with tls_registry(tmp_path) as served:
        authority = certs / f"localhost:{served.port}" / "ca.crt"
        authority.parent.mkdir()
        authority.write_text("nonsense")
        with pytest.raises(InvalidInput, match=r"ca\.crt"):
            await fetch(served.port, patience)
        found = Trust({f"localhost:{served.port}": tmp_path / "nothing.pem"})
        authority.unlink()
        with pytest.raises(InvalidInput, match=r"nothing\.pem"):
            await fetch(served.port, patience, found)


def test_the_standard_port_needs_no_naming(certs: Path, tmp_path: Path) -> None:
    made, _ = certificate(tmp_path, "server")
    (certs / "lab.example").mkdir()
    (certs / "lab.example" / "ca.crt").write_bytes(made.read_bytes())
    for url, count in (
        ("https://lab.example/v2/", 1),
        ("https://lab.example:443/", 1),
        ("https://lab.example:5000/", 0),
    ):
        context = Trust().context(url)
        assert isinstance(context, ssl.SSLContext)
        subjects = [one.get("subject") for one in context.get_ca_certs()]
        assert subjects.count(((("commonName", "server"),),)) == count
    assert Trust().context("http://lab.example/") is True
