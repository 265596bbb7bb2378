"""The promises, held against what the clients noted and what the database keeps."""

import sqlite3
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.nemesis_history import Change, History, Request, Violation, common, union
from tests.fake_script import ANSWER

FINAL = frozenset({"done", "stopped", "interrupted", "failed"})
OPEN = frozenset({"ready", "busy", "slow", "loading"})  # the queue gives turns out
FAIR_FACTOR = 3.0  # a wait is at most so many times one's fair share of it
STUCK_SECONDS = 60.0  # two attempts, each to its hard budget, and the wait between them
FAIR_LEAST_SECONDS = 5.0  # a longest turn that is shorter says little
RESTART_SLACK_SECONDS = 2.0  # between the watchdog's order and systemctl's first line
WORDS_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Rules:
    """What the run was configured with."""

    restarts_in_window: int
    window_seconds: float
    retry_seconds: float
    flowing_seconds: float  # words that came this shortly before a restart were flowing


@dataclass(frozen=True, slots=True)
class KeptMessage:
    id: int
    conversation: str
    parent: int | None
    author: str
    author_id: int | None
    client_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """Times are seconds of the wall clock."""

    id: int
    message: int
    asker: int
    state: str
    queued_at: float
    started_at: float | None
    finished_at: float | None
    reason: str | None
    error: str | None
    tokens: int


class Kept:
    """What the database holds once all is over."""

    def __init__(
        self, messages: list[KeptMessage], turns: list[KeptTurn], integrity: str = "ok"
    ) -> None:
        self.messages = {each.id: each for each in messages}
        self.turns = turns
        self.integrity = integrity

    @cached_property
    def answers(self) -> dict[int, list[KeptMessage]]:
        """The answers to each question."""
        found: dict[int, list[KeptMessage]] = defaultdict(list)
        for each in self.messages.values():
            if each.author == "model" and each.parent is not None:
                found[each.parent].append(each)
        return found

    @cached_property
    def turns_of(self) -> dict[int, list[KeptTurn]]:
        """The turns that wrote each answer, oldest first."""
        found: dict[int, list[KeptTurn]] = defaultdict(list)
        for each in self.turns:
            found[each.message].append(each)
        return found


def read(path: Path) -> Kept:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        integrity = database.execute("PRAGMA integrity_check").fetchone()[0]
        broken = database.execute("PRAGMA foreign_key_check").fetchall()
        messages = database.execute(
            "SELECT id, conversation_id, parent_id, author, author_id, client_id, text"
            " FROM messages ORDER BY id"
        )
        turns = database.execute(
            "SELECT id, message_id, asker_id, state, queued_at / 1000.0, started_at / 1000.0,"
            " finished_at / 1000.0, finish_reason, error_code, coalesce(answer_tokens, 0)"
            " FROM turns ORDER BY id"
        )
        return Kept(
            [KeptMessage(*row) for row in messages],
            [KeptTurn(*row) for row in turns],
            f"{len(broken)} broken references" if broken else integrity,
        )


def check(history: History, kept: Kept, rules: Rules) -> list[Violation]:
    """Return every promise that was broken."""
    found = [each for view in history.views for each in view.violations]
    if kept.integrity != "ok":
        found.append(Violation("integrity", kept.integrity))
    found += lost(history, kept)
    found += duplicates(history, kept)
    found += unfinished(kept)
    found += differing(history, kept)
    found += restarts(history, rules)
    found += stuck(history, kept)
    found += starved(history, kept)
    return [_with_surroundings(each, history) for each in found]


def lost(history: History, kept: Kept) -> Iterator[Violation]:
    """No acknowledged message is lost: neither a question nor the answer that was promised."""
    for asked in history.requests:
        if asked.ok is None or asked.verb == "chat.stop":
            continue
        answer = kept.messages.get(asked.ok["answer"])
        if answer is None or not kept.turns_of.get(answer.id):
            yield _of(asked, "lost", "its answer is not kept, or has no turn")
        if asked.verb != "chat.ask":
            continue
        question = kept.messages.get(asked.ok["question"])
        if question is None:
            yield _of(asked, "lost", "acknowledged, not kept")
        elif (question.text, question.client_id) != (asked.text, asked.client_id):
            yield _of(asked, "lost", f"kept as another: {question.text[:WORDS_SHOWN]!r}")
        elif answer is not None and answer.parent != question.id:
            yield _of(asked, "lost", f"its answer belongs to {answer.parent}")


