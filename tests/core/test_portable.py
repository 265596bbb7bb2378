"""What files of conversations are called, and what stands in them."""

import json
from datetime import UTC, datetime

import pytest

from couachgptd.core import portable
from couachgptd.core.attachments import Attachment, Kind
from couachgptd.core.conversations import Author
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import AttachmentId, MessageId, UserId
from couachgptd.core.portable import Written

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
FILE = "Attached file: {name}"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Évasions d’été", "2026-03-01 Évasions d’été.md"),
        ("../../etc/passwd", "2026-03-01 etc passwd.md"),
        ('a"b\r\nSet-Cookie: x=1', "2026-03-01 a b Set-Cookie x 1.md"),
        ("C:\\CON|nul?*", "2026-03-01 C CON nul.md"),
        ("<script>alert(1)</script>", "2026-03-01 script alert 1 script.md"),
        ("\u202egpj.exe\0", "2026-03-01 gpj.exe.md"),
        ("...", "2026-03-01 conversation.md"),
        ("", "2026-03-01 conversation.md"),
        ("🦔", "2026-03-01 conversation.md"),
        ("a" * 500, f"2026-03-01 {'a' * 80}.md"),
    ],
)
def test_a_files_name_says_the_title_and_is_never_a_path(title: str, expected: str) -> None:
    assert portable.file_name(title, AT, "md") == expected


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("rapport.PDF", Kind.PDF, "files/2026-03-01 rapport.PDF"),
        ("../../etc/passwd", Kind.TEXT, "files/2026-03-01 etc passwd.txt"),
        ("..\\evil.txt", Kind.TEXT, "files/2026-03-01 evil.txt"),
        ("Makefile", Kind.TEXT, "files/2026-03-01 Makefile.txt"),
        (".env", Kind.TEXT, "files/2026-03-01 env.txt"),
        ("a.b/c", Kind.TEXT, "files/2026-03-01 a.b c.txt"),
        ("CON", Kind.DOCX, "files/2026-03-01 CON.docx"),
        ("photo", Kind.IMAGE, "files/2026-03-01 photo.png"),
        ("x.é\0", Kind.HTML, "files/2026-03-01 x.é.html"),
    ],
)
def test_a_member_of_a_zip_is_never_a_path_that_somebody_wrote(
    name: str, kind: Kind, expected: str
) -> None:
    file = Attachment(AttachmentId("a"), UserId(1), name, kind, "", 1, "s", AT)
    assert portable.member_name(file, {}) == expected


def test_files_of_one_name_are_numbered() -> None:
    taken: dict[str, int] = {}

    names = [portable.unique(name, taken) for name in ("a.md", "A.md", "b.md", "a.md")]

    assert names == ["a.md", "A (2).md", "b.md", "a (3).md"]


def test_a_title_or_a_name_is_no_markup_in_markdown() -> None:
    begin = portable.markdown_begin("# <img src=x> [a](b)\n\n## c", AT)
    message = Written(1, None, Author.PERSON, "  *as typed*\n", "", AT)

    assert begin.splitlines()[0] == r"# \# \<img src=x\> \[a\](b) \#\# c"
    assert begin.count("\n#") == 0
    text = portable.message_markdown(message, "Ann _1_", FILE)
    assert text == "\n## Ann \\_1\\_ · 2026-03-01 08:30 UTC\n\n*as typed*\n"


def test_the_files_of_a_question_are_named_over_it_and_are_no_markup() -> None:
    def markdown(text: str, *names: str) -> str:
        files = tuple(
            Attachment(
                AttachmentId(name), UserId(1), name, Kind.TEXT, "text/plain", 3, "stored", AT
            )
            for name in names
        )
        written = Written(1, None, Author.PERSON, text, "", AT, None, files)
        return portable.message_markdown(written, "Ann", FILE)

    head = "\n## Ann · 2026-03-01 08:30 UTC\n\n"
    both = "- Attached file: a\\_b.md\n- Attached file: \\{name\\}.pdf\n"
    assert markdown("Que dit-il ?", "a_b.md", "{name}.pdf") == f"{head}{both}\nQue dit-il ?\n"
    assert markdown("", "a.md") == f"{head}- Attached file: a.md\n"


def test_a_branch_ends_where_it_is_told_to_and_follows_no_circle() -> None:
    one, two, three, four = (MessageId(number) for number in range(1, 5))
    tree = [(one, None), (two, one), (three, two), (four, one)]

    assert portable.branch_ids(tree, None) == [1, 4]
    assert portable.branch_ids(tree, three) == [1, 2, 3]
    assert portable.branch_ids([], None) == []
    assert portable.branch_ids([(one, two), (two, one)], one) == [2, 1]
    with pytest.raises(NotFound):
        portable.branch_ids(tree, MessageId(9))


def test_the_pieces_of_json_are_one_document() -> None:
    message = Written(3, 1, Author.MODEL, 'a "b" </script>\u2028', "hm", AT, "small")
    fields = {"id": "x", "title": "}]"}
    text = "".join(
        (
            portable.json_begin(AT),
            portable.conversation_begin(fields, is_first=True),
            portable.message_json(message, is_first=True),
            portable.message_json(message, is_first=False),
            portable.CONVERSATION_END,
            portable.conversation_begin(fields, is_first=False),
            portable.CONVERSATION_END,
            portable.json_end({}),
        )
    )

    read = json.loads(text)
    assert (read["format"], read["version"]) == ("couachgpt.conversations", 1)
    first, second = read["conversations"]
    assert second == {**fields, "messages": []}
    assert first["messages"][1] == {
        "id": 3,
        "parent": 1,
        "author": "model",
        "model": "small",
        "created_at": "2026-03-01T08:30:00.000Z",
        "text": message.text,
        "thinking": "hm",
        "attachments": [],
    }
