"""What couachgptctl says, in the language that the terminal's locale names."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as typing's own, whose import would take a third of the time to start
if TYPE_CHECKING:
    import gettext
    from collections.abc import Mapping

_catalogue: gettext.NullTranslations | None = None
_language = "en"


def use_locale(environment: Mapping[str, str] = os.environ) -> None:
    """Speak the language of the locale; English for C, for none and for what we do not speak."""
    global _catalogue, _language  # noqa: PLW0603 - one process, one terminal, one language
    _language = language_of(environment)
    if _language != "en":  # the msgids are English: nothing to load
        from couachgptd import i18n

        _catalogue = i18n.translations(_language)


def language_of(environment: Mapping[str, str]) -> str:
    """Return "fr" or "en", by the first of the locale's variables that says anything."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


def mark(text: str) -> str:
    """Return the text as it is: scripts/locales.py collects it, `_` translates it later."""
    return text


def _(text: str) -> str:
    return _catalogue.gettext(text) if _catalogue is not None else text


def ngettext(one: str, many: str, count: int) -> str:
    if _catalogue is not None:
        return _catalogue.ngettext(one, many, count)
    return one if count == 1 else many


def decimal(value: float, digits: int | None = 1) -> str:
    """Return a number as this language writes it; None: with the digits that it has."""
    text = f"{value:.12g}" if digits is None else f"{value:.{digits}f}"
    return text.replace(".", ",") if _language == "fr" else text
