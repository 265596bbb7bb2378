"""What tests of saved prompts and of presets share: both are lists that a person keeps."""

import sqlite3
from contextlib import closing
from typing import Any

from tests.running_daemon import Browser, RunningDaemon

Json = dict[str, Any]


async def sent(browser: Browser, path: str, form: dict[str, str]) -> tuple[int, Json]:
    """Send a form as our page does; return the status and the answer."""
    response = await browser.post(path, form, headers={"Accept": "application/json"})
    return response.status, await response.json()


async def require_bounded(
    daemon: RunningDaemon, login: str, path: str, form: dict[str, str], *, most: int, code: str
) -> None:
    """Add as many as are kept, see one more refused, and remove their person.

    `{n}` in the form is the number of each.
    """
    daemon.add_user(login)
    async with daemon.browser(login) as browser:
        token = await browser.token()

        async def add(number: int) -> tuple[int, Json]:
            fields = {name: text.replace("{n}", str(number)) for name, text in form.items()}
            headers = {"Origin": browser.address, "Accept": "application/json"}
            data = {"csrf": token, **fields}
            async with browser.session.post(path, data=data, headers=headers) as response:
                return response.status, await response.json()

        for number in range(most):
            assert (await add(number))[0] == 200
        status, answer = await add(most)
        assert (status, answer["error"]["code"]) == (400, code)
        assert answer["error"]["fields"] == {"most": most}
    status, _ = daemon.control("POST", f"/v1/users/{login}/remove", {})
    assert status == 200


def count(daemon: RunningDaemon, table: str) -> int:
    with closing(sqlite3.connect(daemon.data / "couachgpt.db")) as opened:
        (found,) = opened.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 -- names of ours
    return int(found)
