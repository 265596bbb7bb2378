"""The verbs of taking conversations away: one or all, as JSON or Markdown, bit by bit."""

import zipfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from couachgptd.core import portable
from couachgptd.core.conversations import Conversation
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId, FolderId, MessageId
from couachgptd.core.portable import Form, Node, Written
from couachgptd.core.ports import Store
from couachgptd.core.users import User

READ_AT_ONCE = 32  # messages: all that is ever held of a conversation
ALL = "couachgpt"  # how the file with all of them is called


class ExportService:
    """What it yields is bytes of a file; what is another's raises NotFound before the first."""

    def __init__(self, store: Store) -> None:
        self._store = store

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
            return f"{ALL} {today:%Y-%m-%d}.json", self._json(None, user)
        return f"{ALL} {today:%Y-%m-%d}.zip", self._zip(user, file)

    async def everything(self, user: User) -> tuple[str, AsyncGenerator[bytes]]:
        """Return a file's name and its bytes: who one is and what one wrote, as one JSON.

        It is that of all conversations with more at its end, so an import takes it, too.
        """
        folders = await self._store.folders(user.id)
        prompts = await self._store.saved_prompts(user.id)
        presets = await self._store.presets(user.id)
        ratings = await self._store.ratings_of(user.id)
        more = {
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
        names = {each.id: each.name for each in folders}
        name = f"{ALL} {datetime.now(UTC):%Y-%m-%d} everything.json"
        return name, self._json(None, user, more, names)

    async def _json(
        self,
        ids: Sequence[ConversationId] | None,
        user: User,
        more: dict[str, Any] | None = None,
        folders: Mapping[FolderId, str] | None = None,
    ) -> AsyncGenerator[bytes]:
        wanted = await self._store.portable_conversations(user.id) if ids is None else ids
        yield portable.json_begin(datetime.now(UTC)).encode()
        is_first = True
        for each in wanted:
            found = await self._tree(user, each)
            if found is None:
                continue
            conversation, tree = found
            fields = portable.conversation_fields(conversation)
            if folders is not None:
                inside = conversation.folder_id
                fields["folder"] = None if inside is None else folders.get(inside)
            yield portable.conversation_begin(fields, is_first=is_first).encode()
            is_first, is_first_message = False, True
            async for message in self._read(user, each, [number for number, _ in tree]):
                yield portable.message_json(message, is_first=is_first_message).encode()
                is_first_message = False
            yield portable.CONVERSATION_END.encode()
        yield portable.json_end(more or {}).encode()

    async def _markdown(
        self, user: User, conversation: Conversation, branch: Sequence[MessageId], file: str
    ) -> AsyncGenerator[bytes]:
        yield portable.markdown_begin(conversation.title, conversation.created_at).encode()
        async for message in self._read(user, conversation.id, branch):
            yield portable.message_markdown(message, user.name, file).encode()

    async def _zip(self, user: User, said: str) -> AsyncGenerator[bytes]:
        sink = _Sink()
        names: dict[str, int] = {}
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in await self._store.portable_conversations(user.id):
                found = await self._tree(user, each)
                if found is None:
                    continue
                conversation, tree = found
                name = portable.file_name(
                    conversation.title, conversation.created_at, Form.MARKDOWN
                )
                name = portable.unique(name, names)
                pieces = self._markdown(user, conversation, portable.branch_ids(tree, None), said)
                with archive.open(_entry(name, conversation), "w") as file:
                    async for piece in pieces:
                        file.write(piece)
                        if taken := sink.take():
                            yield taken
        yield sink.take()

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


def _entry(name: str, conversation: Conversation) -> zipfile.ZipInfo:
    at = max(conversation.updated_at, datetime(1980, 1, 1, tzinfo=UTC))  # no zip knows earlier ones
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


class _Sink:
    """A file that only grows, and whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing between us and the pieces."""

    def close(self) -> None:
        """What was written is still there to be taken."""

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken
