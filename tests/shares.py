"""A pytest plugin that deals the tests out where several processes share them (`pytest -n 2`)."""

from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
# What waits longest, for deadlines and boots, comes first: at the end one process would be alone.
FIRST = ("systemd", "faults", "e2e")
TOGETHER = (
    "systemd",
)  # its files share one booted systemd, the others' no more than a daemon each


def _suite(path: Path) -> str:
    return path.relative_to(TESTS).parts[0] if path.is_relative_to(TESTS) else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        suite = _suite(item.path)
        return FIRST.index(suite) if suite in FIRST else len(FIRST)

    items.sort(key=rank)  # stable: within a suite the order stays


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one process, and those of all files of one systemd."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.split("::", 1)[0]
            suite = _suite(config.rootpath / path)
            return suite if suite in TOGETHER else path

    return ByFile(config, log)
