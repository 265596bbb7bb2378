"""The tables as peewee sees them; the schema itself is what the migrations made.

The bare `…_id` annotations tell the type checker of what peewee adds to a foreign key.
"""

import json
from datetime import UTC, datetime
from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    DatabaseProxy,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

proxy = DatabaseProxy()


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class UtcField(BigIntegerField):
    """A moment, kept as milliseconds since 1970 in UTC."""

    def db_value(self, value: datetime | None) -> int | None:
        return None if value is None else round(value.timestamp() * 1000)

    def python_value(self, value: int | None) -> datetime | None:
        return None if value is None else utc(value)


class JsonField(TextField):
    """A JSON object, or nothing."""

    def db_value(self, value: dict[str, Any] | None) -> str | None:
        return (
            None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        )

    def python_value(self, value: str | None) -> dict[str, Any] | None:
        return None if value is None else json.loads(value)


class Table(Model):
    class Meta:
        database = proxy


class UserTable(Table):
    id = AutoField()
    login = TextField(unique=True)
    name = TextField()
    password_hash = TextField()
    role = TextField()
    state = TextField()
    language = TextField()
    created_at = UtcField()
    zone = TextField(default="")
    model = TextField(default="")

    class Meta:
        table_name = "users"


class SessionTable(Table):
    user_id: int
    key = TextField(primary_key=True)
    user = ForeignKeyField(UserTable, on_delete="CASCADE")
    data = JsonField()
    created_at = UtcField()
    expires_at = UtcField()
    address = TextField(default="")
    seen_at = UtcField(null=True)
    agent = TextField(default="")

    class Meta:
        table_name = "sessions"


class LinkTable(Table):
    user_id: int | None
    key = TextField(primary_key=True)
    kind = TextField()
    user = ForeignKeyField(UserTable, null=True, on_delete="CASCADE")
    uses_left = IntegerField()
    created_by = TextField()
    created_at = UtcField()
    expires_at = UtcField()

    class Meta:
        table_name = "links"


class FolderTable(Table):
    owner_id: int
    id = AutoField()
    owner = ForeignKeyField(UserTable, on_delete="CASCADE")
    name = TextField()
    removed_at = UtcField(null=True)

    class Meta:
        table_name = "folders"


class ConversationTable(Table):
    owner_id: int
    folder_id: int | None
    id = TextField(primary_key=True)
    kind = TextField()
    owner = ForeignKeyField(UserTable, on_delete="CASCADE")
    title = TextField()
    created_at = UtcField()
    updated_at = UtcField()
    deleted_at = UtcField(null=True)
    is_title_own = BooleanField(default=False)
    is_pinned = BooleanField(default=False)
    is_archived = BooleanField(default=False)
    origin = TextField(null=True)  # of what came in a file: known by it when it comes again
    choices = JsonField(default=dict)
    folder = ForeignKeyField(FolderTable, null=True, on_delete="SET NULL")
    is_title_tried = BooleanField(default=False)  # the model was asked for one: once is enough

    class Meta:
        table_name = "conversations"


class MembershipTable(Table):
    conversation_id: str
    user_id: int
    conversation = ForeignKeyField(ConversationTable, on_delete="CASCADE")
    user = ForeignKeyField(UserTable, on_delete="CASCADE")
    role = TextField()
    created_at = UtcField()

    class Meta:
        table_name = "memberships"
        primary_key = CompositeKey("conversation", "user")


class MessageTable(Table):
    id = AutoField()
    conversation_id: str
    parent_id: int | None
    author_id: int | None
    conversation = ForeignKeyField(ConversationTable, on_delete="CASCADE")
    parent = ForeignKeyField("self", null=True, on_delete="CASCADE")
    author = TextField()
    author_user = ForeignKeyField(
        UserTable, column_name="author_id", null=True, on_delete="SET NULL"
    )
    client_id = TextField(null=True)
    text = TextField()
    thinking = TextField(default="")
    created_at = UtcField()
    edited_at = UtcField(null=True)
    deleted_at = UtcField(null=True)
    is_growing = BooleanField(default=False)  # an answer with an open turn: not searched yet

    class Meta:
        table_name = "messages"


class RatingTable(Table):
    message_id: int
    user_id: int
    message = ForeignKeyField(MessageTable, on_delete="CASCADE")
    user = ForeignKeyField(UserTable, on_delete="CASCADE")
    value = IntegerField()
    word = TextField(default="")
    model = TextField()
    at = UtcField()

    class Meta:
        table_name = "ratings"
        primary_key = CompositeKey("message", "user")


