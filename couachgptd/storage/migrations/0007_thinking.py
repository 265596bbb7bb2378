"""How long a model thought before it answered."""

from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    db.execute_sql("ALTER TABLE turns ADD COLUMN think_seconds REAL")
