"""Refuses a load that the machine's whole memory does not hold, and warns where it is short now."""

import logging
from collections.abc import Callable

from couachgptd.core.errors import ModelTooLarge
from couachgptd.core.memory import MemoryNeed
from couachgptd.engine.meters import Memory

log = logging.getLogger(__name__)

MachineMemory = Callable[[], Memory]


def refuse_too_large(need: MemoryNeed) -> None:
    """Raise ModelTooLarge where no closing of other programs would help."""
    if not need.fits:
        raise ModelTooLarge(
            model=need.model,
            needed_bytes=need.needed_bytes,
            total_bytes=need.total_bytes,
            fitting_context_tokens=need.fitting_context_tokens,
        )


def warned(need: MemoryNeed) -> MemoryNeed | None:
    """Return the need where it is a reason to warn, once said in the log; else None."""
    if not need.is_short:
        return None
    log.warning(
        "memory is short for this model; loading it all the same",
        extra={
            "model": need.model,
            "needed_bytes": need.needed_bytes,
            "available_bytes": need.available_bytes,
        },
    )
    return need
