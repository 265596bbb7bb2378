"""The starter models of catalogue.toml: what each is, and where its bytes may come from."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PACKAGED: Final = Path(__file__).with_name("catalogue.toml")

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.gguf")
_OLLAMA: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]*")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_URL: Final = re.compile(r"https?://[^\s/]+/\S+")


class CatalogueError(Exception):
    """The catalogue cannot be used; the text says which model and which key."""


class UnknownModel(Exception):
    """No starter model has this name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name = name
        self.known = known


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a model's bytes, as one member of one wheel of the package index."""

    distribution: str
    version: str
    member: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StarterModel:
    name: str
    title: str
    publisher: str
    licence: str
    languages: tuple[str, ...]
    file: str
    size_bytes: int
    sha256: str
    urls: tuple[str, ...]
    parts: tuple[Part, ...]
    ollama: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    models: tuple[StarterModel, ...]
    default: str

    def model(self, name: str) -> StarterModel:
        """Return the model of this name. Raises UnknownModel."""
        for model in self.models:
            if model.name == name:
                return model
        raise UnknownModel(name, tuple(model.name for model in self.models))


def load(path: Path = PACKAGED) -> Catalogue:
    """Read and check a catalogue. Raises CatalogueError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: not valid TOML: {error}") from None
    try:
        models = tuple(_model(table) for table in _tables(document, "models", "catalogue"))
        default = _text(document, "default", "catalogue") if "default" in document else ""
        names = [model.name for model in models]
        if len(set(names)) < len(names):
            raise CatalogueError("two models of one name")
        if default and default not in names:
            raise CatalogueError(f"default: {default!r} is not one of {', '.join(names)}")
    except CatalogueError as error:
        raise CatalogueError(f"{path}: {error}") from None
    return Catalogue(models, default)


def size_in_catalogue(name: str) -> int | None:
    """Return the bytes of a starter model's file, by its name or its file's."""
    for model in load().models:
        if name in {model.name, model.file, model.file.removesuffix(".gguf")}:
            return model.size_bytes
    return None


def _model(table: Mapping[str, Any]) -> StarterModel:
    name = _text(table, "name", "a model", _NAME)
    parts = tuple(_part(part, name) for part in _tables(table, "parts", name))
    model = StarterModel(
        name=name,
        title=_text(table, "title", name),
        publisher=_text(table, "publisher", name) if "publisher" in table else "",
        licence=_text(table, "licence", name),
        languages=_texts(table, "languages", name),
        file=_text(table, "file", name, _FILE),
        size_bytes=_size(table, name),
        sha256=_text(table, "sha256", name, _HASH),
        urls=_texts(table, "urls", name, _URL),
        parts=parts,
        ollama=_text(table, "ollama", name, _OLLAMA) if "ollama" in table else "",
    )
    if parts and sum(part.size_bytes for part in parts) != model.size_bytes:
        raise CatalogueError(f"{name}: its parts do not add up to its size_bytes")
    if not parts and not model.urls:
        raise CatalogueError(f"{name}: neither urls nor parts")
    return model


def _part(table: Mapping[str, Any], model: str) -> Part:
    where = f"{model}: a part"
    return Part(
        # Both become words of pip's command line: neither may look like an option.
        distribution=_text(table, "distribution", where, _NAME),
        version=_text(table, "version", where, _NAME),
        member=_text(table, "member", where),
        size_bytes=_size(table, where),
        sha256=_text(table, "sha256", where, _HASH),
    )


def _tables(table: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise CatalogueError(f"{where}: {key}: expected tables [[{key}]]")
    return value


def _text(
    table: Mapping[str, Any], key: str, where: str, pattern: re.Pattern[str] | None = None
) -> str:
    return _checked(table.get(key), key, where, pattern)


def _texts(
    table: Mapping[str, Any], key: str, where: str, pattern: re.Pattern[str] | None = None
) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list):
        raise CatalogueError(f"{where}: {key}: expected a list of strings")
    return tuple(_checked(item, key, where, pattern) for item in value)


def _checked(value: Any, key: str, where: str, pattern: re.Pattern[str] | None) -> str:
    if not isinstance(value, str) or not value:
        raise CatalogueError(f"{where}: {key}: expected a string, got {value!r}")
    if pattern is not None and not pattern.fullmatch(value):
        raise CatalogueError(f"{where}: {key}: {value!r} is not of the right form")
    return value


def _size(table: Mapping[str, Any], where: str) -> int:
    value = table.get("size_bytes")
    if type(value) is not int or value <= 0:
        raise CatalogueError(f"{where}: size_bytes: expected a positive number, got {value!r}")
    return value
