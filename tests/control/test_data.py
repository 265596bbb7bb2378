"""What is kept, seen from the control socket of the real daemon: backups that come back, purges."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest

from tests.daemon_fixtures import (
    another,
    daemon,
    fresh,
    make_daemon,
    ollama,
    shared_ollama,
    site,
    someone,
)
from tests.running_daemon import RunningDaemon

__all__ = [
    "another",
    "daemon",
    "fresh",
    "make_daemon",
    "ollama",
    "shared_ollama",
    "site",
    "someone",
]
Json = dict[str, Any]


async def asked(daemon: RunningDaemon, login: str, text: str) -> str:
    """Have a person ask something and return the conversation once it is answered."""
    async with daemon.browser(login) as browser, browser.ws() as socket:
        answer = await socket.ask(f"[[tokens=3]] {text}")
        await socket.ended(answer["answer"])
        return str(answer["conversation"])


async def conversations(daemon: RunningDaemon, login: str) -> list[str]:
    async with daemon.browser(login) as browser, browser.ws() as socket:
        return [each["id"] for each in socket.hello["conversations"]]


def done(answer: tuple[int, Json], status: int = 200) -> Json:
    assert answer[0] == status, answer
    return answer[1]


def audit(daemon: RunningDaemon) -> list[str]:
    with closing(sqlite3.connect(daemon.data / "couachgpt.db")) as base:
        return [row[0] for row in base.execute("SELECT verb FROM audit ORDER BY id")]


# --- backups -----------------------------------------------------------------------------------


async def test_a_backup_that_is_put_back_brings_conversations_back(fresh: RunningDaemon) -> None:
    kept = await asked(fresh, "claire", "Gardez ceci")
    made = done(fresh.control("POST", "/v1/db/backups"), 201)
    purged = done(fresh.control("POST", "/v1/conversations/purge", {"user": "claire"}))
    assert purged == {"conversations": 1, "messages": 2}
    later = await asked(fresh, "marc", "Plus tard")

    staged = done(fresh.control("POST", "/v1/db/restore", {"backup": made["backup"]["name"]}))
    assert fresh.ended() == 85
    fresh.start()

    assert staged == {"backup": made["backup"], "is_restarting": True}
    assert await conversations(fresh, "claire") == [kept]
    assert await conversations(fresh, "marc") == []
    listed = done(fresh.control("GET", "/v1/db/backups"))["backups"]
    before = next(each for each in listed if each["kind"] == "before-restore")
    restart = done(fresh.control("GET", "/v1/status"))["restarts"]["daemon"][0]
    assert restart["cause"] == "restore", "not killed, as the backup of a daemon that ran has it"
    assert restart["by"].startswith(f"uid:{os.getuid()} pid:")
    done(fresh.control("POST", "/v1/db/restore", {"backup": before["name"]}))
    fresh.ended()
    fresh.start()
    assert await conversations(fresh, "marc") == [later], "and the other way round"


async def test_a_backup_is_put_back_without_a_daemon_and_not_under_one(
    fresh: RunningDaemon,
) -> None:
    kept = await asked(fresh, "claire", "Gardez ceci")
    path = done(fresh.control("POST", "/v1/db/backups"), 201)["path"]
    done(fresh.control("POST", "/v1/conversations/purge", {"user": "claire"}))
    program = [sys.executable, "-m", "couachgptd", f"--set=storage.data_dir={fresh.data}"]

    refused = subprocess.run(
        [*program, "--restore", path], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "another daemon uses this" in refused.stderr) == (74, True)
    fresh.stop()
    absent = subprocess.run(
        [*program, "--restore", f"{path}x"], capture_output=True, text=True, check=False
    )
    assert (absent.returncode, "there is no such file" in absent.stderr) == (66, True)
    subprocess.run([*program, "--restore", path], check=True)
    fresh.start()

    assert await conversations(fresh, "claire") == [kept]


async def test_what_root_puts_back_belongs_to_whom_the_data_belong(
    fresh: RunningDaemon,
) -> None:
    path = done(fresh.control("POST", "/v1/db/backups"), 201)["path"]
    fresh.stop()
    for each in (fresh.data, *fresh.data.rglob("*")):
        os.chown(each, 4242, 4243)

    program = [sys.executable, "-m", "couachgptd", f"--set=storage.data_dir={fresh.data}"]
    subprocess.run([*program, "--restore", path], check=True)

    owners = {(each.stat().st_uid, each.stat().st_gid) for each in fresh.data.rglob("*")}
    assert owners == {(4242, 4243)}


def test_backups_are_listed_and_deleted(site: RunningDaemon) -> None:
    made = done(site.control("POST", "/v1/db/backups"), 201)
    listed = done(site.control("GET", "/v1/db/backups"))

    assert listed["backups"] == [made["backup"]]
    assert made["path"] == f"{listed['folder']}/{made['backup']['name']}"
    name = made["backup"]["name"]
    done(site.control("DELETE", f"/v1/db/backups/{name}"))
    assert done(site.control("GET", "/v1/db/backups"))["backups"] == []
    assert site.control("DELETE", f"/v1/db/backups/{name}")[0] == 404
    assert site.control("POST", "/v1/db/restore", {"backup": "../couachgpt.db"})[0] == 404
    assert {"db.backup.add", "db.backup.rm"} <= set(audit(site))


async def test_a_damaged_backup_is_refused_and_everything_stays(fresh: RunningDaemon) -> None:
    kept = await asked(fresh, "claire", "Bonjour")
    made = done(fresh.control("POST", "/v1/db/backups"), 201)
    path = fresh.data / "backups" / made["backup"]["name"]
    path.write_bytes(path.read_bytes()[:20_000])

    status, answer = fresh.control("POST", "/v1/db/restore", {"backup": path.name})

    assert (status, answer["error"]["code"]) == (507, "store_corrupt")
    fresh.restart()
    assert await conversations(fresh, "claire") == [kept]


# --- the database ------------------------------------------------------------------------------


def test_the_data_are_described_checked_and_made_smaller(fresh: RunningDaemon) -> None:
    shown = done(fresh.control("GET", "/v1/db"))

    assert set(shown) == {"sizes", "schema", "retention", "night"}
    assert shown["sizes"]["people"] == 2
    assert shown["sizes"]["database"] > 0
    assert shown["retention"] == {
        "conversation_days": 0, "bin_days": 30, "audit_days": 365, "incident_days": 365,
    }  # fmt: skip
    assert shown["night"] == {"is_backed_up": True, "hour": 3, "done_at": None, "error": None}
    assert done(fresh.control("POST", "/v1/db/check", {})) == {"is_well": True, "complaints": []}
    assert done(fresh.control("POST", "/v1/db/check", {"is_quick": True}))["is_well"] is True
    assert done(fresh.control("POST", "/v1/db/vacuum"))["freed_bytes"] >= 0


async def test_old_conversations_are_counted_before_they_are_deleted(
    fresh: RunningDaemon,
) -> None:
    await asked(fresh, "claire", "Bonjour")
    fresh.stop()
    with closing(sqlite3.connect(fresh.data / "couachgpt.db")) as base:
        base.execute("UPDATE conversations SET updated_at = updated_at - 90 * 86400000")
        base.commit()
    fresh.start("retention.conversation_days=60")

    old = done(fresh.control("GET", "/v1/db/clean"))
    kinder = done(fresh.control("GET", "/v1/db/clean?conversation_days=120"))
    assert old["old"]["old_conversations"] == 1
    assert kinder["old"]["old_conversations"] == 0
    assert len(await conversations(fresh, "claire")) == 1

    deleted = done(fresh.control("POST", "/v1/db/clean", {"kinds": ["old_conversations"]}))

    assert deleted == {"deleted": {"old_conversations": 1}}
    assert await conversations(fresh, "claire") == []


@pytest.mark.parametrize("query", ["conversation_days=-1", "audit_days=x", "incident_days=36501"])
def test_days_beyond_the_bounds_are_refused(daemon: RunningDaemon, query: str) -> None:
    assert daemon.control("GET", f"/v1/db/clean?{query}")[0] == 400


def test_a_kind_that_is_none_is_refused(daemon: RunningDaemon) -> None:
    for kinds in (["everything"], "all", [1], 5):
        assert daemon.control("POST", "/v1/db/clean", {"kinds": kinds})[0] == 400


# --- purges ------------------------------------------------------------------------------------


async def test_a_conversation_is_purged_after_it_was_said_how_much_goes(
    site: RunningDaemon,
    someone: str,
) -> None:
    first = await asked(site, someone, "Un")
    second = await asked(site, someone, "Deux")
    body: Json = {"conversation": first}

    dry = done(site.control("POST", "/v1/conversations/purge", {**body, "is_dry_run": True}))
    assert dry == {"conversations": 1, "messages": 2}
    assert len(await conversations(site, someone)) == 2

    assert done(site.control("POST", "/v1/conversations/purge", body)) == dry

    assert await conversations(site, someone) == [second]
    assert site.control("POST", "/v1/conversations/purge", body)[0] == 404
    assert site.control("POST", "/v1/conversations/purge", {})[0] == 400
    assert "conversation.purge" in audit(site)


async def test_an_open_page_is_told_what_a_purge_left(site: RunningDaemon, someone: str) -> None:
    first = await asked(site, someone, "Un")
    second = await asked(site, someone, "Deux")
    async with site.browser(someone) as browser, browser.ws() as socket:
        done(site.control("POST", "/v1/conversations/purge", {"conversation": first}))
        left = await socket.next("conversations")
        done(site.control("POST", "/v1/conversations/purge", {"user": someone}))
        none = await socket.next("conversations")

    assert [each["id"] for each in left["conversations"]] == [second]
    assert none["conversations"] == []


async def test_a_conversation_whose_answer_grows_is_purged_and_the_slot_is_free(
    site: RunningDaemon,
    someone: str,
    another: str,
) -> None:
    async with site.browser(someone) as browser, browser.ws() as socket:
        answer = await socket.ask("[[rate=20 tokens=5000]] Long")
        await socket.until("writing", answer["answer"])

        done(
            site.control(
                "POST", "/v1/conversations/purge", {"conversation": answer["conversation"]}
            )
        )

    assert await asked(site, another, "Suivant")
    assert await conversations(site, someone) == []


# --- people ------------------------------------------------------------------------------------


async def test_who_is_deleted_is_out_within_a_second_and_what_is_handed_over_stays(
    site: RunningDaemon,
    someone: str,
    another: str,
) -> None:
    kept = await asked(site, someone, "À garder")
    async with site.browser(someone) as browser, browser.ws() as socket:
        dry = done(site.control("POST", f"/v1/users/{someone}/remove", {"is_dry_run": True}))
        removed = done(site.control("POST", f"/v1/users/{someone}/remove", {"heir": another}))
        assert await socket.closed(seconds=1) == 4401

    assert dry == removed == {"conversations": 1, "messages": 2}
    assert await conversations(site, another) == [kept]


def test_the_last_administrator_is_kept(site: RunningDaemon) -> None:
    site.add_user("ada", "admin")

    for path, body in (
        ("remove", {}),
        ("role", {"role": "member"}),
        ("state", {"state": "suspended"}),
    ):
        status, answer = site.control("POST", f"/v1/users/ada/{path}", body)
        assert (status, answer["error"]["code"]) == (409, "last_administrator")


async def test_sessions_are_listed_and_ended_within_a_second(fresh: RunningDaemon) -> None:
    async with (
        fresh.browser("claire") as browser,
        browser.ws() as socket,
        fresh.browser("claire"),
        fresh.browser("marc") as other,
        other.ws() as stays,
    ):
        listed = done(fresh.control("GET", "/v1/sessions"))["sessions"]
        assert sorted(each["user"] for each in listed) == ["claire", "claire", "marc"]
        assert {each["address"] for each in listed} == {"127.0.0.1"}
        assert {each["open_pages"] for each in listed} == {1}
        marcs = next(each["id"] for each in listed if each["user"] == "marc")

        assert done(fresh.control("POST", "/v1/sessions/kick", {"user": "claire"})) == {"ended": 2}
        assert await socket.closed(seconds=1) == 4401

        done(fresh.control("POST", "/v1/sessions/kick", {"session": marcs}))
        assert await stays.closed(seconds=1) == 4401
    assert done(fresh.control("GET", "/v1/sessions"))["sessions"] == []
    assert browser.cookies["couachgpt"] not in str(listed)


def test_invitations_are_listed_and_ended(site: RunningDaemon) -> None:
    made = done(site.control("POST", "/v1/invitations", {"uses": 3, "days": 2}), 201)
    listed = done(site.control("GET", "/v1/invitations"))["invitations"]

    assert listed == [made["invitation"]]
    assert made["url"].rpartition("/")[2] not in str(listed)
    done(site.control("DELETE", f"/v1/invitations/{listed[0]['id']}"))
    assert done(site.control("GET", "/v1/invitations"))["invitations"] == []
    for body in ({}, {"uses": True, "days": 1}, {"uses": 1}, {"uses": 1, "days": 1000}):
        assert site.control("POST", "/v1/invitations", body)[0] == 400
