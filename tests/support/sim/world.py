"""One run: a gateway, its providers and its callers, from a seed to a verdict."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.application.exchange.amend import NothingLearned
from ccr.application.flow.admission import Admission
from ccr.application.operations.drain import Drain
from ccr.domain.record import Outcome
from ccr.entrypoints.lifecycle import Running, running
from tests.support.sim.callers import Callers
from tests.support.sim.clients import Ask, serve
from tests.support.sim.config import DIALECTS, Limits, drawn
from tests.support.sim.laws import Laws
from tests.support.sim.loop import VirtualClock, VirtualLoop, simulate
from tests.support.sim.pins import strayed
from tests.support.sim.turns import WatchedSlots
from tests.support.sim.upstream import Exchange, SimUpstream
from tests.support.sim.verdict import judged
from tests.support.sim.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.call import Headers
    from ccr.domain.facts import RequestFacts
    from ccr.domain.record import RequestRecord
    from ccr.entrypoints.container import Container

__all__ = ["Defect", "Report", "run"]

Defect = Callable[["Container"], object]
"""Puts a part with a fault in the place of a sound one."""

_NOWHERE = Path("/dev/null")
_ALL_RESTED = 1_300.0
"""Seconds after which every circuit and every key may be tried again, whatever was held against it."""


@define
class Report:
    """``digest``: of everything that happened, in order. ``counts``: what there was, by kind."""

    seed: int
    problems: list[str]
    digest: str
    counts: Mapping[str, int]


def run(seed: int, defect: Defect | None = None, *, log: list[str] | None = None) -> Report:
    """Run a seed to its end. ``log`` is given every line of what happened."""
    world: _World | None = None

    async def lived(loop: VirtualLoop) -> Report:
        nonlocal world
        world = _World(seed, loop, defect)
        return await world.live()

    lines: list[str] = [] if log is None else log
    try:
        report = simulate(lived)
    except AssertionError as error:
        problems = list(world.laws.problems) if world is not None and world.begun else []
        report = Report(seed, [*problems, f"{type(error).__name__}: {error}"], "", {})
    if world is not None:
        lines += world.lines
    return report


class _Ids:
    def __init__(self) -> None:
        self._count = 0

    def __call__(self) -> str:
        self._count += 1
        return f"emb_{self._count}"


class _Chance:
    """The ``Random`` port."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def random(self) -> float:
        return self._random.random()


class _Alone:
    """A fleet of one."""

    async def gather(self, question: str) -> Sequence[Mapping[str, object]]:
        del question
        return ()

    async def tell(self, command: str, **arguments: object) -> None:
        """There is nobody else to tell."""


class _Store(FixedStore):
    """A configuration that changes when the run says so."""


class _NoRouters:
    def may_find(self, session: str) -> bool:
        del session
        return False

    async def find(self, session: str) -> None:
        del session


