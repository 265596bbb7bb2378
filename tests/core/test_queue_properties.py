"""What holds for the queue whatever happens, in whatever order."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from couachgptd.core.ids import ConversationId, TurnId, UserId
from couachgptd.core.queue import AGEING_TOKENS_PER_SECOND, Queue, Running, Waiting
from couachgptd.core.turns import TurnSource

PEOPLE = st.sampled_from([None, UserId(1), UserId(2), UserId(3)])
CONVERSATIONS = st.sampled_from([None, *map(ConversationId, "abc")])
SOURCES = st.sampled_from([*TurnSource, TurnSource.CHAT, TurnSource.CHAT])
MODELS = st.sampled_from(["small", "large"])


class AnyHistory(RuleBasedStateMachine):
    """Turns come, start, end, are stopped, interrupted or suspected; the engine fails and heals."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()
        self.slots = 1
        self.now = 0.0
        self.waiting: dict[TurnId, Waiting] = {}
        self.running: dict[TurnId, Waiting] = {}
        self.added = 0

    @initialize(slots=st.integers(1, 3), bound=st.sampled_from([0.0, 60.0]))
    def begin(self, slots: int, bound: float) -> None:
        self.slots = slots
        self.queue = Queue(slots=slots, pass_over_seconds=bound)

    @rule(
        asker=PEOPLE,
        conversation=CONVERSATIONS,
        source=SOURCES,
        model=MODELS,
        tokens=st.integers(1, 5000),
    )
    def add(
        self,
        asker: UserId | None,
        conversation: ConversationId | None,
        source: TurnSource,
        model: str,
        tokens: int,
    ) -> None:
        self.added += 1
        waiting = Waiting(
            TurnId(self.added),
            asker,
            conversation,
            source=source,
            model=model,
            queued_at=self.now,
            tokens=tokens,
            seconds=tokens / 50,
        )
        self.queue.add(waiting)
        self.waiting[waiting.turn] = waiting

    @rule()
    def take(self) -> None:
        running = self.queue.take(self.now)
        if running is None:
            self.check_that_nothing_could_start()
        else:
            self.check_start(running)
            self.running[running.waiting.turn] = self.waiting.pop(running.waiting.turn)

    def check_start(self, running: Running) -> None:
        taken = running.waiting
        assert taken == self.waiting[taken.turn], "given twice, or never added"
        assert not self.queue.is_paused
        others = self.running.values()
        assert len(self.running) < self.slots
        assert all(taken.model == other.model for other in others)
        assert not any(taken.is_suspect or other.is_suspect for other in others)
        answered = {other.conversation for other in others} - {None}
        assert taken.conversation not in answered
        if taken.is_idle:
            everybody = [*others, *self.waiting.values()]
            assert all(other.is_idle for other in everybody)
        for other in self.waiting.values():
            if (other.asker, other.is_idle) == (taken.asker, taken.is_idle):
                assert taken.order <= other.order or other.conversation in answered
            elif not other.is_idle and other.conversation not in answered:
                assert self.slots_of(taken) <= self.slots_of(other)

    def slots_of(self, waiting: Waiting) -> int:
        return sum(
            (other.asker, other.is_idle) == (waiting.asker, waiting.is_idle)
            for other in self.running.values()
        )

    def check_that_nothing_could_start(self) -> None:
        if self.queue.is_paused or len(self.running) == self.slots:
            return
        if not self.running:
            assert not self.waiting, "an engine with nothing to do, and turns that wait"
            return
        if any(other.is_suspect for other in self.running.values()):
            return
        answered = {other.conversation for other in self.running.values()} - {None}
        is_ordinary = any(
            not other.is_idle for other in [*self.running.values(), *self.waiting.values()]
        )
        ready = [
            other
            for other in self.waiting.values()
            if other.conversation not in answered and not (other.is_idle and is_ordinary)
        ]
        needs_all_slots = [
            other for other in ready if other.is_suspect or other.model != self.queue.model
        ]
        assert needs_all_slots or not ready, "a free slot, and a turn that could use it"

    @precondition(lambda self: self.running)
    @rule(data=st.data(), tokens=st.none() | st.integers(1, 5000))
    def end(self, data: st.DataObject, tokens: int | None) -> None:
        turn = data.draw(st.sampled_from(sorted(self.running)))
        self.queue.ended(turn, self.now, tokens)
        del self.running[turn]

    @precondition(lambda self: self.running)
    @rule(data=st.data(), is_suspect=st.booleans())
    def interrupt(self, data: st.DataObject, is_suspect: bool) -> None:  # noqa: FBT001 -- drawn
        turn = data.draw(st.sampled_from(sorted(self.running)))
        self.queue.give_back(turn, is_suspect=is_suspect)
        del self.running[turn]
        self.waiting[turn] = next(each for each in self.queue if each.turn == turn)

    @rule(turn=st.integers(1, 30).map(TurnId))
    def remove(self, turn: TurnId) -> None:
        assert self.queue.remove(turn) == (self.waiting.pop(turn, None) is not None)

    @rule(seconds=st.sampled_from([0.0, 1.0, 30.0, 1000.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def fail_or_heal(self) -> None:
        if self.queue.is_paused:
            self.queue.resume()
        else:
            self.queue.pause()

    @precondition(lambda self: not self.running)
    @rule()
    def lose_the_model(self) -> None:
        self.queue.model = None

    @invariant()
    def nothing_is_lost(self) -> None:
        assert {each.turn: each for each in self.queue} == self.waiting
        assert set(self.queue.running) == set(self.running)

    @invariant()
    def everybody_has_a_place(self) -> None:
        places = self.queue.places(self.now)
        assert sorted(places) == sorted(self.waiting)
        assert sorted(places.values()) == list(range(len(places)))


AnyHistory.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyHistory = AnyHistory.TestCase


SIZES = st.lists(st.integers(1, 2000), min_size=2, max_size=12)


@given(st.lists(SIZES, min_size=2, max_size=6), st.data())
def test_those_who_wait_are_served_alike_within_two_answers(
    people: list[list[int]], data: st.DataObject
) -> None:
    """The bound of every deficit round-robin, and what its estimates and ageing may add."""
    queue = Queue()
    real: dict[TurnId, int] = {}
    for person, sizes in enumerate(people):
        for size in sizes:
            turn = TurnId(len(real))
            real[turn] = size
            expected = data.draw(st.integers(1, 2000))
            queue.add(Waiting(turn, UserId(person), tokens=expected))
    left = {UserId(person): len(sizes) for person, sizes in enumerate(people)}
    served: dict[UserId, int] = defaultdict(int)
    now = 0.0
    while all(left.values()):
        running = queue.take(now)
        assert running is not None
        turn, asker = running.waiting.turn, running.waiting.asker
        assert asker is not None
        now += real[turn] / 1000
        queue.ended(turn, now, real[turn])
        served[asker] += real[turn]
        left[asker] -= 1
        given = [served[person] for person in left]
        assert max(given) - min(given) <= 2 * 2000 + AGEING_TOKENS_PER_SECOND * now


TURNS = st.tuples(st.integers(1, 5), MODELS, st.integers(1, 200), st.integers(0, 100))


@given(st.lists(TURNS, max_size=25), st.integers(0, 120))
def test_nobody_is_passed_beyond_the_bound_because_of_a_model(
    turns: list[tuple[int, str, int, int]], bound: int
) -> None:
    """With one slot and answers as long as expected; a longer one is under way by then."""
    queue = Queue(pass_over_seconds=bound)
    coming = sorted(
        (
            Waiting(
                TurnId(number), UserId(asker), model=model, queued_at=float(at), seconds=seconds
            )
            for number, (asker, model, seconds, at) in enumerate(turns)
        ),
        key=lambda each: each.order,
        reverse=True,
    )
    now = 0.0
    due: dict[TurnId, float] = {}
    while coming or len(queue):
        while coming and coming[-1].queued_at <= now:
            queue.add(coming.pop())
        if heads := queue._heads():
            due.setdefault(min(heads).turn, now)
        running = queue.take(now)
        if running is None:
            now = coming[-1].queued_at
            continue
        turn = running.waiting.turn
        assert now - due.get(turn, now) <= bound
        now += running.waiting.seconds
        queue.ended(turn, now)


@given(
    debt=st.integers(1, 1000),
    newcomer_tokens=st.integers(1, 500),
    every_seconds=st.integers(1, 30),
)
def test_a_debt_is_forgiven_with_time_whoever_comes(
    debt: int, newcomer_tokens: int, every_seconds: int
) -> None:
    queue = Queue()
    queue.add(Waiting(TurnId(0), None, tokens=debt))
    queue.add(Waiting(TurnId(1), None))
    now, number = 0.0, 1
    running = queue.take(now)
    while running is not None and running.waiting.turn != 1:
        number += 1
        now += every_seconds
        queue.add(Waiting(TurnId(number), UserId(number), queued_at=now, tokens=newcomer_tokens))
        queue.ended(running.waiting.turn, now)
        running = queue.take(now)

    assert now <= every_seconds + debt / AGEING_TOKENS_PER_SECOND + every_seconds
