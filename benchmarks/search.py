"""A search in 100,000 messages, beside a scan with LIKE, and what the index costs."""

import asyncio
import random
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from benchmarks import programs
from benchmarks.machine import load_average
from benchmarks.report import Report, Target, parser, percentile
from couachgptd.core.ids import UserId
from couachgptd.core.search import expression
from couachgptd.core.turns import TurnSource, TurnState
from couachgptd.services.search import FOUND_AT_ONCE
from couachgptd.storage.database import FILE_NAME
from couachgptd.storage.store import SqliteStore, opened_store

SEED = 20261123
MESSAGES, QUICK_MESSAGES = 100_000, 2_000
EXCHANGES_A_CONVERSATION = 10
QUESTION_WORDS, ANSWER_WORDS = 15, 200
LIMIT_MS = 50
COMMON = ("le", "de", "la", "et", "un", "des", "que", "pour", "dans", "les", "est", "été", "où")
LETTERS = "etaoinsrhldcumfpgwybvkéèàêç"
# One with most of what there is, one with little, one with nothing: walks through others' hits.
MOST, LITTLE, NOTHING = UserId(1), UserId(2), UserId(3)
OTHERS = range(4, 44)
PEOPLE = {"60 % of all": MOST, "a few": LITTLE, "nothing": NOTHING}
TYPED = {
    "a common word": "dans ",
    "a beginning, two letters": "et",
    "two common words": "pour les ",
    "a common word and a beginning": "pour de",
    "a word and accents": "ete",
    "a sentence": "le la et un des que",
    "what is nowhere": "zzzzzz",
}
LIKE = """SELECT messages.id, messages.text FROM messages
    JOIN conversations ON conversations.id = messages.conversation_id
    WHERE owner_id = ? AND conversations.deleted_at IS NULL AND NOT is_growing AND {}
    ORDER BY messages.id DESC LIMIT ?"""
STEPS = 10  # at which a growing answer is kept


@dataclass(frozen=True, slots=True)
class Searched:
    """One thing typed by one person. LIKE knows neither words nor accents: it finds others."""

    typed: str
    of: str
    found: int
    median_ms: float
    p95_ms: float
    like_median_ms: float
    load: float


@dataclass(frozen=True, slots=True)
class Kept:
    """A question and an answer of 200 words, kept at nine steps and its end, commits and all."""

    kept: str
    times: int
    median_ms: float
    cpu_ms: float
    load: float


@dataclass(frozen=True, slots=True)
class Size:
    messages: int
    database_mib: float
    index_mib: float
    filled_s: float
    load: float


