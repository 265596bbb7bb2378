"""The logo that an administrator sent: examined behind the wall, then kept in the store."""

import base64
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from couachgptd.core.errors import FileRefused, SandboxFailed
from couachgptd.core.ports import Sandbox, Store
from couachgptd.core.wire import Json

log = logging.getLogger(__name__)

SETTING = "logo"  # the stored setting: with it a backup has the logo, too
JOB = "logo"
BYTES_MAX = 256 * 1024  # every page shows it
SECONDS = 10.0  # a worker's start on a busy machine, and its few milliseconds of work
# The worker's words, the only ones that are taken from it.
TYPES: Mapping[bytes, str] = {b"png": "image/png", b"svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Picture:
    media_type: str
    data: bytes

    @property
    def version(self) -> str:
        """Return what is another word for another picture: browsers keep one by it."""
        return hashlib.sha256(self.data).hexdigest()[:16]


class Logo:
    """`shown` wins over the configuration's `brand.logo`; None gives that its say again.

    `changed` is called when it is another.
    """

    def __init__(self, store: Store, sandbox: Sandbox) -> None:
        self._store = store
        self._sandbox = sandbox
        self.shown: Picture | None = None
        self.changed: Callable[[], None] = lambda: None

    @classmethod
    async def recalled(cls, store: Store, sandbox: Sandbox) -> Self:
        logo = cls(store, sandbox)
        kept = await store.setting(SETTING)
        if kept is not None:
            found = json.loads(kept)
            logo.shown = Picture(found["type"], base64.b64decode(found["data"]))
        return logo

    @property
    def shape(self) -> Json | None:
        if self.shown is None:
            return None
        return {"type": self.shown.media_type, "size_bytes": len(self.shown.data)}

    async def change(self, data: bytes, actor: str) -> None:
        """Show this picture on every page from now on.

        Raises FileRefused, SandboxMissing, SandboxFailed; the picture before then stays.
        """
        if len(data) > BYTES_MAX:
            raise FileRefused(reason="too_large")
        media_type = TYPES.get(await self._sandbox.run(JOB, data, seconds=SECONDS))
        if media_type is None:
            log.warning("a sandbox gave an answer that its job has not")
            raise SandboxFailed(reason="ended")
        picture = Picture(media_type, data)
        kept = {"type": media_type, "data": base64.b64encode(data).decode()}
        await self._store.set_setting(SETTING, json.dumps(kept))
        self.shown = picture
        self.changed()
        await self._store.audit(actor, "logo.set", self.shape or {})

    async def remove(self, actor: str) -> None:
        await self._store.set_setting(SETTING, None)
        self.shown = None
        self.changed()
        await self._store.audit(actor, "logo.rm", {})
