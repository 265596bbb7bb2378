"""couachgptctl against the real daemon: what an operator sees of the engine and its queue."""

import asyncio
import json
import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from couachgptd.control.client import ControlClient
from tests.ctl.terminal import run
from tests.daemon_fixtures import (
    MakeDaemon,
    fresh,
    make_daemon,
    ollama,
    shared_ollama,
    site,
    someone,
)
from tests.running_daemon import PASSWORD, RunningDaemon

__all__ = ["fresh", "make_daemon", "ollama", "shared_ollama", "site", "someone"]


def socket_of(daemon: RunningDaemon) -> dict[str, str]:
    return {"COUACHGPT_SOCKET": str(daemon.socket)}


async def test_status_tells_the_state_of_the_engine_and_of_the_queue(site: RunningDaemon) -> None:
    shown = await run("status", **socket_of(site))
    await run("engine", "maintenance", "on", **socket_of(site))
    async with site.browser("claire") as browser, browser.ws() as socket:
        if socket.hello["engine"]["state"] != "maintenance":
            await socket.next(
                "engine", where=lambda event: event["engine"]["state"] == "maintenance"
            )
        paused = await run("status", **socket_of(site))
    await run("engine", "maintenance", "off", **socket_of(site))

    assert shown.code == 0
    assert ", since 20" in shown.out
    assert "0 being written, 0 waiting\n" in shown.out
    assert "maintenance, since 20" in paused.out
    assert "0 waiting, the queue is paused\n" in paused.out


async def test_a_maintenance_is_an_incident_that_is_told(site: RunningDaemon) -> None:
    begun = await run("engine", "maintenance", "on", **socket_of(site))
    async with site.browser("claire") as browser, browser.ws() as socket:
        if socket.hello["engine"]["state"] != "maintenance":
            await socket.next(
                "engine", where=lambda event: event["engine"]["state"] == "maintenance"
            )
    incidents = await run("engine", "incidents", "--limit", "1", **socket_of(site))
    as_json = await run("engine", "incidents", "--json", **socket_of(site))
    reset = await run("engine", "reset", **socket_of(site))
    await run("engine", "maintenance", "off", **socket_of(site))

    assert [each.code for each in (begun, incidents, as_json, reset)] == [0, 0, 0, 0]
    assert "→ maintenance  " in incidents.out
    assert "attempts=0" in incidents.out
    assert json.loads(as_json.out)["incidents"][0]["after"] == "maintenance"
    assert "are forgotten" in reset.out


async def test_who_waits_is_listed(site: RunningDaemon) -> None:
    nobody = await run("queue", "ls", **socket_of(site))
    async with site.browser("claire") as browser, browser.ws() as hers:
        first = await hers.ask("[[rate=20 tokens=5000]] Secret")
        await hers.until("writing", first["answer"])
        async with site.browser("marc") as another, another.ws() as his:
            second = await his.ask("[[tokens=3]] Bonjour")
            await his.next("turn", where=lambda event: event["turn"]["place"] == 0)
            shown = await run("queue", "ls", **socket_of(site))
            as_json = await run("queue", "ls", "--json", **socket_of(site))
            turn = json.loads(as_json.out)["running"][0]["turn"]
            await hers.request("chat.stop", turn=turn)
            await his.ended(second["answer"])

    assert "Nobody waits" in nobody.out
    lines = [line.split() for line in shown.out.splitlines()]
    assert [line[:3] for line in lines] == [
        ["PLACE", "WHO", "STAGE"],
        ["-", "claire", "Writing"],
        ["1", "marc", "Waiting"],
    ]
    assert "Secret" not in shown.out


async def test_an_answer_whose_stream_broke_starts_anew_by_itself(site: RunningDaemon) -> None:
    words = ("ask", "[[eof_after=3]] Bonjour", "--model", "couac:1b")

    shown = await run(*words, **socket_of(site))
    as_json = await run(*words, "--json", **socket_of(site))

    attempts = shown.out.splitlines()
    assert attempts[0] == attempts[1]
    assert "(The answer starts anew.)\n" in shown.err
    events = [json.loads(line) for line in as_json.out.splitlines()]
    assert [event["text"] for event in events if event["type"] == "rewrite"] == [""]
    healing = [event["turn"]["is_healing"] for event in events if event["type"] == "turn"]
    assert True in healing
    assert healing[-1] is False


# --- the engine, the queue, models ---------------------------------------------------------------


