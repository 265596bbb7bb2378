"""The plugin that counts: each suite has its time, and a skipped test is not forgotten."""

from pathlib import Path

import pytest

from tests.suites import Suites

pytest_plugins = ["pytester"]
ARGUMENTS = ("-p", "tests.suites", "--import-mode=importlib")
PLUGIN = """
from pathlib import Path
from tests import suites

suites.TESTS = Path(__file__).parent / "tests"
"""


@pytest.fixture(autouse=True)
def plugin_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))


def folder_of_tests(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(PLUGIN)
    for name in ("core", "http"):
        (pytester.path / "tests" / name).mkdir(parents=True)
        (pytester.path / "tests" / name / "test_it.py").write_text("def test_it():\n    pass\n")
    (pytester.path / "tests" / "test_top.py").write_text(
        "import pytest\n\ndef test_it():\n    pytest.skip('no reason')\n"
    )


def test_each_suite_is_named_with_its_outcome_and_time(pytester: pytest.Pytester) -> None:
    folder_of_tests(pytester)

    done = pytester.runpytest_subprocess(*ARGUMENTS)

    done.stdout.re_match_lines(
        [
            r"suite core: 1 passed, \d+\.\d s",
            r"suite http: 1 passed, \d+\.\d s",
            r"suite tests: 1 skipped, \d+\.\d s",
        ]
    )
    assert done.ret == pytest.ExitCode.OK


@pytest.mark.parametrize(("most", "status"), [(0, 1), (1, 0)])
def test_more_skipped_than_expected_fails_the_run(
    pytester: pytest.Pytester, most: int, status: int
) -> None:
    folder_of_tests(pytester)

    done = pytester.runpytest_subprocess(*ARGUMENTS, f"--most-skipped={most}")

    assert done.ret == status


def test_two_processes_share_the_files_and_count_together(pytester: pytest.Pytester) -> None:
    folder_of_tests(pytester)
    for name in ("core", "http"):
        (pytester.path / "tests" / name / "test_two.py").write_text(
            "seen = set()\n\n"
            + "".join(f"def test_{n}():\n    seen.add({n})\n" for n in range(3))
            + "def test_last():\n    assert seen == {0, 1, 2}\n"
        )

    done = pytester.runpytest_subprocess(
        *ARGUMENTS, "-p", "tests.shares", "-n", "2", "--most-skipped=0"
    )

    done.assert_outcomes(passed=10, skipped=1)
    done.stdout.re_match_lines([r"suite core: 5 passed, \d+\.\d s"])
    assert done.ret == pytest.ExitCode.TESTS_FAILED, "the skipped one was not counted"


def test_a_file_outside_of_the_tests_is_counted_with_the_files_beside_them() -> None:
    suites = Suites(most_skipped=None)

    assert suites.suite(Path("/elsewhere/a.py")) is suites.suites["tests"]
