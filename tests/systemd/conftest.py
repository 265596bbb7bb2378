"""The sandbox, booted once for all tests of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd import bundles
from tests.systemd.sandboxed import Sandbox, lacks


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Return a booted systemd, Python at /opt/couachgpt/current, nothing of ours enabled."""
    if reason := lacks():
        pytest.skip(reason)
    booted = Sandbox(f"tests-{os.getpid()}")
    booted.start()
    try:
        booted.lay_python()
        yield booted
    finally:
        booted.stop()


@pytest.fixture(scope="session")
def bundle() -> Path:
    """Return what install.sh installs from: the checkout as a bundle."""
    return bundles.own()
