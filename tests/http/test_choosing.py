"""What is chosen for a conversation is kept with it, sent to the engine, and seen afterwards."""

import asyncio
from typing import Any

from tests.conftest import FakeOllama
from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]
THINKER = "couac-pense:1b"
CHOSEN = {
    "model": THINKER,
    "system_prompt": "Réponds en vers.",
    "temperature": 1.5,
    "answer_tokens": 9,
    "exchanges": 1,
    "think": False,
}
NOTHING: Json = dict.fromkeys(CHOSEN)


async def answered(tab: Socket, text: str, *conversation: str, **fields: Any) -> Json:
    """Ask, wait for the end, and return what was accepted, with the turn."""
    asked = await tab.ask(f"[[tokens=3]] {text}", *conversation, **fields)
    return {**asked, "turn": await tab.ended(asked["answer"])}


async def facts_of(tab: Socket) -> Json:
    return {each["name"]: each for each in (await tab.request("model.facts"))["facts"]}


async def test_what_is_chosen_is_what_the_engine_is_sent_until_something_else_is(
    fresh: RunningDaemon, ollama: FakeOllama
) -> None:
    async with fresh.browser("claire") as browser, browser.ws() as tab:
        first = await answered(tab, "un", choices=CHOSEN)
        sent = (await ollama.state())["last_body"]
        here = first["conversation"]
        again = await tab.request("chat.regenerate", message=first["answer"], model=None)
        await tab.ended(again["answer"])
        regenerated = (await ollama.state())["last_body"]
        fresh.restart()
    async with fresh.browser("claire") as browser, browser.ws() as tab, browser.ws() as other:
        kept = await tab.request("conversation.choices", conversation=here)
        changed = {**NOTHING, "model": "couac:1b", "think": True}
        await tab.request("conversation.choose", conversation=here, choices=changed)
        told = await other.next("choices")
        second = await answered(tab, "deux", here)
        after = (await ollama.state())["last_body"]

    assert sent["model"] == THINKER
    assert sent["messages"][0] == {"role": "system", "content": "Réponds en vers."}
    assert (sent["options"]["temperature"], sent["options"]["num_predict"]) == (1.5, 9)
    assert sent["think"] is False
    assert regenerated == sent
    assert kept["choices"] == CHOSEN
    assert told["choices"] == changed
    assert first["turn"]["options"] == {
        "temperature": 1.5,
        "top_p": None,
        "answer_tokens": 9,
        "exchanges": 1,
        "think": False,
        "has_own_prompt": True,
    }
    assert after["model"] == "couac:1b"
    assert "en vers" not in after["messages"][0]["content"]
    assert "think" not in after, "this one cannot think, and a real Ollama refuses the word"
    assert second["turn"]["options"]["temperature"] == 0.2


async def test_the_window_is_as_wide_as_chosen_and_its_beginning_is_told(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        asked = [await answered(tab, "0", choices={"exchanges": 1})]
        here = asked[0]["conversation"]
        asked += [await answered(tab, str(number), here) for number in range(1, 5)]
        preview = await tab.request("chat.preview", conversation=here, parent=None, choices=None)
        wide = {**NOTHING, "exchanges": 0}
        await tab.request("conversation.choose", conversation=here, choices=wide)
        all_of_it = await tab.request("chat.preview", conversation=here, parent=None, choices=None)
        new = await tab.request("chat.preview", conversation=None, parent=None, choices=None)

    sent = [each["turn"]["sent"] for each in asked]
    assert [each["exchanges"] for each in sent] == [0, 1, 2, 1, 2]
    assert [each["first"] for each in sent] == [asked[n]["question"] for n in (0, 0, 0, 2, 2)]
    assert sent[1]["tokens"] > sent[0]["tokens"]
    assert {each["limit_tokens"] for each in sent} == {4096}
    assert (preview["exchanges"], preview["first"]) == (1, asked[4]["question"])
    assert (all_of_it["exchanges"], all_of_it["first"]) == (5, asked[0]["question"])
    assert (new["exchanges"], new["first"]) == (0, None)
    assert 0 < new["tokens"] < all_of_it["tokens"] < all_of_it["limit_tokens"]


async def test_what_is_out_of_bounds_or_anothers_changes_nothing(
    site: RunningDaemon, someone: str, another: str
) -> None:
    async with (
        site.browser(someone) as browser,
        browser.ws() as tab,
        site.browser(another) as theirs,
        theirs.ws() as stranger,
    ):
        here = (await answered(tab, "un", choices={"exchanges": 2}))["conversation"]
        hot = {"temperature": 3}
        refused = [
            await tab.request("conversation.choose", conversation=here, choices=hot),
            await tab.request("conversation.choose", conversation=here, choices={"think": 1}),
            await tab.request("chat.preview", conversation=None, choices=hot),
            await stranger.request("conversation.choose", conversation=here, choices={}),
            await stranger.request("conversation.choices", conversation=here),
            await stranger.request("chat.preview", conversation=here, parent=None, choices=None),
        ]
        long = {"system_prompt": "🦆" * 8000}
        asked = {"conversation": None, "client_id": "long", "parent": None, "model": None}
        too_long = await tab.request("chat.ask", **asked, text="x", choices=long)
        after = await tab.request("conversation.choices", conversation=here)

    assert [each["code"] for each in refused] == [
        "option_invalid", "bad_request", "option_invalid", "not_found", "not_found", "not_found",
    ]  # fmt: skip
    assert after["choices"] == {**NOTHING, "exchanges": 2}
    assert too_long["type"] == "error"
    assert too_long["code"] == "system_prompt_too_long"


async def test_a_model_tells_what_it_costs_here_and_nothing_that_was_not_measured(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        models = {each["name"]: each for each in (await tab.request("model.list"))["models"]}
        await tab.ask("[[tokens=20]] Bonjour", model="couac:3b")
        await tab.next("turn", where=lambda event: event["turn"]["state"] == "done")
        async with asyncio.timeout(20):  # the watchdog takes it in at its next look
            while not (facts := await facts_of(tab))["couac:3b"]["tokens_per_second"]:  # noqa: ASYNC110 -- no event tells it
                await asyncio.sleep(0.2)

    assert models[THINKER]["abilities"] == ["completion", "thinking"]
    assert models["couac:1b"]["abilities"] == ["completion"]
    assert facts["couac:3b"]["memory_bytes"] > models["couac:3b"]["size_bytes"]
    assert facts["couac:3b"]["fit"] in {"fits", "tight", "does_not_fit"}
    assert facts["couac:3b"]["tokens_per_second"] > 0
    assert facts["couac:1b"]["tokens_per_second"] is None
    assert facts["couac:1b"]["load_seconds"] is None
    assert (facts["couac:3b"]["temperature"], facts["couac:3b"]["exchanges"]) == (0.2, 5)
