"""What can be seen of an engine from outside and done to it, by where its processes run."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from couachgptd.core.errors import EngineError
from couachgptd.core.ports import Engine
from couachgptd.core.vitals import (
    Abilities,
    Failure,
    Life,
    Meters,
    Outcome,
    Probe,
    Process,
    Unit,
    Vitals,
)
from couachgptd.engine.embedded import EmbeddedEngine
from couachgptd.engine.llama_process import LlamaProcess
from couachgptd.engine.meters import CgroupMeter, ProcessMeter, cgroup_folder
from couachgptd.engine.probes import (
    Endpoint,
    Probes,
    llama_probes,
    models_in,
    ollama_probes,
    slots_in,
)
from couachgptd.engine.single import Single
from couachgptd.engine.systemd import SHOW_SECONDS, Systemctl, process_of

METER_SECONDS = 2.0  # a sample takes 0.4 ms; more means that the kernel itself is stuck
UNLOAD_SECONDS = 20.0
JUST_ENDED_SECONDS = 0.5  # its port is closed a little before its end is known


def now() -> float:
    return asyncio.get_running_loop().time()


async def outcome_of(action: Awaitable[str | None], limit: float | None = None) -> Outcome:
    """Return how an intervention went; every failure is a reason, never an exception."""
    began = now()
    try:
        async with asyncio.timeout(limit):
            reason = await action
    except TimeoutError:
        reason = "timeout"
    except EngineError as error:
        reason = error.code
    return Outcome(now() - began, reason)


async def unloaded(engine: Engine, model: str) -> Outcome:
    async def unload() -> None:
        await engine.unload(model)

    return await outcome_of(unload(), UNLOAD_SECONDS)


class OwnChildControl:
    """Our own llama.cpp: a process group that is ours to kill."""

    abilities = Abilities(can_unload=True, can_restart=True, can_meter=True)

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self._probes = llama_probes()
        self._meter = ProcessMeter()
        self._sampling = Single[Meters](METER_SECONDS)

    async def vitals(self, *, with_inventory: bool = True) -> Vitals:
        child = self._engine.child
        pid = child.pid if child is not None and child.is_running else None
        metering = self._sampling.ask(lambda: asyncio.to_thread(self._meter.sample, pid))
        liveness = inventory = models = slots = None
        if child is not None and child.is_running and child.is_ready:
            endpoint = Endpoint(child.address, {"Authorization": f"Bearer {child.api_key}"})
            models = (child.model,)
            asked, liveness, (inventory, answer) = await asyncio.gather(
                metering,
                self._probes.liveness(endpoint),
                _inventory(self._probes, endpoint, wanted=with_inventory),
            )
            slots = slots_in(answer)
            if liveness.failure in {Failure.REFUSED, Failure.LOST}:
                await child.death(JUST_ENDED_SECONDS)
        else:
            asked = await metering
        return Vitals(
            at=now(),
            process=process_of_child(child),
            liveness=liveness,
            inventory=inventory,
            models=models,
            slots=slots,
            meters=asked.answer or Meters(),
        )

    async def unload(self, model: str) -> Outcome:
        return await unloaded(self._engine, model)

    async def restart(self) -> Outcome:
        async def restart() -> str | None:
            return None if await self._engine.restart() else "survives_kill"

        return await outcome_of(restart())

    async def start(self) -> Outcome:
        return Outcome(0.0)  # the first question does it

    async def stop(self) -> Outcome:
        async def stop() -> str | None:
            child = self._engine.child
            return None if child is None or await child.kill() else "survives_kill"

        return await outcome_of(stop())

    async def log(self, lines: int) -> list[str] | None:  # noqa: ARG002 -- it may hold prompts
        return None

    async def close(self) -> None:
        await self._sampling.close()
        await self._probes.close()


def process_of_child(child: LlamaProcess | None) -> Process:
    if child is None:
        return Process(Life.NONE)
    if child.is_running:
        life = Life.RUNNING if child.is_ready else Life.STARTING
        return Process(life, child.pid, child.birth)
    life = Life.NONE if child.exit is None else Life.ENDED
    return Process(life, None, child.birth, child.exit)


class RemoteControl:
    """An engine whose processes are not ours to touch: on another host, or started by hand.

    Without `engine` nothing can be dropped either: a llama-server keeps its one model.
    """

    def __init__(self, url: str, probes: Probes, engine: Engine | None, api_key: str = "") -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._endpoint = Endpoint(url, headers)
        self._probes = probes
        self._engine = engine
        self.abilities = Abilities(
            can_unload=engine is not None, can_restart=False, can_meter=False
        )

    async def vitals(self, *, with_inventory: bool = True) -> Vitals:
        liveness, (inventory, answer) = await asyncio.gather(
            self._probes.liveness(self._endpoint),
            _inventory(self._probes, self._endpoint, wanted=with_inventory),
        )
        return Vitals(
            at=now(),
            process=Process(Life.UNKNOWN),
            liveness=liveness,
            inventory=inventory,
            models=models_in(answer),
            slots=slots_in(answer),
        )

    async def unload(self, model: str) -> Outcome:
        if self._engine is None:
            return Outcome(0.0, "unsupported")
        return await unloaded(self._engine, model)

    async def restart(self) -> Outcome:
        return Outcome(0.0, "unsupported")

    async def start(self) -> Outcome:
        return Outcome(0.0, "unsupported")

    async def stop(self) -> Outcome:
        return Outcome(0.0, "unsupported")

    async def log(self, lines: int) -> list[str] | None:  # noqa: ARG002 -- it is elsewhere
        return None

    async def close(self) -> None:
        await self._probes.close()


class UnitControl:
    """An Ollama that systemd runs here: restarted by `systemctl`, metered by its cgroup."""

    abilities = Abilities(can_unload=True, can_restart=True, can_meter=True)

    def __init__(
        self,
        url: str,
        engine: Engine,
        systemctl: Systemctl,
        folder_of: Callable[[str], Path] = cgroup_folder,
    ) -> None:
        self._endpoint = Endpoint(url)
        self._engine = engine
        self._systemctl = systemctl
        self._folder_of = folder_of
        self._probes = ollama_probes()
        self._cgroup, self._tree = CgroupMeter(), ProcessMeter()
        self._showing = Single[Unit | None](SHOW_SECONDS)
        self._sampling = Single[Meters](METER_SECONDS)

    async def vitals(self, *, with_inventory: bool = True) -> Vitals:
        shown, liveness, (inventory, answer) = await asyncio.gather(
            self._showing.ask(self._systemctl.show),
            self._probes.liveness(self._endpoint),
            _inventory(self._probes, self._endpoint, wanted=with_inventory),
        )
        unit = shown.answer
        asked = await self._sampling.ask(lambda: asyncio.to_thread(self._sample, unit))
        return Vitals(
            at=now(),
            process=process_of(unit),
            liveness=liveness,
            inventory=inventory,
            models=models_in(answer),
            meters=asked.answer or Meters(),
            unit=unit,
        )

    async def unload(self, model: str) -> Outcome:
        return await unloaded(self._engine, model)

    async def restart(self) -> Outcome:
        return await outcome_of(self._systemctl.restart())

    async def start(self) -> Outcome:
        return await outcome_of(self._systemctl.start())

    async def stop(self) -> Outcome:
        return await outcome_of(self._systemctl.stop())

    async def log(self, lines: int) -> list[str] | None:
        return await self._systemctl.log(lines)

    async def close(self) -> None:
        await self._showing.close()
        await self._sampling.close()
        await self._probes.close()

    def _sample(self, unit: Unit | None) -> Meters:
        """Meter the unit's cgroup; by its main process where there is no such cgroup."""
        if unit is None or not unit.control_group:
            return Meters()
        seen = self._cgroup.sample(self._folder_of(unit.control_group))
        return seen if seen.processes is not None else self._tree.sample(unit.main_pid)


async def _inventory(
    probes: Probes, endpoint: Endpoint, *, wanted: bool
) -> tuple[Probe | None, Any]:
    return await probes.inventory(endpoint) if wanted else (None, None)