async def test_a_held_queue_keeps_questions_until_it_is_let_go(site: RunningDaemon) -> None:
    held = await run("queue", "pause", **socket_of(site))
    async with site.browser("claire") as browser, browser.ws() as socket:
        asked = await socket.ask("[[tokens=5]] Bonjour")
        await socket.next("turn", where=lambda event: event["turn"]["place"] == 0)
        shown = await run("queue", "ls", **socket_of(site))
        status = await run("status", "--check", **socket_of(site))
        resumed = await run("queue", "resume", **socket_of(site))
        turn = await socket.ended(asked["answer"])

    assert (held.code, resumed.code, turn["state"]) == (0, 0, "done")
    assert "The queue is held" in shown.out
    assert status.code == 10
    assert status.out.startswith("WARNING: The queue is held by a person.")


async def test_a_held_queue_stays_so_over_a_restart(fresh: RunningDaemon) -> None:
    await run("queue", "pause", **socket_of(fresh))
    fresh.restart()
    async with fresh.browser("claire") as browser, browser.ws() as socket:
        if socket.hello["engine"]["state"] != "held":
            await socket.next("engine", where=lambda event: event["engine"]["state"] == "held")
        asked = await socket.ask("[[tokens=5]] Bonjour")
        await socket.next("turn", where=lambda event: event["turn"]["place"] == 0)
        status = await run("status", **socket_of(fresh))
        await run("queue", "resume", **socket_of(fresh))
        await socket.next("engine", where=lambda event: event["engine"]["state"] == "ready")
        turn = await socket.ended(asked["answer"])
    fresh.restart()

    assert "the queue is held" in status.out
    assert "The queue is held by a person." in status.out
    assert fresh.log.count("the queue is held, as a person said before this start") == 1
    assert turn["state"] == "done"
    assert fresh.control("GET", "/v1/queue")[1]["is_held"] is False


async def test_an_answer_is_ended_by_its_number(site: RunningDaemon) -> None:
    async with site.browser("claire") as browser, browser.ws() as socket:
        asked = await socket.ask("[[rate=20 tokens=5000]] Secret")
        await socket.until("writing", asked["answer"])
        listed = await run("queue", "ls", "--json", **socket_of(site))
        number = str(json.loads(listed.out)["running"][0]["turn"])
        ended = await run("queue", "cancel", number, **socket_of(site))
        turn = await socket.ended(asked["answer"])
    again = await run("queue", "cancel", number, **socket_of(site))
    odd = await run("queue", "cancel", "../x", **socket_of(site))

    assert (ended.code, turn["state"]) == (0, "stopped")
    assert "the answer to claire" in ended.out
    assert [each.code for each in (again, odd)] == [1, 1]
    assert "There is no such answer" in again.err


@pytest.mark.usefixtures("ollama")  # its own: what is downloaded and deleted is no other test's
async def test_a_model_is_loaded_chosen_unloaded_pulled_and_deleted(fresh: RunningDaemon) -> None:
    words = [
        ("load", "couac:3b"), ("default", "couac:3b"), ("unload", "couac:3b"),
        ("pull", "couac:9b"), ("rm", "couac:1b"), ("rm", "absent"), ("load", "absent"),
    ]  # fmt: skip
    shown = [await run("model", *each, **socket_of(fresh)) for each in words]
    listed = await run("model", "ls", "--json", **socket_of(fresh))
    fresh.restart()
    after = await run("model", "ls", "--json", **socket_of(fresh))

    assert [each.code for each in shown] == [0, 0, 0, 0, 0, 1, 1]
    assert "There is no model absent." in shown[-1].err
    answer = json.loads(listed.out)
    assert answer["default"] == "couac:3b"
    assert "couac:1b" not in [each["name"] for each in answer["models"]]
    assert json.loads(after.out)["default"] == "couac:3b", "forgotten by a restart"


async def test_who_is_offered_a_model_and_how_it_answers_is_changed_shown_and_reset(
    site: RunningDaemon,
) -> None:
    words = [
        ("--visible-to", "members", "--temperature", "0.5", "--answer-tokens", "300"),
        ("--reset", "--top-p", "0.9"),
        (),
        ("--temperature", "3"),
    ]
    done = [await run("model", "set", "couac:3b", *each, **socket_of(site)) for each in words]
    shown = await run("model", "show", "couac:3b", "--json", **socket_of(site))
    absent = await run("model", "show", "absent", **socket_of(site))

    assert [each.code for each in done] == [0, 0, 2, 1]
    assert "members and administrators" in done[0].out
    assert "300" in done[0].out
    assert "temperature must be between 0 and 2." in done[3].err
    model = json.loads(shown.out)
    assert model["visible_to"] == "members", "not what --reset is for"
    assert model["options"] == {
        "temperature": None, "top_p": 0.9, "answer_tokens": None, "context_tokens": None,
    }  # fmt: skip
    assert "There is no model absent." in absent.err


