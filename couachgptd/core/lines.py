"""Names and titles as people write them, in one line."""

import unicodedata


def one_line(text: str) -> str:
    """Return a text with every break a blank, and without the blanks around it."""
    shown = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    return " ".join(shown.split())


def name_line(text: str) -> str:
    """Return a name that is told from others and stands between them, in one line.

    Letters are composed, and marks that turn the direction of what follows are blanks.
    """
    shown = "".join(" " if unicodedata.category(char) == "Cf" else char for char in text)
    return unicodedata.normalize("NFC", one_line(shown))
