"""Where the server listens: real sockets, and one clear line for each mistake."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives import serialization

from pipeline.errors import ConfigError
from pipeline.server.address import bind
from pipeline.settings import Settings
from tests.server.material import certificates

LOCAL = Settings(serve_port=0)


def bound(settings: Settings) -> str:
    """The URI after binding a server that is thrown away."""

    async def open_and_close() -> str:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        uri = bind(server, settings)
        await server.stop(None)
        return uri

    return asyncio.run(open_and_close())


@pytest.mark.parametrize(
    ("host", "seen"), [("127.0.0.1", "127.0.0.1:"), ("localhost", "localhost:"), ("0.0.0.0", "localhost:")]
)
def test_a_port_of_0_becomes_a_real_one_that_clients_can_use(host: str, seen: str) -> None:
    uri = bound(replace(LOCAL, serve_host=host))
    assert uri.startswith(seen)
    assert int(uri.rpartition(":")[2]) > 0


def test_a_unix_socket_is_its_own_uri(tmp_path: Path) -> None:
    host = f"unix:{tmp_path}/riva.sock"
    assert bound(replace(LOCAL, serve_host=host)) == host


def test_a_port_in_use_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigError,
            match=rf"^cannot listen on 127.0.0.1:{port}: something listens there already; change OVERTONE_SERVE_HOST",
        ):
            bound(replace(LOCAL, serve_port=port))


def test_a_unix_socket_in_use_is_told_and_a_leftover_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "riva.sock"
    settings = replace(LOCAL, serve_host=f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        with pytest.raises(ConfigError, match="something listens there already"):
            bound(settings)
    assert path.exists()
    assert bound(settings) == settings.serve_host


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("no-such-host.invalid", "OVERTONE_SERVE_HOST is 'no-such-host.invalid': no such address"),
        ("192.0.2.1", "cannot listen on 192.0.2.1:0: this machine has no such address"),
        ("unix:/no/such/folder/x.sock", "no folder /no/such/folder; make it, or change OVERTONE_SERVE_HOST"),
        ("unix:/tmp/" + "x" * 120, "longer than the 107 bytes"),
        (f"unix:{__file__}", "a file that is no socket is there"),
    ],
)
def test_an_address_that_cannot_be_had_is_told(host: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        bound(replace(LOCAL, serve_host=host))
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_good_certificates_are_taken(tmp_path: Path) -> None:
    files = {name: str(path) for name, path in certificates(tmp_path).items()}
    secure = replace(LOCAL, serve_cert=files["cert"], serve_key=files["key"], serve_client_ca=files["ca"])
    assert bound(secure).startswith("127.0.0.1:")


def locked(folder: Path) -> Path:
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    path = folder / "locked.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return path


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"serve_cert": "missing.pem"}, "OVERTONE_SERVE_CERT: cannot read .*missing.pem: No such file"),
        ({"serve_key": "missing.pem"}, "OVERTONE_SERVE_KEY: cannot read .*missing.pem: No such file"),
        ({"serve_client_ca": "missing.pem"}, "OVERTONE_SERVE_CLIENT_CA: cannot read .*missing.pem: No such file"),
        ({"serve_cert": "text.pem"}, "OVERTONE_SERVE_CERT .*text.pem and OVERTONE_SERVE_KEY .* are no PEM certificate"),
        ({"serve_key": "other/key.pem"}, "are no PEM certificate with its key: .*"),
        ({"serve_client_ca": "text.pem"}, "OVERTONE_SERVE_CLIENT_CA .*text.pem holds no PEM certificate"),
        ({"serve_key": "locked.pem"}, "OVERTONE_SERVE_KEY is locked with a password"),
    ],
)
def test_bad_certificates_are_told(tmp_path: Path, changed: dict[str, str], why: str) -> None:
    files = {"serve_" + name: path for name, path in certificates(tmp_path).items() if name != "ca"}
    (tmp_path / "text.pem").write_text("no certificate")
    (tmp_path / "other").mkdir()
    certificates(tmp_path / "other")
    locked(tmp_path)
    files |= {name: tmp_path / file for name, file in changed.items()}
    said: dict[str, Any] = {name: str(path) for name, path in files.items()}
    with pytest.raises(ConfigError, match=why) as caught:
        bound(replace(LOCAL, **said))
    assert "\n" not in str(caught.value)
