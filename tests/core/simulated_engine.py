"""A small scripted world for the supervisor: an engine, a runner, people, a virtual clock."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from couachgptd.core.budgets import Limits
from couachgptd.core.ids import TurnId
from couachgptd.core.snapshots import (
    Answer,
    Attempt,
    EngineFacts,
    Failure,
    Phase,
    Process,
    Snapshot,
)
from couachgptd.core.supervision import decide
from couachgptd.core.turns import Timings
from couachgptd.core.verdicts import (
    Action,
    Cancel,
    CancelReason,
    Decision,
    QuarantineModel,
    QuarantineTurn,
    Release,
    Restart,
    State,
    Transition,
    Unload,
    Verdict,
)
from couachgptd.core.vitals import Abilities, Meters, Probe
from couachgptd.core.vitals import Failure as NoAnswer

ANSWERS = Probe(0.01, status=200)
SILENT = Probe(3.0, failure=NoAnswer.TIMEOUT)


@dataclass(slots=True)
class Question:
    """One turn; `poison` is what it does to the engine once it is being written."""

    id: TurnId
    model: str = "m"
    prompt_tokens: int = 100
    answer_tokens: int = 200
    max_tokens: int = 1024
    poison: str = ""
    tries: int = 0
    end: str = ""
    stop_at: float = float("inf")


@dataclass(slots=True)
class Engine:
    """What the engine is like; a test turns these knobs while it runs."""

    process: Process = Process.RUNNING
    life: int = 1
    wedge: str = ""  # "still", "spin": from now on nothing comes
    wedges_on: Phase | None = None  # the phase in which it always does
    load_seconds: float = 5.0
    read_rate: float = 50.0
    token_seconds: float = 0.3
    starts: bool = True
    start_seconds: float = 2.0
    acts_seconds: float = 3.0  # how long one restart takes
    unload_works: bool = True
    cancel_works: bool = True
    probe_ok: bool = True
    inventory_ok: bool = True
    is_ours: bool = False
    has_meters: bool = True
    load_reads: bool = True
    loaded: str = ""
    thrashes: bool = False
    burns: float = 0.0  # CPU of work that nobody asked for
    oom_kills: int = 0


@dataclass(slots=True)
class Log:
    transitions: list[Transition] = field(default_factory=list)
    actions: list[tuple[float, Action]] = field(default_factory=list)

    def first(self, verdict: Verdict, after: float = 0.0) -> float:
        """Return when it was first taken; infinity if never."""
        times = [t.at for t in self.transitions if t.after is verdict and t.at >= after]
        return min(times, default=float("inf"))

    def of(self, *kinds: type[Action]) -> list[tuple[float, Action]]:
        return [(at, each) for at, each in self.actions if isinstance(each, kinds)]


Check = Callable[[State, Snapshot, Decision], None]


def no_check(before: State, snapshot: Snapshot, decision: Decision) -> None:
    """Let every decision pass."""


class World:
    """Ticks once a second; every tick is one snapshot, one decision, and its actions."""

    def __init__(
        self, *, slots: int = 1, limits: Limits | None = None, sample_seconds: float = 5.0
    ) -> None:
        self.now = 0.0
        self.limits = limits or Limits()
        self.slots = slots
        self.sample_seconds = sample_seconds  # how often meters and probes are read
        self.engine = Engine()
        self.abilities = Abilities()
        self.state = State()
        self.log = Log()
        self.questions: list[Question] = []
        self.attempts: dict[int, Attempt] = {}
        self.failures: list[Failure] = []
        self.answers: list[Answer] = []
        self.acting_until = float("-inf")
        self.start_at = float("-inf")  # when its process listens, once it runs
        self.others_act = False
        self.is_maintenance = False
        self.port_taken = False
        self.refuses = ""  # why no restart is done
        self.refusal: str | None = None
        self.late = 0.0
        self.asleep = 0.0
        self.chance = 0.5
        self.probe_failures = 0
        self.meters = Meters()
        self.sampled_at = float("-inf")
        self.check: Check = no_check
        self._next_attempt = 0
        self._worked = 0.0
        self._read = 0.0

    @property
    def is_restarting(self) -> bool:
        return self.acting_until != float("-inf")

    # what a test does

    def ask(self, turn: int, **features: object) -> Question:
        question = replace(Question(TurnId(turn)), **features)  # type: ignore[arg-type]
        self.questions.append(question)
        return question

    def run(self, seconds: float, tick: float = 1.0) -> None:
        end = self.now + seconds
        while self.now < end:
            self.tick(tick)

    def kill(self, *, oom: bool = False) -> None:
        """Kill the engine's process (or the runner under it, where it goes on by itself)."""
        if self.engine.process is Process.RUNNING:
            self.engine.process = Process.EXITED
        self._lose_all("engine_killed", has_died=True)
        self.engine.oom_kills += oom

    def kill_runner(self, *, oom: bool = False) -> None:
        self._lose_all("engine_killed", has_died=True)
        self.engine.oom_kills += oom

    def stop_by_person(self) -> None:
        self.engine.process = Process.STOPPED
        self._lose_all("engine_unavailable", has_died=False)

    def start_by_person(self) -> None:
        self._start()

    # one second

    def tick(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self._finish_acting()
        self._work(seconds)
        snapshot = self.snapshot()
        decision = decide(self.state, snapshot, self.limits)
        self.check(self.state, snapshot, decision)
        self.state = decision.state
        self.log.transitions += decision.transitions
        for action in decision.actions:
            self.log.actions.append((self.now, action))
            self._act(action)
        self._start_turns()

    def snapshot(self) -> Snapshot:
        engine = self.engine
        answers_probe = engine.process is Process.IDLE or (
            engine.process in {Process.RUNNING, Process.UNKNOWN}
            and engine.probe_ok
            and self.now >= self.start_at
        )
        if self.now - self.sampled_at >= self.sample_seconds:
            elapsed = min(self.now - self.sampled_at, 1e6)
            self.sampled_at = self.now
            self.probe_failures = 0 if answers_probe else self.probe_failures + 1
            self.meters = Meters(
                cpu_cores=self._worked / elapsed,
                io_bytes_per_second=self._read / elapsed,
                memory_growth_bytes_per_second=0.0,
                memory_pressure_percent=30.0 if engine.thrashes else 0.0,
                oom_kills=engine.oom_kills,
            )
            engine.oom_kills = 0
            self._worked = self._read = 0.0
        found = Snapshot(
            now=self.now,
            late_seconds=self.late,
            asleep_seconds=self.asleep,
            liveness=ANSWERS if self.probe_failures == 0 and answers_probe else SILENT,
            probe_failures=self.probe_failures,
            inventory=ANSWERS if engine.inventory_ok and answers_probe else SILENT,
            loaded=frozenset({engine.loaded} - {""}),
            engine=EngineFacts(
                process=engine.process,
                incarnation=self._incarnation(),
                is_acted_on=self.now < self.acting_until or self.others_act,
                is_port_taken=self.port_taken,
                is_ours=engine.is_ours,
            ),
            meters=self.meters if engine.has_meters else Meters(),
            attempts=tuple(self.attempts.values()),
            failures=tuple(self.failures),
            answers=tuple(self.answers),
            refusal=self.refusal,
            abilities=self.abilities,
            is_maintenance=self.is_maintenance,
            chance=self.chance,
        )
        self.failures, self.answers, self.late, self.asleep = [], [], 0.0, 0.0
        self.meters = replace(self.meters, oom_kills=0)
        self.refusal = None
        return found

    def _incarnation(self) -> str | None:
        if self.engine.process in {Process.IDLE, Process.UNKNOWN}:
            return None
        return str(self.engine.life)

    # the engine

    def _start(self) -> None:
        self.engine.life += 1
        self.engine.process = Process.RUNNING if self.engine.starts else Process.EXITED
        self.engine.wedge = self.engine.loaded = ""
        self.engine.cancel_works = self.engine.probe_ok = self.engine.inventory_ok = True
        self.engine.burns = 0.0
        self.start_at = self.now + self.engine.start_seconds

    def _finish_acting(self) -> None:
        if self.is_restarting and self.now >= self.acting_until:
            self.acting_until = float("-inf")
            self._start()

    def _work(self, seconds: float) -> None:
        engine = self.engine
        self._worked += engine.burns * seconds
        if engine.process not in {Process.RUNNING, Process.UNKNOWN} or self.now < self.start_at:
            return
        if engine.wedge == "spin":
            self._worked += seconds
        for attempt in list(self.attempts.values()):
            if attempt.id not in self.attempts:
                continue  # the one before it has killed the engine
            if attempt.phase is Phase.DRAIN:
                if not engine.cancel_works:
                    self._worked += seconds
            elif not engine.wedge:
                self._advance(attempt, seconds)

    def _advance(self, attempt: Attempt, seconds: float) -> None:
        engine, age = self.engine, self.now - attempt.phase_from
        question = self._question(attempt)
        if engine.wedges_on is attempt.phase or (
            attempt.phase is Phase.WRITE and question.poison == "hang"
        ):
            engine.wedge = "still"
            return
        if attempt.phase is Phase.LOAD:
            self._read += 50e6 * seconds if engine.load_reads else 0.0
            self._worked += 0.02 * seconds
            if age >= engine.load_seconds:
                engine.loaded = attempt.model
                attempt = replace(attempt, phase=Phase.READ, phase_from=self.now)
        elif attempt.phase is Phase.READ:
            self._worked += seconds
            if age * engine.read_rate >= attempt.prompt_tokens:
                attempt = replace(
                    attempt, phase=Phase.WRITE, phase_from=self.now, progress_at=self.now, tokens=1
                )
        else:
            self._worked += seconds
            if question.poison == "stall" and question.tries == 1:
                return
            if question.poison == "kill":
                self.kill_runner()
                return
            tokens = 1 + int(age / engine.token_seconds)
            if tokens > attempt.tokens:
                attempt = replace(attempt, tokens=tokens, progress_at=self.now)
            if tokens >= question.answer_tokens:
                self._answered(attempt, question)
                return
        self.attempts[attempt.id] = attempt

    # the runner: it never starts what it may not, and asks again once

    def _question(self, attempt: Attempt) -> Question:
        return next(each for each in self.questions if each.id == attempt.turn)

    def _start_turns(self) -> None:
        for attempt in list(self.attempts.values()):
            question = self._question(attempt)
            if self.now >= question.stop_at and attempt.phase is not Phase.DRAIN:
                question.end = "stopped"
                self._drain(attempt)
        for question in self.questions:
            running = {each.turn for each in self.attempts.values()}
            if question.end or question.id in running or not self._may_start(question):
                continue
            self._next_attempt += 1
            question.tries += 1
            is_loaded = self.engine.loaded == question.model
            if self.engine.process is Process.IDLE:
                self._start()
            self.attempts[self._next_attempt] = Attempt(
                id=self._next_attempt,
                turn=question.id,
                model=question.model,
                phase=Phase.READ if is_loaded else Phase.LOAD,
                phase_from=self.now,
                opened_at=self.now,
                prompt_tokens=question.prompt_tokens,
                max_tokens=question.max_tokens,
            )

    def _may_start(self, question: Question) -> bool:
        if question.model in self.state.quarantined_models:
            question.end = "model quarantined"
            return False
        if not self.state.may_start or len(self.attempts) >= self.slots:
            return False
        running = {each.turn for each in self.attempts.values()}
        return not running or not ({question.id} | running) & self.state.alone

    def _answered(self, attempt: Attempt, question: Question) -> None:
        timings = Timings(
            prompt_tokens=attempt.prompt_tokens,
            answer_tokens=attempt.tokens,
            read_seconds=attempt.prompt_tokens / self.engine.read_rate,
            write_seconds=attempt.tokens * self.engine.token_seconds,
        )
        self.answers.append(Answer(attempt.turn, attempt.model, timings))
        question.end = "done"
        del self.attempts[attempt.id]

    def _again(self, question: Question) -> None:
        if question.tries > 1 and not question.end:
            question.end = "interrupted"

    def _lose_all(self, code: str, *, has_died: bool) -> None:
        for attempt in list(self.attempts.values()):
            self.fail(attempt.id, code, has_died=has_died)
        self.engine.wedge = self.engine.loaded = ""

    def fail(self, attempt_id: int, code: str, *, has_died: bool = False) -> None:
        attempt = self.attempts.pop(attempt_id)
        if attempt.phase is not Phase.DRAIN:
            self.failures.append(
                Failure(attempt.id, attempt.turn, attempt.model, attempt.phase, code, has_died)
            )
            question = self._question(attempt)
            if code == "engine_busy":
                question.tries -= 1
            self._again(question)

    def _drain(self, attempt: Attempt) -> None:
        self.attempts[attempt.id] = replace(attempt, phase=Phase.DRAIN, phase_from=self.now)

    # what the supervisor orders

    def _act(self, action: Action) -> None:
        match action:
            case Cancel(attempts, reason):
                self._cancel(attempts, reason)
            case Unload():
                self._unload()
            case Restart():
                assert not self.is_restarting, "two restarts in flight"
                if self.refuses:
                    self.refusal = self.refuses
                    return
                self.acting_until = self.now + self.engine.acts_seconds
                self.engine.process = Process.STOPPED
                self._lose_all("engine_unavailable", has_died=False)
            case Release(attempts):
                self.attempts = {k: v for k, v in self.attempts.items() if k not in attempts}
            case QuarantineTurn(turn, reason):
                found = next(each for each in self.questions if each.id == turn)
                found.end = f"quarantined: {reason}"
            case QuarantineModel():
                pass

    def _unload(self) -> None:
        if self.engine.unload_works:
            self.engine.wedge = self.engine.loaded = ""
            self.engine.cancel_works = self.engine.probe_ok = True
            if self.engine.is_ours:
                self.engine.process = Process.IDLE

    def _cancel(self, attempts: tuple[int, ...], reason: CancelReason) -> None:
        for each in attempts:
            attempt = self.attempts[each]
            question = self._question(attempt)
            if reason is CancelReason.RUNAWAY:
                question.end = "done"
            else:
                self._again(question)
            self._drain(attempt)
