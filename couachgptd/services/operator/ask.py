"""The operator's own question."""

from collections.abc import AsyncGenerator

from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk


def ask(desk: Desk, call: Call) -> AsyncGenerator[Json]:
    model = None if call.body.get("model") is None else call.text("model")
    return desk.chat.ask_operator(call.text("text"), model)
