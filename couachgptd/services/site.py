"""What an administrator changes while we run: some settings, and the banner for everybody."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from couachgptd.core import wire
from couachgptd.core.banner import Banner, Level
from couachgptd.core.errors import CouachError, NotFound
from couachgptd.core.ports import Store
from couachgptd.core.wire import Json

log = logging.getLogger(__name__)

SETTINGS, BANNER = "site", "banner"  # the stored settings that hold them
LONGEST_TIMER = 86_400.0

Check = Callable[[str, Any], Any]


class Site:
    """A stored value wins over the configuration's; `None` gives that its say again.

    `configured` are the settings that may be changed, by name (`accounts.registration`); `check`
    returns a value of one as it is to be, or raises BadRequest. `changed` is called with the name
    of each that is another now; `banner_changed` tells everybody.
    """

    def __init__(self, store: Store, configured: Mapping[str, Any], check: Check) -> None:
        self._store = store
        self._configured = dict(configured)
        self._check = check
        self._stored: dict[str, Any] = {}
        self._appliers: dict[str, Callable[[Any], None]] = {}
        self._banner: Banner | None = None
        self._end: asyncio.TimerHandle | None = None
        self.banner_changed: Callable[[], None] = lambda: None
        self.changed: Callable[[str], None] = lambda _: None

    async def recall(self) -> None:
        """Take up what was stored; what this version no longer takes is left out."""
        for name, value in (await self._kept(SETTINGS)).items():
            try:
                self._stored[name] = self._check(self._known(name), value)
            except CouachError:
                log.warning("a stored setting is not used", extra={"setting": name})
        kept = await self._kept(BANNER)
        if kept:
            self._banner = Banner(kept["text"], Level(kept["level"]), _moment(kept["until"]))
            self._watch_end()

    async def _kept(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self._store.setting(name) or "{}")
        return found

    # settings

    def __getitem__(self, name: str) -> Any:
        return self._stored.get(name, self._configured[name])

    def apply(self, name: str, to: Callable[[Any], None]) -> None:
        """Call `to` with the value of a setting, now and whenever it changes."""
        self._appliers[name] = to
        to(self[name])

    def configure(self, name: str, value: Any) -> None:
        """Know what the configuration says now; a stored value still wins."""
        self._configured[name] = value
        self._changed(name)

    def shapes(self) -> list[Json]:
        return [self.shape(name) for name in self._configured]

    def shape(self, name: str) -> Json:
        return {
            "name": name,
            "value": self[name],
            "configured": self._configured[name],
            "source": "stored" if name in self._stored else "configuration",
        }

    async def change(self, name: str, value: Any, actor: str) -> Json:
        """Raises NotFound for a setting that may not be changed so, BadRequest for its value."""
        self._known(name)
        stored = {key: each for key, each in self._stored.items() if key != name}
        if value is not None:
            stored[name] = self._check(name, value)
        await self._store.set_setting(SETTINGS, json.dumps(stored))
        await self._store.audit(actor, "setting.change", {"name": name, "value": value})
        self._stored = stored
        self._changed(name)
        return self.shape(name)

    def _changed(self, name: str) -> None:
        if name in self._appliers:
            self._appliers[name](self[name])
        self.changed(name)

    def _known(self, name: str) -> str:
        if name not in self._configured:
            raise NotFound
        return name

    # the banner

    @property
    def banner(self) -> Json | None:
        """Return what is to be shown now."""
        banner = self._banner
        if banner is None or banner.is_over(datetime.now(UTC)):
            return None
        return {
            "text": banner.text,
            "level": banner.level.value,
            "until": wire.moment(banner.until),
        }

    async def show(self, banner: Banner | None, actor: str) -> None:
        """Show a banner on every open page, or take it away."""
        self._banner = banner
        shape = self.banner
        await self._store.set_setting(BANNER, None if shape is None else json.dumps(shape))
        await self._store.audit(actor, "banner.set", shape or {})
        self.banner_changed()
        self._watch_end()

    def _watch_end(self) -> None:
        """Take the banner away on time, also in a day and more."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        if self._banner is None or self._banner.until is None:
            return
        seconds = (self._banner.until - datetime.now(UTC)).total_seconds()
        loop = asyncio.get_running_loop()
        if seconds <= 0:
            self.banner_changed()
        else:
            self._end = loop.call_later(min(seconds + 0.01, LONGEST_TIMER), self._watch_end)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
