"""The rows of attached files, and which files nobody has any more."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from couachgptd.core.attachments import AttachmentTooLarge, Extracted, Kind, Received
from couachgptd.core.ids import AttachmentId, ConversationId
from couachgptd.core.turns import TurnSource
from couachgptd.core.upkeep import Kind as Old
from couachgptd.core.users import User
from couachgptd.storage.database import FILE_NAME
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.uploads import UploadFolder
from tests.storage.conftest import make_old_store

FOUND = Extracted(Kind.TEXT, "text/plain", "bonjour")
NOW = datetime.now(UTC)


async def added(store: SqliteStore, user: User, stored: str = "f" * 32) -> AttachmentId:
    received = Received(stored, 7, "0" * 64)
    return (await store.add_attachment(user.id, "a.txt", received, FOUND)).id


async def asked(store: SqliteStore, user: User, *files: AttachmentId) -> ConversationId:
    conversation, _, _, _ = await store.add_question(
        user_id=user.id,
        conversation_id=None,
        client_id=os.urandom(8).hex(),
        text="?",
        title="?",
        parent_id=None,
        source=TurnSource.CHAT,
        model="m",
        options={},
        attachments=files,
    )
    return conversation.id


async def test_a_file_that_was_not_sent_is_old_after_a_day(
    store: SqliteStore, claire: User, tmp_path: Path
) -> None:
    await asked(store, claire, await added(store, claire, "sent"))
    await added(store, claire, "unsent")
    upkeep = store.upkeep(tmp_path)
    later = {Old.UNSENT_FILES: NOW + timedelta(days=1)}

    assert await upkeep.count_old({Old.UNSENT_FILES: NOW - timedelta(days=1)}) == {
        Old.UNSENT_FILES: 0
    }
    assert await upkeep.count_old(later) == {Old.UNSENT_FILES: 1}
    assert await upkeep.clean(later) == {Old.UNSENT_FILES: 1}
    assert await store.gone_files() == ["unsent"]
    await store.forget_gone(["unsent"])
    assert await store.gone_files() == []


async def test_a_file_is_gone_once_the_last_row_of_it_is(store: SqliteStore, claire: User) -> None:
    file = await added(store, claire, "both")
    first = await asked(store, claire, file)
    second = await asked(store, claire, file)

    await store.purge_conversation(first)
    assert await store.gone_files() == []
    await store.purge_conversation(second)
    assert await store.gone_files() == ["both"]


async def test_only_its_owner_may_read_a_file_before_it_is_sent_and_after(
    store: SqliteStore, claire: User, marc: User
) -> None:
    file = await added(store, claire)

    for _ in range(2):
        assert await store.attachment(claire.id, file) is not None
        assert await store.attachment(marc.id, file) is None
        await asked(store, claire, file)


async def test_the_files_of_older_stores_are_taken_along(data: Path) -> None:
    make_old_store(data / FILE_NAME, schema=11)

    async with opened_store(data) as store:
        assert await store.stored_files() == set()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_is_more_than_it_said_it_is_leaves_nothing(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)

    with pytest.raises(AttachmentTooLarge):
        await folder.receive(chunks(b"12", b"34"), 3)

    assert list((tmp_path / "uploads").iterdir()) == []


async def test_old_files_are_told_from_new_ones(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)
    assert await folder.names(NOW) == set()
    kept = await folder.receive(chunks(b"abc"), 3)
    os.utime(folder.path(kept.stored), (0, 0))
    await folder.receive(chunks(b"new"), 3)

    assert await folder.names(NOW - timedelta(days=1)) == {kept.stored}
