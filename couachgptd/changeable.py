"""The settings that an administrator may change while we run, and whom each of them reaches."""

import logging
from functools import partial
from operator import attrgetter
from typing import Any

from couachgptd.config import ConfigError, checked
from couachgptd.configuration import Configuration
from couachgptd.core.errors import BadRequest
from couachgptd.core.ports import Store
from couachgptd.services.accounts import AccountService
from couachgptd.services.maintenance import Maintenance
from couachgptd.services.site import Site
from couachgptd.settings import Config

# The rest takes a restart.
CHANGEABLE = (
    "accounts.registration", "backup.nightly", "backup.hour", "retention.conversation_days",
    "retention.bin_days", "retention.audit_days", "retention.incident_days", "brand.name",
    "brand.accent", "brand.accent_dark",
)  # fmt: skip


async def recalled_site(store: Store, config: Config) -> Site:
    site = Site(store, {name: attrgetter(name)(config) for name in CHANGEABLE}, _checked)
    await site.recall()
    return site


def apply(
    settings: Configuration,
    site: Site,
    accounts: AccountService,
    maintenance: Maintenance,
) -> None:
    """Have each setting that may be changed reach whom it concerns, now and later."""
    settings.apply = partial(_take_over, accounts, site)
    site.apply("accounts.registration", partial(setattr, accounts, "registration"))
    site.apply("backup.nightly", partial(setattr, maintenance, "is_nightly"))
    site.apply("backup.hour", partial(setattr, maintenance, "hour"))


def _checked(name: str, value: Any) -> Any:
    try:
        return checked(name, value)
    except ConfigError as error:
        raise BadRequest(reason=str(error)) from None


def _take_over(accounts: AccountService, site: Site, config: Config) -> None:
    """Set what the configuration, read again, says otherwise than at the start."""
    for name in CHANGEABLE:
        site.configure(name, attrgetter(name)(config))
    accounts.min_length = config.accounts.password_min_length
    accounts.session_days = config.accounts.session_days
    logging.getLogger().setLevel(config.log.level.upper())
