"""What administrators decide of the models, over a real store."""

import asyncio
from pathlib import Path

from couachgptd.core.model_rules import ModelRules, Options, VisibleTo
from couachgptd.services.model_rules import Rules
from couachgptd.storage.store import opened_store


async def test_two_changes_at_once_take_nothing_of_each_other_back(tmp_path: Path) -> None:
    """Else who sets a temperature would offer to all what somebody hides at that moment."""
    async with opened_store(tmp_path / "data") as store:
        rules = await Rules.recalled(store, {"answer_tokens": 1024})
        await asyncio.gather(
            rules.change("couac:1b", {"visible_to": "admins"}),
            rules.change("couac:1b", {"temperature": 0.7}),
        )

        both = ModelRules(VisibleTo.ADMINS, Options(temperature=0.7))
        assert rules.of("couac:1b") == both
        assert await store.model_rules() == {"couac:1b": both}
