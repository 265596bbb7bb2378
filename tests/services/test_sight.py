"""What the watchdog is shown of our own attempts."""

from couachgptd.core.budgets import Limits, Rates
from couachgptd.core.models import Model
from couachgptd.core.snapshots import Attempt
from couachgptd.core.vitals import Abilities, Life, Process, Vitals
from couachgptd.services.sight import Sight
from tests.services.conftest import House

RUNNING = Vitals(at=1.0, process=Process(Life.RUNNING))


def attempts_seen(house: House) -> tuple[Attempt, ...]:
    sight = Sight(house.runner.attempts, Abilities(), house.models.size_of)
    shown = sight.snapshot(
        RUNNING, late_seconds=0.0, is_acted_on=False, is_maintenance=False, is_stopped=False
    )
    return shown.attempts


async def test_a_first_load_is_given_the_time_that_its_file_takes_to_be_read(house: House) -> None:
    async def listed() -> list[Model]:
        return [Model("couac:3b", size_bytes=5_000_000_000)]

    house.engine.models = listed  # type: ignore[method-assign]
    await house.ask(model="couac:3b")
    await house.engine.call(0)

    (attempt,) = attempts_seen(house)

    assert Rates().load(attempt.model_bytes, Limits()).soft == 60 + 100
