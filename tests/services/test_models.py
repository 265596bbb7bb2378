"""What pages are told of the engine: what it last said, and why it says no more."""

from collections.abc import Callable

import pytest

from couachgptd.core.errors import EngineRejected, NoModel
from couachgptd.core.models import Model
from couachgptd.services.models import ModelService
from tests.services.conftest import ScriptedEngine


class ToldEngine(ScriptedEngine):
    """Lists what a test says."""

    def __init__(self, models: Callable[[], list[Model]]) -> None:
        super().__init__()
        self._told = models

    async def models(self) -> list[Model]:
        return self._told()


async def test_a_broken_file_is_never_the_default() -> None:
    models = ModelService(
        ToldEngine(lambda: [Model("abime", is_broken=True), Model("bon")]), default=""
    )

    assert await models.resolve(None) == "bon"


async def test_broken_files_alone_are_no_model() -> None:
    models = ModelService(ToldEngine(lambda: [Model("abime", is_broken=True)]), default="abime")

    with pytest.raises(NoModel):
        await models.resolve(None)


async def test_an_engine_that_will_not_tell_is_down_and_says_why() -> None:
    def refuse() -> list[Model]:
        raise EngineRejected(reason="Invalid API Key")

    models = ModelService(ToldEngine(refuse), default="")

    with pytest.raises(EngineRejected):
        await models.resolve(None)
    assert not models.status.is_up
    assert models.status.detail == "engine_rejected"