@pytest.mark.usefixtures("ollama")  # its own: what is downloaded and deleted is no other test's
async def test_whether_a_model_fits_is_told_before_it_is_downloaded(
    make_daemon: MakeDaemon, tmp_path: Path
) -> None:
    daemon = make_daemon(f"ollama.models_dir={tmp_path}").start()
    names = ("couac:1b", "couac:9b", "inconnu", "couac:9000b", "qwen2.5-coder-0.5b")
    told = [await run("model", "fit", each, "--json", **socket_of(daemon)) for each in names]
    shown = await run("model", "fit", "couac:9000b", **socket_of(daemon))
    refused = await run("model", "pull", "couac:9000b", **socket_of(daemon))
    forced = await run("model", "pull", "couac:9000b", "--force", **socket_of(daemon))

    fits = [json.loads(each.out) for each in told]
    assert [each["size_from"] for each in fits] == ["engine", "name", None, "name", "catalogue"]
    assert [each["is_installed"] for each in fits] == [True, False, False, False, False]
    assert fits[0]["memory_needed_bytes"] > fits[0]["size_bytes"] > 1_000_000_000
    assert fits[0]["disk_needed_bytes"] == 0 < fits[0]["disk_free_bytes"]
    assert (fits[2]["verdict"], fits[2]["reason"]) == ("unknown", "size_unknown")
    assert (fits[3]["verdict"], fits[3]["reason"]) == ("does_not_fit", "disk")
    assert fits[4]["size_bytes"] == 491_400_064
    assert "It does not fit on the disk." in shown.out
    assert refused.code == 1
    assert "--force downloads it all the same" in refused.err
    assert forced.code == 0
    assert "It does not fit on the disk." in forced.err


async def test_an_engine_that_is_not_ours_is_neither_stopped_nor_started(
    site: RunningDaemon,
) -> None:
    shown = [
        await run("engine", verb, LANG="fr_FR.UTF-8", **socket_of(site))
        for verb in ("stop", "start", "restart")
    ]
    unloaded = await run("engine", "unload", **socket_of(site))
    detail = await run("engine", "show", **socket_of(site))

    assert [each.code for each in shown] == [1, 1, 1]
    assert "lancé à la main" in shown[0].err
    assert unloaded.code == 0
    assert "ollama" in detail.out


# --- people --------------------------------------------------------------------------------------