def duplicates(history: History, kept: Kept) -> Iterator[Violation]:
    """One question a client_id, one answer a question, one turn an answer; more only if asked."""
    asked = {each.client_id: each for each in history.requests if each.verb == "chat.ask"}
    sent = Counter(each.client_id for each in kept.messages.values() if each.client_id)
    for client_id, count in sent.items():
        if client_id not in asked:
            yield Violation("duplicate", f"a question that nobody asked: {client_id}")
        elif count > 1:
            yield _of(asked[client_id], "duplicate", f"kept {count} times")
    counts = [("question", key, len(each)) for key, each in kept.answers.items()]
    counts += [("answer", key, len(each)) for key, each in kept.turns_of.items()]
    least, most = _wanted(history, kept)
    for kind, key, count in counts:
        low, high = 1 + least[kind, key], 1 + most[kind, key]
        if not low <= count <= high:
            what = "answers" if kind == "question" else "turns"
            told = f"{kind} {key}: {count} {what}, {low} to {high} were asked for"
            yield Violation("duplicate", told)


def _wanted(history: History, kept: Kept) -> tuple[Counter[tuple[str, int]], ...]:
    """Return how many more were asked for at least, and at most: some were never answered for."""
    least, most = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for each in history.requests:
        answer = kept.messages.get(each.message or 0)
        if each.verb == "chat.regenerate" and answer and answer.parent:
            key = ("question", answer.parent)
        elif each.verb == "chat.continue" and answer:
            key = ("answer", answer.id)
        else:
            continue
        least[key] += each.ok is not None
        most[key] += each.ok is not None or each.error is None
    return least, most


def unfinished(kept: Kept) -> Iterator[Violation]:
    """Every turn reaches an end."""
    for turn in kept.turns:
        if turn.state not in FINAL or turn.finished_at is None:
            yield Violation("ends", f"turn {turn.id} stays {turn.state}", at=turn.queued_at)


def differing(history: History, kept: Kept) -> Iterator[Violation]:
    """What the tabs put together from events is what is kept, and what the engine wrote."""
    held: dict[str, set[int]] = defaultdict(set)
    for message in kept.messages.values():
        held[message.conversation].add(message.id)
        if message.author == "model" and not _is_by_the_engine(message.text):
            told = f"answer {message.id} is not what the engine wrote: {message.text[-80:]!r}"
            yield Violation("text", told, at=_ended_at(kept, message.id))
    for view in history.views:
        if not view.is_whole:
            continue
        for name, shown in view.shown.items():
            if shown.texts.keys() != held[name] and shown.is_watched:
                apart = sorted(shown.texts.keys() ^ held[name])
                yield Violation("text", f"{view.name}: {name}: messages {apart} differ")
            for number in shown.texts.keys() & held[name]:
                text = kept.messages[number].text
                if shown.texts[number] != text:
                    at = _differ_at(shown.texts[number], text)
                    told = f"{view.name}: answer {number} differs from letter {at} on:"
                    ends = f"{shown.texts[number][at:][:40]!r}, kept {text[at:][:40]!r}"
                    yield Violation("text", f"{told} shown {ends}", at=_ended_at(kept, number))


def restarts(history: History, rules: Rules) -> Iterator[Violation]:
    """Not while words flow, never two at once, and no more than the budget allows."""
    changes = sorted(history.changes.values(), key=lambda each: each.at)
    orders = [each for each in changes if each.after == "restarting"]
    spent: list[float] = []
    newest_retry: float | None = None
    for restart in sorted(history.restarts, key=lambda each: each.began):
        order = _order_of(restart.began, orders)
        if order is None:
            if not _was_killed_at(history, restart.began):  # else it had no time to note why
                yield Violation("restarts", "a restart that no verdict explains", at=restart.began)
            continue
        if order.evidence.get("cause") != "dead":
            last = bisect_left(history.texts, restart.began)
            newest = history.texts[last - 1] if last else 0.0
            if restart.began - newest < rules.flowing_seconds:
                told = f"a restart {restart.began - newest:.2f} s after a word"
                yield Violation("flowing", told, at=restart.began)
        if order.before != "failed":
            spent = [each for each in spent if restart.began - each < rules.window_seconds]
            spent.append(restart.began)
            if len(spent) > rules.restarts_in_window:
                told = f"{len(spent)} restarts within {rules.window_seconds:g} s"
                yield Violation("budget", told, at=restart.began)
        else:
            if newest_retry and restart.began - newest_retry < 0.8 * rules.retry_seconds:
                told = f"a retry {restart.began - newest_retry:.1f} s after another"
                yield Violation("budget", told, at=restart.began)
            newest_retry = restart.began
    for before, after in _pairs(history):
        told = f"a restart while that of {before:.3f} was under way"
        yield Violation("restarts", told, at=after)


def stuck(history: History, kept: Kept) -> Iterator[Violation]:
    """No turn hangs unseen: the engine's pauses left out, each ends or is healed in good time."""
    for turn, seconds in taken(history, kept):
        if seconds > STUCK_SECONDS:
            told = f"turn {turn.id} took {seconds:.1f} s and ended as {turn.state}"
            yield Violation("stuck", told, history.way_of(turn.id), at=turn.finished_at)


