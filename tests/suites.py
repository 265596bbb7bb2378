"""A pytest plugin that tells the wall time of each suite and refuses tests skipped in silence."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@dataclass(slots=True)
class Suite:
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)


class Suites:
    """Suites are the folders of tests/; the files beside them are one more, `tests`."""

    def __init__(self, most_skipped: int | None) -> None:
        self.most_skipped = most_skipped
        self.suites: dict[str, Suite] = {}

    @property
    def skipped(self) -> int:
        return sum(suite.outcomes["skipped"] for suite in self.suites.values())

    def suite(self, path: Path) -> Suite:
        parts = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
        return self.suites.setdefault(parts[0] if len(parts) > 1 else "tests", Suite())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        suite = self.suite(TESTS.parent / report.fspath)
        suite.seconds += report.duration
        # Set-up and tear-down count where they end a test in another way than by passing.
        if hasattr(report, "wasxfail"):
            outcome = "xfailed"
        elif report.when == "call" or not report.passed:
            outcome = report.outcome
        else:
            return
        suite.outcomes[outcome] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.suite(TESTS.parent / report.fspath).outcomes["skipped"] += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._too_many_skipped() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("suites")
        for name, suite in sorted(self.suites.items()):
            outcomes = ", ".join(f"{count} {word}" for word, count in suite.outcomes.items())
            terminalreporter.line(f"suite {name}: {outcomes}, {suite.seconds:.1f} s")
        if self._too_many_skipped():
            terminalreporter.line(
                f"{self.skipped} skipped, {self.most_skipped} expected: see the reasons above",
                red=True,
            )

    def _too_many_skipped(self) -> bool:
        return self.most_skipped is not None and self.skipped > self.most_skipped


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--most-skipped", type=int, metavar="N", help="fail when more than N tests are skipped"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Suites(config.getoption("most_skipped")), "suites-of-tests")
