"""The NetApp DataOps Toolkit against a local server that speaks ONTAP's REST interface, over TLS."""

from __future__ import annotations

import datetime
import importlib.util
import json
import re
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from finetune.snapshots.netapp import DataOpsVolume, NetAppStore
from pipeline.errors import BackendError, ConfigError
from tests.finetune.test_snapshots import of

INSTALLED = importlib.util.find_spec("netapp_dataops") is not None


@pytest.mark.skipif(INSTALLED, reason="the toolkit is installed")
def test_a_missing_toolkit_is_told() -> None:
    with pytest.raises(ConfigError, match=r"overtone\[netapp\]"):
        DataOpsVolume("models")


class Ontap(BaseHTTPRequestHandler):
    """One volume, ``models``, and its snapshots; only as much of the interface as snapshots need."""

    names: list[str] = []  # noqa: RUF012  what the volume keeps; the fixture empties it

    def do_GET(self) -> None:
        """Volumes, snapshots, one snapshot."""
        path = self.path.partition("?")[0]
        rows = [{"uuid": f"s{i}", "name": name, "volume": {"uuid": "v1"}} for i, name in enumerate(self.names)]
        if path == "/api/storage/volumes":
            found = [{"uuid": "v1", "name": "models", "svm": {"name": "svm1"}}] if "name=models" in self.path else []
            self._answer({"records": found, "num_records": len(found)})
        elif path == "/api/storage/volumes/v1/snapshots":
            self._answer({"records": rows, "num_records": len(rows)})
        elif match := re.fullmatch(r"/api/storage/volumes/v1/snapshots/s(\d+)", path):
            self._answer(rows[int(match[1])] | {"create_time": "2026-11-22T10:00:00+00:00"})
        elif path == "/api/cluster":
            self._answer({"version": {"full": "9.17.1", "generation": 9, "major": 17, "minor": 1}})
        else:
            self._answer({"error": {"message": "entry doesn't exist", "code": "4"}}, 404)

    def do_POST(self) -> None:
        """A new snapshot."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.names.append(asked["name"])
        self._answer({"num_records": 1, "records": [{"uuid": f"s{len(self.names) - 1}", "name": asked["name"]}]}, 201)

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing."""

    def _answer(self, told: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/hal+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def certificate(folder: Path) -> Path:
    """A PEM file with a key and a certificate for this machine."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ontap")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "ontap.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataOpsVolume]:
    """The volume behind the toolkit, which is configured for the local server; skips without the toolkit."""
    if not INSTALLED:
        pytest.skip("needs `pip install 'overtone[netapp]'`, which brings 400 MB")
    import keyring
    from keyring.backend import KeyringBackend

    class Account(KeyringBackend):  # type: ignore[misc]  # keyring ships no types
        """A keyring in memory."""

        priority = 1

        def get_password(self, service: str, username: str) -> str:
            """The same for all."""
            return "secret"

        def set_password(self, service: str, username: str, password: str) -> None:
            """Nothing: nobody stores anything."""

    pem = certificate(tmp_path)
    Ontap.names.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ontap)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HOME", str(tmp_path))
    config = {
        "connectionType": "ONTAP",
        "hostname": f"127.0.0.1:{server.server_port}",
        "svm": "svm1",
        "sslCertPath": str(pem),
    }
    (tmp_path / ".netapp_dataops").mkdir()
    (tmp_path / ".netapp_dataops" / "config.json").write_text(json.dumps(config))
    before = keyring.get_keyring()
    keyring.set_keyring(Account())
    yield DataOpsVolume("models")
    keyring.set_keyring(before)
    server.shutdown()
    server.server_close()


def test_snapshots_are_made_and_listed_by_the_toolkit(volume: DataOpsVolume, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    store = NetAppStore(mount, volume)
    kept = store.create(*of(tmp_path / "d", rows="a\n"))
    assert Ontap.names == [f"overtone_{kept.id[:16]}"] == volume.names()
    assert store.create(*of(tmp_path / "d", rows="a\n")) == kept
    assert len(Ontap.names) == 1
    assert store.list() == [kept]
    with pytest.raises(BackendError, match="the NetApp volume other"):
        DataOpsVolume("other").create("x")
