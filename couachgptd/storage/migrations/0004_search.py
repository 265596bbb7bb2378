"""What search looks in: an index over the words of titles and one over those of messages.

Neither keeps a text of its own. Both know whose each row is, so that a search walks only through
one's own rows, however many others there are. Triggers keep them whole, whoever changes the rows.
"""

from typing import Any

TOKENS = "tokenize = 'unicode61 remove_diacritics 2'"
FORGET_MESSAGES = """INSERT INTO message_index (message_index, rowid, text, owner)
    SELECT 'delete', id, text, 'u' || old.owner_id FROM messages
    WHERE conversation_id = old.id AND NOT is_growing;"""
FORGET_TITLE = """INSERT INTO title_index (title_index, rowid, title, owner)
    SELECT 'delete', number, old.title, 'u' || old.owner_id FROM conversation_numbers
    WHERE conversation_id = old.id;"""
LEARN_TITLE = """INSERT INTO title_index (rowid, title, owner)
    SELECT number, title, owner FROM searched_titles
    WHERE number = (SELECT number FROM conversation_numbers WHERE conversation_id = new.id);"""

CHANGES = (
    # An answer is indexed once, when it is whole: at each step of its growth it would cost more
    # than keeping it does.
    "ALTER TABLE messages ADD COLUMN is_growing INTEGER NOT NULL DEFAULT 0",
    """UPDATE messages SET is_growing = 1 WHERE id IN (SELECT message_id FROM turns
        WHERE state IN ('queued', 'loading', 'reading', 'thinking', 'writing'))""",
    # A conversation's own rowid changes with a VACUUM, for its key is a text.
    """CREATE TABLE conversation_numbers (
        number INTEGER PRIMARY KEY,
        conversation_id TEXT NOT NULL UNIQUE REFERENCES conversations (id) ON DELETE CASCADE
    )""",
    "INSERT INTO conversation_numbers (conversation_id) SELECT id FROM conversations",
    """CREATE VIEW searched_messages AS
        SELECT messages.id AS id, messages.text AS text, 'u' || owner_id AS owner
        FROM messages JOIN conversations ON conversations.id = conversation_id
        WHERE NOT is_growing""",
    """CREATE VIEW searched_titles AS
        SELECT number, title, 'u' || owner_id AS owner
        FROM conversation_numbers JOIN conversations ON conversations.id = conversation_id""",
    f"""CREATE VIRTUAL TABLE message_index USING fts5 (
        text, owner, content = 'searched_messages', content_rowid = 'id', {TOKENS})""",
    f"""CREATE VIRTUAL TABLE title_index USING fts5 (
        title, owner, content = 'searched_titles', content_rowid = 'number', {TOKENS})""",
    """CREATE TRIGGER message_made AFTER INSERT ON messages WHEN NOT new.is_growing BEGIN
        INSERT INTO message_index (rowid, text, owner)
        SELECT id, text, owner FROM searched_messages WHERE id = new.id;
    END""",
    """CREATE TRIGGER message_changed AFTER UPDATE OF text, is_growing ON messages
    WHEN NOT (old.is_growing AND new.is_growing) BEGIN
        INSERT INTO message_index (message_index, rowid, text, owner)
        SELECT 'delete', old.id, old.text, 'u' || owner_id FROM conversations
        WHERE id = old.conversation_id AND NOT old.is_growing;
        INSERT INTO message_index (rowid, text, owner)
        SELECT id, text, owner FROM searched_messages WHERE id = new.id;
    END""",
    # Where a whole conversation goes, it is gone before its messages go, and nothing is left to be
    # forgotten here.
    """CREATE TRIGGER message_gone AFTER DELETE ON messages WHEN NOT old.is_growing BEGIN
        INSERT INTO message_index (message_index, rowid, text, owner)
        SELECT 'delete', old.id, old.text, 'u' || owner_id FROM conversations
        WHERE id = old.conversation_id;
    END""",
    f"""CREATE TRIGGER conversation_made AFTER INSERT ON conversations BEGIN
        INSERT INTO conversation_numbers (conversation_id) VALUES (new.id);
        {LEARN_TITLE}
    END""",  # noqa: S608 -- a statement of ours
    f"""CREATE TRIGGER conversation_renamed AFTER UPDATE OF title ON conversations
    WHEN old.owner_id = new.owner_id BEGIN
        {FORGET_TITLE}
        {LEARN_TITLE}
    END""",
    f"""CREATE TRIGGER conversation_handed_over AFTER UPDATE OF owner_id ON conversations
    WHEN old.owner_id <> new.owner_id BEGIN
        {FORGET_TITLE}
        {LEARN_TITLE}
        {FORGET_MESSAGES}
        INSERT INTO message_index (rowid, text, owner)
        SELECT id, text, 'u' || new.owner_id FROM messages
        WHERE conversation_id = new.id AND NOT is_growing;
    END""",  # noqa: S608 -- as above
    f"""CREATE TRIGGER conversation_goes BEFORE DELETE ON conversations BEGIN
        {FORGET_TITLE}
        {FORGET_MESSAGES}
    END""",
    "INSERT INTO message_index (message_index) VALUES ('rebuild')",
    "INSERT INTO title_index (title_index) VALUES ('rebuild')",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
