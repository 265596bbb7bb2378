"""One daemon for the tests of a file that leave it as it was, and fresh ones for the others."""

import contextlib
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, FakeOllama
from tests.running_daemon import RunningDaemon

MakeDaemon = Callable[..., RunningDaemon]


@contextlib.contextmanager
def running_fake(*arguments: str) -> Iterator[FakeOllama]:
    program = [sys.executable, str(ROOT / "tests" / "fake_ollama.py"), *arguments]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield FakeOllama(process, f"http://127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.kill()


@pytest.fixture(scope="module")
def shared_ollama() -> Iterator[FakeOllama]:
    with running_fake("--rate=200") as fake:
        yield fake


@pytest.fixture(scope="module")
def daemon(
    shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDaemon]:
    """Return a daemon that a whole file shares, with the people its tests name."""
    running = RunningDaemon(
        tmp_path_factory.mktemp("daemon"),
        shared_ollama.url,
        "accounts.login_attempts=1000",
        "engine.slots=8",
    ).start()
    try:
        running.add_user("ada", "admin")
        running.add_user("claire")
        running.add_user("marc")
        running.add_user("lea", "reader")
        running.add_user("pia")
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def site(
    shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDaemon]:
    """Return a daemon as `fresh` is, for tests of a file that undo what they do to all of it."""
    running = RunningDaemon(
        tmp_path_factory.mktemp("site"), shared_ollama.url, "accounts.login_attempts=1000"
    ).start()
    try:
        running.add_user("claire")
        running.add_user("marc")
        yield running
    finally:
        running.stop()


@pytest.fixture
def someone(site: RunningDaemon) -> str:
    """Return the login of a person at `site` whom no other test knows."""
    return add_somebody(site)


@pytest.fixture
def chief(site: RunningDaemon) -> str:
    """Return the login of an administrator of the test's own."""
    return add_somebody(site, "admin")


@pytest.fixture
def another(site: RunningDaemon) -> str:
    """Return the login of one more."""
    return add_somebody(site)


def add_somebody(daemon: RunningDaemon, role: str = "member") -> str:
    return str(daemon.add_user(f"p{secrets.token_hex(4)}", role)["login"])


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with running_fake("--rate=200") as fake:
        yield fake


@pytest.fixture
def make_daemon(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDaemon]:
    """Make daemons of the test's own, not yet started; they end with the test.

    Their Ollama is the file's, and the test's own where it asks for `ollama`, to change it.
    """
    made: list[RunningDaemon] = []

    def make(*settings: str, url: str | None = None) -> RunningDaemon:
        directory = tmp_path / f"daemon{len(made)}"
        directory.mkdir()
        if url is None:
            own = "ollama" in request.fixturenames
            url = str(request.getfixturevalue("ollama" if own else "shared_ollama").url)
        made.append(RunningDaemon(directory, url, *settings))
        return made[-1]

    yield make
    for daemon in made:
        if daemon.process is not None:
            daemon.kill()


@pytest.fixture
def fresh(make_daemon: MakeDaemon) -> RunningDaemon:
    """Return a started daemon of the test's own, with claire and marc."""
    running = make_daemon().start()
    running.add_user("claire")
    running.add_user("marc")
    return running
