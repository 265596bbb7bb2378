"""The settings in force: where each comes from, and which may change while we run."""

import dataclasses
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from couachgptd import config as files
from couachgptd import paths
from couachgptd.core.errors import ConfigInvalid
from couachgptd.core.wire import Json
from couachgptd.settings import Config

log = logging.getLogger(__name__)

SECRETS = frozenset({"llama_server.api_key"})
HIDDEN = "•••"
# What is read anew each time it is needed, or set where it is kept, by `apply`.
RELOADABLE = frozenset(
    {
        "accounts.registration", "accounts.password_min_length", "accounts.session_days",
        "backup.nightly", "backup.hour", "brand.name", "brand.accent", "brand.accent_dark",
        "log.level",
    }
)  # fmt: skip
RELOADABLE_SECTIONS = frozenset({"retention"})


class Configuration:
    """`config` are the settings in force; `apply` is called with them when some have changed."""

    def __init__(
        self, config: Config, path: Path | None = None, overrides: Iterable[str] = ()
    ) -> None:
        self.config = config
        self.apply: Callable[[Config], None] = lambda _: None
        self._path = path
        self._overrides = tuple(overrides)

    @property
    def file(self) -> Path | None:
        """Return the file that counts; None where there is none."""
        if self._path is not None:
            return self._path
        return paths.SYSTEM_CONFIG if paths.SYSTEM_CONFIG.is_file() else None

    def show(self) -> Json:
        """Return every setting, secrets hidden."""
        origins = files.origins(self.file, self._overrides)
        defaults = flat(Config())
        return {
            "file": None if self.file is None else str(self.file),
            "settings": [
                {
                    "key": key,
                    "value": shown(key, value),
                    "default": shown(key, defaults[key]),
                    "origin": origins.get(key, "default"),
                    "is_reloadable": is_reloadable(key),
                }
                for key, value in flat(self.config).items()
            ],
        }

    def reload(self) -> Json:
        """Read the file again and take over what can be. Raises ConfigInvalid; nothing is changed.

        The keys are those whose value in the file is not the one that was in force.
        """
        try:
            read = files.load(self._path, self._overrides)
        except files.ConfigError as error:
            raise ConfigInvalid(reason=str(error)) from None
        before, after = flat(self.config), flat(read)
        changed = [key for key in after if after[key] != before[key]]
        applied = [key for key in changed if is_reloadable(key)]
        self.config = taken_over(self.config, {key: after[key] for key in applied})
        if applied:
            self.apply(self.config)
        log.info("configuration read again", extra={"applied": applied})
        return {"applied": applied, "needs_restart": [key for key in changed if key not in applied]}


def flat(config: Config) -> dict[str, Any]:
    """Return the settings by their keys, as `section.key`."""
    return {
        f"{section.name}.{item.name}": getattr(getattr(config, section.name), item.name)
        for section in dataclasses.fields(config)
        for item in dataclasses.fields(getattr(config, section.name))
    }


def shown(key: str, value: Any) -> Any:
    if key in SECRETS and value:
        return HIDDEN
    return list(value) if isinstance(value, tuple) else value


def is_reloadable(key: str) -> bool:
    return key in RELOADABLE or key.partition(".")[0] in RELOADABLE_SECTIONS


def taken_over(config: Config, values: dict[str, Any]) -> Config:
    """Return the settings with these values in the place of theirs."""
    for key, value in values.items():
        section, _, name = key.partition(".")
        changed = dataclasses.replace(getattr(config, section), **{name: value})
        config = dataclasses.replace(config, **{section: changed})
    return config
