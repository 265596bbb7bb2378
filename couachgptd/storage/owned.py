"""Rows of one person, or of everybody: those have no owner."""

from typing import Any, TypeVar

from peewee import SQL

from couachgptd.core.errors import NotFound
from couachgptd.core.ids import UserId
from couachgptd.storage.tables import Table

Row = TypeVar("Row", bound=Table)


def rows_of(table: Any, owner_id: UserId | None) -> Any:
    """Return a query of the rows of one owner; None owns those of everybody."""
    return table.select().where(_is_of(table, owner_id))


def rows_for(table: Any, user_id: UserId, name: str) -> Any:
    """Return a query of a person's own rows, then everybody's, each by the column `name`."""
    return (
        table.select()
        .where(_is_of(table, user_id) | _is_of(table, None))
        .order_by(SQL("owner_id IS NULL"), SQL(f"{name} COLLATE NOCASE"), SQL("id"))
    )


def found(table: type[Row], owner_id: UserId | None, key: int) -> Row:
    """Raises NotFound, also for what is another's."""
    row: Row | None = (
        rows_of(table, owner_id)
        .where(table.id == key)  # type: ignore[attr-defined]  # each table declares its own
        .first()
    )
    if row is None:
        raise NotFound
    return row


def _is_of(table: Any, owner_id: UserId | None) -> Any:
    return table.owner.is_null() if owner_id is None else table.owner == owner_id
