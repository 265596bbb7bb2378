"""couachgptctl against the real daemon: what an operator sees of the engine and its queue."""

import json

from tests.ctl.terminal import run
from tests.daemon_fixtures import fresh, make_daemon, ollama
from tests.running_daemon import RunningDaemon

__all__ = ["fresh", "make_daemon", "ollama"]


def socket_of(daemon: RunningDaemon) -> dict[str, str]:
    return {"COUACHGPT_SOCKET": str(daemon.socket)}


async def test_status_tells_the_state_of_the_engine_and_of_the_queue(fresh: RunningDaemon) -> None:
    shown = await run("status", **socket_of(fresh))
    await run("engine", "maintenance", "on", **socket_of(fresh))
    async with fresh.browser("claire") as browser, browser.ws() as socket:
        if socket.hello["engine"]["state"] != "maintenance":
            await socket.next(
                "engine", where=lambda event: event["engine"]["state"] == "maintenance"
            )
        paused = await run("status", **socket_of(fresh))

    assert shown.code == 0
    assert ", since 20" in shown.out
    assert "0 being written, 0 waiting\n" in shown.out
    assert "maintenance, since 20" in paused.out
    assert "0 waiting, the queue is paused\n" in paused.out


async def test_a_maintenance_is_an_incident_that_is_told(fresh: RunningDaemon) -> None:
    begun = await run("engine", "maintenance", "on", **socket_of(fresh))
    async with fresh.browser("claire") as browser, browser.ws() as socket:
        if socket.hello["engine"]["state"] != "maintenance":
            await socket.next(
                "engine", where=lambda event: event["engine"]["state"] == "maintenance"
            )
    incidents = await run("engine", "incidents", "--limit", "1", **socket_of(fresh))
    as_json = await run("engine", "incidents", "--json", **socket_of(fresh))
    reset = await run("engine", "reset", **socket_of(fresh))

    assert [each.code for each in (begun, incidents, as_json, reset)] == [0, 0, 0, 0]
    assert "→ maintenance  " in incidents.out
    assert "attempts=0" in incidents.out
    assert json.loads(as_json.out)["incidents"][0]["after"] == "maintenance"
    assert "are forgotten" in reset.out


async def test_who_waits_is_listed(fresh: RunningDaemon) -> None:
    nobody = await run("queue", "ls", **socket_of(fresh))
    async with fresh.browser("claire") as browser, browser.ws() as hers:
        first = await hers.ask("[[rate=20 tokens=5000]] Secret")
        await hers.until("writing", first["answer"])
        async with fresh.browser("marc") as another, another.ws() as his:
            await his.ask("Bonjour")
            await his.next("turn", where=lambda event: event["turn"]["place"] == 0)
            shown = await run("queue", "ls", **socket_of(fresh))
            as_json = await run("queue", "ls", "--json", **socket_of(fresh))
        turn = json.loads(as_json.out)["running"][0]["turn"]
        await hers.request("chat.stop", turn=turn)

    assert "Nobody waits" in nobody.out
    lines = [line.split() for line in shown.out.splitlines()]
    assert [line[:3] for line in lines] == [
        ["PLACE", "WHO", "STAGE"],
        ["-", "claire", "Writing"],
        ["1", "marc", "Waiting"],
    ]
    assert "Secret" not in shown.out


async def test_an_answer_whose_stream_broke_starts_anew_by_itself(fresh: RunningDaemon) -> None:
    words = ("ask", "[[eof_after=3]] Bonjour", "--model", "couac:1b")

    shown = await run(*words, **socket_of(fresh))
    as_json = await run(*words, "--json", **socket_of(fresh))

    attempts = shown.out.splitlines()
    assert attempts[0] == attempts[1]
    assert "(The answer starts anew.)\n" in shown.err
    events = [json.loads(line) for line in as_json.out.splitlines()]
    assert [event["text"] for event in events if event["type"] == "rewrite"] == [""]
    healing = [event["turn"]["is_healing"] for event in events if event["type"] == "turn"]
    assert True in healing
    assert healing[-1] is False
