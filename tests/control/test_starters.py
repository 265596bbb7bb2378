"""Starter models by the control socket: from a publisher's site into the real daemon's folder."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from couachgptd.core.starters import Starter
from tests.ctl.shop import MODEL, Desk, Shop, opened_shop
from tests.ctl.terminal import run
from tests.daemon_fixtures import MakeDaemon, daemon, make_daemon, ollama, shared_ollama
from tests.running_daemon import RunningDaemon

__all__ = ["daemon", "make_daemon", "ollama", "shared_ollama"]
Json = dict[str, Any]
FETCH = "/v1/starters/tiny/fetch"


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with opened_shop() as shop:
        yield shop


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def embedded(make_daemon: MakeDaemon, desk: Desk, shop: Shop) -> RunningDaemon:
    desk.offer(shop.url)
    return make_daemon(
        "engine.kind=embedded",
        f"embedded.models_dir={desk.models}",
        f"embedded.catalogue={desk.catalogue}",
    ).start()


class Caller:
    """Calls the socket from the loop on which the shop serves, too."""

    def __init__(self, daemon: RunningDaemon) -> None:
        self.session = aiohttp.ClientSession(
            "http://couachgptd", connector=aiohttp.UnixConnector(str(daemon.socket))
        )

    async def get(self, path: str) -> Json:
        async with self.session.get(path) as response:
            answer: Json = await response.json()
            return answer

    async def fetch(self, path: str = FETCH) -> tuple[int, list[Json]]:
        async with self.session.post(path) as response:
            text = await response.text()
            return response.status, [json.loads(line) for line in text.splitlines()]

    async def last_audited(self) -> Json:
        entry: Json = (await self.get("/v1/audit?limit=1"))["entries"][0]
        return entry


@pytest.fixture
async def caller(embedded: RunningDaemon) -> AsyncIterator[Caller]:
    caller = Caller(embedded)
    async with caller.session:
        yield caller


async def test_a_starter_model_is_listed_fetched_and_there(
    caller: Caller, desk: Desk, shop: Shop
) -> None:
    before = (await caller.get("/v1/starters"))["starters"]
    status, events = await caller.fetch()
    after = (await caller.get("/v1/starters"))["starters"]

    assert before == [
        {
            "name": "tiny",
            "title": "Tiny",
            "licence": "MIT",
            "languages": [],
            "size_bytes": len(MODEL),
            "is_there": False,
            "why_not": None,
        }
    ]
    assert status == 200
    assert events[0]["stage"] == shop.url
    assert events[-2]["bytes"] == events[-2]["total_bytes"] == len(MODEL)
    assert events[-1] == {"type": "done"}
    assert desk.target.read_bytes() == MODEL
    assert after[0]["is_there"] is True
    assert [each["name"] for each in (await caller.get("/v1/models"))["models"]] == ["tiny"]
    entry = await caller.last_audited()
    assert (entry["verb"], entry["detail"]) == ("model.fetch", {"starter": "tiny"})


async def test_who_leaves_ends_it_and_keeps_what_came_one_at_a_time(
    caller: Caller, desk: Desk, shop: Shop, embedded: RunningDaemon
) -> None:
    shop.pause_seconds = 0.1
    async with caller.session.post(FETCH) as response:
        while json.loads(await response.content.readline())["bytes"] < 300_000:
            pass
        second, refusal = await caller.fetch()
    await children_end(embedded.pid)
    kept = desk.part.stat().st_size
    shop.pause_seconds = 0
    _status, events = await caller.fetch()

    assert (second, refusal[0]["error"]["code"]) == (400, "fetch_running")
    assert 300_000 <= kept < len(MODEL)
    assert shop.ranges == [None, f"bytes={kept}-"]
    assert events[-1] == {"type": "done"}
    entries = (await caller.get("/v1/audit?limit=3"))["entries"]
    assert [each["detail"].get("error") for each in entries] == [None, "cut", "fetch_running"]


async def children_end(pid: int) -> None:
    for _ in range(200):
        if not any("fetch" in child.cmdline() for child in psutil.Process(pid).children()):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the download goes on")


async def test_another_file_than_the_catalogues_is_not_kept(
    caller: Caller, desk: Desk, shop: Shop
) -> None:
    shop.content = MODEL[:-1] + b"?"

    status, events = await caller.fetch()

    assert (status, events[-1]["type"], events[-1]["error"]["code"]) == (200, "error", "hash_wrong")
    assert desk.left_over() == []
    assert (await caller.last_audited())["detail"]["error"] == "hash_wrong"


async def test_what_cannot_be_is_refused_before_anything_comes(
    caller: Caller, desk: Desk, shop: Shop
) -> None:
    unknown = await caller.fetch("/v1/starters/--help/fetch")
    desk.offer(shop.url, size=10**16)
    large = await caller.fetch()
    desk.catalogue.write_text("[[models]")
    wrong = await caller.fetch()

    assert unknown[1] == [{"error": {"code": "starter_unavailable", "fields": {"name": "--help"}}}]
    assert large[1][0]["error"]["code"] == "disk_full"
    assert large[1][0]["error"]["fields"]["needed_bytes"] > 10**16
    assert wrong[1][0]["error"]["code"] == "config_invalid"
    assert {unknown[0], large[0], wrong[0]} == {400}
    assert shop.ranges == []


async def test_the_command_line_has_the_daemon_do_it(
    embedded: RunningDaemon, desk: Desk, shop: Shop
) -> None:
    words = ("model", "fetch", "qwen2.5-coder-0.5b", "--socket", str(embedded.socket))
    refused = await run(*words)
    fetched = await run(*(word.replace("qwen2.5-coder-0.5b", "tiny") for word in words))

    assert refused.code == 1
    assert "no starter model qwen2.5-coder-0.5b" in refused.err
    assert (fetched.code, fetched.out) == (0, "tiny is there.\n")
    assert shop.url in fetched.err
    assert desk.target.read_bytes() == MODEL
    assert desk.target.stat().st_uid == os.geteuid()


async def test_a_daemon_that_dies_in_the_middle_has_not_fetched_it(
    embedded: RunningDaemon, desk: Desk, shop: Shop
) -> None:
    shop.pause_seconds = 0.1
    fetch = asyncio.create_task(run("model", "fetch", "tiny", "--socket", str(embedded.socket)))
    for _ in range(200):
        if desk.part.exists() and desk.part.stat().st_size:
            break
        await asyncio.sleep(0.05)
    helpers = psutil.Process(embedded.pid).children(recursive=True)
    embedded.kill()
    for each in helpers:  # as systemd ends what is left in the service's group
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    cut = await fetch

    assert (cut.code, cut.out) == (1, "")
    assert "was cut" in cut.err
    assert not desk.target.exists()


def test_ollama_pulls_its_own_file_of_it(daemon: RunningDaemon) -> None:
    status, answer = daemon.control("GET", "/v1/starters")

    assert status == 200
    assert {each["why_not"] for each in answer["starters"]} == {None}
    assert {each["size_bytes"] for each in answer["starters"]} == {None}


def test_an_engine_elsewhere_and_an_ollama_that_has_it_not_are_said() -> None:
    starter = Starter("tiny", "Tiny", "MIT", (), 1, "tiny.gguf", ollama="")

    assert starter.why_not("llama-server") == "elsewhere"
    assert starter.why_not("ollama") == "not_in_ollama"
    assert starter.why_not("embedded") is None
