"""Identifiers with types of their own, so that a user cannot be passed for a conversation."""

import secrets
from typing import NewType

UserId = NewType("UserId", int)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", int)
TurnId = NewType("TurnId", int)

CONVERSATION_ID_BYTES = 12  # 96 bits: not to be guessed, and 16 characters in a URL


def new_conversation_id() -> ConversationId:
    """Return an unguessable id that is safe in a URL."""
    return ConversationId(secrets.token_urlsafe(CONVERSATION_ID_BYTES))
