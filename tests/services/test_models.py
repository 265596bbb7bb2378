"""What pages are told of the engine: what it last said, and why it says no more."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from couachgptd.core.errors import EngineRejected, EngineUnavailable, ModelMissing, NoModel
from couachgptd.core.models import Model
from couachgptd.services.models import ModelService
from couachgptd.storage.store import SqliteStore, opened_store
from tests.services.conftest import ScriptedEngine


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with opened_store(tmp_path / "data") as opened:
        yield opened


class ToldEngine(ScriptedEngine):
    """Lists what a test says."""

    def __init__(self, models: Callable[[], list[Model]]) -> None:
        super().__init__()
        self._told = models

    async def models(self) -> list[Model]:
        return self._told()


async def test_a_broken_file_is_never_the_default(store: SqliteStore) -> None:
    engine = ToldEngine(lambda: [Model("abime", is_broken=True), Model("bon")])
    models = ModelService(engine, "", store)

    assert await models.resolve(None) == "bon"


async def test_what_is_not_known_yet_is_asked_for(store: SqliteStore) -> None:
    """Right after a start, a person's first word may come before the engine's."""
    models = ModelService(ToldEngine(lambda: [Model("bon")]), "", store)

    await models.require_listed("bon")
    with pytest.raises(ModelMissing):
        await models.require_listed("absent")


async def test_broken_files_alone_are_no_model(store: SqliteStore) -> None:
    engine = ToldEngine(lambda: [Model("abime", is_broken=True)])
    models = ModelService(engine, "abime", store)

    with pytest.raises(NoModel):
        await models.resolve(None)


async def test_an_engine_that_will_not_tell_is_down_and_says_why(store: SqliteStore) -> None:
    def refuse() -> list[Model]:
        raise EngineRejected(reason="Invalid API Key")

    models = ModelService(ToldEngine(refuse), "", store)

    with pytest.raises(EngineRejected):
        await models.resolve(None)
    assert not models.status.is_up
    assert models.status.detail == "engine_rejected"


async def test_what_was_known_is_known_after_a_restart_while_the_engine_is_down(
    store: SqliteStore,
) -> None:
    def refuse() -> list[Model]:
        raise EngineUnavailable(address="x")

    await ModelService(ToldEngine(lambda: [Model("bon", size_bytes=5)]), "", store).refresh()

    models = ModelService(ToldEngine(refuse), "", store)
    await models.recall()
    await models.refresh()

    assert await models.resolve(None) == "bon"
    assert not models.status.is_up


@pytest.mark.parametrize("kept", ["", "[", "{}", "[1]", '[["a"]]'])
async def test_what_was_known_and_cannot_be_read_is_asked_for(
    store: SqliteStore, kept: str
) -> None:
    await store.set_setting("models", kept)
    models = ModelService(ToldEngine(lambda: [Model("bon")]), "", store)
    await models.recall()

    assert await models.resolve(None) == "bon"


async def test_a_model_put_aside_gets_a_new_chance_once_its_file_is_another_of_the_same_size(
    store: SqliteStore,
) -> None:
    file = Model("couac", size_bytes=5, fingerprint="old")
    engine = ToldEngine(lambda: [file])
    models = ModelService(engine, "", store)
    await models.refresh()
    models.quarantine(frozenset({"couac"}))
    await models.refresh()
    assert models.changed_quarantined() == []
    assert [each["is_quarantined"] for each in models.shapes()] == [True]

    file = Model("couac", size_bytes=5, fingerprint="new")
    await models.refresh()

    assert models.changed_quarantined() == ["couac"]


async def test_a_file_that_was_replaced_while_the_daemon_was_down_is_known_for_another(
    store: SqliteStore,
) -> None:
    file = Model("couac", size_bytes=5, fingerprint="old")
    engine = ToldEngine(lambda: [file])
    await ModelService(engine, "", store).refresh()
    file = Model("couac", size_bytes=5, fingerprint="new")
    await ModelService(engine, "", store).refresh()

    models = ModelService(engine, "", store)
    await models.recall()
    models.quarantine(frozenset({"couac"}))
    assert models.changed_quarantined() == []
    file = Model("couac", size_bytes=5, fingerprint="newest")
    await models.refresh()

    assert models.changed_quarantined() == ["couac"]
