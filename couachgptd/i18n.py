"""The interface in French and English: which one, and its gettext catalogue."""

import functools
import gettext

LANGUAGES = ("fr", "en")  # the first is taken where nothing tells
DOMAIN = "couachgpt"


def mark(text: str) -> str:
    """Return the text as it is; scripts/locales.py collects it, `gettext` translates it later."""
    return text


@functools.cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; English, which is the source, where there is none."""
    # couachgptctl speaks French, too, and must start at once: what it need not load, it does not.
    from couachgptd import paths

    folder = paths.web_dir() / "locales"
    try:
        return gettext.translation(DOMAIN, folder, [language])
    except OSError as error:
        # Once per language: the result is cached.
        import logging

        logging.getLogger(__name__).warning(
            "no usable catalogue, English instead",
            extra={"language": language, "folder": str(folder), "error": str(error)},
        )
        return gettext.NullTranslations()


def choose_language(*, preferred: str | None, accept_language: str | None) -> str:
    """Return what the person chose, else the best of what their browser asks for, else French."""
    if preferred in LANGUAGES:
        return preferred
    for asked in _by_weight(accept_language or ""):
        if asked == "*":
            break
        if (language := asked.partition("-")[0].lower()) in LANGUAGES:
            return language
    return LANGUAGES[0]


def _by_weight(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, best first, those refused left out."""
    weighted: list[tuple[float, str]] = []
    for item in header.split(","):
        name, _, parameter = item.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if name.strip() and 0 < weight <= 1:
            weighted.append((weight, name.strip()))
    return [name for _, name in sorted(weighted, key=lambda each: -each[0])]
