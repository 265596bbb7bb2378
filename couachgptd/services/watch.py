"""Looks at the engine again and again, has it judged, and does what the judgement says."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, TypeVar

from couachgptd.core.budgets import Limits, Rates
from couachgptd.core.errors import (
    CouachError,
    EngineBusy,
    EngineOutOfMemory,
    ModelQuarantined,
    QuestionQuarantined,
    StoreError,
)
from couachgptd.core.incidents import Incident
from couachgptd.core.ports import EngineControl, Store
from couachgptd.core.snapshots import Process
from couachgptd.core.supervision import decide
from couachgptd.core.verdicts import (
    USED_BY_OTHERS,
    Action,
    Cancel,
    Decision,
    QuarantineModel,
    QuarantineReason,
    QuarantineTurn,
    Release,
    Restart,
    State,
    Transition,
    Unload,
    Verdict,
    forgive_model,
    reset,
    restored,
    saved,
)
from couachgptd.core.vitals import Meters, Probe, Vitals
from couachgptd.services.models import ModelService
from couachgptd.services.pulse import Pulse
from couachgptd.services.runner import TurnRunner
from couachgptd.services.sight import Sight

log = logging.getLogger(__name__)

Result = TypeVar("Result")

WATCHDOG = "watchdog"  # the setting that holds what outlives us
SAVE_SECONDS = 60.0
IDLE_SECONDS = 5.0
BUSY_SECONDS = 2.0
ALERT_SECONDS = 1.0
LEAST_SECONDS = 0.2
INVENTORY_SECONDS = 15.0

# The life of an engine that is well: told in the log at most, of no interest the day after.
ROUTINE = frozenset({Verdict.STARTING, Verdict.READY, Verdict.BUSY, Verdict.LOADING})

# Somebody else must act first, and may take all night.
OUT_OF_OUR_HANDS = frozenset(
    {Verdict.STOPPED, Verdict.FAILED, Verdict.UNREACHABLE, Verdict.MAINTENANCE}
)

# Why a restart is not done and would not be the next time, until a person has mended it.
REFUSALS = frozenset({"no_systemd", "not_permitted", "no_such_unit", "unit_masked", "unsupported"})


class Watch:
    """The watchdog's loop. It holds no opinion of its own: `core.supervision` decides."""

    def __init__(
        self,
        control: EngineControl,
        runner: TurnRunner,
        models: ModelService,
        store: Store,
        limits: Limits,
    ) -> None:
        self._control = control
        self._runner = runner
        self._models = models
        self._store = store
        self._limits = limits
        self._sight = Sight(runner.attempts, control.abilities, models.size_of)
        self._pulse = Pulse()
        self._state = State()
        self._nudged = asyncio.Event()
        self._rests = False
        self._acting: set[asyncio.Task[None]] = set()
        self._refusal: str | None = None  # of the last restart, not yet told to who decides
        self._restarting: asyncio.Future[Any] | None = None
        self._inventory_at = 0.0
        self._has_inventory = True
        self._saved_at = 0.0
        self.meters = Meters()
        self.looked_at = inf  # on the loop's clock; before its first look it is not late
        self.is_maintenance = False
        self.is_stopped = False
        self.downloads = 0
        self.seen: Vitals | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        await self._recall()
        self._runner.news = self._nudged.set
        self._runner.begun = self._wake
        self._runner.is_watched = True
        async with asyncio.TaskGroup() as group:
            loops = (
                group.create_task(self._pulse.beat(), name="pulse"),
                group.create_task(self._look_again_and_again(), name="watchdog"),
            )
            try:
                yield
            finally:
                for loop in loops:
                    loop.cancel()
                self._runner.unwatch()
                for task in self._acting:
                    task.cancel()
        await self._save()

    def reset(self) -> None:
        """A person says that it is mended."""
        self._state = reset(self._state)
        self._models.quarantine(frozenset())
        self._nudged.set()

    def maintain(self, *, is_on: bool) -> None:
        self.is_maintenance = is_on
        self._state = replace(self._state, maintenance_from=None)  # its time begins anew
        self._nudged.set()

    async def order(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do to the engine what a person orders; nothing is judged meanwhile.

        It goes on where the caller does not wait for it. Raises EngineBusy where something is being
        done to the engine already.
        """
        if self._is_acted_on:
            work.close()
            raise EngineBusy
        self._restarting = task = asyncio.create_task(work, name="order")
        self._nudged.set()
        try:
            return await asyncio.shield(task)
        finally:
            self._nudged.set()

    @property
    def state(self) -> State:
        return self._state

    def rates(self) -> Mapping[str, Rates]:
        """Return what this machine has taught of each model."""
        return self._state.memory.rates

    @property
    def _is_acted_on(self) -> bool:
        return self._restarting is not None and not self._restarting.done()

    # looking

    async def _look_again_and_again(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:  # a fault of ours here must not leave the engine unwatched
                log.exception("the watchdog stumbled; looking again")
            self.looked_at = asyncio.get_running_loop().time()
            seconds = self._interval()
            self._rests = seconds == IDLE_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._nudged.wait()
            self._nudged.clear()
            await asyncio.sleep(LEAST_SECONDS)

    def _wake(self) -> None:
        """Look at once at an engine that begins to work after a rest."""
        if self._rests:
            self._nudged.set()

    def _interval(self) -> float:
        if self._state.verdict in OUT_OF_OUR_HANDS:
            return IDLE_SECONDS
        verdict = self._state.verdict
        if verdict is Verdict.STARTING or verdict not in ROUTINE or self._runner.drains:
            return ALERT_SECONDS  # people wait for what comes of it
        return BUSY_SECONDS if self._runner.running_turns else IDLE_SECONDS

    async def _look(self) -> None:
        seen = await self._control.vitals(with_inventory=self._wants_inventory())
        self.meters = seen.meters
        if self.downloads and not self._runner.running_turns:
            # It computes for nobody, and rightly: it adds up the hash of what came.
            seen = replace(seen, meters=replace(seen.meters, cpu_cores=None))
        if seen.inventory is not None:
            self._note_inventory(seen.inventory, seen.at)
        self.seen = seen
        snapshot = self._sight.snapshot(
            seen,
            late_seconds=self._pulse.late_seconds(),
            is_acted_on=self._is_acted_on,
            is_maintenance=self.is_maintenance,
            is_stopped=self.is_stopped,
            refusal=self._refusal,
        )
        self._refusal = None
        if snapshot.engine.process is Process.RUNNING and not self._is_acted_on:
            self.is_stopped = False  # somebody has started it
        decision = decide(self._state, snapshot, self._limits)
        self._state = decision.state
        if self._state.verdict is not Verdict.MAINTENANCE:
            self.is_maintenance = False  # it ends by itself where nobody ends it
        if Restart() in decision.actions:
            await self._save()  # a crash of ours must not forget that it was counted
        for action in decision.actions:
            self._act(action)
        self._runner.allow(may_start=self._state.may_start, suspects=self._state.alone)
        self._forgive_changed_models()
        if decision.transitions or decision.actions or seen.at - self._saved_at > SAVE_SECONDS:
            self._saved_at = seen.at
            await self._save()  # before anybody is told of it
        await self._tell(decision, snapshot.now)

    def _wants_inventory(self) -> bool:
        """It takes the engine's own locks: seldom, as long as all is well."""
        if self._state.verdict not in ROUTINE or self._runner.drains:
            return True
        return asyncio.get_running_loop().time() - self._inventory_at >= INVENTORY_SECONDS

    def _note_inventory(self, probe: Probe, at: float) -> None:
        """Tell of one that does not answer: by itself it is no reason to act."""
        if probe.is_ok != self._has_inventory:
            self._has_inventory = probe.is_ok
            said = "answers again" if probe.is_ok else "does not answer"
            log.log(logging.INFO if probe.is_ok else logging.WARNING, "engine's inventory %s", said)
        self._inventory_at = at

    # acting

    def _act(self, action: Action) -> None:
        match action:
            case Cancel(attempts, reason):
                self._runner.cancel(attempts, reason)
            case Release(attempts):
                self._runner.release(attempts)
            case Unload(model):
                self._runner.engine_holds(None)
                self._start(self._unload(model))
            case Restart():
                self._runner.engine_holds(None)
                self._restarting = self._start(self._restart())
            case QuarantineTurn(turn, QuarantineReason.POISON):
                self._start(self._runner.give_up(QuestionQuarantined(), turn))
            case QuarantineTurn(turn):
                self._start(self._runner.give_up(EngineOutOfMemory(), turn))
            case QuarantineModel(model):
                self._models.quarantine(self._state.quarantined_models)
                self._start(self._runner.give_up(ModelQuarantined(model=model), model=model))

    def _start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        async def whole() -> None:
            try:
                await work
            except CouachError as error:
                log.warning("an intervention failed", extra={"error": error.code})
            except Exception:  # nobody awaits it: only the log would ever tell
                log.exception("an intervention failed by a fault of ours")
            finally:
                self._nudged.set()

        task = asyncio.create_task(whole(), name="intervention")
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)
        return task

    async def _unload(self, model: str) -> None:
        outcome = await self._control.unload(model)
        log.warning(
            "model dropped" if outcome.is_done else "model could not be dropped",
            extra={"model": model, "seconds": round(outcome.seconds, 1), "reason": outcome.reason},
        )

    async def _restart(self) -> None:
        outcome = await self._control.restart()
        if outcome.reason in REFUSALS:
            self._refusal = outcome.reason
        log.warning(
            "engine restarted" if outcome.is_done else "engine could not be restarted",
            extra={"seconds": round(outcome.seconds, 1), "reason": outcome.reason},
        )

    def _forgive_changed_models(self) -> None:
        for model in self._models.changed_quarantined():
            self._state = forgive_model(self._state, model)
            self._models.quarantine(self._state.quarantined_models)

    # telling

    async def _tell(self, decision: Decision, now: float) -> None:
        incidents = []
        for each in decision.transitions:
            is_routine = {each.before, each.after} <= ROUTINE
            is_news = each.evidence.get("reason") == USED_BY_OTHERS
            level = logging.INFO if is_news else logging.DEBUG
            log.log(
                level if is_routine else logging.WARNING,
                "engine is %s, was %s",
                each.after.value,
                each.before.value,
                extra={"evidence": each.evidence},
            )
            if not is_routine:
                incidents.append(incident(each, now))
        failed = self._state.memory.failed
        self._models.judge(self._state.verdict.value, failed.reason.value if failed else None)
        try:
            await self._store.add_incidents(incidents)
        except StoreError:
            log.exception("what happened to the engine could not be kept")

    # remembering

    async def _recall(self) -> None:
        kept = await self._store.setting(WATCHDOG)
        if kept is None:
            return
        now = asyncio.get_running_loop().time()
        try:
            document = json.loads(kept)
            elapsed = time.time() - document["saved_at"]
            self._state = restored(document, now, elapsed)
            self.is_maintenance = self._state.maintenance_from is not None
        except (KeyError, TypeError, ValueError):
            log.warning("what the watchdog knew cannot be read; it learns anew")
        self._models.quarantine(self._state.quarantined_models)

    async def _save(self) -> None:
        document = saved(self._state, asyncio.get_running_loop().time())
        try:
            await self._store.set_setting(
                WATCHDOG, json.dumps({**document, "saved_at": time.time()})
            )
        except StoreError:
            log.exception("what the watchdog knows could not be kept")


def incident(transition: Transition, now: float) -> Incident:
    """Return a transition as people read it: at a time of the wall clock."""
    moment = datetime.now(UTC) - timedelta(seconds=now - transition.at)
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return Incident(
        moment, transition.before.value, transition.after.value, dict(transition.evidence)
    )
