"""The statements of every turn, with their SQL made once: peewee makes it anew at each call.

Measured on one question: 2.0 ms of CPU in peewee for 0.25 ms in SQLite. Nothing else differs: the
same tables, fields and transaction, and peewee's own way to the connection.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from couachgptd.storage.tables import Table, proxy

Row = TypeVar("Row", bound=Table)


def insert(table: type[Row], **values: Any) -> Row:
    """Insert a row as `create` does and return it; fields not given take their defaults."""
    row = table(**values)
    fields = _fields(table)
    names = tuple(name for name in fields if name in row.__data__)
    cursor = proxy.execute_sql(_insert_sql(table, names), _kept(fields, row.__data__, names))
    row.__data__.setdefault(_key(table).name, cursor.lastrowid)
    return row


def find(table: type[Row], **equal: Any) -> Row | None:
    """Return the first row whose fields have these values, as `get_or_none` does."""
    fields = _fields(table)
    names = tuple(equal)
    cursor = proxy.execute_sql(_select_sql(table, names), _kept(fields, equal, names))
    values = cursor.fetchone()
    if values is None:
        return None
    row = table(__no_default__=1)
    for (name, field), value in zip(fields.items(), values, strict=True):
        row.__data__[name] = field.python_value(value)
    return row


def update(table: type[Table], changes: Iterable[tuple[Any, Mapping[str, Any]]]) -> None:
    """Update rows by their primary key; all `changes` name the same fields."""
    fields = _fields(table)
    for key, values in changes:
        names = tuple(values)
        proxy.execute_sql(_update_sql(table, names), [*_kept(fields, values, names), key])


def _kept(fields: Mapping[str, Any], values: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    return [fields[name].db_value(values[name]) for name in names]


@cache
def _fields(table: type[Table]) -> dict[str, Any]:
    return dict(table._meta.fields)  # noqa: SLF001 -- peewee's documented name of it


def _key(table: type[Table]) -> Any:
    return table._meta.primary_key  # noqa: SLF001 -- as above


@cache
def _select_sql(table: type[Table], names: tuple[str, ...]) -> str:
    fields = _fields(table)
    columns = ", ".join(_quoted(field.column_name) for field in fields.values())
    equal = " AND ".join(f"{_quoted(fields[name].column_name)} = ?" for name in names)
    return f"SELECT {columns} FROM {_name(table)} WHERE {equal} LIMIT 1"  # noqa: S608 -- as above


@cache
def _insert_sql(table: type[Table], names: tuple[str, ...]) -> str:
    columns = ", ".join(_quoted(_fields(table)[name].column_name) for name in names)
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {_name(table)} ({columns}) VALUES ({marks})"  # noqa: S608 -- names of ours


@cache
def _update_sql(table: type[Table], names: tuple[str, ...]) -> str:
    columns = ", ".join(f"{_quoted(_fields(table)[name].column_name)} = ?" for name in names)
    key = _quoted(_key(table).column_name)
    return f"UPDATE {_name(table)} SET {columns} WHERE {key} = ?"  # noqa: S608 -- names of ours


def _name(table: type[Table]) -> str:
    return _quoted(table._meta.table_name)  # noqa: SLF001 -- as above


def _quoted(name: str) -> str:
    return f'"{name}"'
