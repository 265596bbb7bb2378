"""The secret that the tokens of forms are made with: drawn once, and kept."""

import secrets

from couachgptd.core.ports import Store

NAME = "csrf_secret"  # of the setting
BYTES = 32


async def form_secret(store: Store) -> bytes:
    kept = await store.setting(NAME)
    if kept is None:
        kept = secrets.token_hex(BYTES)
        await store.set_setting(NAME, kept)
    return bytes.fromhex(kept)
