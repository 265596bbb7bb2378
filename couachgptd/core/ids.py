"""Identifiers with types of their own, so that a user cannot be passed for a conversation."""

import secrets
from typing import NewType

UserId = NewType("UserId", int)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", int)
TurnId = NewType("TurnId", int)
FolderId = NewType("FolderId", int)
AttachmentId = NewType("AttachmentId", str)

ATTACHMENT_ID_BYTES = 16
CONVERSATION_ID_BYTES = 12  # 96 bits: not to be guessed, and 16 characters in a URL


def new_conversation_id() -> ConversationId:
    """Return an unguessable id that is safe in a URL."""
    return ConversationId(secrets.token_urlsafe(CONVERSATION_ID_BYTES))


def new_attachment_id() -> AttachmentId:
    """Return an unguessable id that is safe in a URL; who may read it is asked all the same."""
    return AttachmentId(secrets.token_urlsafe(ATTACHMENT_ID_BYTES))
