"""What is known of targets and keys: who failed, who is tired, who is busy. In memory, one a worker, bounded."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.flow.queue import Slots
from ccr.domain.errors import (
    Blast,
    Failure,
    GatewayError,
    Remedy,
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from ccr.domain.health import Breaker, BreakerRules, BreakerState, Ewma
from ccr.domain.routing.balance import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ccr.application.catalog.targets import Target
    from ccr.application.ports.system import Clock
    from ccr.application.settings import Settings
    from ccr.domain.models import ModelRef

__all__ = ["Health", "Lease", "Place"]

_MOST = 4096
"""Places and tired keys that are remembered: model names may come from clients."""
_REJECTED_REST = 60.0
"""Seconds without a key that was refused; somebody may put it right at the provider."""
_NO_CREDIT_REST = 600.0
_LONGEST_REST = 3600.0
_MONEY = 402
_UNAUTHORIZED = 401
_OUTAGES = (UpstreamUnavailableError, UpstreamTimeoutError, UpstreamProtocolError)


@define(eq=False)
class Place:
    """One (endpoint, model)."""

    endpoint: str
    model: str
    breaker: Breaker
    latency: Ewma = field(factory=Ewma)
    in_flight: int = 0


@define(eq=False)
class Lease:
    """One attempt's claim on a target: begun when it is asked, ended once, however it ends."""

    health: Health
    place: Place
    key: str
    slots: Slots | None
    began: float
    session: str
    probe: bool = False
    """The circuit was half open: this finds out for all."""
    counted: bool = False
    """The request has failed here before: one request's bad luck counts once, however often it is sent."""
    _opened: bool = False
    _over: bool = False

    def opened(self) -> None:
        """Its reply has real content: the target works again, if it did not before."""
        self._opened = True
        self.place.latency.add(self.health.clock.monotonic() - self.began)
        if self.place.breaker.state is not BreakerState.CLOSED:
            self.place.breaker.succeeded()

    def ended(self, error: GatewayError | None = None) -> None:
        """Give everything back. ``error`` is what the attempt, or the rest of its reply, failed with."""
        if self._over:
            return
        self._over = True
        self.place.in_flight -= 1
        if self.slots is not None:
            self.slots.give_back()
        now = self.health.clock.monotonic()
        if error is not None and _is_outage(error):
            if not self.counted or self.place.breaker.state is not BreakerState.CLOSED:
                self.place.breaker.failed(now, self.session, error.message, probe=self.probe)
        elif self._opened:
            self.place.breaker.succeeded()
        elif self.probe:
            self.place.breaker.released(self.began)
        if error is not None:
            self.health.tired(self.place, self.key, error)