async def test_who_is_suspended_is_out_until_that_is_undone(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser:
        out = await run("user", "suspend", someone, **socket_of(site))
        assert (await browser.get("/"))[0] == 303
    back = await run("user", "suspend", someone, "--undo", **socket_of(site))
    async with site.browser(someone):
        pass
    role = await run("user", "role", someone, "reader", **socket_of(site))
    nobody = await run("user", "role", "nobody", "reader", **socket_of(site))

    assert [each.code for each in (out, back, role, nobody)] == [0, 0, 0, 1]
    assert f"{someone} is now: reader." in role.out


# --- the daemon ----------------------------------------------------------------------------------


async def test_without_systemd_a_restart_is_refused_and_a_drain_ends_it(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon()
    daemon.process = daemon.spawn()  # nobody is told READY: it is run by hand
    refused = await run("--wait", "20", "restart", **socket_of(daemon))
    drained = await run("drain", **socket_of(daemon))

    assert refused.code == 1
    assert "not run by systemd" in refused.err
    assert drained.code == 0
    assert daemon.process.wait(20) == 0
    assert (await run("status", **socket_of(daemon))).code == 3


async def test_a_restart_is_asked_for_by_the_exit_code(fresh: RunningDaemon) -> None:
    asked = await run("restart", "--no-wait", "--within", "1", **socket_of(fresh))

    assert asked.code == 0
    assert fresh.ended() == 85


async def test_the_last_restarts_are_told_with_why_and_by_whom(fresh: RunningDaemon) -> None:
    await run("restart", "--no-wait", **socket_of(fresh))
    fresh.ended()
    fresh.start()
    asked = await run("status", COLUMNS="80", **socket_of(fresh))
    fresh.restart()
    stopped = await run("status", COLUMNS="80", LANG="fr_FR.UTF-8", **socket_of(fresh))

    when = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    by = rf"asked for by uid:{os.getuid()} pid:\d+"
    assert re.search(
        rf"^Daemon restarted +{when}  {by}\nEngine restarted +none$", asked.out, re.MULTILINE
    )
    newest = rf"^Démon redémarré +{when}  arrêté par systemd ou un signal, puis\n +démarré\n"
    assert re.search(
        rf"{newest} +{when}  demandé par uid:{os.getuid()} pid:", stopped.out, re.MULTILINE
    )


async def test_settings_are_shown_with_their_origin_and_read_again(
    make_daemon: MakeDaemon, tmp_path: Path
) -> None:
    file = tmp_path / "couachgpt.toml"
    file.write_text('[accounts]\nregistration = "closed"\n[llama_server]\napi_key = "secret"\n')
    daemon = make_daemon()
    daemon.config = file
    daemon.start()
    shown = await run("config", "show", "--json", **socket_of(daemon))
    file.write_text('[accounts]\nregistration = "open"\n[chat]\nanswer_tokens = 77\n')
    reloaded = await run("config", "reload", "--json", **socket_of(daemon))
    file.write_text("[accounts]\nregistration = 3\n")
    wrong = await run("config", "reload", **socket_of(daemon))
    checked = await run("config", "check", "--config", str(file))
    async with daemon.browser() as browser:
        form = {"login": "nina", "password": PASSWORD, "password_again": PASSWORD}
        assert (await browser.post("/register", form)).status == 303

    by_key = {each["key"]: each for each in json.loads(shown.out)["settings"]}
    assert by_key["accounts.registration"]["origin"] == "file"
    assert by_key["server.port"]["origin"] == "override"
    assert by_key["chat.answer_tokens"]["origin"] == "default"
    assert "secret" not in shown.out.replace("llama_server.api_key", "")
    assert json.loads(reloaded.out) == {
        "applied": ["accounts.registration"],
        "needs_restart": ["chat.answer_tokens", "llama_server.api_key"],
    }
    assert (wrong.code, checked.code) == (1, 1)
    assert "accounts.registration" in wrong.err
    assert "accounts.registration" in checked.err


async def test_the_log_the_events_the_dump_and_the_doctor_have_something_to_say(
    site: RunningDaemon,
) -> None:
    log = await run("logs", "--lines", "50", **socket_of(site))
    dump = await run("dump", **socket_of(site))
    doctor = await run("doctor", "--json", **socket_of(site))
    bare = await run("doctor", PATH="/nowhere", **socket_of(site))
    engine = await run("engine", "logs", **socket_of(site))
    client = ControlClient(site.socket)

    def first_events() -> list[str]:
        with closing(client.stream("control.events")) as events:
            return [next(events)["type"] for _ in range(4)]

    kinds = await asyncio.to_thread(first_events)

    assert "couachgptd.daemon: ready" in log.out
    assert "watchdog" in dump.out
    assert doctor.code == 10, doctor.err
    findings = json.loads(doctor.out)["findings"]
    assert "The database is whole." in [each["what"] for each in findings]
    assert "There is a sandbox to open files in: bubblewrap." in [each["what"] for each in findings]
    assert all(each["to_do"] for each in findings if each["level"] != "ok")
    assert "! There is no sandbox to open files in: a logo cannot be set." in bare.out
    assert engine.code == 1
    assert kinds == ["engine", "queue", "online", "stopping"]


async def test_the_log_is_followed_line_by_line(site: RunningDaemon) -> None:
    client = ControlClient(site.socket)
    with closing(client.stream("control.logs", lines=1, follow=1)) as events:
        first = await asyncio.to_thread(next, events)
        now = await asyncio.to_thread(next, events)
        await run("config", "reload", **socket_of(site))
        line = await asyncio.to_thread(next, events)

    assert (first["type"], now) == ("line", {"type": "now"})
    assert "configuration read again" in line["text"]


async def test_our_own_engine_that_a_person_stopped_stays_so_also_after_a_restart(
    make_daemon: MakeDaemon, starter_model: Path
) -> None:
    daemon = make_daemon(
        "engine.kind=embedded",
        f"embedded.models_dir={starter_model.parent}",
        f"engine.model={starter_model.stem}",
        "chat.answer_tokens=50",
    ).start()
    daemon.add_user("claire")
    loaded = await run("model", "load", starter_model.stem, **socket_of(daemon))
    fits = daemon.control("GET", f"/v1/models/{starter_model.stem}/fit")[1]
    stopped = await run("engine", "stop", **socket_of(daemon))
    async with daemon.browser("claire") as browser, browser.ws() as socket:
        asked = await socket.ask("Say yes.")
        await socket.next("turn", where=lambda event: event["turn"]["place"] == 0)
        refused = await run("model", "load", starter_model.stem, **socket_of(daemon))
        check = await run("status", "--check", **socket_of(daemon))
    daemon.restart()
    async with daemon.browser("claire") as browser, browser.ws() as socket:
        await socket.watch(asked["conversation"])
        still = await run("engine", "show", "--json", **socket_of(daemon))
        started = await run("engine", "start", **socket_of(daemon))
        turn = await socket.ended(asked["answer"], seconds=60)
    restarts = daemon.control("GET", "/v1/status")[1]["restarts"]["engine"]

    assert [each.code for each in (loaded, stopped, refused, started)] == [0, 0, 1, 0]
    assert [(each["cause"], each["by"][:4]) for each in restarts] == [("ordered", "uid:")]
    assert fits["load_seconds"] > 0
    assert "`couachgptctl engine start` starts it." in refused.err
    assert check.code == 11
    assert json.loads(still.out)["is_stopped"] is True
    assert turn["state"] == "done"
