"""TLS for the listener: a certificate and its key, checked before use, read again when renewed."""

import ssl
from pathlib import Path

from couachgptd.config import ConfigError
from couachgptd.settings import Server

CERTIFICATE, KEY = "server.tls_certificate", "server.tls_key"


def context(server: Server) -> ssl.SSLContext | None:
    """Return what the listener speaks TLS with; None for plain HTTP. Raises ConfigError.

    Not a part of `config.load`, because couachgptctl may run as somebody who cannot read the key.
    """
    if not server.tls_certificate and not server.tls_key:
        return None
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    _load(made, server)
    return made


def reload(live: ssl.SSLContext, server: Server) -> None:
    """Take renewed files for the connections to come; on ConfigError the old ones stay in use."""
    # First into another context: a pair that does not match would spoil the one in use.
    context(server)
    _load(live, server)


def _load(into: ssl.SSLContext, server: Server) -> None:
    for key, other in ((CERTIFICATE, KEY), (KEY, CERTIFICATE)):
        if not getattr(server, key.partition(".")[2]):
            raise ConfigError(f"{key}: {other} is set, so this must be, too")
    certificate = _file(CERTIFICATE, server.tls_certificate, b"BEGIN CERTIFICATE", "certificate")
    private = _file(KEY, server.tls_key, b"PRIVATE KEY", "private key")
    try:
        # Without the password OpenSSL would ask for it on the terminal.
        into.load_cert_chain(certificate, private, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"{KEY}: {private} is not the key of {certificate}") from None
        raise ConfigError(
            f"{KEY}: {private} and {certificate} cannot be used ({error.reason or error});"
            " the key must have no pass phrase"
        ) from None


def _file(key: str, name: str, mark: bytes, what: str) -> Path:
    path = Path(name).absolute()
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        raise ConfigError(f"{key}: {path}: {getattr(error, 'strerror', error)}") from None
    if mark not in content:
        raise ConfigError(f"{key}: expected a {what} in PEM format, got {path}")
    return path
