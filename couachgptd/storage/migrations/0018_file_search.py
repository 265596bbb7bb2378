"""Search finds the names of the files that went with a question.

An index of its own: the words of a message are learnt before it has its files, and those of each
message would have to be learnt again.
"""

from typing import Any

LEARN = """INSERT INTO searched_files (attachment_id, name, owner)
    SELECT attachments.id, attachments.name, 'u' || conversations.owner_id
    FROM attachments JOIN messages ON messages.id = message_id
        JOIN conversations ON conversations.id = conversation_id"""
FORGET = """INSERT INTO file_index (file_index, rowid, name, owner)
    VALUES ('delete', old.number, old.name, old.owner);"""

CHANGES = (
    # The names are kept twice, for where an attachment goes with its conversation, nothing can tell
    # any more whose it was, and an index forgets only what it is told word by word.
    """CREATE TABLE searched_files (
        number INTEGER PRIMARY KEY,
        attachment_id TEXT NOT NULL UNIQUE REFERENCES attachments (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        owner TEXT NOT NULL
    )""",
    """CREATE VIRTUAL TABLE file_index USING fts5 (
        name, owner, content = 'searched_files', content_rowid = 'number',
        tokenize = 'unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER searched_file_made AFTER INSERT ON searched_files BEGIN
        INSERT INTO file_index (rowid, name, owner) VALUES (new.number, new.name, new.owner);
    END""",
    f"CREATE TRIGGER searched_file_gone AFTER DELETE ON searched_files BEGIN {FORGET} END",
    f"""CREATE TRIGGER searched_file_changed AFTER UPDATE ON searched_files BEGIN
        {FORGET}
        INSERT INTO file_index (rowid, name, owner) VALUES (new.number, new.name, new.owner);
    END""",  # noqa: S608 -- a statement of ours
    # With a question at once, as a second row of the same bytes, or later, as one that waited.
    f"""CREATE TRIGGER file_copied AFTER INSERT ON attachments
    WHEN new.message_id IS NOT NULL BEGIN
        {LEARN} WHERE attachments.id = new.id;
    END""",
    f"""CREATE TRIGGER file_sent AFTER UPDATE OF message_id ON attachments
    WHEN old.message_id IS NULL AND new.message_id IS NOT NULL BEGIN
        {LEARN} WHERE attachments.id = new.id;
    END""",
    """CREATE TRIGGER files_handed_over AFTER UPDATE OF owner_id ON conversations
    WHEN old.owner_id <> new.owner_id BEGIN
        UPDATE searched_files SET owner = 'u' || new.owner_id WHERE attachment_id IN (
            SELECT attachments.id FROM messages JOIN attachments ON message_id = messages.id
            WHERE conversation_id = new.id);
    END""",
    f"{LEARN} ORDER BY messages.id, place",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
