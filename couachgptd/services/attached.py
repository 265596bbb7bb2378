"""What the files of a question become in the prompt: text, and pictures for who can see."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from couachgptd.core.attachments import (
    Attachment,
    Kind,
    ModelBlind,
    TooManyAttachments,
    Uploads,
    block,
    unseen,
    with_documents,
)
from couachgptd.core.conversations import Message
from couachgptd.core.errors import BadRequest, NotFound
from couachgptd.core.ids import AttachmentId, UserId
from couachgptd.core.models import PromptMessage
from couachgptd.core.ports import Engine, Store

VISION = "vision"  # the ability, as engines name it


@dataclass(frozen=True, slots=True)
class WithFiles:
    """A question with its files, as far as a prompt needs it."""

    text: str
    files: tuple[Attachment, ...]


class Attached:
    def __init__(self, engine: Engine, store: Store, uploads: Uploads, per_question: int) -> None:
        self._engine = engine
        self._store = store
        self._uploads = uploads
        self._per_question = per_question

    async def named(self, user_id: UserId, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """Return one's own files. Raises NotFound, TooManyAttachments, BadRequest for a repeat."""
        if len(ids) > self._per_question:
            raise TooManyAttachments(limit=self._per_question)
        if len(set(ids)) < len(ids):
            raise BadRequest(reason="attachments")
        found = [await self._store.attachment(user_id, each) for each in ids]
        own = tuple(each for each in found if each is not None and each.owner_id == user_id)
        if len(own) < len(ids):
            raise NotFound
        return own

    async def sees(self, model: str) -> bool:
        """Raises ModelMissing, EngineUnavailable."""
        return VISION in (await self._engine.model(model)).abilities

    async def question(self, model: str, asked: WithFiles) -> PromptMessage:
        """Return a new question. Raises ModelBlind for a picture that the model cannot see."""
        return (await self.questions(model, [asked]))[0]

    async def questions(
        self, model: str, asked: Sequence[WithFiles | Message], *, must_see: bool = True
    ) -> list[PromptMessage]:
        """Return the questions of a branch, the one to be answered last.

        A model that is blind is told of the pictures of earlier questions; that the one to be
        answered has any raises ModelBlind, where it `must_see` them.
        """
        files = [_files(each) for each in asked]
        if not any(files):
            return [PromptMessage("user", each.text) for each in asked]
        pictures = any(file.kind is Kind.IMAGE for each in files for file in each)
        sees = pictures and await self.sees(model)
        if must_see and not sees and any(file.kind is Kind.IMAGE for file in files[-1]):
            raise ModelBlind(model=model)
        ids = [file.id for each in files for file in each if file.kind is not Kind.IMAGE]
        texts = await self._store.attachment_texts(ids)
        return [
            await self._composed(each.text, own, texts, sees=sees)
            for each, own in zip(asked, files, strict=True)
        ]

    async def _composed(
        self,
        text: str,
        files: Sequence[Attachment],
        texts: dict[AttachmentId, str],
        *,
        sees: bool,
    ) -> PromptMessage:
        blocks, images = [], []
        for file in files:
            path = self._uploads.path(file.stored)
            if file.kind is not Kind.IMAGE:
                blocks.append(block(file, texts.get(file.id, "")))
            elif sees and await asyncio.to_thread(path.is_file):
                images.append(path)
            else:  # it cannot, or a backup was put back that has no files
                blocks.append(unseen(file))
        return PromptMessage("user", with_documents(text, blocks), tuple(images))


def _files(asked: WithFiles | Message) -> tuple[Attachment, ...]:
    return asked.attachments if isinstance(asked, Message) else asked.files
