"""The context that an administrator chose for a model, where they did."""

from collections.abc import Callable

ContextOf = Callable[[str], int | None]


def no_choice(_model: str) -> None:
    """Leave the context of every model to the configuration."""
