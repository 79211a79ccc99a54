"""Who asks, when: people with sessions and subagents, a crowd that comes at once, programs, and some who are wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from attrs import define, field

from tests.support.sim.clients import Ask

__all__ = ["Callers"]

_KINDS = ("main", "main", "main", "auxiliary", "compaction")
_MODELS = (*("claude-sonnet-5",) * 12, *("claude-haiku-4", "ant,m2", "sol,m1") * 4, "nobody,m1")


@define(eq=False)
class Callers:
    """Ask until ``until``. ``start`` begins one request."""

    chance: Random
    until: float
    start: Callable[[Ask], asyncio.Task[None]]
    under_way: list[asyncio.Task[None]] = field(factory=list)
    _count: int = 0
    _stopped: bool = False

    def begin(self) -> list[asyncio.Task[None]]:
        """Let everybody come."""
        loop, chance = asyncio.get_running_loop(), self.chance
        tasks: list[asyncio.Task[None]] = []
        for caller in ("", "key-a", "key-b")[: chance.randint(1, 3)]:
            for number in range(chance.randint(1, 4)):
                session = f"s{caller}{number}"
                agents = ["", *[f"agent{one}" for one in range(chance.randint(0, 2))]]
                tasks += [loop.create_task(self._agent(caller, session, agent)) for agent in agents]
        tasks.append(loop.create_task(self._crowd()))
        tasks.append(loop.create_task(self._program()))
        return tasks

    def stop(self) -> None:
        """Nobody comes any more."""
        self._stopped = True

    async def _rest(self, mean: float) -> bool:
        await asyncio.sleep(self.chance.expovariate(1 / mean))
        return not self._stopped and asyncio.get_running_loop().time() < self.until

    def _ask(self, **what: object) -> set[asyncio.Task[None]]:
        self._count += 1
        task = self.start(Ask(f"r{self._count}", **what))  # type: ignore[arg-type]  # fields of Ask, by name
        self.under_way.append(task)
        return {task}

    async def _agent(self, caller: str, session: str, agent: str) -> None:
        chance = self.chance
        pause = chance.choice((1.0, 4.0, 12.0))
        while await self._rest(pause):
            kind = "subagent" if agent else chance.choice(_KINDS)
            await asyncio.wait(
                self._ask(
                    caller=caller,
                    session=session,
                    agent=agent,
                    kind=kind,
                    compaction=kind == "compaction",
                    model=chance.choice(_MODELS),
                    **self._manners(),
                )
            )

    def _manners(self) -> dict[str, object]:
        chance = self.chance
        leaves = chance.random() < 0.15
        return {
            "stream": chance.random() < 0.8,
            "spoilt": chance.random() < 0.05,
            "leaves_after": chance.expovariate(1 / 4) if leaves else None,
            "reads_slowly": chance.uniform(0, 0.5) if chance.random() < 0.1 else 0.0,
            "body_after": chance.uniform(0, 0.3) if chance.random() < 0.3 else 0.0,
        }

    async def _crowd(self) -> None:
        """One caller wants everything at once, now and again."""
        while await self._rest(20.0):
            for _ in range(self.chance.randint(5, 40)):
                self._ask(caller="crowd", **self._manners())

    async def _program(self) -> None:
        """A program that embeds the gateway."""
        while await self._rest(10.0):
            leaves = self.chance.random() < 0.2
            self._ask(
                embedded=True,
                model="claude-sonnet-5",
                leaves_after=self.chance.uniform(0, 5) if leaves else None,
            )
