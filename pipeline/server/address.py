"""Where the server listens: TCP or unix socket, with or without TLS; every mistake is one line naming the setting."""

from __future__ import annotations

import errno
import socket
import ssl
import stat
from pathlib import Path
from typing import Any

import grpc

from pipeline.errors import ConfigError
from pipeline.settings import Settings, variable

_UNIX = "unix:"
_WILDCARDS = ("0.0.0.0", "::")


def bind(server: Any, settings: Settings) -> str:
    """The URI for clients of ``server`` after it was bound where ``settings`` say; a port of 0 becomes the real one.

    Raises ConfigError for an address that cannot be had (in use, not ours, no such folder) and for bad certificates.
    """
    host, port = settings.serve_host, settings.serve_port
    credentials = _credentials(settings)
    if host.startswith(_UNIX):
        _check_unix(Path(host.removeprefix(_UNIX).removeprefix("//")))
        address = host
    else:
        _check_tcp(host, port)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if credentials is None:
            bound = server.add_insecure_port(address)
        else:
            bound = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise ConfigError(f"cannot listen on {address}: {error}; change {_WHERE}") from error
    if host.startswith(_UNIX):
        return host
    seen = "localhost" if host in _WILDCARDS else host
    return f"[{seen}]:{bound}" if ":" in seen else f"{seen}:{bound}"


_WHERE = f"{variable('serve_host')} or {variable('serve_port')}"


def _check_tcp(host: str, port: int) -> None:
    # gRPC reports a failed bind in several lines of its own log and one vague exception; the system says it better.
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise ConfigError(f"{variable('serve_host')} is {host!r}: no such address") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            why = {
                errno.EADDRINUSE: "something listens there already",
                errno.EADDRNOTAVAIL: "this machine has no such address",
                errno.EACCES: "ports below 1024 are for root",
            }.get(error.errno or 0, error.strerror)
            raise ConfigError(f"cannot listen on {host}:{port}: {why}; change {_WHERE}") from error


def _check_unix(path: Path) -> None:
    where = f"cannot listen on {_UNIX}{path}"
    if len(str(path).encode()) > 107:
        raise ConfigError(f"{where}: longer than the 107 bytes of a socket's path; change {variable('serve_host')}")
    if not path.parent.is_dir():
        raise ConfigError(f"{where}: no folder {path.parent}; make it, or change {variable('serve_host')}")
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise ConfigError(f"{where}: a file that is no socket is there; change {variable('serve_host')}")
    # gRPC would replace the socket of a server that still runs; one that nobody listens on is a leftover.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise ConfigError(f"{where}: something listens there already; change {variable('serve_host')}")


def _credentials(settings: Settings) -> Any | None:
    if not settings.serve_cert:
        return None
    certificate = _pem("serve_cert", settings.serve_cert)
    key = _pem("serve_key", settings.serve_key)
    authority = _pem("serve_client_ca", settings.serve_client_ca) if settings.serve_client_ca else None
    # gRPC takes anything and then fails every handshake, so the certificates are tried here first.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.serve_cert, settings.serve_key, password=_no_password)
    except ssl.SSLError as error:
        raise ConfigError(
            f"{variable('serve_cert')} {settings.serve_cert} and {variable('serve_key')} {settings.serve_key} "
            f"are no PEM certificate with its key: {error.reason or error}"
        ) from error
    if authority is not None:
        try:
            context.load_verify_locations(settings.serve_client_ca)
        except ssl.SSLError as error:
            reason = f"holds no PEM certificate: {error.reason or error}"
            raise ConfigError(f"{variable('serve_client_ca')} {settings.serve_client_ca} {reason}") from error
    return grpc.ssl_server_credentials([(key, certificate)], authority, require_client_auth=authority is not None)


def _no_password() -> str:
    raise ConfigError(f"{variable('serve_key')} is locked with a password; give an unlocked key")


def _pem(field: str, path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(f"{variable(field)}: cannot read {path}: {error.strerror}") from error
