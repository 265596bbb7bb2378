"""couachgpt.toml read into its settings; every error names the key and what it may be."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from couachgptd import paths
from couachgptd.settings import BOUNDS, PATTERNS, Brand, Config


class ConfigError(Exception):
    """The configuration cannot be used; the text says which key and what it may be."""


_LOGO_HEAD_BYTES = 65536  # an SVG's root may stand below a long licence
_PNG = b"\x89PNG\r\n\x1a\n"


def load(path: Path | None = None, overrides: Iterable[str] = ()) -> Config:
    """Read the file, or take the defaults where there is none, then the overrides.

    An override is `section.key=value`, the value in TOML or a bare word. Raises ConfigError.
    """
    document: dict[str, Any] = {}
    if path is None and paths.SYSTEM_CONFIG.is_file():
        path = paths.SYSTEM_CONFIG
    if path is not None:
        document = _read(path)
    for override in overrides:
        _apply(document, override)
    try:
        return from_document(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}" if path else str(error)) from None


def origins(path: Path | None, overrides: Iterable[str] = ()) -> dict[str, str]:
    """Return where each key that was set comes from: "file" or "override". Raises ConfigError."""
    document = {} if path is None else _read(path)
    found = {
        f"{section}.{key}": "file"
        for section, values in document.items()
        if isinstance(values, dict)
        for key in values
    }
    return found | {override.partition("=")[0]: "override" for override in overrides}


def from_document(document: Mapping[str, Any]) -> Config:
    """Make a Config of a parsed TOML document. Raises ConfigError."""
    sections: dict[str, Any] = {}
    known = {section.name: section for section in dataclasses.fields(Config)}
    for name, values in document.items():
        if name not in known:
            raise ConfigError(f"unknown section: [{name}] (valid: {', '.join(known)})")
        if not isinstance(values, dict):
            raise ConfigError(f"{name}: expected a section [{name}], got {_shown(values)}")
        sections[name] = _section(name, _type_of(known[name]), values)
    return Config(**sections)


def checked(key: str, value: Any) -> Any:
    """Return a value as the setting `section.key` is to have it. Raises ConfigError."""
    section, _, name = key.partition(".")
    known = {each.name: each for each in dataclasses.fields(Config)}
    return _checked(key, typing.get_type_hints(_type_of(known[section]))[name], value)


def require_logo(brand: Brand) -> None:
    """Raise ConfigError if the logo cannot be read or is no SVG or PNG.

    Not a part of `load`, because couachgptctl may run elsewhere and as somebody else.
    """
    if not brand.logo:
        return
    path = Path(brand.logo).absolute()
    try:
        with path.open("rb") as file:
            head = file.read(_LOGO_HEAD_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        raise ConfigError(f"brand.logo: {path}: {getattr(error, 'strerror', error)}") from None
    kinds = {".svg": b"<svg" in head, ".png": head.startswith(_PNG)}
    if not kinds.get(path.suffix.lower()):
        raise ConfigError(f"brand.logo: expected an .svg or .png file that is one, got {path}")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _apply(document: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    section, dot, name = key.partition(".")
    if not equals or not dot:
        raise ConfigError(f"{override}: expected section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    values = document.setdefault(section, {})
    if not isinstance(values, dict):
        raise ConfigError(f"{section}: expected a section [{section}], got {_shown(values)}")
    values[name] = value


def _type_of(section: dataclasses.Field[Any]) -> type[Any]:
    return typing.get_type_hints(Config)[section.name]  # type: ignore[no-any-return]


def _section(name: str, section: type[Any], values: Mapping[str, Any]) -> Any:
    hints = typing.get_type_hints(section)
    known = [item.name for item in dataclasses.fields(section)]
    for key in values:
        if key not in known:
            raise ConfigError(f"unknown key: {name}.{key} (valid: {', '.join(known)})")
    checked = {key: _checked(f"{name}.{key}", hints[key], value) for key, value in values.items()}
    return section(**checked)


def _checked(key: str, kind: Any, value: Any) -> Any:
    """Return the value as the type wants it, or raise ConfigError that names the key."""
    if get_origin(kind) is Literal:
        valid = get_args(kind)
        if value not in valid:
            raise ConfigError(f"{key}: {_shown(value)} is not one of {', '.join(map(repr, valid))}")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{key}: expected a list of strings, got {_shown(value)}")
        return tuple(value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        expected = kind.__name__ if isinstance(kind, type | types.GenericAlias) else str(kind)
        raise ConfigError(f"{key}: expected {expected}, got {_shown(value)}")
    if key in BOUNDS and not BOUNDS[key][0] <= value <= BOUNDS[key][1]:
        least, most = BOUNDS[key]
        raise ConfigError(f"{key}: expected {least:.12g} to {most:.12g}, got {_shown(value)}")
    if key in PATTERNS and not PATTERNS[key][0].fullmatch(value):
        raise ConfigError(f"{key}: expected {PATTERNS[key][1]}, got {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"
