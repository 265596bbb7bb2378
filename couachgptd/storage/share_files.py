"""The files of snapshots: rows that say which questions had which, never a copy of a byte."""

from collections.abc import Sequence

from couachgptd.core.attachments import Attachment
from couachgptd.core.ids import ConversationId, MessageId, UserId, new_attachment_id
from couachgptd.core.shares import ShareId
from couachgptd.storage import statements
from couachgptd.storage.attachments import READ, rows_of
from couachgptd.storage.tables import AttachmentTable, MessageTable, ShareFileTable, proxy

FILL = """INSERT INTO share_files (share_id, number, attachment_id)
SELECT share_id, number, attachments.id
FROM json_each(:branch) JOIN attachments ON message_id = value
    JOIN share_messages ON share_id = :share AND number = key"""
INSIDE = """id IN (SELECT attachment_id FROM share_files
    WHERE share_id = :share AND number BETWEEN :first AND :last)"""


def fill(share_id: ShareId, branch: Sequence[MessageId]) -> None:
    """Give a snapshot the files of its messages, in the transaction that copied these."""
    values = {"share": share_id, "branch": f"[{','.join(map(str, branch))}]"}
    proxy.execute_sql(FILL, values)


def files_in(share_id: ShareId, numbers: Sequence[int]) -> dict[int, tuple[Attachment, ...]]:
    """Return the files of a snapshot's messages, by their numbers, which are ascending."""
    if not numbers:
        return {}
    rows = ShareFileTable.select().where(ShareFileTable.share == share_id)
    number_of = {row.attachment_id: row.number for row in rows}
    values = {"share": share_id, "first": numbers[0], "last": numbers[-1]}
    found: dict[int, tuple[Attachment, ...]] = {}
    for each, _ in rows_of(f"{READ} WHERE {INSIDE} ORDER BY message_id, place", values):
        number = number_of[each.id]
        found[number] = (*found.get(number, ()), each)
    return found


def fork(user_id: UserId, share_id: ShareId, numbers: Sequence[int], made: ConversationId) -> None:
    """Give the copy of a snapshot, message by message, its files: more rows of the same bytes.

    They are the copier's as its text is: the model goes on reading them, whatever becomes of the
    share, and the bytes go once the last row has gone.
    """
    own = MessageTable.select(MessageTable.id).where(MessageTable.conversation == made)
    message_of = dict(zip(numbers, [row.id for row in own.order_by(MessageTable.id)], strict=True))
    for number, files in files_in(share_id, numbers).items():
        for each in files:
            row = AttachmentTable.get_by_id(each.id)
            mine = {"id": new_attachment_id(), "owner": user_id, "message": message_of[number]}
            statements.insert(AttachmentTable, **{**row.__data__, **mine})
