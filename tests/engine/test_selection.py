"""The engine is the one that is configured, or Ollama where it answers, else our own."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from couachgptd import config
from couachgptd.engine.selection import open_engine, opened_engine


def configured(folder: Path, url: str, kind: Any = "auto") -> config.Config:
    return config.Config(
        engine=config.Engine(kind=kind),
        ollama=config.Ollama(url=url),
        storage=config.Storage(data_dir=str(folder)),
    )


async def test_auto_takes_ollama_where_it_answers(
    start_fake_ollama: Callable[..., Any], tmp_path: Path
) -> None:
    url = start_fake_ollama().url

    async with opened_engine(configured(tmp_path, url)) as engine:
        status = await engine.status()

    assert status.kind == "ollama"
    assert status.is_up


async def test_auto_takes_our_own_where_nothing_answers(tmp_path: Path) -> None:
    async with opened_engine(configured(tmp_path, "http://127.0.0.1:1")) as engine:
        assert (await engine.status()).kind == "embedded"


async def test_auto_does_not_wait_for_what_accepts_and_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        async with opened_engine(configured(tmp_path, url)) as engine:
            assert (await engine.status()).kind == "embedded"


async def test_a_kind_that_is_named_is_taken_even_if_it_is_down(tmp_path: Path) -> None:
    for kind in ("ollama", "llama-server"):
        engine = await open_engine(configured(tmp_path, "http://127.0.0.1:1", kind))
        status = await engine.status()
        await engine.close()

        assert status.kind == kind
        assert not status.is_up
        assert status.detail == "engine_unavailable"
