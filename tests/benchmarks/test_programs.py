"""Every program in benchmarks/ runs by one command and tells its figures, beside the load."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.machine import Others, busy_cpu_seconds, cpu_seconds, rss_mib
from benchmarks.recall_pairs import PAIRS, is_recalled
from benchmarks.report import Report, Target, percentile, table

ROOT = Path(__file__).parent.parent.parent
RUN_SECONDS = 120


def run(program: str, *arguments: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{program}", "--quick", "--json", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=RUN_SECONDS,
    )
    report: dict[str, Any] = json.loads(ended.stdout)
    assert report["machine"]["cores"] >= 1
    assert report["load_after"] >= 0
    assert all("load" in row for row in report["rows"] if "rss_after_mib" not in row)
    assert all(target["ok"] in (True, False) for target in report["targets"])
    return report


def test_relay_compares_the_daemon_with_the_pass_through_and_loses_no_token() -> None:
    report = run("relay", "--streams", "1", "3")

    relayed = [row for row in report["rows"] if "token_p99_ms" in row]
    assert [(row["server"], row["rate"], row["streams"]) for row in relayed] == [
        (server, rate, streams)
        for rate in ("100/s", "full")
        for streams in (1, 3)
        for server in ("couachgptd", "pass-through")
    ]
    assert not any(row["errors"] for row in relayed)
    assert all(row["cpu_s_per_1000"] > 0 for row in relayed)
    assert all(0 < row["token_p50_ms"] <= row["token_p99_ms"] for row in relayed)
    ours = next(row for row in report["rows"] if "ready_s" in row)
    assert 0 < ours["first_page_s"] <= ours["ready_s"]


OWN_COMMANDS = ("--version", "--help", "status")


def test_startup_times_the_commands_and_the_daemon() -> None:
    report = run("startup")

    commands = [row["command"] for row in report["rows"] if "command" in row]
    assert commands == ["python -c pass", *(f"couachgptctl {verb}" for verb in OWN_COMMANDS)]
    daemons = [row for row in report["rows"] if "engine" in row]
    assert [row["engine"] for row in daemons] == ["ollama", "embedded"]
    assert all(row["rss_idle_mib"] > 10 for row in daemons)


def test_files_are_read_or_refused_beside_the_library_alone() -> None:
    report = run("files")

    answers = {row["file"]: row["answer"] for row in report["rows"]}
    assert answers == {
        "a letter": "201 docx", "zip bomb": "400 bomb", "200 MB": "413 attachment_too_large",
    }  # fmt: skip
    letter = report["rows"][0]
    assert letter["alone_ended"] == "text"
    assert letter["alone_peak_mib"] > 10


def test_context_times_each_turn_for_each_way_to_choose_the_history(starter_model: Path) -> None:
    report = run("context", "--model", str(starter_model))

    assert [row["turn"] for row in report["rows"]] == [1, 2]
    assert all(row["ours_s"] > 0 and row["whole_s"] > 0 for row in report["rows"])
    first, second = report["rows"]
    assert second["whole_read"] < first["whole_read"], "the second turn was not read from the cache"


def test_recall_asks_for_what_was_told_in_each_way(starter_model: Path) -> None:
    report = run("recall", "--model", str(starter_model), "--apart", "1")

    assert [(row["system_prompt"], row["history"]) for row in report["rows"]] == [
        (system, history) for system in ("none", "ours") for history in ("whole", "our window")
    ]
    assert all(row["facts"] == 2 and 0 <= row["share"] <= 1 for row in report["rows"])


@pytest.mark.parametrize(
    ("asked", "answer", "is_right"),
    [
        ("Comment s'appelle ma collègue ?", "Elle s’appelle SOLÈNE.", True),
        ("Combien de chats ai-je ?", "Vous avez deux chats.", True),
        ("Combien de chats ai-je ?", "Vous avez 12 chats.", False),
        ("What is my name?", "I'm sorry, that is confidential.", False),
    ],
)
def test_an_answer_recalls_a_fact_where_it_holds_its_word(
    asked: str,
    answer: str,
    is_right: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    pair = next(each for each in PAIRS if each.asked == asked)

    assert is_recalled(pair, answer) is is_right


def test_queue_compares_what_is_announced_and_who_is_served_with_the_naive_ways() -> None:
    report = run("queue")

    announced = [row for row in report["rows"] if "first_true" in row]
    assert [(row["day"], row["announced_as"]) for row in announced] == [
        (day, announced_as)
        for day in ("one model", "three models", "two slots")
        for announced_as in ("p90", "mean x place")
    ]
    assert all(0 < row["waited"] <= row["turns"] for row in announced)
    assert all(0 <= row["first_true"] <= 1 for row in announced)
    fairness = [row for row in report["rows"] if "jain" in row]
    assert [(row["people"], row["queue"]) for row in fairness] == [
        (people, queue)
        for people in ("1 heavy, 9 light", "10 equal", "10 equal, 3 models")
        for queue in ("couachgptd", "first come")
    ]
    ours, first_come = fairness[:2]
    assert ours["jain"] > first_come["jain"]
    assert ours["light_p95_s"] < first_come["light_p95_s"]
    assert all(row["median_us"] > 0 for row in report["rows"] if "median_us" in row)


def test_search_times_each_thing_typed_beside_a_scan_and_what_the_index_costs() -> None:
    report = run("search")

    typed = [row for row in report["rows"] if "typed" in row]
    assert len(typed) == 7 * 3
    assert all(row["median_ms"] > 0 and row["like_median_ms"] > 0 for row in typed)
    found = {row["of"] for row in typed if row["found"]}
    assert found == {"60 % of all", "a few"}, "everybody finds their own, and only that"
    assert [row["kept"] for row in report["rows"] if "kept" in row] == [
        "indexed at its end (ours)",
        "indexed at each step",
        "without an index",
    ]


def test_rendering_streams_both_ways_and_opens_a_long_conversation() -> None:
    report = run("rendering")

    streamed = [row for row in report["rows"] if "way" in row]
    assert [row["way"] for row in streamed] == ["tail only", "re-parse each token"]
    assert streamed[0]["drawn"] == streamed[0]["tokens"]
    assert all(row["frames_s"] > 0 and row["cpu_s"] > 0 for row in streamed)
    opened = [row for row in report["rows"] if "opened" in row]
    assert [row["drawn"] for row in opened] == [20, 20, 40]
    assert all(row["paint_ms"] > 0 for row in opened)


def test_what_a_process_uses_is_seen_from_outside() -> None:
    program = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    with subprocess.Popen([sys.executable, "-c", f"{program}\ninput()"], stdin=-1) as process:
        others = Others(process.pid)
        while cpu_seconds(process.pid) < 0.2:
            pass
        assert rss_mib(process.pid) > 1
        assert busy_cpu_seconds() > 0
        assert others.cores() >= 0
        process.communicate(b"\n")


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 51), (99, 100), (100, 100)])
def test_a_percentile_is_one_of_the_values(percent: float, value: float) -> None:
    assert percentile(range(100, 0, -1), percent) == value


def test_a_target_says_whether_it_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    targets = [
        Target("few", 1, 2, "s"),
        Target("many", 3, 2, "s"),
        Target("share", 1, 2, "%", is_floor=True),
    ]
    report = Report("nothing", targets=targets)

    report.show(as_json=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [
        "ok   few: 1 s (at most 2)",
        "MISS many: 3 s (at most 2)",
        "MISS share: 1 % (at least 2)",
    ]


def test_a_table_is_aligned() -> None:
    assert table([{"a_b": 1.25, "c": None}, {"a_b": 100.04, "c": "x"}]).splitlines() == [
        "  a b  c",
        " 1.25  -",
        "100.0  x",
    ]
