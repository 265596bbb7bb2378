"""Search through the daemon: one's own, as it is typed, and nobody else's."""

from typing import Any

from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]


async def asked(tab: Socket, text: str) -> Json:
    accepted = await tab.ask(f"[[tokens=3]] {text}")
    await tab.ended(accepted["answer"])
    return accepted


async def search(tab: Socket, text: str, before: int | None = None) -> Json:
    answer = await tab.request("conversation.search", text=text, before=before)
    assert answer["type"] == "ok", answer
    return answer


async def test_a_word_that_is_being_typed_finds_the_message_and_its_conversation(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        kept = await asked(tab, "Raconte l’été des hérissons")

        found = await search(tab, "ete heriss")

    (title,) = found["titles"]
    assert title["conversation"]["id"] == kept["conversation"]
    (message,) = found["messages"]
    assert set(message) == {"conversation", "message", "author", "created_at", "parts"}
    assert (message["conversation"]["id"], message["message"], message["author"]) == (
        kept["conversation"],
        kept["question"],
        "person",
    )
    assert [part["text"] for part in message["parts"] if part["is_hit"]] == ["été", "hérissons"]
    assert "".join(part["text"] for part in message["parts"]) == (
        "[[tokens=3]] Raconte l’été des hérissons"
    )
    assert found["has_more"] is False


async def test_nobody_finds_what_another_wrote_or_was_answered(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        await asked(tab, "Confidentiel: ornithorynque")
        assert (await search(tab, "ornithorynque"))["messages"]

    async with daemon.browser("marc") as browser, browser.ws() as tab:
        for text in ("ornithorynque", "ornith", "confidentiel OR ornithorynque", "u1", "u2", '"'):
            found = await search(tab, text)
            assert (found["titles"], found["messages"], found["has_more"]) == ([], [], False), text


async def test_more_than_one_page_is_told_and_asked_for_by_the_last_message(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        first = await asked(tab, "tortue 0")
        for number in range(1, 21):
            accepted = await tab.ask(f"[[tokens=1]] tortue {number}", first["conversation"])
            await tab.ended(accepted["answer"])

        newest = await search(tab, "tortue")
        older = await search(tab, "tortue", newest["messages"][-1]["message"])

    assert (len(newest["messages"]), newest["has_more"]) == (20, True)
    assert [each["message"] for each in older["messages"]] == [first["question"]]
    assert (older["titles"], older["has_more"]) == ([], False)
