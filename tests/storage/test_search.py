"""Search: what is found, of whom, and that the indexes stay whole whatever happens to the rows."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from couachgptd.core.attachments import Extracted, Received
from couachgptd.core.attachments import Kind as FileKind
from couachgptd.core.conversations import Message
from couachgptd.core.ids import MessageId
from couachgptd.core.search import Found, expression
from couachgptd.core.turns import TurnSource, TurnState
from couachgptd.core.upkeep import Kind
from couachgptd.core.users import User
from couachgptd.storage.database import FILE_NAME
from couachgptd.storage.search import INDEXES
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.tables import ConversationTable, MessageTable, proxy
from tests.storage.conftest import make_old_store
from tests.storage.test_chats import ask, ended, turn_of

TEXT_FILE = Extracted(FileKind.TEXT, "text/plain", "bonjour")


async def find(
    store: SqliteStore, user: User, text: str, before: MessageId | None = None, limit: int = 20
) -> Found:
    return await store.search(user.id, expression(text) or "", before=before, limit=limit)


async def messages(store: SqliteStore, user: User, text: str) -> list[int]:
    return [each.message_id for each in (await find(store, user, text)).messages]


async def titles(store: SqliteStore, user: User, text: str) -> list[str]:
    return [each.conversation.title for each in (await find(store, user, text)).titles]


async def require_whole(store: SqliteStore) -> None:
    """Let FTS5 compare each index, word by word, with the rows that it is about."""

    def work() -> None:
        for index in INDEXES:
            command = f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)"  # noqa: S608 -- ours
            proxy.execute_sql(command)

    await store._db.write(work)
    assert await store.upkeep(Path()).check(is_quick=True) == []


# --- what is found -------------------------------------------------------------------------------


async def test_titles_and_texts_are_found_without_their_accents_and_the_hit_is_marked(
    store: SqliteStore, claire: User
) -> None:
    conversation, question, _, _ = await ask(
        store, claire, text="Que faire\nen été à Paris ?", title="Vacances d’été"
    )

    found = await find(store, claire, "ETE")

    (title,) = found.titles
    assert title.conversation.id == conversation.id
    assert [part.text for part in title.parts if part.is_hit] == ["été"]
    (message,) = found.messages
    assert (message.conversation.id, message.message_id) == (conversation.id, question.id)
    assert [(part.text, part.is_hit) for part in message.parts] == [
        ("Que faire en ", False),
        ("été", True),
        (" à Paris ?", False),
    ]


async def test_an_answer_is_found_once_it_has_ended_and_what_was_thought_never(
    store: SqliteStore, claire: User
) -> None:
    _, _, answer, _ = await ask(store, claire)
    turn = turn_of(answer)
    await store.save_progress([(turn, "```\ninfusion()\n```", "secret")])
    assert await messages(store, claire, "infusion") == []

    await store.finish_turn(replace(turn, state=TurnState.DONE), "```\ninfusion()\n```", "secret")

    assert await messages(store, claire, "infusion") == [answer.id]
    assert await messages(store, claire, "secret") == []
    await require_whole(store)


async def test_an_answer_that_goes_on_is_found_by_all_its_words_at_its_end(
    store: SqliteStore, claire: User
) -> None:
    _, _, answer, _ = await ask(store, claire)
    await store.finish_turn(replace(turn_of(answer), state=TurnState.STOPPED), "avant", "")
    _, again = await store.add_attempt(
        user_id=claire.id, message_id=answer.id, model="m", options={}
    )
    assert await messages(store, claire, "avant") == []

    await store.finish_turn(replace(turn_of(again), state=TurnState.DONE), "avant après", "")

    assert await messages(store, claire, "apres avant") == [answer.id]
    await require_whole(store)


async def test_what_a_crash_cut_is_found_and_what_waits_still_is_not(
    store: SqliteStore, claire: User
) -> None:
    _, _, cut, _ = await ask(store, claire, "c1")
    await store.save_progress([(replace(turn_of(cut), state=TurnState.WRITING), "coupé", "")])
    await ask(store, claire, "c2", text="attend", title="x")

    await store.recover_turns()

    assert await messages(store, claire, "coupe") == [cut.id]
    await require_whole(store)


async def test_a_long_text_full_of_a_common_word_is_found_as_fast_as_any(
    store: SqliteStore, claire: User
) -> None:
    await ask(store, claire, text="la mer " * 100_000)

    async with asyncio.timeout(10):  # FTS5’s own `snippet` takes minutes, and a reader
        (message,) = (await find(store, claire, "la")).messages

    assert message.parts[0].text == "la"


async def test_nobody_finds_what_is_somebody_elses(
    store: SqliteStore, claire: User, marc: User
) -> None:
    await ended(store, (await ask(store, claire, text="Confidentiel", title="Confidentiel"))[2])

    for text in ("confidentiel", "oui", f"u{claire.id}", "confidentiel OR confidentiel"):
        assert await find(store, marc, text) == Found([], [], has_more=False)


async def test_what_lies_in_the_bin_or_was_deleted_is_not_found(
    store: SqliteStore, claire: User
) -> None:
    thrown, _, _, _ = await ask(store, claire, "c1")
    _, question, _, _ = await ask(store, claire, "c2", title="Reste")

    def delete() -> None:
        ConversationTable.update(deleted_at=datetime.now(UTC)).where(
            ConversationTable.id == thrown.id
        ).execute()
        MessageTable.update(deleted_at=datetime.now(UTC)).where(
            MessageTable.id == question.id
        ).execute()

    await store._db.write(delete)

    assert await find(store, claire, "bonjour") == Found([], [], has_more=False)
    assert await titles(store, claire, "reste") == ["Reste"]


async def test_the_newest_come_first_and_the_older_ones_on_demand(
    store: SqliteStore, claire: User
) -> None:
    asked = [(await ask(store, claire, f"c{n}"))[1].id for n in range(5)]

    first = await find(store, claire, "bonjour", limit=3)
    rest = await find(store, claire, "bonjour", before=asked[2], limit=3)

    assert [each.message_id for each in first.messages] == asked[:1:-1]
    assert [each.message_id for each in rest.messages] == asked[1::-1]
    assert (first.has_more, rest.has_more, rest.titles) == (True, False, [])


# --- names of files ------------------------------------------------------------------------------


async def files(store: SqliteStore, user: User, text: str) -> list[str]:
    found = (await find(store, user, text)).files
    return ["".join(part.text for part in each.parts) for each in found]


async def attached(store: SqliteStore, user: User, *names: str) -> Message:
    """Ask something of these files; return the question."""
    received = Received("f" * 32, 7, "0" * 64)
    ids = [(await store.add_attachment(user.id, name, received, TEXT_FILE)).id for name in names]
    _, question, _, _ = await store.add_question(
        user_id=user.id, conversation_id=None, client_id=names[0], text="?", title="?",
        parent_id=None, source=TurnSource.CHAT, model="m", options={}, attachments=ids,
    )  # fmt: skip
    return question


async def test_a_file_is_found_by_its_name_and_leads_to_its_question(
    store: SqliteStore, claire: User, marc: User
) -> None:
    question = await attached(store, claire, "Résumé_2024.pdf", "autre.txt")

    (file,) = (await find(store, claire, "resume")).files
    assert (file.message_id, file.conversation.id) == (question.id, question.conversation_id)
    assert [part.text for part in file.parts if part.is_hit] == ["Résumé"]
    assert await files(store, claire, "resume_2024.pdf") == ["Résumé_2024.pdf"]
    assert await files(store, claire, "autre.tx") == ["autre.txt"]
    for text in ("resume", "pdf", f"u{claire.id}"):
        assert await files(store, marc, text) == [], text
    await require_whole(store)


async def test_a_file_that_was_not_sent_or_went_with_its_message_is_not_found(
    store: SqliteStore, claire: User
) -> None:
    received = Received("f" * 32, 7, "0" * 64)
    await store.add_attachment(claire.id, "attente.pdf", received, TEXT_FILE)
    one = await attached(store, claire, "un.pdf")
    other = await attached(store, claire, "deux.pdf")
    kept = await attached(store, claire, "trois.pdf")
    assert await files(store, claire, "pdf") == ["trois.pdf", "deux.pdf", "un.pdf"]

    await store._db.write(lambda: MessageTable.delete().where(MessageTable.id == one.id).execute())
    await store.purge_conversation(other.conversation_id)
    assert await files(store, claire, "pdf") == ["trois.pdf"]
    await require_whole(store)

    def bin_it() -> None:
        ConversationTable.update(deleted_at=datetime.now(UTC)).where(
            ConversationTable.id == kept.conversation_id
        ).execute()

    await store._db.write(bin_it)
    assert await files(store, claire, "pdf") == []


async def test_the_files_of_a_removed_person_are_found_by_the_heir_alone(
    store: SqliteStore, claire: User, marc: User
) -> None:
    await attached(store, claire, "rapport.pdf")

    await store.remove_user(claire.id, marc.id)

    assert await files(store, marc, "rapport.pdf") == ["rapport.pdf"]
    await require_whole(store)
    await store.remove_user(marc.id, None)
    await require_whole(store)


# --- the indexes stay whole ----------------------------------------------------------------------


async def test_a_title_that_changes_is_found_by_its_new_words_only(
    store: SqliteStore, claire: User
) -> None:
    conversation, _, _, _ = await ask(store, claire)

    await store._db.write(
        lambda: (
            ConversationTable.update(title="Marmite")
            .where(ConversationTable.id == conversation.id)
            .execute()
        )
    )

    assert (await titles(store, claire, "marm"), await titles(store, claire, "bonj")) == (
        ["Marmite"],
        [],
    )
    await require_whole(store)


async def test_a_purge_and_a_cleaning_leave_nothing_behind(
    store: SqliteStore, claire: User
) -> None:
    for n in range(3):
        await ended(store, (await ask(store, claire, f"c{n}"))[2])
    conversation, _, _, _ = await ask(store, claire, "c9", text="reste")

    await store.purge_conversation(conversation.id)
    assert await messages(store, claire, "reste") == []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await store.upkeep(Path()).clean({Kind.OLD_CONVERSATIONS: tomorrow}) == {
        Kind.OLD_CONVERSATIONS: 3
    }

    assert await find(store, claire, "bonjour") == Found([], [], has_more=False)
    await require_whole(store)


async def test_deleting_a_message_takes_what_follows_it_out_of_the_index(
    store: SqliteStore, claire: User
) -> None:
    _, question, answer, _ = await ask(store, claire)
    await ended(store, answer)

    await store._db.write(
        lambda: MessageTable.delete().where(MessageTable.id == question.id).execute()
    )

    assert await messages(store, claire, "oui") == []
    await require_whole(store)


async def test_what_a_removed_person_leaves_is_found_by_the_heir_alone(
    store: SqliteStore, claire: User, marc: User
) -> None:
    _, question, answer, _ = await ask(store, claire)
    await ended(store, answer)

    await store.remove_user(claire.id, marc.id)

    assert await messages(store, marc, "bonjour") == [question.id]
    assert await titles(store, marc, "bonjour") == ["Bonjour"]
    await require_whole(store)
    await store.remove_user(marc.id, None)
    await require_whole(store)


async def test_a_store_of_before_is_searched_after_its_migration(data: Path) -> None:
    make_old_store(data / FILE_NAME, schema=3)
    with closing(sqlite3.connect(data / FILE_NAME)) as connection:
        connection.executescript("""
            INSERT INTO users VALUES (1, 'claire', 'Claire', 'x', 'member', 'active', 'fr', 0);
            INSERT INTO conversations VALUES ('c', 'chat', 1, 'Noël', 0, 0, NULL);
            INSERT INTO messages (id, conversation_id, author, text, created_at) VALUES
                (1, 'c', 'person', 'été', 0), (2, 'c', 'model', 'l’été', 0);
            INSERT INTO turns (conversation_id, message_id, source, state, attempt, model, options,
                queued_at) VALUES ('c', 2, 'chat', 'writing', 1, 'm', '{}', 0);
        """)

    async with opened_store(data) as store:
        found = await store.user_by_login("claire")
        assert found is not None
        claire = found[0]
        assert await titles(store, claire, "noel") == ["Noël"]
        assert await messages(store, claire, "ete") == [1], "the answer was being written"
        await store.recover_turns()
        assert await messages(store, claire, "ete") == [2, 1]
        await require_whole(store)


async def test_the_files_of_a_store_of_before_are_found_after_its_migration(data: Path) -> None:
    make_old_store(data / FILE_NAME, schema=17)
    with closing(sqlite3.connect(data / FILE_NAME)) as connection:
        connection.executescript("""
            INSERT INTO users (id, login, name, password_hash, role, state, language, created_at)
                VALUES (1, 'claire', 'Claire', 'x', 'member', 'active', 'fr', 0);
            INSERT INTO conversations (id, kind, owner_id, title, created_at, updated_at)
                VALUES ('c', 'chat', 1, '?', 0, 0);
            INSERT INTO messages (id, conversation_id, author, text, created_at)
                VALUES (1, 'c', 'person', '?', 0);
            INSERT INTO attachments (id, message_id, owner_id, name, media_type, size_bytes, sha256,
                created_at) VALUES ('a', 1, 1, 'Été.pdf', '', 1, '', 0),
                ('b', NULL, 1, 'attente.pdf', '', 1, '', 0);
        """)

    async with opened_store(data) as store:
        found = await store.user_by_login("claire")
        assert found is not None
        assert await files(store, found[0], "pdf") == ["Été.pdf"]
        await require_whole(store)


@pytest.mark.parametrize(
    "harm",
    [
        "INSERT INTO message_index (message_index) VALUES ('delete-all')",
        "INSERT INTO message_index (rowid, text, owner) VALUES (999, 'perdu', 'u1')",
    ],
)
async def test_a_check_tells_that_an_index_disagrees_and_a_vacuum_mends_it(
    store: SqliteStore, claire: User, harm: str
) -> None:
    _, question, _, _ = await ask(store, claire)
    await store._db.write(lambda: proxy.execute_sql(harm))
    upkeep = store.upkeep(Path())

    (complaint,) = await upkeep.check(is_quick=False)
    assert "message_index" in complaint

    await upkeep.vacuum()

    assert await messages(store, claire, "bonjour") == [question.id]
    await require_whole(store)


async def test_a_vacuum_keeps_titles_with_their_conversations(
    store: SqliteStore, claire: User
) -> None:
    asked = [await ask(store, claire, f"c{n}", title=f"Titre{n}") for n in range(3)]
    await store.purge_conversation(asked[0][0].id)

    await store.upkeep(Path()).vacuum()

    assert await titles(store, claire, "titre2") == ["Titre2"]
    await require_whole(store)
