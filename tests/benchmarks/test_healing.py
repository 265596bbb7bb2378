"""`benchmarks.healing` and `benchmarks.waiting` run by one command and tell their figures."""

from tests.benchmarks.test_programs import run


def test_healing_times_a_fault_beside_an_undisturbed_answer() -> None:
    report = run("healing")

    undisturbed, killed = report["rows"]
    assert (undisturbed["fault"], undisturbed["state"], undisturbed["attempts"]) == (
        "none",
        "done",
        1,
    )
    assert (killed["fault"], killed["verdict"]) == ("SIGKILL while writing", "dead")
    assert (killed["state"], killed["attempts"]) == ("done", 2)
    assert killed["detected_after_s"] <= killed["answering_after_s"]
    assert "queued, healing" in killed["saw"]


def test_waiting_measures_the_daemon_at_rest_and_at_work_beside_the_pass_through() -> None:
    report = run("waiting")

    assert [(row["server"], row["runs"], row["waits"]) for row in report["rows"]] == [
        ("couachgptd", 0, 0),
        ("couachgptd", 1, 3),
        ("pass-through", 1, 0),
    ] * 2
    at_work = [row for row in report["rows"] if row["runs"]]
    assert all(row["core_percent"] > 0 and row["texts_per_s"] > 0 for row in at_work)
    assert len(report["targets"]) == 2
