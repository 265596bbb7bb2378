"""Thumbs up and down over the socket: every page of the person knows, and nobody else."""

from typing import Any

import pytest

from tests.http.test_exports import fetched, unpacked
from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]


async def answered(tab: Socket) -> Json:
    asked = await tab.ask("[[tokens=3]] Bonjour", model="couac:1b")
    await tab.ended(asked["answer"])
    return asked


async def rate(tab: Socket, message: int, value: int | None, word: str | None = None) -> Json:
    return await tab.request("chat.rate", message=message, value=value, word=word)


async def shown(tab: Socket, asked: Json) -> list[Any]:
    """Return the ratings that a page finds which comes to the conversation now."""
    await tab.watch(asked["conversation"])
    snapshot = await tab.next("snapshot")
    return [each["rating"] for each in snapshot["messages"]]


async def told(tab: Socket, message: int) -> Any:
    """Return what the next event says of the rating of an answer."""

    def is_it(event: Json) -> bool:
        return [each["id"] for each in event["messages"]] == [message]

    event = await tab.next("messages", where=is_it)
    return event["messages"][0]["rating"]


def counts(daemon: RunningDaemon) -> dict[str, tuple[int, int]]:
    status, found = daemon.control("GET", "/v1/ratings")
    assert (status, found["days"]) == (200, 30)
    assert all(set(each) == {"model", "up", "down"} for each in found["models"])
    return {each["model"]: (each["up"], each["down"]) for each in found["models"]}


async def test_a_thumb_and_a_word_reach_every_tab_stay_and_are_taken_back(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab, browser.ws() as other:
        asked = await answered(tab)
        answer = asked["answer"]
        before = counts(daemon).get("couac:1b", (0, 0))
        await other.watch(asked["conversation"])
        assert (await rate(tab, answer, 1))["type"] == "ok"
        assert await told(other, answer) == {"value": 1, "word": ""}
        assert (await rate(tab, answer, 1))["type"] == "ok"
        assert counts(daemon)["couac:1b"] == (before[0] + 1, before[1])

        await rate(tab, answer, -1, " Sans les\nchiffres. ")
        async with browser.ws() as later:
            kept = {"value": -1, "word": "Sans les chiffres."}
            assert await shown(later, asked) == [None, kept]
        assert counts(daemon)["couac:1b"] == (before[0], before[1] + 1)

        await rate(tab, answer, None)
        assert await told(other, answer) == {"value": 1, "word": ""}  # of the press before
        assert await told(other, answer) == {"value": -1, "word": "Sans les chiffres."}
        assert await told(other, answer) is None
        assert counts(daemon).get("couac:1b", (0, 0)) == before


@pytest.mark.parametrize(
    ("message", "fields", "code"),
    [
        ("question", {"value": 1}, "not_found"),
        ("answer", {"value": 0}, "bad_request"),
        ("answer", {"value": "up"}, "bad_request"),
        ("answer", {"value": 1, "word": "x" * 501}, "bad_request"),
        ("answer", {"value": 1, "word": 7}, "bad_request"),
    ],
)
async def test_what_is_no_rating_is_refused_and_changes_nothing(
    daemon: RunningDaemon, message: str, fields: Json, code: str
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await answered(tab)
        await rate(tab, asked["answer"], 1, "bien")
        refused = await tab.request("chat.rate", message=asked[message], **fields)

        assert refused["code"] == code
        async with browser.ws() as later:
            assert await shown(later, asked) == [None, {"value": 1, "word": "bien"}]


async def test_an_answer_that_is_being_written_is_not_rated(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab, browser.ws() as other:
        asked = await tab.ask("[[rate=40 tokens=100000]] Bonjour")
        await other.watch(asked["conversation"])
        writing = await tab.until("writing", asked["answer"])

        assert (await rate(tab, asked["answer"], 1))["code"] == "turn_running"
        await tab.request("chat.stop", turn=writing["turn"]["id"])
        await other.ended(asked["answer"])
        assert (await rate(tab, asked["answer"], 1))["type"] == "ok"


async def test_a_share_tells_no_rating_and_is_not_rated(daemon: RunningDaemon) -> None:
    async with (
        daemon.browser("claire") as hers,
        hers.ws() as tab,
        daemon.browser("marc") as his,
        his.ws() as other,
    ):
        asked = await answered(tab)
        await rate(tab, asked["answer"], -1, "secret")
        added = await tab.request(
            "share.add", conversation=asked["conversation"], login="marc", leaf=None
        )
        _, _, content = await fetched(his, f"/s/{added['share']['id']}/content")

        assert "secret" not in content.decode()
        assert (await rate(other, asked["answer"], 1))["code"] == "not_found"
        forked = await other.request("share.fork", share=added["share"]["id"])
        assert await shown(other, {"conversation": forked["conversation"]["id"]}) == [None, None]


async def test_everything_of_a_person_has_their_ratings_and_an_export_of_one_has_none(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("pia") as browser, browser.ws() as tab:
        asked = await answered(tab)
        await rate(tab, asked["answer"], -1, "inventé")
        _, _, everything = await fetched(browser, "/export/everything")
        _, _, one = await fetched(browser, f"/c/{asked['conversation']}/export/json")

        (rating,) = unpacked(everything)["ratings"]
        assert rating["at"].endswith("Z")
        del rating["at"]
        assert rating == {
            "conversation": asked["conversation"],
            "message": asked["answer"],
            "value": -1,
            "word": "inventé",
            "model": "couac:1b",
        }
        assert "inventé" not in one.decode()


async def test_a_rating_goes_with_its_conversation_out_of_the_count(daemon: RunningDaemon) -> None:
    async with daemon.browser("marc") as browser, browser.ws() as tab:
        asked = await answered(tab)
        before = counts(daemon).get("couac:1b", (0, 0))
        await rate(tab, asked["answer"], 1)
        await tab.request("conversation.delete", conversation=asked["conversation"])
        assert counts(daemon)["couac:1b"] == (before[0] + 1, before[1])
        await tab.request("conversation.purge", conversation=asked["conversation"])

        assert counts(daemon).get("couac:1b", (0, 0)) == before


def test_how_far_back_it_is_counted_has_bounds(daemon: RunningDaemon) -> None:
    for days in ("0", "-1", "3651", "x"):
        assert daemon.control("GET", f"/v1/ratings?days={days}")[0] == 400
    assert daemon.control("GET", "/v1/ratings?days=3650")[1]["days"] == 3650
