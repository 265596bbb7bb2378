"""The audit log and the samples of the real daemon, over its control socket."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.daemon_fixtures import daemon, fresh, make_daemon, ollama, shared_ollama, site
from tests.running_daemon import RunningDaemon, UnixConnection

__all__ = ["daemon", "fresh", "make_daemon", "ollama", "shared_ollama", "site"]
Json = dict[str, Any]
SAMPLE_SECONDS = 40.0


def raw(socket: Path, path: str) -> tuple[str, bytes]:
    connection = UnixConnection(socket)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        return str(response.headers["Content-Type"]), response.read()
    finally:
        connection.close()


def test_the_audit_is_looked_up_page_by_page(fresh: RunningDaemon) -> None:
    fresh.add_user("paul")

    status, first = fresh.control("GET", "/v1/audit?verb=user.&limit=2")
    _, second = fresh.control("GET", f"/v1/audit?verb=user.&limit=2&before={first['next']}")

    assert status == 200
    found = [*first["entries"], *second["entries"]]
    assert [each["detail"]["user"] for each in found] == ["paul", "marc", "claire"]
    assert second["next"] is None
    assert set(found[0]) == {"id", "at", "actor", "verb", "detail"}
    _, by_text = fresh.control("GET", "/v1/audit?text=PAUL&since=2020-01-01&until=2100-01-01")
    assert len(by_text["entries"]) == 1


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "before=x", "since=yesterday", "until=0", "before=-1"]
)
def test_a_query_that_is_none_is_refused(daemon: RunningDaemon, query: str) -> None:
    assert daemon.control("GET", f"/v1/audit?{query}")[0] == 400


def test_the_csv_has_every_entry_and_no_formula(fresh: RunningDaemon) -> None:
    fresh.control("POST", "/v1/users", {"login": "+cmd()", "password": "un long mot de passe"})

    kind, content = raw(fresh.socket, "/v1/audit.csv")

    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert kind.startswith("text/csv")
    assert content.startswith("\ufeff".encode()), "or Excel shows no accents"
    assert [json.loads(row["detail"]).get("user") for row in rows][:3] == [
        "+cmd()", "marc", "claire",
    ]  # fmt: skip
    assert not any(
        str(value).startswith(("=", "+", "-", "@")) for r in rows for value in r.values()
    )


def test_a_backup_is_downloaded_as_it_is(site: RunningDaemon) -> None:
    _, made = site.control("POST", "/v1/db/backups")

    _, content = raw(site.socket, f"/v1/db/backups/{made['backup']['name']}")

    assert content == Path(made["path"]).read_bytes()
    assert site.control("GET", "/v1/db/backups/couachgpt.db")[0] == 404


async def test_samples_tell_what_the_machine_did_while_an_answer_was_written(
    fresh: RunningDaemon,
) -> None:
    assert fresh.control("GET", "/v1/samples?range=2h")[0] == 400
    async with fresh.browser("claire") as browser, browser.ws() as socket:
        await socket.ask("[[rate=20 tokens=5000]] Long")
        async with asyncio.timeout(SAMPLE_SECONDS):
            found: Json = {"at": []}
            while len(found["at"]) < 2:
                await socket.receive()
                found = fresh.control("GET", "/v1/samples")[1]

    assert set(found["series"]) == {
        "engine_cores", "daemon_cores", "machine_cores", "engine_memory_bytes",
        "daemon_memory_bytes", "machine_memory_bytes", "tokens_per_second", "running", "queued",
        "wait_seconds",
    }  # fmt: skip
    assert all(len(each) == len(found["at"]) for each in found["series"].values())
    assert found["span_seconds"] == 10
    assert found["series"]["tokens_per_second"][-1] > 1
    assert found["series"]["running"][-1] == 1
    assert found["series"]["daemon_memory_bytes"][-1] > 10_000_000
    assert found["series"]["machine_memory_bytes"][-1] > 10_000_000
