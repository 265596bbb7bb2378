"""Runs turns on the engine's slots: owns every call to the engine, whoever watches or leaves."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress

from couachgptd.core.errors import (
    AnswerInterrupted,
    CouachError,
    DaemonRestarted,
    EngineKilled,
    EngineTimeout,
    QueueFull,
    ServerStopping,
    StoreError,
)
from couachgptd.core.ids import ConversationId, TurnId, UserId
from couachgptd.core.models import ChatRequest, Finished, Loading, Reading, Text, Thought
from couachgptd.core.ports import Engine, Store
from couachgptd.core.queue import Queue, Waiting
from couachgptd.core.turns import TurnState
from couachgptd.services.live import LiveTurn

log = logging.getLogger(__name__)

# A crash loses at most this much of an answer, plus one commit.
KEEP_SECONDS = 0.8
REMEMBERED_SLOTS = 1000  # conversations whose slot is remembered, for the engine's prefix cache


class TurnRunner:
    """The engine never holds more turns than it has slots; the others wait here, in order."""

    def __init__(
        self, engine: Engine, store: Store, *, slots: int, per_person: int, in_all: int
    ) -> None:
        self._engine = engine
        self._store = store
        self._per_person = per_person
        self._in_all = in_all
        self._queue = Queue(slots=slots)
        self._held: list[UserId | None] = []  # who has a place for a turn not yet submitted
        self._unkept: list[LiveTurn] = []  # ended, while the store could not be written
        self._live: dict[TurnId, LiveTurn] = {}
        self._free_slots = list(range(slots))
        self._slot_of: OrderedDict[ConversationId, int] = OrderedDict()
        self._group: asyncio.TaskGroup | None = None
        self._hurried = asyncio.Event()

    @asynccontextmanager
    async def running(self, drain_seconds: float) -> AsyncGenerator[None]:
        """Run turns until the block ends, then let those under way go on for a while."""
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(self._keep_progress(), name="keep-progress")
            self._group = group
            try:
                yield
            finally:
                self._group = None
                await self._drain(drain_seconds)
                keeper.cancel()

    def hurry(self) -> None:
        """Cut the answers that the end of `running` waits for."""
        self._hurried.set()

    # what others ask of it

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def running_turns(self) -> int:
        return len(self._queue.running)

    def live(self, turn: TurnId) -> LiveTurn | None:
        return self._live.get(turn)

    def turns_of(self, asker: UserId) -> list[TurnId]:
        return [turn for turn, live in self._live.items() if live.turn.asker_id == asker]

    @contextmanager
    def place(self, asker: UserId | None) -> Generator[None]:
        """Hold a place for a turn until it is submitted, so that many at once do not pass.

        Raises QueueFull or ServerStopping where one more cannot be taken.
        """
        if self._group is None:
            raise ServerStopping
        free = len(self._free_slots)
        in_all = len(self._queue) + max(0, len(self._held) - free)
        if in_all >= self._in_all:
            raise QueueFull(waiting=in_all)
        theirs = self._queue.waiting_of(asker) + max(0, self._held.count(asker) - free)
        if theirs >= self._per_person:
            raise QueueFull(waiting=theirs)
        self._held.append(asker)
        try:
            yield
        finally:
            self._held.remove(asker)

    def submit(self, live: LiveTurn) -> None:
        turn = live.turn
        self._live[turn.id] = live
        waiting = Waiting(
            turn.id,
            turn.asker_id,
            turn.conversation_id,
            source=turn.source,
            model=turn.model,
            queued_at=_now(),
        )
        self._queue.add(waiting)
        self._start_next()

    async def stop(self, turn_id: TurnId) -> None:
        """End a turn, in any state, and return once it has; an ended one is left alone."""
        live = self._live.get(turn_id)
        if live is None:
            return
        live.stop_requested = True
        if self._queue.remove(turn_id):
            await self._finish(live, TurnState.STOPPED)
            self._start_next()
        elif live.task is not None:
            _cancel(live)
            await asyncio.wait([live.task])

    # how it works

    def _start_next(self) -> None:
        while self._group is not None:
            running = self._queue.take(_now())
            if running is None:
                break
            waiting = running.waiting
            live = self._live[waiting.turn]
            slot = self._take_slot(waiting.conversation)
            live.task = self._group.create_task(self._run(live, slot), name=f"turn-{waiting.turn}")
        for turn, place in self._queue.places(_now()).items():
            self._live[turn].wait_at(place)

    def _take_slot(self, conversation: ConversationId | None) -> int:
        """Take a slot: the one where this conversation's prefix may still be cached, if free."""
        last = self._slot_of.get(conversation) if conversation else None
        slot = last if last in self._free_slots else self._free_slots[0]
        self._free_slots.remove(slot)
        if conversation:
            self._slot_of[conversation] = slot
            self._slot_of.move_to_end(conversation)
            while len(self._slot_of) > REMEMBERED_SLOTS:
                self._slot_of.popitem(last=False)
        return slot

    async def _run(self, live: LiveTurn, slot: int) -> None:
        live.is_attempted = True
        try:
            if live.stop_requested:
                await self._finish(live, TurnState.STOPPED)
            else:
                await self._attempt(live, slot)
        finally:
            self._free_slots.append(slot)
            self._queue.ended(live.turn.id, _now())
            self._start_next()

    async def _attempt(self, live: LiveTurn, slot: int) -> None:
        try:
            finished = await self._stream(live, await live.make_request(slot))
        except asyncio.CancelledError:
            if live.stop_requested:
                await self._finish(live, TurnState.STOPPED)
            else:
                await self._finish(live, TurnState.INTERRUPTED, error=DaemonRestarted())
        except (AnswerInterrupted, EngineKilled, EngineTimeout) as error:
            await self._finish(live, TurnState.INTERRUPTED, error=error)
        except CouachError as error:
            await self._finish(live, TurnState.FAILED, error=error)
        except Exception:  # the edge of a turn: a fault in one must not end the others
            log.exception("turn failed by a fault of ours", extra={"turn": live.turn.id})
            await self._finish(live, TurnState.FAILED, error=CouachError())
        else:
            await self._finish(live, TurnState.DONE, finished=finished)

    async def _stream(self, live: LiveTurn, request: ChatRequest) -> Finished:
        async with aclosing(self._engine.chat(request)) as pieces:
            async for piece in pieces:
                match piece:
                    case Text(text, tokens):
                        live.write("text", text, tokens)
                    case Thought(text, tokens):
                        live.write("thinking", text, tokens)
                    case Reading(tokens, total_tokens):
                        live.read(tokens, total_tokens)
                    case Loading():
                        live.enter(TurnState.LOADING)
                    case Finished():
                        return piece
        raise AnswerInterrupted(reason="no_final_frame")

    async def _finish(
        self,
        live: LiveTurn,
        state: TurnState,
        *,
        finished: Finished | None = None,
        error: CouachError | None = None,
    ) -> None:
        live.end(
            state,
            reason=finished.reason if finished else None,
            timings=finished.timings if finished else None,
            error_code=error.code if error else None,
            error_fields=error.fields if error else None,
        )
        try:
            await self._store.finish_turn(live.turn, live.text, live.thinking)
        except Exception:  # the edge of a turn: a fault in one must not end the others
            # Without its end the conversation would take no other question.
            log.exception("the end of a turn could not be kept", extra={"turn": live.turn.id})
            self._unkept.append(live)
        del self._live[live.turn.id]
        live.announce_end()
        log.info(
            "turn ended",
            extra={
                "turn": live.turn.id,
                "state": state.value,
                "model": live.turn.model,
                "tokens": live.turn.timings.answer_tokens,
                "error": live.turn.error_code,
            },
        )

    async def _keep_progress(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await self._keep_ends()
            grown = [live for live in self._live.values() if live.is_dirty]
            if not grown:
                continue
            for live in grown:
                live.is_dirty = False
            try:
                await self._store.save_progress(
                    [(live.so_far, live.text, live.thinking) for live in grown]
                )
            except Exception:  # whatever it is, the turns go on and the next try may work
                log.exception("growing answers could not be kept; trying again")
                for live in grown:
                    live.is_dirty = True

    async def _keep_ends(self) -> None:
        """Try again to keep the ends of turns that the store could not take."""
        for live in self._unkept.copy():
            with suppress(StoreError):
                await self._store.finish_turn(live.turn, live.text, live.thinking)
                self._unkept.remove(live)

    async def _drain(self, seconds: float) -> None:
        lives = [live for live in self._live.values() if live.task is not None]
        tasks = [live.task for live in lives if live.task is not None]
        if not tasks:
            return
        log.info("waiting for answers", extra={"answers": len(tasks), "at_most_seconds": seconds})
        hurried = asyncio.ensure_future(self._hurried.wait())
        all_ended = asyncio.ensure_future(asyncio.wait(tasks))
        await asyncio.wait(
            (hurried, all_ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        for live in lives:
            _cancel(live)
        await all_ended


def _cancel(live: LiveTurn) -> None:
    """Cancel the call to the engine, but not the keeping of an end that has come by itself.

    A task cancelled before its first step never runs its `finally`, and the slot would be lost:
    such a turn sees by itself that it is to stop.
    """
    if live.task is not None and live.is_attempted and not live.turn.state.is_final:
        live.task.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