@define(eq=False)
class Health:
    """Asked before an attempt, told after it."""

    clock: Clock
    rules: BreakerRules | None = field(factory=BreakerRules)
    most_queued: int = 1_000
    _places: OrderedDict[tuple[str, str], Place] = field(factory=OrderedDict, init=False)
    _tired: OrderedDict[tuple[str, str, str], tuple[float, str]] = field(factory=OrderedDict, init=False)
    _slots: dict[str, Slots] = field(factory=dict, init=False)

    def configure(self, settings: Settings) -> None:
        """Take over what is configured; what is known of targets stays."""
        self.rules, self.most_queued = settings.failover.breaker, settings.limits.max_queued
        for place in self._places.values():
            place.breaker.rules = self.rules or BreakerRules()
        limits = {provider.name: provider.max_in_flight for provider in settings.providers}
        # Counted without a limit, too: one that comes later finds out how many are under way already.
        for name in limits:
            self._slots.setdefault(name, Slots())
        for name, slots in list(self._slots.items()):
            slots.limit, slots.most_queued = limits.get(name), self.most_queued
            slots.serve()
            if name not in limits and not slots.used:
                del self._slots[name]

    # ------------------------------------------------------------------------------------------------ looking

    def standing(self, target: Target) -> Standing:
        """Say how a target does."""
        now = self.clock.monotonic()
        slots = self._slots.get(target.ref.provider)
        place = self._places.get((target.endpoint.url, target.ref.model))
        barred = self.rest(target, now) > 0
        full = slots is not None and not slots.has_room
        if place is None:
            return Standing(barred, full)
        waits = self.rules is not None and place.breaker.wait(now) > 0
        return Standing(barred or waits, full, place.in_flight, place.latency.mean)

    def rest(self, target: Target, now: float) -> float:
        """Return the seconds until one of the target's keys may be used; 0 = now, as without keys."""
        if not self._tired:
            return 0.0
        return min(self.key_rest(target, key.id, now) for key in target.keys)

    def key_rest(self, target: Target, key: str, now: float) -> float:
        """Return the seconds until a key may be used for this model."""
        url, longest = target.endpoint.url, 0.0
        for model in (target.ref.model, ""):
            found = self._tired.get((url, key, model))
            if found is not None:
                longest = max(longest, found[0] - now)
        return longest

    def why_tired(self, target: Target, key: str) -> str:
        """Return what a key was refused with."""
        for model in (target.ref.model, ""):
            found = self._tired.get((target.endpoint.url, key, model))
            if found is not None:
                return found[1]
        return ""

    def slots(self, provider: str) -> Slots | None:
        """Return the places at a provider, None if it is not configured."""
        return self._slots.get(provider)

    # ------------------------------------------------------------------------------------------------ telling

    def lease(self, target: Target, key: str, session: str, slots: Slots | None) -> Lease:
        """Begin an attempt, whose place among ``slots`` has been taken.

        Raises UpstreamUnavailableError if the circuit is open; the place is then given back.
        """
        now = self.clock.monotonic()
        place = self._place(target)
        if self.rules is not None and not place.breaker.enter(now):
            if slots is not None:
                slots.give_back()
            wait = place.breaker.hint(now)
            raise UpstreamUnavailableError(
                f"{target.ref} has failed too often and is not asked for another {wait:.0f} s; the last failure: "
                f"{place.breaker.why}",
                provider=target.ref.provider,
                retry_after=max(1.0, wait),
                failure=_OPEN,
            )
        place.in_flight += 1
        probe = place.breaker.state is BreakerState.HALF_OPEN
        return Lease(self, place, key, slots, now, session, probe)

    def tired(self, place: Place, key: str, error: GatewayError) -> None:
        """Let a key rest that was refused, for its model or altogether."""
        if error.failure.blast is not Blast.CREDENTIAL:
            return
        rest = _rest_of(error)
        if rest is None:
            return
        seconds, model = rest[0], place.model if rest[1] else ""
        self._tired[place.endpoint, key, model] = (self.clock.monotonic() + seconds, error.message)
        self._tired.move_to_end((place.endpoint, key, model))
        if len(self._tired) > _MOST:
            self._tired.popitem(last=False)

    def fresh(self, target: Target, key: str) -> None:
        """A key has worked: whatever was held against it is over."""
        if self._tired:
            for model in (target.ref.model, ""):
                self._tired.pop((target.endpoint.url, key, model), None)

    def _place(self, target: Target) -> Place:
        known = (target.endpoint.url, target.ref.model)
        place = self._places.get(known)
        if place is None:
            place = self._places[known] = Place(*known, Breaker(self.rules or BreakerRules()))
            if len(self._places) > _MOST:
                idle = next((name for name, one in self._places.items() if not one.in_flight), None)
                if idle is not None:
                    del self._places[idle]
        return place

    # ----------------------------------------------------------------------------------------------- reporting

    def report(self, targets: Mapping[ModelRef, Target]) -> list[dict[str, object]]:
        """Say of every target that has been asked how it does, as plain JSON values."""
        now = self.clock.monotonic()
        told: list[dict[str, object]] = []
        for target in targets.values():
            place = self._places.get((target.endpoint.url, target.ref.model))
            if place is None:
                continue
            line: dict[str, object] = {
                "target": str(target.ref),
                "circuit": place.breaker.state.value,
                "in_flight": place.in_flight,
                "latency": None if place.latency.mean is None else round(place.latency.mean, 4),
            }
            if place.breaker.state is not BreakerState.CLOSED:
                line |= {"retry_in": round(place.breaker.hint(now), 1), "why": place.breaker.why}
            tired = {
                key.id: round(rest, 1)
                for key in target.keys
                if (rest := self.key_rest(target, key.id, now)) > 0
            }
            if tired:
                line["keys_resting"] = tired
            slots = self._slots.get(target.ref.provider)
            if slots is not None and slots.limit is not None:
                line |= {
                    "queued": slots.queued,
                    "provider_in_flight": slots.used,
                    "max_in_flight": slots.limit,
                }
            told.append(line)
        return told


_OPEN = Failure(UpstreamUnavailableError.kind, Blast.MODEL, Remedy.NEXT)
"""Waiting a moment does not help: the circuit says when."""


def _is_outage(error: GatewayError) -> bool:
    """Whether it speaks against the target: never what one client's request brought about."""
    return isinstance(error, _OUTAGES) or (isinstance(error, UpstreamLimitedError) and error.overloaded)


def _rest_of(error: GatewayError) -> tuple[float, bool] | None:
    """Return how long a key rests, and whether for one model only."""
    status = error.upstream.status if error.upstream is not None else 0
    if isinstance(error, UpstreamAuthError):
        if status == _MONEY:
            return _NO_CREDIT_REST, False
        return _REJECTED_REST, status not in (0, _UNAUTHORIZED)
    if error.failure.remedy is Remedy.NEXT:
        return _NO_CREDIT_REST, False
    if error.retry_after is not None:
        return min(error.retry_after, _LONGEST_REST), True
    return None  # without a time it speaks of this request, not of the account
