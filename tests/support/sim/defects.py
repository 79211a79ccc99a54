"""Parts with a fault, each put in the place of a sound one by its constructor: what a simulation is worth is what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import define, evolve

from ccr.application.exchange.retry import Failover
from ccr.application.flow.admission import Admission
from ccr.application.flow.balance import Balance
from ccr.application.flow.health import Health, Lease
from ccr.domain.attempts import RetryBudget
from ccr.domain.errors import GatewayError, UpstreamUnavailableError
from ccr.domain.fairness import FairQueue, Rank
from ccr.domain.health import Breaker
from tests.support.sim.turns import WatchedSlots

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.catalog.targets import Target, TargetKey
    from ccr.application.flow.queue import Slots
    from ccr.domain.affinity import Pin
    from ccr.domain.facts import RequestFacts
    from ccr.domain.routing.decision import RouteDecision
    from ccr.entrypoints.container import Container
    from tests.support.sim.world import Defect

__all__ = ["DEFECTS"]


class _Keeping(Lease):
    """Forgets its place at the provider when the attempt failed."""

    def ended(self, error: GatewayError | None = None) -> None:
        if error is not None:
            self.slots = None
        super().ended(error)


class _Blaming(Lease):
    """Holds it against the target when a client leaves, or is wrong."""

    def ended(self, error: GatewayError | None = None) -> None:
        if error is not None:
            error = UpstreamUnavailableError(error.message)
        super().ended(error)


class _Anybody(Lease):
    """Takes every end for that of the probe, as we once did."""

    def ended(self, error: GatewayError | None = None) -> None:
        if not self.probe:
            self.place.breaker._probing = None
        super().ended(error)


def _leasing(kind: type[Lease]) -> Defect:
    class Faulty(Health):
        def lease(self, target: Target, key: str, session: str, slots: Slots | None) -> Lease:
            sound = super().lease(target, key, session, slots)
            return kind(self, sound.place, sound.key, sound.slots, sound.began, sound.session, sound.probe)

    return lambda container: container.health.override(Faulty(container.clock()))


class _Rushing(Breaker):
    """Lets everybody in while it is half open."""

    def enter(self, now: float) -> bool:
        allowed = super().enter(now)
        self._probing = None
        return allowed


class _Hasty(Breaker):
    """Counts failures, and not whose they are."""

    def failed(self, now: float, session: str, why: str, *, probe: bool = False) -> bool:
        return super().failed(now, f"{session} {now}", why, probe=probe)


class _Deaf(Breaker):
    """Asks on while it is open."""

    def wait(self, now: float) -> float:
        del now
        return 0.0


def _breaking(kind: type[Breaker]) -> Defect:
    class Faulty(Health):
        def lease(self, target: Target, key: str, session: str, slots: Slots | None) -> Lease:
            place = self._place(target)
            if type(place.breaker) is not kind:
                place.breaker = kind(place.breaker.rules)
            return super().lease(target, key, session, slots)

    return lambda container: container.health.override(Faulty(container.clock()))


class _NeverOut(FairQueue[object]):
    """Forgets to take out who no longer waits."""

    def remove(self, caller: str, rank: Rank, item: object) -> bool:
        del caller, rank, item
        return True


class _Unfair(FairQueue[object]):
    """First come, first served: whoever asks for hundreds has hundreds of turns."""

    def push(self, caller: str, rank: Rank, item: object) -> None:
        del caller
        super().push("", rank, item)

    def remove(self, caller: str, rank: Rank, item: object) -> bool:
        del caller
        return super().remove("", rank, item)


class _Rankless(FairQueue[object]):
    """Nobody goes before anybody."""

    def push(self, caller: str, rank: Rank, item: object) -> None:
        del rank
        super().push(caller, Rank.MAIN, item)

    def remove(self, caller: str, rank: Rank, item: object) -> bool:
        del rank
        return super().remove(caller, Rank.MAIN, item)


def _queueing(kind: Callable[[], FairQueue[object]]) -> Defect:
    @define(eq=False)
    class Faulty(WatchedSlots):
        def __attrs_post_init__(self) -> None:
            self._queue = kind()  # type: ignore[assignment]  # of whatever waits

    return lambda container: container.admission.override(Admission(container.tracker(), slots=Faulty()))


class _Generous(WatchedSlots):
    """One too many."""

    @property
    def has_room(self) -> bool:
        return self.limit is None or self.used <= self.limit


class _Patient(Admission):
    """Lets a client wait that has left, as we once did."""

    async def _queued(self, call: Call) -> None:
        await super()._queued(evolve(call, disconnect=type(call.disconnect)()))


class _Open(Admission):
    """Goes on taking requests while it drains."""

    def drain(self) -> None:
        self.draining = False


def _admitting(kind: type[Admission], slots: type[WatchedSlots] = WatchedSlots) -> Defect:
    return lambda container: container.admission.override(kind(container.tracker(), slots=slots()))


class _Restless(Balance):
    """Forgets who was served where."""

    def pinned(self, decision: RouteDecision, facts: RequestFacts, caller: str) -> Pin | None:
        del decision, facts, caller
        return None


class _Stubborn(Balance):
    """Takes the first key, tired or not."""

    def key(self, target: Target, tried: object, pinned: object) -> TargetKey | None:
        del tried, pinned
        return target.keys[0]


def _balancing(kind: type[Balance]) -> Defect:
    def planted(container: Container) -> None:
        container.balance.override(kind(container.health(), container.clock(), container.random().random))

    return planted


class _Endless(RetryBudget):
    """Allows everything."""

    @property
    def allows(self) -> bool:
        return True


def _unbounded(container: Container) -> None:
    chance = container.random().random
    container.failover.override(Failover(container.health(), container.balance(), chance, budget=_Endless()))


DEFECTS: Mapping[str, Defect] = {
    "a failed attempt keeps its place": _leasing(_Keeping),
    "a client's own fault opens a circuit": _leasing(_Blaming),
    "any end makes way for another probe": _leasing(_Anybody),
    "a half-open circuit lets everybody in": _breaking(_Rushing),
    "one session opens a circuit": _breaking(_Hasty),
    "an open circuit is asked": _breaking(_Deaf),
    "a queue keeps who has gone": _queueing(_NeverOut),
    "a queue knows no turns": _queueing(_Unfair),
    "a queue knows no ranks": _queueing(_Rankless),
    "one too many is let in": _admitting(Admission, _Generous),
    "who left the queue is waited for": _admitting(_Patient),
    "a draining gateway takes more": _admitting(_Open),
    "sessions wander": _balancing(_Restless),
    "keys are asked that rest": _balancing(_Stubborn),
    "retries have no budget": _unbounded,
}
"""What is wrong, and who brings it about."""
