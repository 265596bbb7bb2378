"""Packs the templates, the built front end and the catalogues into the wheel."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Where couachgptd.paths.web_dir() looks first.
PACKED = {
    "web/templates": "couachgptd/web/templates",
    "web/public": "couachgptd/web/public",
    "web/dist": "couachgptd/web/dist",
    "web/locales/fr/LC_MESSAGES/couachgpt.mo": "couachgptd/web/locales/fr/LC_MESSAGES/couachgpt.mo",
    "web/locales/en/LC_MESSAGES/couachgpt.mo": "couachgptd/web/locales/en/LC_MESSAGES/couachgpt.mo",
    "etc/couachgpt.toml": "couachgptd/etc/couachgpt.toml",
}


class PackFrontEnd(BuildHookInterface[Any]):
    """An editable install packs nothing: it uses the checkout, where `make web` may come later."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for source in PACKED:
            if not Path(self.root, source).exists():
                raise FileNotFoundError(f"{source} is not built: `make wheel` does it")
        build_data["force_include"].update(PACKED)
