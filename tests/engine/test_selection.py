"""The engine is the one that is configured, or Ollama where it answers, else our own."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from couachgptd import settings
from couachgptd.core.vitals import Abilities
from couachgptd.engine.selection import open_engine, opened_control, opened_engine
from tests.conftest import ROOT


def configured(folder: Path, url: str, kind: Any = "auto") -> settings.Config:
    return settings.Config(
        engine=settings.Engine(kind=kind),
        ollama=settings.Ollama(url=url),
        storage=settings.Storage(data_dir=str(folder)),
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


@pytest.mark.parametrize(
    ("kind", "abilities"),
    [
        ("embedded", Abilities(can_unload=True, can_restart=True, can_meter=True)),
        ("ollama", Abilities(can_unload=True, can_restart=False, can_meter=False)),
        ("llama-server", Abilities(can_unload=False, can_restart=False, can_meter=False)),
    ],
)
async def test_what_can_be_done_to_an_engine_follows_from_where_it_runs(
    tmp_path: Path, kind: str, abilities: Abilities
) -> None:
    # Not a loopback address, so that a unit on the machine of the tests makes no difference.
    set_up = configured(tmp_path, "http://192.0.2.1:11434", kind)

    async with opened_engine(set_up) as engine, opened_control(set_up, engine) as control:
        assert control.abilities == abilities


async def test_an_ollama_here_with_a_unit_is_its_units(
    start_fake_ollama: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "systemctl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/fake_systemctl.py "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("FAKE_SYSTEMD", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    set_up = configured(tmp_path, start_fake_ollama().url)

    async with opened_engine(set_up) as engine, opened_control(set_up, engine) as control:
        seen = await control.vitals()

    assert control.abilities.can_restart
    assert seen.unit is not None
    assert seen.liveness is not None
    assert seen.liveness.is_ok
