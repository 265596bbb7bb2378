"""Runs turns on the engine's slots: owns every call to the engine, whoever watches or leaves."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from contextvars import Context
from dataclasses import replace

from couachgptd.core.errors import (
    CouachError,
    EngineError,
    EngineKilled,
    EngineUnavailable,
    QueueFull,
    ServerStopping,
)
from couachgptd.core.ids import TurnId, UserId
from couachgptd.core.ports import Engine, Store
from couachgptd.core.queue import Queue, Waiting
from couachgptd.core.snapshots import Phase
from couachgptd.core.turns import Timings, TurnState
from couachgptd.core.verdicts import CancelReason
from couachgptd.services import calls, ends
from couachgptd.services.attempts import Attempts, Trying
from couachgptd.services.ends import End
from couachgptd.services.keeper import Keeper
from couachgptd.services.leisure import Leisure
from couachgptd.services.live import LiveTurn
from couachgptd.services.shutdown import Shutdown
from couachgptd.services.slots import Slots
from couachgptd.services.waits import Waits

log = logging.getLogger(__name__)


class TurnRunner:
    """The engine never holds more turns than it has slots; the others wait here, in turn.

    While somebody watches (`is_watched`), a slot whose call was cut is held until they say that
    the engine has let go of it, and after a failure nothing starts until they allow it.
    `news` is called when something happened that a watchdog should look at now, `begun` when a turn
    begins.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        slots: int,
        per_person: int,
        in_all: int,
        pass_over_seconds: float = 60.0,
    ) -> None:
        self._engine = engine
        self._per_person = per_person
        self._in_all = in_all
        self._queue = Queue(slots=slots, pass_over_seconds=pass_over_seconds)
        self._keeper = Keeper(store)
        self._may_start = True
        self._held: list[UserId | None] = []  # who has a place for a turn not yet submitted
        self._live: dict[TurnId, LiveTurn] = {}
        self._suspects: frozenset[TurnId] = frozenset()
        self._group: asyncio.TaskGroup | None = None
        self.slots = Slots(slots)
        self.attempts = Attempts()
        self.leisure = Leisure()
        self._waits = Waits(store, self._queue, self.attempts, self._live.get)
        self.is_watched = False
        self.is_held = False
        self.news: Callable[[], None] = lambda: None
        self.begun: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def running(self, shutdown: Shutdown) -> AsyncGenerator[None]:
        """Run turns until the block ends, then let those under way go on for a while."""
        await self._waits.recall()
        async with asyncio.TaskGroup() as group:
            helpers = (
                group.create_task(self._keeper.keep_growing(self._live.values()), name="keeper"),
                group.create_task(self._waits.keep_telling(), name="waits"),
            )
            self._group = group
            try:
                yield
            finally:
                self._group = None
                await self._drain(shutdown)
                for helper in helpers:
                    helper.cancel()
                await self._keeper.keep_ends()
                await self._keeper.keep_grown(self._live.values())
                await self._waits.remember()

    # what others ask of it

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def running_turns(self) -> int:
        """Return how many are being answered; a slot may be held longer than its turn."""
        return sum(each.phase is not Phase.DRAIN for each in self.attempts)

    @property
    def ticked_at(self) -> float:
        """Return when, on the loop's clock, growing answers were last about to be kept."""
        return self._keeper.ticked_at

    def live(self, turn: TurnId) -> LiveTurn | None:
        return self._live.get(turn)

    @property
    def is_paused(self) -> bool:
        return self._queue.is_paused

    @property
    def is_idle(self) -> bool:
        """Say whether nobody wants the engine, nor did who has not let go of it yet."""
        wanted = self._live or self._held or self.attempts.are_open
        return not (wanted or self.is_paused or self._group is None)

    def lives(self) -> list[LiveTurn]:
        """Return the turns that run, then those that wait, in the order they will start."""
        return sorted(self._live.values(), key=lambda live: (live.is_queued, live.place or 0))

    def turns_of(self, asker: UserId) -> list[TurnId]:
        return [turn for turn, live in self._live.items() if live.turn.asker_id == asker]

    @contextmanager
    def place(self, asker: UserId | None) -> Generator[None]:
        """Hold a place for a turn until it is submitted, so that many at once do not pass.

        Raises QueueFull or ServerStopping where one more cannot be taken.
        """
        if self._group is None:
            raise ServerStopping
        free = self.slots.free
        in_all = len(self._queue) + max(0, len(self._held) - free)
        if in_all >= self._in_all:
            raise QueueFull(waiting=in_all)
        theirs = self._queue.waiting_of(asker) + max(0, self._held.count(asker) - free)
        if theirs >= self._per_person:
            raise QueueFull(waiting=theirs)
        self._held.append(asker)
        self.leisure.end()
        try:
            yield
        finally:
            self._held.remove(asker)

    def submit(self, live: LiveTurn, prompt_tokens: int) -> None:
        """Let a turn wait for the engine, which will have to read about `prompt_tokens`."""
        turn = live.turn
        self._live[turn.id] = live
        expected = self._waits.expect(turn.model, prompt_tokens)
        waiting = Waiting(
            turn.id,
            turn.asker_id,
            turn.conversation_id,
            source=turn.source,
            model=turn.model,
            queued_at=_now(),
            prompt_tokens=prompt_tokens,
            tokens=expected.tokens,
            seconds=expected.seconds,
            is_suspect=turn.id in self._suspects,
        )
        self._queue.add(waiting)
        self._start_next()

    async def stop(self, turn_id: TurnId) -> None:
        """End a turn, in any state, and return once it has; an ended one is left alone."""
        live = self._live.get(turn_id)
        if live is None:
            return
        await self._end(live, ends.STOPPED)

    def hold(self, *, is_on: bool) -> None:
        """Begin no more answers, or begin them again as soon as the watchdog allows it."""
        self.is_held = is_on
        self.leisure.end()
        self._give_out()

    # what the watchdog orders

    def allow(self, *, may_start: bool, suspects: frozenset[TurnId]) -> None:
        """Give turns out, or keep them; `suspects` run alone."""
        self._suspects = suspects
        self._may_start = may_start
        self._give_out()

    def unwatch(self) -> None:
        """Nobody watches any more: nothing is held back for them."""
        self.is_watched = False
        self.release([each.id for each in self.attempts])
        self._queue.resume()

    @property
    def drains(self) -> bool:  # a slot is held until the engine lets go of it
        return any(each.phase is Phase.DRAIN for each in self.attempts)

    def engine_holds(self, model: str | None) -> None:
        """Know which model is in the engine's memory now; None after a restart."""
        self.leisure.end()
        self._queue.model = model

    def cancel(self, attempts: Iterable[int], reason: CancelReason) -> None:
        if self.attempts.are_aside(attempts):
            self.leisure.end()
        for trying in self.attempts:
            if trying.id in attempts:
                seconds = _now() - (trying.progress_at or trying.phase_from)
                phase, retries = trying.phase.value, trying.live.retries
                trying.cancel(ends.cut_for(reason, phase, seconds, retries))

    def release(self, attempts: Iterable[int]) -> None:
        self.attempts.release(attempts)

    def give_up(
        self, error: CouachError, turn: TurnId | None = None, model: str | None = None
    ) -> Awaitable[None]:
        """End a turn, or all that want a model, as failed for good; await it to see the end.

        What runs is cut at once: what is ordered after this does not say how it ends.
        """
        found = [each for each in self._live.values() if each.turn.id == turn]
        found += [each for each in self._live.values() if each.turn.model == model]
        for trying in self.attempts:
            if trying.live in found:
                trying.cancel(ends.refused(error))

        async def ended() -> None:
            for live in found:
                await self._end(live, ends.refused(error))

        return ended()

    # how it works

    def _give_out(self) -> None:
        if self._may_start and not self.is_held:
            self._queue.resume()
        else:
            self._queue.pause()
        self._start_next()

    def _start_next(self) -> None:
        while self._group is not None:
            running = self._queue.take(_now())
            if running is None:
                break
            waiting = running.waiting
            self._waits.started(waiting.turn, _now())
            self.leisure.end()
            live = self._live[waiting.turn]
            slot = self.slots.take(waiting.conversation)
            trying = self.attempts.begin(live, running, slot, _now())
            # A context of its own: it is no part of the request that happened to let it start.
            trying.task = self._group.create_task(
                self._run(trying), name=f"turn-{waiting.turn}", context=Context()
            )
            self.begun()
        self._waits.moved.set()

    async def _run(self, trying: Trying) -> None:
        live = trying.live
        trying.has_begun = True
        end = await self._attempt(trying)
        trying.enter(Phase.DRAIN, _now())
        if end.drains and self.is_watched:
            self.news()
        else:
            trying.released.set()
        if end.is_deferred:
            live.wait_again()
        elif end.is_tried_again:
            live.try_again()
        else:
            await self._finish(live, end)
        await trying.released.wait()
        self._close(trying, end)

    def _close(self, trying: Trying, end: End) -> None:
        """Give the slot back, and the turn to the queue where it is to be tried again."""
        self.attempts.closed(trying)
        self.slots.give_back(trying.slot)
        self.leisure.end()
        turn = trying.live.turn
        if not turn.state.is_final:
            self._queue.give_back(turn.id, is_suspect=turn.id in self._suspects)
        else:
            timings = end.finished.timings if end.finished else Timings()
            self._queue.ended(turn.id, _now(), _tokens_of(timings))
        self._start_next()

    async def _attempt(self, trying: Trying) -> End:
        live = trying.live
        if trying.cut is not None:
            return replace(trying.cut, drains=False)
        try:
            loaded_in = await calls.load(self._engine, trying) if trying.running.loads else None
            request = await live.make_request(trying.slot)
            trying.max_tokens = request.max_tokens
            finished = await calls.stream(self._engine, trying, request)
        except asyncio.CancelledError:
            return trying.cut or ends.shut_down()
        except CouachError as error:
            self._note(trying, error)
            return ends.failed(error, live.retries, is_watched=self.is_watched)
        except Exception:  # the edge of a turn: a fault in one must not end the others
            log.exception("turn failed by a fault of ours", extra={"turn": live.turn.id})
            return End(TurnState.FAILED, error=CouachError())
        timings = finished.timings.believable
        if loaded_in is not None and timings.load_seconds is None:
            timings = replace(timings, load_seconds=loaded_in)
        finished = replace(finished, timings=timings)
        self.attempts.answered(trying, finished)
        self._waits.answered(trying, finished)
        return End(TurnState.DONE, finished=finished)

    def _note(self, trying: Trying, error: CouachError) -> None:
        """Tell the watchdog of a failure; where the engine is gone, it must look first."""
        if isinstance(error, EngineError):
            self.attempts.failed(trying, error)
            if self.is_watched and isinstance(error, EngineUnavailable | EngineKilled):
                self._queue.pause()
            self.news()

    async def _end(self, live: LiveTurn, end: End) -> None:
        """End a turn that waits, or cut the one that runs, and return once it has ended."""
        trying = self.attempts.of(live)
        if trying is not None and trying.phase is not Phase.DRAIN:
            trying.cancel(end)
            await live.ended.wait()
        elif not live.turn.state.is_final:
            # It may wait for its cut attempt to be let go of, before it is tried again.
            self._queue.remove(live.turn.id)
            await self._finish(live, end)
            self._start_next()
        else:
            await live.ended.wait()

    async def _finish(self, live: LiveTurn, end: End) -> None:
        finished, error = end.finished, end.error
        live.end(
            end.state,
            reason=finished.reason if finished else end.reason,
            timings=finished.timings if finished else None,
            error_code=error.code if error else None,
            error_fields=error.fields if error else None,
        )
        await self._keeper.keep_end(live)
        del self._live[live.turn.id]
        live.announce_end()
        log.info(
            "turn ended",
            extra={
                "turn": live.turn.id,
                "user": live.turn.asker_id,
                "state": end.state.value,
                "model": live.turn.model,
                "tokens": live.turn.timings.answer_tokens,
                "error": live.turn.error_code,
            },
        )

    async def _drain(self, shutdown: Shutdown) -> None:
        tries = [each for each in self.attempts if each.task is not None]
        tasks = [each.task for each in tries if each.task is not None]
        if not tasks:
            return
        seconds = shutdown.drain_seconds
        log.info("waiting for answers", extra={"answers": len(tasks), "at_most_seconds": seconds})
        hurried = asyncio.ensure_future(shutdown.hurried.wait())
        all_ended = asyncio.ensure_future(asyncio.wait(tasks))
        await asyncio.wait(
            (hurried, all_ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        for trying in tries:
            trying.cancel(ends.shut_down())
            trying.released.set()
        await all_ended


def _tokens_of(timings: Timings) -> float | None:
    """Return what a turn has cost, read and written; None where the engine does not say."""
    if timings.answer_tokens is None:
        return None
    read = (timings.prompt_tokens or 0) - (timings.cached_tokens or 0)
    return float(max(0, read) + timings.answer_tokens)


def _now() -> float:
    return asyncio.get_running_loop().time()
