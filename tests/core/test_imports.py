"""Files of conversations from elsewhere: each becomes one whole tree, or says why not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from couachgptd.core.elements import ImportBroken, elements, parsed
from couachgptd.core.import_trees import Imported, Skipped
from couachgptd.core.imports import ImportTooNew, check_head, imported

SAMPLES = Path(__file__).parents[1] / "fixtures" / "imports"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text(encoding="utf-8")


def apart(text: str, size: int = 7, max_length: int = 10**6) -> list[tuple[Any, str | None]]:
    chunks: Iterator[str] = (text[at : at + size] for at in range(0, len(text), size))
    return list(elements(chunks, max_length=max_length))


def read(text: str) -> list[Imported]:
    found = []
    for head, element in apart(text, 4096):
        assert element is not None
        found.append(imported(head, parsed(element), NOW))
    return found


def values(text: str) -> list[Any]:
    return [parsed(element or "") for _, element in apart(text, 64)]


def shape(found: Imported) -> list[tuple[int | None, str, str]]:
    return [(each.parent, each.author.value, each.text) for each in found.messages]


# --- apart ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("name", ["chatgpt", "open-webui", "couachgpt"])
def test_a_file_is_taken_apart_alike_however_it_comes(name: str, size: int) -> None:
    whole = json.loads(sample(name))
    expected = whole["conversations"] if isinstance(whole, dict) else whole

    found = [json.loads(text or "") for _, text in apart(sample(name), size)]

    assert found == expected


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_brackets_and_quotes_in_strings_are_no_structure(size: int) -> None:
    values = [{"a": 'x]}{"[\\" \\\\'}, {"\\": ["\\\\\\", {"b": '"'}]}, {}]

    found = apart(json.dumps(values), size)

    assert [json.loads(text or "") for _, text in found] == values


def test_what_is_too_long_is_left_out_and_the_rest_is_found() -> None:
    text = json.dumps([{"a": 1}, {"b": ["x" * 500, {"c": "]"}]}, {"d": 2}])

    assert [found for _, found in apart(text, 10, max_length=100)] == ['{"a": 1}', None, '{"d": 2}']


@pytest.mark.parametrize("name", ["chatgpt", "open-webui", "couachgpt"])
def test_a_file_cut_anywhere_is_broken(name: str) -> None:
    text = sample(name).rstrip().removesuffix("}") if name == "couachgpt" else sample(name).rstrip()
    for length in range(0, len(text) - 1, 97):
        with pytest.raises(ImportBroken):
            values(text[:length])


@pytest.mark.parametrize(
    "text",
    ["", " ", "hello", "PK\x03\x04", "1", "null", '"x"', "<html>", "[", "{", "[{]", '[{"a":}]'],
)
def test_what_is_not_json_of_objects_is_broken(text: str) -> None:
    with pytest.raises(ImportBroken):
        values(text)


def test_what_is_nested_without_end_is_broken_and_not_a_fault() -> None:
    seen: list[str] = []

    def endless() -> Iterator[str]:
        for _ in range(1000):
            seen.append("[" * 4096)
            yield seen[-1]

    with pytest.raises(ImportBroken):
        list(elements(endless(), max_length=10**6))
    assert len(seen) < 100
    with pytest.raises(ImportBroken):
        parsed("[" * 200_000 + "]" * 200_000)


def test_what_is_made_of_too_many_things_is_left_out_and_the_rest_is_found() -> None:
    many = "[" + "[]," * 200_000 + "[]]"

    assert [found for _, found in apart(f"[{many},[1]]", 4096)] == [None, "[1]"]


def test_a_later_version_of_ours_is_refused() -> None:
    for version in (2, "1", None, True):
        ((head, _),) = apart(
            sample("couachgpt").replace('"version":1', f'"version":{json.dumps(version)}')
        )
        with pytest.raises(ImportTooNew):
            check_head(head)


# --- each kind ------------------------------------------------------------------------------------


def test_ours_comes_back_as_it_left() -> None:
    (found,) = read(sample("couachgpt"))

    assert shape(found) == [
        (None, "person", "Où dort le hérisson ?"),
        (0, "model", "Sous les feuilles."),
        (0, "model", "Sous la haie."),
        (1, "person", "Et l’hiver ?"),
    ]
    assert found.messages[1].thinking == "Il est petit."
    assert found.messages[1].model == "small:1b"
    assert (found.own_id, found.is_pinned, found.is_title_own) == ("AAAABBBBCCCCDDDD", True, True)
    assert found.created_at == datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 2, 2, 8, 30, tzinfo=UTC)


def test_chatgpts_comes_with_its_branches_and_without_its_machinery() -> None:
    (head, text), (_, empty) = apart(sample("chatgpt"), 4096)
    found = imported(head, json.loads(text or ""), NOW)

    assert shape(found) == [
        (None, "person", "Combien de temps pour un œuf dur ?"),
        (0, "model", "Dix minutes."),
        (1, "person", "[…]\n\nEt celui-ci ?"),
        # The branch that was shown comes last, its steps are one answer.
        (0, "model", "**Neuf minutes** dans l’eau bouillante."),
    ]
    assert found.messages[3].thinking == "Un œuf dur prend neuf minutes."
    assert [each.model for each in found.messages] == [None, "gpt-4o", None, "o3"]
    assert found.messages[1].at == datetime(2023, 11, 14, 22, 13, 22, tzinfo=UTC)
    assert (found.title, found.files) == ("Cuire un œuf", 1)
    with pytest.raises(Skipped, match="empty") as skipped:
        imported(head, json.loads(empty or ""), NOW)
    assert skipped.value.title == "Vide"


def test_open_webuis_comes_with_its_branches_and_what_was_thought() -> None:
    (found,) = read(sample("open-webui"))

    assert shape(found) == [
        (None, "person", "À quelle heure est la marée haute ?"),
        (0, "model", "À 11 h 42."),
        (0, "model", "Je ne sais pas."),
        (1, "person", "[…]"),
    ]
    assert found.messages[1].thinking == "La lune.\nLe port."
    assert (found.is_archived, found.files) == (True, 1)
    assert found.created_at == datetime(2024, 3, 9, 16, 0, tzinfo=UTC)


def test_one_chat_of_open_webui_alone_and_one_of_chatgpt_alone_are_files_too() -> None:
    for name in ("chatgpt", "open-webui"):
        one = json.loads(sample(name))[0]
        assert shape(read(json.dumps(one))[0]) == shape(read(json.dumps([one]))[0])


def test_the_same_conversation_has_the_same_origin_until_it_goes_on() -> None:
    before, again = read(sample("open-webui"))[0], read(sample("open-webui"))[0]
    (after,) = read(sample("open-webui").replace("11 h 42", "11 h 43"))
    (renamed,) = read(sample("open-webui").replace("Marée haute", "Marée"))

    assert before.origin == again.origin == renamed.origin
    assert before.origin != after.origin


# --- trees that are none --------------------------------------------------------------------------


def ours(*messages: dict[str, Any]) -> Imported:
    head = {"format": "couachgpt.conversations", "version": 1}
    return imported(head, {"messages": [{"author": "person", **each} for each in messages]}, NOW)


def test_a_circle_is_cut_and_nothing_of_it_is_lost() -> None:
    found = ours(
        {"id": 1, "parent": 2, "text": "a"},
        {"id": 2, "parent": 1, "text": "b"},
        {"id": 3, "parent": 3, "text": "c"},
        {"id": 4, "parent": 99, "text": "d"},
    )

    assert sorted(each.text for each in found.messages) == ["a", "b", "c", "d"]
    assert [each.parent for each in found.messages].count(None) == 3


def test_a_long_chain_and_a_long_chain_of_nothing_are_no_fault() -> None:
    chain = [{"id": number, "parent": number - 1, "text": "x"} for number in range(1, 5001)]
    assert len(ours(*chain).messages) == 5000
    joints = [{"id": number, "parent": number - 1, "text": ""} for number in range(1, 5000)]
    leaves = [{"id": number, "parent": 4999, "text": "x"} for number in range(5000, 9999)]
    assert len(ours(*joints, *leaves).messages) == 4999
    with pytest.raises(Skipped, match="too_large"):
        ours(*({"id": number, "text": "x"} for number in range(10_001)))


ODD: list[Any] = [
    None, True, -1, 1.5, 10**400, float("nan"), float("inf"), "", "x", "\0\ud800", [], [1], {},
    {"a": {}}, "9" * 400, -(2**70),
]  # fmt: skip


def spoiled(item: Any, value: Any) -> Iterator[Any]:
    """Yield an object with one thing in it after the other replaced by a value."""
    if isinstance(item, dict):
        for key, inner in item.items():
            yield {**item, key: value}
            yield from ({**item, key: other} for other in spoiled(inner, value))
    elif isinstance(item, list):
        for at, inner in enumerate(item):
            yield from ([*item[:at], other, *item[at + 1 :]] for other in spoiled(inner, value))


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_values_of_any_kind_anywhere_are_no_fault(value: Any) -> None:
    for name in ("chatgpt", "open-webui", "couachgpt"):
        whole = json.loads(sample(name))
        head = whole if isinstance(whole, dict) else {}
        one = (whole["conversations"] if head else whole)[0]
        for each in (value, *spoiled(one, value)):
            try:
                found = imported(head, each, NOW)
            except Skipped:
                continue
            assert found.title.encode()
            for at, message in enumerate(found.messages):
                assert message.parent is None or message.parent < at
                assert message.text.encode() or message.thinking.encode()