def starved(history: History, kept: Kept) -> Iterator[Violation]:
    """A wait at the head of one's line is at most FAIR_FACTOR times one's fair share.

    The fair share: each of the others has the longest turn of all before it, on all slots. What
    counts, of waits and of turns, is time in which the queue gave turns out: neither without the
    daemon nor while the engine was hung, being healed or given up.
    """
    fair = fair_seconds(history, kept)
    for turn, wait in waits(history, kept):
        if wait > FAIR_FACTOR * fair:
            told = f"turn {turn.id} of person {turn.asker} waited {wait:.1f} s, fair is {fair:.1f}"
            yield Violation("starved", told, at=turn.queued_at)


def fair_seconds(history: History, kept: Kept) -> float:
    longest = max([FAIR_LEAST_SECONDS, *(seconds for _, seconds in taken(history, kept))])
    return (history.people - 1) * longest / history.slots


def taken(history: History, kept: Kept) -> list[tuple[KeptTurn, float]]:
    """Return how long each turn took from its start to its end, pauses left out."""
    pauses = paused(history)
    return [
        (
            turn,
            turn.finished_at - turn.started_at - common(pauses, turn.started_at, turn.finished_at),
        )
        for turn in kept.turns
        if turn.started_at is not None and turn.finished_at is not None
    ]


def waits(history: History, kept: Kept) -> list[tuple[KeptTurn, float]]:
    """Return how long each turn waited at the head of its person's line, pauses left out."""
    pauses = paused(history)
    before: dict[int, float] = {}
    found = []
    for turn in kept.turns:
        until = turn.started_at or turn.finished_at or history.ended
        since = max(turn.queued_at, min(before.get(turn.asker, 0.0), until))
        found.append((turn, max(0.0, until - since) - common(pauses, since, until)))
        ended = turn.finished_at or history.ended
        before[turn.asker] = max(before.get(turn.asker, 0.0), ended)
    return found


def paused(history: History) -> list[tuple[float, float]]:
    """Return when the queue gave nothing out, as far as can be told from outside."""
    stays = [(each.began, each.ended) for each in history.absences]
    closed_from: float | None = None
    for change in sorted(history.changes.values(), key=lambda each: each.at):
        if closed_from is None and change.after not in OPEN:
            closed_from = change.at
        elif closed_from is not None and change.after in OPEN:
            stays.append((closed_from, change.at))
            closed_from = None
        elif closed_from is not None and change.after == "starting":
            # Its way to `ready` is no incident: the next word tells of it.
            first = bisect_left(history.texts, change.at)
            until = history.texts[first] if first < len(history.texts) else history.ended
            stays.append((closed_from, until))
            closed_from = None
    if closed_from is not None:
        stays.append((closed_from, history.ended))
    return union(stays)


def _order_of(moment: float, orders: list[Change]) -> Change | None:
    """Return the newest order that a restart at this moment can be the outcome of."""
    slack = RESTART_SLACK_SECONDS
    near = [each for each in orders if -0.2 <= moment - each.at <= slack]
    return near[-1] if near else None


def _was_killed_at(history: History, moment: float) -> bool:
    return any(
        each.kind == "killed" and abs(each.began - moment) < RESTART_SLACK_SECONDS
        for each in history.absences
    )


def _pairs(history: History) -> Iterator[tuple[float, float]]:
    """Yield restarts that overlap; the death of the daemon between them explains it."""
    stays = sorted(history.restarts, key=lambda each: each.began)
    for index, one in enumerate(stays):
        for other in stays[index + 1 :]:
            is_overlapping = other.began < one.ended
            if is_overlapping and not any(
                each.overlaps(one.began, other.began) for each in history.absences
            ):
                yield one.began, other.began


def _is_by_the_engine(text: str) -> bool:
    """Say whether it is the beginning of the one text that the fake writes, again and again."""
    return (ANSWER * (len(text) // len(ANSWER) + 1)).startswith(text)


def _ended_at(kept: Kept, answer: int) -> float | None:
    turns = kept.turns_of.get(answer)
    return turns[-1].finished_at if turns else None


def _differ_at(one: str, other: str) -> int:
    length = min(len(one), len(other))
    return next((n for n in range(length) if one[n] != other[n]), length)


def _of(asked: Request, invariant: str, what: str) -> Violation:
    words = f"person {asked.person} {asked.verb} {asked.client_id or asked.message}"
    return Violation(invariant, f"{words}: {what}: {asked.ok}", at=asked.acknowledged_at)


def _with_surroundings(violation: Violation, history: History) -> Violation:
    if violation.at is None:
        return violation
    evidence = (*violation.evidence, *history.around(violation.at))
    return Violation(violation.invariant, violation.what, evidence, violation.at)
