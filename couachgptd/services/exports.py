"""The verbs of taking conversations away: one or all, as JSON or Markdown, bit by bit."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from couachgptd.core import portable
from couachgptd.core.attachments import Attachment, Uploads
from couachgptd.core.conversations import Conversation
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId, FolderId, MessageId
from couachgptd.core.portable import Form, Members, Node, Written
from couachgptd.core.ports import Store
from couachgptd.core.users import User
from couachgptd.services.archives import Archive

READ_AT_ONCE = 32  # messages: all that is ever held of a conversation
READ_BYTES = 256 * 1024  # and of a file
ALL = "couachgpt"  # how the file with all of them is called


@dataclass(frozen=True, slots=True)
class _Whole:
    """What everything has and conversations alone have not."""

    more: Mapping[str, Any]  # after the conversations
    folders: Mapping[FolderId, str]
    members: Members


class ExportService:
    """What it yields is bytes of a file; what is another's raises NotFound before the first."""

    def __init__(self, store: Store, uploads: Uploads) -> None:
        self._store = store
        self._uploads = uploads

    async def one(
        self, user: User, conversation_id: str, form: Form, leaf: int | None, file: str
    ) -> tuple[str, AsyncGenerator[bytes]]:
        """Return a file's name and its bytes. Raises NotFound.

        JSON has the whole tree; Markdown the branch that ends at `leaf`, or the newest. `file` is
        how that one names what was attached, in the person's language, with `{name}` in it.
        """
        conversation, tree = await self._store.portable_tree(
            user.id, ConversationId(conversation_id)
        )
        end = None if leaf is None else MessageId(leaf)
        branch = portable.branch_ids(tree, end)
        name = portable.file_name(conversation.title, conversation.created_at, form.value)
        if form is Form.JSON:
            return name, self._json([conversation.id], user)
        return name, self._markdown(user, conversation, branch, file)

    def all(self, user: User, form: Form, file: str) -> tuple[str, AsyncGenerator[bytes]]:
        """Return a file's name and its bytes: one JSON, or a zip of Markdown files."""
        today = datetime.now(UTC)
        if form is Form.JSON:
            return f"{ALL} {today:%Y-%m-%d}.json", self._all_json(user)
        return f"{ALL} {today:%Y-%m-%d}.zip", self._zip(user, file)

    def everything(self, user: User) -> tuple[str, AsyncGenerator[bytes]]:
        """Return a file's name and its bytes: who one is, what one wrote, and the files, in a zip.

        Its JSON is that of all conversations with more in it, so an import takes it, too.
        """
        return f"{ALL} {datetime.now(UTC):%Y-%m-%d} everything.zip", self._everything(user)

    async def _everything(self, user: User) -> AsyncGenerator[bytes]:
        """Files first: so the JSON says truly which are there."""
        archive = Archive()
        ids = await self._store.portable_conversations(user.id, with_bin=True)
        files = await self._store.portable_files(user.id)
        members: dict[str, str | None] = {}
        names: dict[str, int] = {}
        for each in files:
            if each.stored in members:  # one that was sent twice
                continue
            opened = await asyncio.to_thread(self._opened, each)
            members[each.stored] = None
            if opened is not None:
                name = members[each.stored] = portable.member_name(each, names)
                put = archive.put(name, each.created_at, _read(opened), is_packed=False)
                async with aclosing(put):
                    async for piece in put:
                        yield piece
        more = await self._besides(user)
        more["unsent"] = [portable.file_fields(each, members) for each in files if not each.is_sent]
        folders = {each.id: each.name for each in await self._store.folders(user.id)}
        pieces = self._json(ids, user, _Whole(more, folders, members))
        put = archive.put(portable.EVERYTHING, datetime.now(UTC), pieces)
        async with aclosing(put):
            async for piece in put:
                yield piece
        yield archive.end()

    def _opened(self, file: Attachment) -> IO[bytes] | None:
        """Return None where its bytes are gone: a backup that was put back has none."""
        try:
            return self._uploads.path(file.stored).open("rb")
        except FileNotFoundError:
            return None

    async def _besides(self, user: User) -> dict[str, Any]:
        folders = await self._store.folders(user.id)
        prompts = await self._store.saved_prompts(user.id)
        presets = await self._store.presets(user.id)
        ratings = await self._store.ratings_of(user.id)
        return {
            "profile": portable.profile_fields(user),
            "folders": sorted(each.name for each in folders),
            "prompts": [
                {"title": each.title, "text": each.text}
                for each in prompts
                if each.owner_id == user.id
            ],
            "presets": [
                {"name": each.name, **each.choices.document()}
                for each in presets
                if each.owner_id == user.id
            ],
            "ratings": [portable.rating_fields(each) for each in ratings],
        }

    async def _all_json(self, user: User) -> AsyncGenerator[bytes]:
        async for piece in self._json(await self._store.portable_conversations(user.id), user):
            yield piece

    async def _json(
        self, ids: Sequence[ConversationId], user: User, whole: _Whole | None = None
    ) -> AsyncGenerator[bytes]:
        yield portable.json_begin(datetime.now(UTC)).encode()
        is_first = True
        for each in ids:
            found = await self._tree(user, each)
            if found is None:
                continue
            conversation, tree = found
            fields = portable.conversation_fields(conversation)
            if whole is not None:
                fields |= portable.shelf_fields(conversation, whole.folders)
            yield portable.conversation_begin(fields, is_first=is_first).encode()
            is_first, is_first_message = False, True
            async for message in self._read(user, each, [number for number, _ in tree]):
                members = None if whole is None else whole.members
                yield portable.message_json(message, members, is_first=is_first_message).encode()
                is_first_message = False
            yield portable.CONVERSATION_END.encode()
        yield portable.json_end({} if whole is None else whole.more).encode()

    async def _markdown(
        self, user: User, conversation: Conversation, branch: Sequence[MessageId], file: str
    ) -> AsyncGenerator[bytes]:
        yield portable.markdown_begin(conversation.title, conversation.created_at).encode()
        async for message in self._read(user, conversation.id, branch):
            yield portable.message_markdown(message, user.name, file).encode()

    async def _zip(self, user: User, said: str) -> AsyncGenerator[bytes]:
        archive = Archive()
        names: dict[str, int] = {}
        for each in await self._store.portable_conversations(user.id):
            found = await self._tree(user, each)
            if found is None:
                continue
            conversation, tree = found
            name = portable.file_name(conversation.title, conversation.created_at, Form.MARKDOWN)
            name = portable.unique(name, names)
            pieces = self._markdown(user, conversation, portable.branch_ids(tree, None), said)
            put = archive.put(name, conversation.updated_at, pieces)
            async with aclosing(put):
                async for piece in put:
                    yield piece
        yield archive.end()

    async def _tree(
        self, user: User, conversation_id: ConversationId
    ) -> tuple[Conversation, list[Node]] | None:
        try:
            return await self._store.portable_tree(user.id, conversation_id)
        except NotFound:  # it was deleted since the list was read
            return None

    async def _read(
        self, user: User, conversation_id: ConversationId, ids: Sequence[MessageId]
    ) -> AsyncGenerator[Written]:
        for start in range(0, len(ids), READ_AT_ONCE):
            some = ids[start : start + READ_AT_ONCE]
            for message in await self._store.portable_messages(user.id, conversation_id, some):
                yield message


async def _read(file: IO[bytes]) -> AsyncGenerator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, READ_BYTES):
            yield piece
