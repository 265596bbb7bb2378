"""Certificates that name 127.0.0.1, made by openssl for one test."""

import hashlib
import socket
import ssl
import subprocess
from pathlib import Path


class Certificate:
    """A self-signed certificate and its key, as two PEM files."""

    def __init__(self, directory: Path, name: str = "server") -> None:
        self.certificate = directory / f"{name}.crt"
        self.key = directory / f"{name}.key"
        program = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
        files = ["-keyout", str(self.key), "-out", str(self.certificate)]
        subprocess.run(
            [*program.split(), "-subj", f"/CN={name}", "-addext", names, *files],
            check=True,
            capture_output=True,
        )

    @property
    def settings(self) -> tuple[str, str]:
        return (f"server.tls_certificate={self.certificate}", f"server.tls_key={self.key}")

    @property
    def fingerprint(self) -> bytes:
        return fingerprint(self.certificate)

    def trusted(self) -> ssl.SSLContext:
        """Return what a client that trusts this certificate alone connects with."""
        return ssl.create_default_context(cafile=str(self.certificate))


def fingerprint(certificate: Path) -> bytes:
    """Return the SHA-256 of a PEM file's certificate."""
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return hashlib.sha256(der).digest()


def shown_certificate(port: int) -> bytes:
    """Return the SHA-256 of what a new connection to this port of 127.0.0.1 is shown."""
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 10) as bare,
        anyone.wrap_socket(bare) as secure,
    ):
        return hashlib.sha256(secure.getpeercert(binary_form=True) or b"").digest()
