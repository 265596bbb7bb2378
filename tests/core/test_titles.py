"""A title that the model gives: for whom, in which words, and what of its words is taken."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from couachgptd.core.conversations import Author, Conversation, ConversationKind, Message
from couachgptd.core.ids import ConversationId, MessageId, TurnId, UserId
from couachgptd.core.titles import (
    AWAY_FACTOR,
    HEAD_LENGTH,
    INSTRUCTIONS,
    Untitled,
    due,
    first_exchange,
    head,
    instruction,
    is_by_rule,
    title_by_rule,
    title_said,
)
from couachgptd.core.turns import Turn, TurnSource, TurnState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUESTION = "Comment faire une bonne pâte à crêpes pour 4 personnes ?"
ANSWER = "Pour la pâte à crêpes, mélangez **250 g de farine** et quatre œufs.\n\nPuis le lait."


def conversation(name: str = "a", title: str = QUESTION) -> Conversation:
    return Conversation(ConversationId(name), ConversationKind.CHAT, UserId(1), title, NOW, NOW)


def turn(model: str = "couac:1b", message: int = 2) -> Turn:
    return Turn(
        id=TurnId(1),
        asker_id=UserId(1),
        source=TurnSource.CHAT,
        state=TurnState.DONE,
        attempt=1,
        model=model,
        queued_at=NOW,
        message_id=MessageId(message),
    )


def untitled(name: str, model: str = "couac:1b") -> Untitled:
    return Untitled(conversation(name), turn(model), "fr")


def message(number: int, text: str, parent: int | None = None) -> Message:
    author = Author.MODEL if number % 2 == 0 else Author.PERSON
    parent_id = None if parent is None else MessageId(parent)
    name = ConversationId("a")
    return Message(MessageId(number), name, parent_id, author, None, None, text, "", NOW)


EXCHANGE = [message(1, QUESTION), message(2, ANSWER, 1)]


def taken(said: str, *, is_whole: bool = True, answer: str = ANSWER) -> str | None:
    return title_said(said, is_whole=is_whole, question=QUESTION, answer=answer)


# --- which is due --------------------------------------------------------------------------------


def chosen(*given: Untitled, idle: float, kept: str = "", model: str = "couac:1b") -> str | None:
    found = due(
        given,
        models=[model],
        kept=[ConversationId(kept)],
        idle_seconds=idle,
        least_seconds=20,
    )
    return None if found is None else found.conversation.id


def test_a_conversation_that_the_engine_still_has_is_due_after_the_idle_time() -> None:
    assert chosen(untitled("a"), untitled("b"), idle=19.9, kept="b") is None
    assert chosen(untitled("a"), untitled("b"), idle=20, kept="b") == "b"


def test_another_is_due_only_once_whoever_was_answered_last_must_have_gone() -> None:
    assert chosen(untitled("a"), idle=20 * AWAY_FACTOR - 1, kept="b") is None
    assert chosen(untitled("a"), untitled("c"), idle=20 * AWAY_FACTOR, kept="b") == "a"


def test_nothing_is_due_for_a_model_that_would_have_to_be_loaded() -> None:
    given = (untitled("a", "couac:3b"), untitled("b"))
    assert chosen(*given, idle=10_000, kept="a") == "b"
    assert chosen(*given, idle=10_000, kept="a", model="another") is None


# --- the rule ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "files", "title"),
    [
        ("# Bonjour\nle reste", [], "Bonjour"),
        ("  \n", ["facture.pdf", "autre.txt"], "facture.pdf"),
        ("", [], ""),
    ],
)
def test_the_rule_takes_the_question_or_its_first_file(
    question: str, files: list[str], title: str
) -> None:
    assert title_by_rule(question, files) == title


def test_only_the_title_that_the_first_question_gave_is_the_rules() -> None:
    assert is_by_rule(conversation(), EXCHANGE)
    assert not is_by_rule(conversation(title="Crêpes"), EXCHANGE)
    assert not is_by_rule(replace(conversation(), is_title_own=True), EXCHANGE)
    assert not is_by_rule(conversation(), [])


# --- what is asked -------------------------------------------------------------------------------


def test_the_first_exchange_of_the_answered_branch_is_what_is_named() -> None:
    more = [*EXCHANGE, message(3, "Et après ?", 2), message(4, "Cuire.", 3)]
    edited = [*more, message(5, "Et des gaufres ?"), message(6, "Aussi.", 5)]

    assert first_exchange(more, turn(message=4)) == (QUESTION, ANSWER)
    assert first_exchange(edited, turn(message=6)) == ("Et des gaufres ?", "Aussi.")
    assert first_exchange([message(1, QUESTION), message(2, "", 1)], turn()) is None


@pytest.mark.parametrize(
    ("question", "language", "asked"),
    [
        (QUESTION, "en", "fr"),
        ("What is the difference between TCP and UDP?", "fr", "en"),
        ("TCP, UDP ?", "fr", "fr"),
        ("TCP, UDP ?", "de", "en"),
    ],
)
def test_a_title_is_asked_for_in_the_language_of_the_question(
    question: str, language: str, asked: str
) -> None:
    assert instruction(question, language) == INSTRUCTIONS[asked]


def test_of_a_long_text_whole_words_from_its_beginning_are_enough() -> None:
    assert head(QUESTION) == QUESTION
    shown = head("mot " * 1000)
    assert len(shown) <= HEAD_LENGTH + 2
    assert shown.endswith("mot …")


# --- what of it is taken -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "Recette de la pâte à crêpes",
        "Recette de la pâte à crêpes.\n\nVoici pourquoi : …",
        "\n\n  Recette  de la\tpâte à crêpes",
        "« Recette de la pâte à crêpes »",
        '**Titre :** "Recette de la pâte à crêpes"',
        "# Recette de la pâte à crêpes",
        "Voici un titre pour notre conversation : **Recette de la pâte à crêpes**",
        "Recette\u202e de la\u200b pâte\x00 à crêpes",
        "Title: Recette de la pâte à crêpes",
    ],
)
def test_a_title_is_the_first_line_without_what_stands_around_it(said: str) -> None:
    assert taken(said) == "Recette de la pâte à crêpes"


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("Différence entre C et C++", "Quelle différence entre C et C++ ?"),
        ("Titre de séjour : renouvellement", "Comment faire renouveler un titre de séjour ?"),
        ("TCP vs UDP", "What are TCP and UDP?"),
        ("<script>crêpes</script>", QUESTION),
        ("料理の作り方", "作り方を教えて"),
    ],
)
def test_what_belongs_to_a_title_stays_in_it(said: str, question: str) -> None:
    assert title_said(said, is_whole=True, question=question, answer="…") == said


@pytest.mark.parametrize(
    "said",
    [
        "",
        " \n\n",
        "**",
        "???",
        "Titre :",
        "La recette des crêpes est une recette que l'on trouve dans toutes les cuisines",
        "Je suis désolé, je ne peux pas parler de crêpes",
        "I'm sorry, crêpes are beyond me",
        "Bien sûr ! Des crêpes",
        "Salut, vous allez bien ?",
        "Troubleshooting Printer Issues",
        QUESTION,
        "comment faire une bonne pate a crepes pour 4 personnes",
        "Résume le sujet de ma question en un titre de 2 à 6 mots",
        "Pour la pâte à crêpes",
    ],
)
def test_what_is_no_title_leaves_the_rules(said: str) -> None:
    assert taken(said) is None


def test_a_line_that_was_cut_is_no_title_but_one_that_was_ended_is() -> None:
    assert taken("Recette de la pâte à", is_whole=False) is None
    assert taken("Recette de la pâte à crêpes\nElle est", is_whole=False) is not None


def test_a_short_answer_said_again_is_no_title_but_a_heading_of_a_long_one_is() -> None:
    assert taken("Pâte à crêpes", answer="Pâte à crêpes.") is None
    assert taken("Pâte à crêpes", answer="# Pâte à crêpes\n\nMélangez.") == "Pâte à crêpes"