class TurnTable(Table):
    id = AutoField()
    conversation_id: str | None
    message_id: int | None
    asker_id: int | None
    conversation = ForeignKeyField(ConversationTable, null=True, on_delete="CASCADE")
    message = ForeignKeyField(MessageTable, null=True, on_delete="CASCADE")
    asker = ForeignKeyField(UserTable, null=True, on_delete="CASCADE")
    source = TextField()
    state = TextField()
    attempt = IntegerField()
    model = TextField()
    options = JsonField()
    queued_at = UtcField()
    started_at = UtcField(null=True)
    finished_at = UtcField(null=True)
    prompt_tokens = IntegerField(null=True)
    cached_tokens = IntegerField(null=True)
    answer_tokens = IntegerField(null=True)
    load_seconds = FloatField(null=True)
    read_seconds = FloatField(null=True)
    write_seconds = FloatField(null=True)
    finish_reason = TextField(null=True)
    error_code = TextField(null=True)
    error_fields = JsonField(default=dict)
    energy_j = FloatField(null=True)
    think_seconds = FloatField(null=True)
    sent = JsonField(default=dict)

    class Meta:
        table_name = "turns"


class AttachmentTable(Table):
    message_id: int | None
    owner_id: int
    id = TextField(primary_key=True)
    message = ForeignKeyField(MessageTable, null=True, on_delete="CASCADE")
    owner = ForeignKeyField(UserTable, on_delete="CASCADE")
    name = TextField()
    media_type = TextField()
    size_bytes = BigIntegerField()
    sha256 = TextField()
    text = TextField(null=True)
    created_at = UtcField()
    stored = TextField()
    kind = TextField()
    is_cut = BooleanField(default=False)
    part = JsonField(null=True)
    place = IntegerField(default=0)

    class Meta:
        table_name = "attachments"


class GoneFileTable(Table):
    """The stored names of attachments that were deleted; a trigger writes them."""

    stored = TextField(primary_key=True)

    class Meta:
        table_name = "gone_files"


class SettingTable(Table):
    name = TextField(primary_key=True)
    value = TextField()

    class Meta:
        table_name = "settings"


class AuditTable(Table):
    id = AutoField()
    at = UtcField()
    actor = TextField()
    verb = TextField()
    detail = JsonField()

    class Meta:
        table_name = "audit"


class IncidentTable(Table):
    id = AutoField()
    at = UtcField()
    before = TextField()
    after = TextField()
    evidence = JsonField()

    class Meta:
        table_name = "incidents"


class SampleTable(Table):
    span = IntegerField()
    at = UtcField()
    figures = JsonField()

    class Meta:
        table_name = "samples"
        primary_key = CompositeKey("span", "at")


class ModelRulesTable(Table):
    model = TextField(primary_key=True)
    visible_to = TextField()
    options = JsonField()

    class Meta:
        table_name = "model_rules"


class SavedPromptTable(Table):
    id = AutoField()
    owner_id: int | None
    owner = ForeignKeyField(UserTable, null=True, on_delete="CASCADE")
    title = TextField()
    text = TextField()

    class Meta:
        table_name = "saved_prompts"


class PresetTable(Table):
    id = AutoField()
    owner_id: int | None
    owner = ForeignKeyField(UserTable, null=True, on_delete="CASCADE")
    name = TextField()
    choices = JsonField()

    class Meta:
        table_name = "presets"


class ShareTable(Table):
    conversation_id: str
    id = TextField(primary_key=True)
    conversation = ForeignKeyField(ConversationTable, unique=True, on_delete="CASCADE")
    title = TextField()
    created_at = UtcField()

    class Meta:
        table_name = "shares"


class ShareMessageTable(Table):
    share_id: str
    share = ForeignKeyField(ShareTable, on_delete="CASCADE")
    number = IntegerField()
    author = TextField()
    text = TextField()
    model = TextField(null=True)
    created_at = UtcField()

    class Meta:
        table_name = "share_messages"
        primary_key = CompositeKey("share", "number")


class ShareFileTable(Table):
    attachment_id: str
    share = ForeignKeyField(ShareTable, on_delete="CASCADE")
    number = IntegerField()
    attachment = ForeignKeyField(AttachmentTable, on_delete="CASCADE")

    class Meta:
        table_name = "share_files"
        primary_key = CompositeKey("share", "number", "attachment")


class SharePersonTable(Table):
    share_id: str
    user_id: int
    share = ForeignKeyField(ShareTable, on_delete="CASCADE")
    user = ForeignKeyField(UserTable, on_delete="CASCADE")
    created_at = UtcField()

    class Meta:
        table_name = "share_people"
        primary_key = CompositeKey("share", "user")


TABLES: tuple[type[Table], ...] = (
    UserTable,
    SessionTable,
    FolderTable,
    ConversationTable,
    MembershipTable,
    MessageTable,
    RatingTable,
    TurnTable,
    AttachmentTable,
    GoneFileTable,
    SettingTable,
    AuditTable,
    IncidentTable,
    LinkTable,
    SampleTable,
    ModelRulesTable,
    SavedPromptTable,
    PresetTable,
    ShareTable,
    ShareMessageTable,
    ShareFileTable,
    SharePersonTable,
)