class Words:
    """Texts as French has them: a few words are in every one, most in almost none."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)  # noqa: S311 -- the same texts at each run
        weights = range(len(LETTERS), 0, -1)
        made = (
            "".join(self.random.choices(LETTERS, weights, k=self.random.randint(3, 11)))
            for _ in range(30_000)
        )
        self._words = [*COMMON, *made]
        self._weights = list(accumulate(1 / (rank + 2) for rank in range(len(self._words))))

    def text(self, count: int) -> str:
        return " ".join(self.random.choices(self._words, cum_weights=self._weights, k=count))


def fill(path: Path, messages: int, words: Words) -> None:
    """Write conversations of everybody, in turn, by the schema's own triggers."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for user in (MOST, LITTLE, NOTHING, *OTHERS):
            connection.execute(
                "INSERT INTO users (id, login, name, password_hash, role, state, language,"
                " created_at) VALUES (?, ?, '', '', 'member', 'active', 'fr', 0)",
                (user, f"user{user}"),
            )
        per_conversation = 2 * EXCHANGES_A_CONVERSATION
        for number in range(messages // per_conversation):
            owner = MOST if number % 10 < 6 else words.random.choice(OTHERS)
            owner = LITTLE if number % 500 == 7 else owner
            connection.execute(
                "INSERT INTO conversations (id, kind, owner_id, title, created_at, updated_at)"
                " VALUES (?, 'chat', ?, ?, 0, ?)",
                (f"c{number}", owner, words.text(6), number),
            )
            connection.executemany(
                "INSERT INTO messages (conversation_id, author, text, created_at)"
                " VALUES (?, ?, ?, 0)",
                (
                    (f"c{number}", "model", words.text(ANSWER_WORDS))
                    if each % 2
                    else (f"c{number}", "person", words.text(QUESTION_WORDS))
                    for each in range(per_conversation)
                ),
            )


async def times_ms(work: Callable[[], Awaitable[object]], times: int) -> list[float]:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        found.append((time.perf_counter() - began) * 1000)
    return found


async def searched(store: SqliteStore, path: Path, typed: str, of: str, times: int) -> Searched:
    words = expression(TYPED[typed]) or ""
    user = PEOPLE[of]
    each = TYPED[typed].split()
    query = LIKE.format(" AND ".join("messages.text LIKE ?" for _ in each))
    values = (user, *(f"%{word}%" for word in each), FOUND_AT_ONCE)

    async def ours() -> int:
        found = await store.search(user, words, before=None, limit=FOUND_AT_ONCE)
        return len(found.titles) + len(found.messages)

    def scan() -> list[object]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(query, values).fetchall()

    count = await ours()
    found = await times_ms(ours, times)
    like = await times_ms(lambda: asyncio.to_thread(scan), max(3, times // 5))
    return Searched(
        typed,
        of,
        count,
        statistics.median(found),
        percentile(found, 95),
        statistics.median(like),
        load_average(),
    )


async def exchange(store: SqliteStore, name: str, words: Words, *, at_each_step: bool) -> None:
    _, _, answer, _ = await store.add_question(
        user_id=LITTLE,
        conversation_id=None,
        client_id=name,
        text=words.text(QUESTION_WORDS),
        title=words.text(6),
        parent_id=None,
        source=TurnSource.CHAT,
        model="m",
        options={},
    )
    if answer.turn is None:
        raise AssertionError(name)
    text = words.text(ANSWER_WORDS)
    done = replace(answer.turn, state=TurnState.DONE)
    growing = done if at_each_step else replace(done, state=TurnState.WRITING)
    for step in range(1, STEPS):
        await store.save_progress([(growing, text[: len(text) * step // STEPS], "")])
    await store.finish_turn(done, text, "")


async def kept(store: SqliteStore, name: str, words: Words, times: int) -> Kept:
    numbers = iter(range(times))

    async def work() -> None:
        client_id = f"{name} {next(numbers)}"
        await exchange(store, client_id, words, at_each_step=name == "indexed at each step")

    before = time.process_time()
    found = await times_ms(work, times)
    cpu_ms = (time.process_time() - before) / times * 1000
    return Kept(name, times, statistics.median(found), cpu_ms, load_average())


def drop_triggers(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")


def index_mib(path: Path) -> float:
    with closing(sqlite3.connect(path)) as connection:
        tables = "SELECT coalesce(sum(length(block)), 0) FROM {}_data"
        found = [
            connection.execute(tables.format(index)).fetchone()[0]
            for index in ("message_index", "title_index", "file_index")
        ]
    return float(sum(found)) / 2**20


async def measure(*, is_quick: bool) -> Report:
    report = Report("search")
    times = 5 if is_quick else 40
    words = Words()
    with programs.data_directory() as directory:
        path = directory / FILE_NAME
        async with opened_store(directory):
            pass
        began = time.monotonic()
        fill(path, QUICK_MESSAGES if is_quick else MESSAGES, words)
        filled = time.monotonic() - began
        async with opened_store(directory) as store:
            found = [
                await searched(store, path, typed, of, times) for typed in TYPED for of in PEOPLE
            ]
            sizes = await store.upkeep(directory).sizes()
            report.rows += found
            report.rows.append(
                Size(
                    sizes.messages,
                    sizes.database / 2**20,
                    index_mib(path),
                    filled,
                    load_average(),
                )
            )
            report.rows.append(await kept(store, "indexed at its end (ours)", words, times))
            report.rows.append(await kept(store, "indexed at each step", words, times))
            drop_triggers(path)
            report.rows.append(await kept(store, "without an index", words, times))
    slowest = max(each.p95_ms for each in found)
    report.targets.append(Target("the slowest search, p95", slowest, LIMIT_MS, "ms"))
    return report


def main() -> None:
    arguments = parser(__doc__).parse_args()
    report = asyncio.run(measure(is_quick=arguments.quick))
    report.show(as_json=arguments.json)


if __name__ == "__main__":
    main()
