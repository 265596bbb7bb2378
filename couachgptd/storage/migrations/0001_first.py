"""The first schema: people, conversations as trees of messages, turns, and what goes with them."""

from typing import Any

TABLES = (
    """CREATE TABLE users (
        id INTEGER PRIMARY KEY,
        login TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'reader')),
        state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'suspended')),
        language TEXT NOT NULL,
        created_at INTEGER NOT NULL
    )""",
    """CREATE TABLE sessions (
        key TEXT PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        data TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX sessions_user ON sessions (user_id)",
    """CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('chat', 'room')),
        owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deleted_at INTEGER
    )""",
    "CREATE INDEX conversations_owner ON conversations (owner_id, updated_at)",
    """CREATE TABLE memberships (
        conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('owner', 'member', 'reader')),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (conversation_id, user_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX memberships_user ON memberships (user_id)",
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        parent_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
        author TEXT NOT NULL CHECK (author IN ('person', 'model')),
        author_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
        client_id TEXT,
        text TEXT NOT NULL,
        thinking TEXT NOT NULL DEFAULT '',
        created_at INTEGER NOT NULL,
        edited_at INTEGER,
        deleted_at INTEGER
    )""",
    "CREATE INDEX messages_conversation ON messages (conversation_id, id)",
    "CREATE INDEX messages_parent ON messages (parent_id)",
    # A message sent twice is one message.
    """CREATE UNIQUE INDEX messages_client ON messages (author_id, client_id)
        WHERE client_id IS NOT NULL""",
    """CREATE TABLE turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id TEXT REFERENCES conversations (id) ON DELETE CASCADE,
        message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
        asker_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
        source TEXT NOT NULL CHECK (source IN ('chat', 'room', 'api', 'benchmark', 'title')),
        state TEXT NOT NULL CHECK (state IN ('queued', 'loading', 'reading', 'thinking',
            'writing', 'done', 'stopped', 'interrupted', 'failed')),
        attempt INTEGER NOT NULL,
        model TEXT NOT NULL,
        options TEXT NOT NULL,
        queued_at INTEGER NOT NULL,
        started_at INTEGER,
        finished_at INTEGER,
        prompt_tokens INTEGER,
        cached_tokens INTEGER,
        answer_tokens INTEGER,
        load_seconds REAL,
        read_seconds REAL,
        write_seconds REAL,
        finish_reason TEXT,
        error_code TEXT,
        error_fields TEXT NOT NULL DEFAULT '{}',
        energy_j REAL
    )""",
    "CREATE INDEX turns_message ON turns (message_id)",
    "CREATE INDEX turns_asker ON turns (asker_id)",
    # One running turn a conversation, whatever the code above believes.
    """CREATE UNIQUE INDEX turns_running ON turns (conversation_id)
        WHERE state IN ('loading', 'reading', 'thinking', 'writing')""",
    "CREATE INDEX turns_open ON turns (state) WHERE finished_at IS NULL",
    """CREATE TABLE attachments (
        id TEXT PRIMARY KEY,
        message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
        owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        media_type TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        text TEXT,
        created_at INTEGER NOT NULL
    )""",
    "CREATE INDEX attachments_message ON attachments (message_id)",
    "CREATE INDEX attachments_owner ON attachments (owner_id)",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        verb TEXT NOT NULL,
        detail TEXT NOT NULL
    )""",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in TABLES:
        db.execute_sql(statement)
