"""HTTPS and wss on the real daemon, and each way in which a certificate cannot be used."""

import asyncio
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.certificates import Certificate, shown_certificate
from tests.daemon_fixtures import MakeDaemon, make_daemon, ollama, shared_ollama
from tests.running_daemon import RunningDaemon
from tests.test_daemon import ended, run

__all__ = ["make_daemon", "ollama", "shared_ollama"]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


def speaking_tls(make_daemon: MakeDaemon, certificate: Certificate) -> RunningDaemon:
    daemon = make_daemon(*certificate.settings)
    daemon.trust(certificate.trusted())
    return daemon.start()


def shown(daemon: RunningDaemon) -> bytes:
    return shown_certificate(daemon.port)


async def test_people_log_in_and_chat_over_tls_with_secure_cookies(
    make_daemon: MakeDaemon, certificate: Certificate
) -> None:
    daemon = speaking_tls(make_daemon, certificate)
    daemon.add_user("claire")
    async with daemon.browser("claire") as browser:
        [cookie] = list(browser.session.cookie_jar)
        assert cookie["secure"]
        async with browser.session.get("/") as page:
            assert page.status == 200
            assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert "Strict-Transport-Security" not in page.headers
        async with browser.ws() as tab:
            asked = await tab.ask("[[tokens=3]] Bonjour")
            assert (await tab.ended(asked["answer"]))["state"] == "done"


def test_the_set_up_link_begins_with_https(
    make_daemon: MakeDaemon, certificate: Certificate
) -> None:
    daemon = speaking_tls(make_daemon, certificate)

    assert f"https://127.0.0.1:{daemon.port}/setup/" in daemon.log


async def test_plain_http_and_old_tls_are_turned_away_and_the_others_served(
    make_daemon: MakeDaemon, certificate: Certificate
) -> None:
    daemon = speaking_tls(make_daemon, certificate)
    old = certificate.trusted()
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as bare:
        bare.sendall(b"GET /login HTTP/1.0\r\n\r\n")
        assert not bare.recv(100).startswith(b"HTTP")
    with (
        socket.create_connection(("127.0.0.1", daemon.port), 10) as bare,
        old.wrap_socket(bare, server_hostname="127.0.0.1", do_handshake_on_connect=False) as secure,
        pytest.raises(ssl.SSLError),
    ):
        secure.do_handshake()
    async with daemon.browser() as browser:
        assert (await browser.get("/login"))[0] == 200
    assert "Traceback" not in daemon.log


async def test_a_renewed_certificate_is_taken_at_sighup_and_open_pages_stay(
    make_daemon: MakeDaemon, certificate: Certificate, tmp_path: Path
) -> None:
    daemon = speaking_tls(make_daemon, certificate)
    daemon.add_user("claire")
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        before = await asyncio.to_thread(shown, daemon)
        Certificate(tmp_path)  # over the old files
        daemon.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
        await written(daemon, "certificate read again")

        assert before != await asyncio.to_thread(shown, daemon) == certificate.fingerprint
        asked = await tab.ask("[[tokens=3]] Bonjour")
        assert (await tab.ended(asked["answer"]))["state"] == "done"


async def test_a_renewed_pair_that_does_not_match_leaves_the_old_one_in_use(
    make_daemon: MakeDaemon, certificate: Certificate, tmp_path: Path
) -> None:
    daemon = speaking_tls(make_daemon, certificate)
    before = certificate.fingerprint
    certificate.certificate.write_bytes(Certificate(tmp_path, "other").certificate.read_bytes())
    daemon.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
    await written(daemon, "the old certificate stays in use")

    assert await asyncio.to_thread(shown, daemon) == before
    assert "is not the key of" in daemon.log


async def test_sighup_without_a_certificate_changes_nothing(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    daemon.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]

    assert daemon.control("GET", "/v1/status")[0] == 200


async def written(daemon: RunningDaemon, words: str) -> None:
    async with asyncio.timeout(10):
        while words not in daemon.log:  # noqa: ASYNC110 -- another process
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no key", "server.tls_key: server.tls_certificate is set"),
        ("no certificate", "server.tls_certificate: server.tls_key is set"),
        ("missing", "server.tls_certificate: {certificate}: No such file"),
        ("swapped", "server.tls_certificate: expected a certificate in PEM format"),
        ("not a key", "server.tls_key: expected a private key in PEM format"),
        ("another's", "server.tls_key: {key} is not the key of {certificate}"),
        ("pass phrase", "the key must have no pass phrase"),
        ("cut", "{certificate} cannot be used"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named_and_ends_with_78(
    make_daemon: MakeDaemon,
    certificate: Certificate,
    tmp_path: Path,
    fault: str,
    words: str,
    *,
    check: bool,
) -> None:
    settings = list(certificate.settings)
    match fault:
        case "no key":
            settings.pop(1)
        case "no certificate":
            settings.pop(0)
        case "missing":
            certificate.certificate.unlink()
        case "swapped":
            settings[0] = f"server.tls_certificate={certificate.key}"
        case "not a key":
            certificate.key.write_text("secret")
        case "another's":
            certificate.key.write_bytes(Certificate(tmp_path, "other").key.read_bytes())
        case "pass phrase":
            protected = ["openssl", "ec", "-aes256", "-passout", "pass:secret"]
            done = subprocess.run(
                [*protected, "-in", str(certificate.key)], check=True, capture_output=True
            )
            certificate.key.write_bytes(done.stdout)
        case "cut":
            content = certificate.certificate.read_text()
            certificate.certificate.write_text(content[: len(content) // 2])

    if check:
        done_check = run("--check", *(f"--set={each}" for each in settings))
        status, log = done_check.returncode, done_check.stderr
    else:
        status, log = ended(make_daemon(), *settings)

    assert status == 78
    expected = words.format(certificate=certificate.certificate, key=certificate.key)
    assert expected in log
    assert "Traceback" not in log


def test_a_good_pair_passes_the_check(certificate: Certificate) -> None:
    done = run("--check", *(f"--set={each}" for each in certificate.settings))

    assert (done.returncode, done.stdout) == (0, "ok\n")
