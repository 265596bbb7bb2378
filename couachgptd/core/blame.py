"""Which turns and models were there when the engine died or hung, and which are quarantined."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from couachgptd.core.budgets import Limits
from couachgptd.core.ids import TurnId

TURNS_KEPT = 256
MODELS_KEPT = 64


@dataclass(frozen=True, slots=True)
class FailedLoads:
    """Loads of one model since its last good one: how many failed, and how many hung."""

    failed: int = 0
    hung: int = 0

    def are_too_many(self, limits: Limits) -> bool:
        return self.failed >= limits.model_failed_loads or self.hung >= limits.model_hung_loads


@dataclass(frozen=True, slots=True)
class Blame:
    """`strikes` are kills and hangs by turn; `models` are the quarantined ones."""

    strikes: Mapping[TurnId, int] = field(default_factory=dict)
    loads: Mapping[str, FailedLoads] = field(default_factory=dict)
    models: frozenset[str] = frozenset()

    @property
    def suspects(self) -> frozenset[TurnId]:
        """Turns that must run alone, so that the next kill or hang shows which one it is."""
        return frozenset(self.strikes)

    def struck(self, turn: TurnId) -> Self:
        others = [(each, count) for each, count in self.strikes.items() if each != turn]
        counted = [*others, (turn, self.strikes.get(turn, 0) + 1)]
        return replace(self, strikes=dict(counted[-TURNS_KEPT:]))

    def cleared(self, turn: TurnId) -> Self:
        return replace(self, strikes={k: v for k, v in self.strikes.items() if k != turn})

    def load_failed(self, model: str) -> Self:
        loads = self.loads.get(model, FailedLoads())
        return self._with(model, replace(loads, failed=loads.failed + 1))

    def load_hung(self, model: str) -> Self:
        loads = self.loads.get(model, FailedLoads())
        return self._with(model, replace(loads, hung=loads.hung + 1))

    def quarantined(self, model: str) -> Self:
        return replace(self, models=self.models | {model})

    def loaded(self, model: str) -> Self:
        """Forget the bad loads of a model that was loaded, or whose file changed."""
        if model not in self.loads and model not in self.models:
            return self
        loads = {name: each for name, each in self.loads.items() if name != model}
        return replace(self, loads=loads, models=self.models - {model})

    def _with(self, model: str, loads: FailedLoads) -> Self:
        others = [(name, each) for name, each in self.loads.items() if name != model]
        return replace(self, loads=dict([*others, (model, loads)][-MODELS_KEPT:]))

    def document(self) -> dict[str, Any]:
        return {
            "strikes": {str(turn): count for turn, count in self.strikes.items()},
            "loads": {model: [each.failed, each.hung] for model, each in self.loads.items()},
            "models": sorted(self.models),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            strikes={TurnId(int(turn)): count for turn, count in document["strikes"].items()},
            loads={model: FailedLoads(*each) for model, each in document["loads"].items()},
            models=frozenset(document["models"]),
        )
