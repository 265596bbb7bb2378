"""The rules of each model, known at once: every question asks for them."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

from couachgptd.core.model_rules import ModelRules, changed
from couachgptd.core.ports import Store
from couachgptd.core.wire import Json


class Rules:
    """`defaults` are what the options are where nobody decided; None is the engine's own.

    A model whose file goes keeps its rules: one that is fetched again must not show itself to all.
    """

    def __init__(
        self, store: Store, rules: dict[str, ModelRules], defaults: Mapping[str, float | None]
    ) -> None:
        self._store = store
        self._rules = rules
        self._changing = asyncio.Lock()
        self.defaults = defaults

    @classmethod
    async def recalled(cls, store: Store, defaults: Mapping[str, float | None]) -> Self:
        return cls(store, await store.model_rules(), defaults)

    def of(self, model: str) -> ModelRules:
        return self._rules.get(model, ModelRules())

    def context_tokens(self, model: str) -> int | None:
        """Return the context that was chosen for a model, None where the server's stands."""
        return self.of(model).options.context_tokens

    def shape(self, model: str) -> Json:
        rules = self.of(model)
        return {"visible_to": rules.visible_to.value, "options": asdict(rules.options)}

    async def change(self, model: str, changes: Mapping[str, Any]) -> None:
        """Raises BadRequest, OptionInvalid; see `core.model_rules.changed`."""
        most = int(self.defaults["answer_tokens"] or 0)
        async with self._changing:  # else the later of two would take back what the other changed
            rules = changed(self.of(model), changes, most_answer_tokens=most)
            await self._store.set_model_rules(model, rules)
            self._rules[model] = rules
