"""The sandboxes, each booted once, and the service in them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.systemd import bundles
from tests.systemd.sandboxed import Sandbox, lacks
from tests.systemd.service import OLLAMA_USER, Site, install


@contextmanager
def booted(mode: str) -> Iterator[Sandbox]:
    if reason := lacks():
        pytest.skip(reason)
    made = Sandbox(f"{mode}-{os.getpid()}", mode)
    made.start()
    try:
        made.lay_python()
        yield made
    finally:
        made.stop()


@contextmanager
def installed(sandbox: Sandbox) -> Iterator[Site]:
    install(sandbox)
    sandbox.attempt(*OLLAMA_USER)
    made = Site(sandbox)
    made.clear()
    made.configure()
    made.run_ollama("--rate=40", "--tokens=60")
    with sandbox.network():
        yield made
    print(made.journal())  # noqa: T201 -- shown where the test has failed
    made.clear()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Return a booted systemd, Python at /opt/couachgpt/current, nothing of ours enabled."""
    with booted("v2") as made:
        yield made


@pytest.fixture
def site(sandbox: Sandbox) -> Iterator[Site]:
    """Return the service, not yet started, with a fast fake Ollama; the test is in its network."""
    with installed(sandbox) as made:
        yield made


@pytest.fixture(scope="module")
def limited_sandbox() -> Iterator[Sandbox]:
    """Return one in which limits of memory and tasks hold, wherever this machine has them."""
    with booted("hybrid") as made:
        yield made


@pytest.fixture
def limited_site(limited_sandbox: Sandbox) -> Iterator[Site]:
    with installed(limited_sandbox) as made:
        yield made


@pytest.fixture(scope="session")
def bundle() -> Path:
    """Return what install.sh installs from: the checkout as a bundle."""
    return bundles.own()