@define(eq=False)
class _World:
    """Also the journal's sink and the tracer: both are told what the gateway does, in its own words."""

    seed: int
    loop: VirtualLoop
    defect: Defect | None
    lines: list[str] = field(factory=list)
    asks: dict[str, Ask] = field(factory=dict)
    begun: bool = False
    laws: Laws = field(init=False)
    made: Running = field(init=False)
    limits: Limits = field(init=False)
    upstream: SimUpstream = field(init=False)
    embedded_records: int = 0
    reloads: int = 0
    draining: bool = False

    def chance(self, name: str) -> Random:
        """Return a source of chance of its own, so that one part's draws are not another's."""
        return Random(f"{self.seed}:{name}")

    async def live(self) -> Report:
        """Live through the run."""
        config, self.limits = drawn(self.chance("config"))
        self.upstream = SimUpstream(
            Weather(self.chance("weather")), self.chance("replies"), DIALECTS, self._exchange
        )
        self.made = self._assembled(config)
        try:
            # Not all that a server opens: what is simulated is the data path, and its configuration.
            await self.made.container.manage_config().load()
            await self._lived(config)
        finally:
            self.made.container.reset_singletons()
        return self._judged()

    def _assembled(self, config: Mapping[str, Any]) -> Running:
        made = running(environ={"HOME": str(_NOWHERE)}, store=_Store(loaded_from(config, {})))
        container = made.container
        container.clock.override(VirtualClock(self.loop))
        container.new_id.override(_Ids())
        container.random.override(_Chance(f"{self.seed}:gateway"))
        container.egress.upstream.override(self.upstream)
        container.insight.request_log.override(self)
        container.insight.tracer.override(self)
        container.state.learned.override(NothingLearned())
        container.state.session_routers.override(_NoRouters())
        container.admission.override(Admission(container.tracker(), slots=WatchedSlots()))
        if self.defect is not None:
            self.defect(container)
        self.laws = Laws(
            container.health(),
            container.admission(),
            lambda: container.catalog().current,
            self.limits,
            self.loop.time,
            self.asks,
            self.upstream.exchanges,
        )
        self.begun = True
        return made

    # ------------------------------------------------------------------------------------------------ the run

    async def _lived(self, config: Mapping[str, Any]) -> None:
        chance = self.chance("run")
        begin, length = self.loop.time(), chance.uniform(60, 160)
        settings = self.made.container.catalog().current.settings
        places = [(one.name, model) for one in settings.providers for model in one.models]
        keys = [(one.name, key.reveal()) for one in settings.providers for key in one.api_keys]
        self.upstream.weather.draw(places, keys, begin, length)
        self.loop.watch = self.laws.turn
        callers = Callers(self.chance("callers"), begin + length, self._start)
        tasks = callers.begin()
        drains = chance.random() < 0.35
        if chance.random() < 0.4:
            tasks.append(self.loop.create_task(self._reload(config, chance, chance.uniform(0, length))))
        if drains:
            await asyncio.sleep(chance.uniform(0, length))
            await self._drain(callers, chance.choice((0.5, 5.0, 30.0)))
        await asyncio.gather(*tasks)
        await asyncio.gather(*callers.under_way)
        await asyncio.sleep(2.0)
        self._quiet()
        self.laws.ended()
        if not drains:
            await self._recovers()
        self.loop.watch = None

    def _start(self, ask: Ask) -> asyncio.Task[None]:
        self.asks[ask.id] = ask
        self._log(f"ask {ask.id} {ask.caller} {ask.session} {ask.agent} {ask.kind} {ask.model}")
        container = self.made.container
        return self.loop.create_task(serve(container.gateway(), ask, lambda: self.draining))

    async def _reload(self, config: Mapping[str, Any], chance: Random, after: float) -> None:
        await asyncio.sleep(after)
        other, limits = drawn(chance)
        # Time limits and shares stay what they were: the run is judged by one set of promises.
        kept = {**config, "Providers": other["Providers"], "Router": other["Router"]}
        kept["Limits"] = {**config["Limits"], "maxInFlight": other["Limits"]["maxInFlight"]}
        del limits
        self.made.container.state.config_store.override(_Store(loaded_from(kept, {})))
        manage = self.made.container.manage_config()
        manage.store = self.made.container.state.config_store()
        self._log("reload")
        self.reloads += 1
        if not await manage.reload():
            self.laws.broken("a sound configuration was refused")

    async def _drain(self, callers: Callers, seconds: float) -> None:
        container = self.made.container
        self._log("drain")
        self.draining = True
        await Drain(_Alone(), container.admission())()
        await container.tracker().idle(seconds)
        callers.stop()
        left = [task for task in callers.under_way if not task.done()]
        self._log(f"cut {len(left)}")
        for task in left:
            task.cancel()
        began = self.loop.time()
        if left:
            await asyncio.wait(left)
        if self.loop.time() - began > 2.0:
            self.laws.broken(f"after the drain it took {self.loop.time() - began:.1f} s to end what was left")

    def _quiet(self) -> None:
        """Nobody works on after everybody has gone."""
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            self.laws.broken(f"a task was left behind: {task.get_coro()}")

    async def _recovers(self) -> None:
        """When the providers are well again, so is the gateway."""
        self.upstream.weather.clear()
        await asyncio.sleep(_ALL_RESTED)
        catalog = self.made.container.catalog().current
        for ref in catalog.targets:
            if ref.provider not in DIALECTS:
                continue  # the built-in demonstration
            ask = Ask(f"well{len(self.asks)}", session=f"w-{ref.provider}", model=str(ref))
            await self._start(ask)
            if not ask.seen.is_ok:
                self.laws.broken(f"{ref} is well again, and answered {ask.seen.status} {ask.seen.message}")
        for line in self.made.container.health().report(catalog.targets):
            if line["circuit"] != "closed" or line.get("keys_resting"):
                self.laws.broken(f"well again, and not in use: {line}")
        self._quiet()
        self.laws.ended()

    # ------------------------------------------------------------------------------------- what it is told of

    def _exchange(self, exchange: Exchange) -> None:
        self._log(
            f"exchange {exchange.number} {exchange.call} {exchange.place} {exchange.key} {exchange.sky.value} "
            f"{exchange.ended} {exchange.status}"
        )
        self.laws.exchange(exchange)

    def accept(self, record: RequestRecord) -> None:
        """Take a record (``Sink``)."""
        attempts = " ".join(f"{one.provider},{one.model}:{one.error or 'ok'}" for one in record.attempts)
        self._log(f"record {record.id} {record.outcome.value} {record.status} {attempts}")
        self.embedded_records += record.id.startswith("emb_")
        self.laws.settled(record)

    def start(self, facts: RequestFacts, parent: Headers) -> _World:
        """A request is about to be decided (``Tracer``): see who could be asked."""
        ask = self.asks.get(parent.get("x-sim-ask", ""))
        if ask is not None and facts.session.session:
            self._look(ask)
        return self

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Pass nothing on (``Span``)."""
        return ()

    def end(self, record: RequestRecord) -> None:
        """End a span."""

    def _look(self, ask: Ask) -> None:
        health, now = self.made.container.health(), self.loop.time()
        for ref, target in self.made.container.catalog().current.targets.items():
            standing = health.standing(target)
            if standing.barred or standing.full:
                ask.barred[str(ref)] = "barred" if standing.barred else "full"
            for key in target.keys:
                if health.key_rest(target, key.id, now) > 0:
                    ask.barred[f"{ref} {key.id}"] = "rests"

    def _log(self, line: str) -> None:
        self.lines.append(f"{self.loop.time():.6f} {line}")

    # ------------------------------------------------------------------------------------------------ verdict

    def _judged(self) -> Report:
        by_call: dict[str, list[Exchange]] = {}
        for exchange in self.upstream.exchanges:
            by_call.setdefault(exchange.call, []).append(exchange)
        problems = [*self.laws.problems, *self._turns()]
        for ask in self.asks.values():
            problems += [f"{ask.id}: {what}" for what in judged(ask, by_call.get(ask.id, ()), self.limits)]
        embedded = sum(ask.embedded for ask in self.asks.values())
        if embedded != self.embedded_records:
            problems.append(f"{embedded} conversations, {self.embedded_records} records")
        if not self.reloads:
            problems += strayed(self.asks.values(), self.limits.affinity)
        digest = hashlib.sha256("\n".join(self.lines).encode()).hexdigest()
        return Report(self.seed, problems, digest, dict(self._counts()))

    def _turns(self) -> list[str]:
        slots = self.made.container.admission().slots
        return list(slots.problems) if isinstance(slots, WatchedSlots) else []

    def _counts(self) -> Iterator[tuple[str, int]]:
        records = [record for ask in self.asks.values() for record in ask.records]
        yield "requests", len(self.asks)
        yield "exchanges", len(self.upstream.exchanges)
        yield "steps", self.loop.steps
        yield "circuits opened", self.laws.opened
        yield "reloads", self.reloads
        slots = self.made.container.admission().slots
        yield "waited", slots.waited if isinstance(slots, WatchedSlots) else 0
        yield "moved", sum(len({(a.provider, a.model) for a in record.attempts}) > 1 for record in records)
        yield "sent again", sum(any(attempt.waited for attempt in record.attempts) for record in records)
        for outcome in Outcome:
            yield outcome.value, sum(record.outcome is outcome for record in records)
