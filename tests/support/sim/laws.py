"""What must hold whatever the seed: written from the documentation, by what providers and clients saw."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.domain.models import ModelRef
from tests.support.sim.weather import Sky

if TYPE_CHECKING:
    from ccr.application.catalog.holder import Catalog
    from ccr.application.flow.admission import Admission
    from ccr.application.flow.health import Health
    from ccr.domain.record import RequestRecord
    from tests.support.sim.clients import Ask
    from tests.support.sim.config import Limits
    from tests.support.sim.upstream import Exchange

__all__ = ["Laws"]

_OUR_OWN = {Sky.REJECTED, Sky.UNAUTHORIZED, Sky.NO_CREDIT, Sky.FORBIDDEN}
_LIMITS = {Sky.LIMITED, Sky.LIMITED_SOON, Sky.LIMITED_LATER}
_WINDOW = 30.0
_AT_ONCE = 1e-6
_SOON = 1.0 + _AT_ONCE
_MOST_PROBLEMS = 20


@define(eq=False)
class Laws:
    """Looks on, at every turn of the loop and at every beginning and end, and writes down what was broken."""

    health: Health
    admission: Admission
    catalog: Callable[[], Catalog]
    limits: Limits
    time: Callable[[], float]
    asks: dict[str, Ask]
    exchanges: list[Exchange]
    problems: list[str] = field(factory=list)
    _used: dict[str, int] = field(factory=lambda: defaultdict(int), init=False)
    _circuits: dict[str, tuple[str, float]] = field(factory=dict, init=False)
    _live: dict[str, list[Exchange]] = field(factory=lambda: defaultdict(list), init=False)
    _bad: dict[str, list[Exchange]] = field(factory=lambda: defaultdict(list), init=False)
    _ended: deque[tuple[float, str, str]] = field(factory=deque, init=False)
    opened: int = field(default=0, init=False)
    """Circuits that opened."""

    def broken(self, what: str) -> None:
        """Write a problem down."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{self.time():.3f}: {what}")

    # ------------------------------------------------------------------------------------------- at every turn

    def turn(self) -> None:
        """Nobody is over a limit: what is above one that was lowered may only sink."""
        if self._ended and self._ended[0][0] < self.time() - _SOON:
            self._ended.popleft()
        for _, provider, model in self._ended:
            # A lease ends a moment after its exchange.
            self._circuit(provider, model)
        admission = self.admission
        self._counts("the gateway", admission.slots.used, admission.slots.limit)
        if not 0 <= admission.active <= admission.slots.used:
            self.broken(f"{admission.active} requests are in on {admission.slots.used} places")
        for entry in self.catalog().settings.providers:
            slots = self.health.slots(entry.name)
            if slots is not None:
                self._counts(entry.name, slots.used, slots.limit)

    def _counts(self, name: str, used: int, limit: int | None) -> None:
        before = self._used[name]
        self._used[name] = used
        if used < 0:
            self.broken(f"{name} has {used} under way")
        elif limit is not None and used > limit and used > before:
            self.broken(f"{name} has {used} under way, {limit} allowed")

    # ----------------------------------------------------------------------------------------------- exchanges

    def exchange(self, exchange: Exchange) -> None:
        """One begins, or has ended."""
        live = self._live[exchange.place]
        if exchange.is_live:
            self._may_begin(exchange, live)
            live.append(exchange)
            return
        live.remove(exchange)
        if _is_bad(exchange, self.asks.get(exchange.call)):
            self._bad[exchange.place].append(exchange)
        self._ended.append((self.time(), exchange.provider, exchange.model))

    def _may_begin(self, exchange: Exchange, live: Iterable[Exchange]) -> None:
        ask = self.asks.get(exchange.call)
        if ask is None:
            return
        if ask.content is not None:
            self.broken(f"{ask.id} was sent to {exchange.place} after the client had content")
        if ask.left is not None and self.time() > ask.left + _AT_ONCE:
            self.broken(f"{ask.id} was sent to {exchange.place} after its client had left")
        state, since = self._circuit(exchange.provider, exchange.model)
        if state == "open" and since < self.time():
            self.broken(f"{exchange.place} was asked by {ask.id} although its circuit is open")
        if state == "half_open":
            exchange.probe = True
            rival = next((one for one in live if one.probe and one.began >= since), None)
            if rival is not None and self.time() - rival.began < self.limits.longest_rest:
                self.broken(f"{exchange.place} is probed by {ask.id} while {rival.call} probes it")
        self._key(exchange)
        self._in_flight(exchange)

    def _key(self, exchange: Exchange) -> None:
        """A key that rests is not used while another one could be. Who waits for a place may find its key tired by then."""
        target = self.catalog().targets.get(ModelRef(exchange.provider, exchange.model))
        slots = self.health.slots(exchange.provider)
        if target is None or slots is None or slots.limit is not None:
            return
        used = {
            one.key
            for one in self.exchanges
            if (one.call, one.place) == (exchange.call, exchange.place) and one is not exchange
        }
        rests = {
            secret: self.health.key_rest(target, key.id, self.time())
            for key in target.keys
            for secret in key.credential.secrets()
        }
        fresh = [key for key, rest in rests.items() if rest <= 0 and key not in used]
        if rests.get(exchange.key, 0.0) > 0 and fresh:
            self.broken(f"{exchange.call} used a key of {exchange.place} that rests")

    def _in_flight(self, exchange: Exchange) -> None:
        slots = self.health.slots(exchange.provider)
        if slots is None or slots.limit is None:
            return
        live = sum(
            len(some) for place, some in self._live.items() if place.startswith(f"{exchange.provider},")
        )
        if live + 1 > slots.used:
            self.broken(f"{exchange.provider} has {live + 1} under way, on {slots.used} places")

    def _circuit(self, provider: str, model: str) -> tuple[str, float]:
        """Return the state of a circuit and since when we know it; judge its opening."""
        place, target = f"{provider},{model}", self.catalog().targets.get(ModelRef(provider, model))
        told = self.health.report({target.ref: target}) if target is not None else []
        state = str(told[0]["circuit"]) if told else "closed"
        before, since = self._circuits.get(place, ("closed", 0.0))
        if state == before:
            return state, since
        self._circuits[place] = state, self.time()
        if state == "open" and before == "closed":
            self._may_open(place)
        return state, self.time()

    def _may_open(self, place: str) -> None:
        self.opened += 1
        recent = [one for one in self._bad[place] if one.ended_at >= self.time() - _WINDOW - _SOON]
        calls = {one.call for one in recent}
        sessions = {self._who(call) for call in calls}
        if len(sessions) < 2:
            self.broken(f"the circuit of {place} opened on failures of {sorted(sessions)}")
        if len(calls) < self.limits.failures:
            self.broken(f"the circuit of {place} opened after {len(calls)} failures")

    def _who(self, call: str) -> str:
        ask = self.asks.get(call)
        return (ask.session if ask is not None and not ask.embedded else "") or call

    # ------------------------------------------------------------------------------------------------- records

    def settled(self, record: RequestRecord) -> None:
        """A request has ended, for the journal."""
        for attempt in record.attempts:
            self._circuit(attempt.provider, attempt.model)
        ask = self.asks.get(record.id)
        if ask is not None:
            ask.records.append(record)
            if len(ask.records) > 1:
                self.broken(f"{ask.id} is on record {len(ask.records)} times")

    # ------------------------------------------------------------------------------------------------- the end

    def ended(self) -> None:
        """Everybody has gone: nothing is held any more."""
        slots = self.admission.slots
        if self.admission.active or slots.used or slots.queued:
            self.broken(
                f"left behind: {self.admission.active} in, {slots.used} places, {slots.queued} queued"
            )
        for provider in self.catalog().settings.providers:
            places = self.health.slots(provider.name)
            if places is not None and (places.used or places.queued):
                self.broken(f"left behind at {provider.name}: {places.used} places, {places.queued} queued")
        for line in self.health.report(self.catalog().targets):
            if line["in_flight"]:
                self.broken(f"left behind: {line['in_flight']} in flight at {line['target']}")
        for exchange in self.exchanges:
            if exchange.is_live:
                self.broken(f"an exchange of {exchange.call} with {exchange.place} was never closed")
        self._retries()

    def _retries(self) -> None:
        """What was sent again after a wait is within the budget."""
        records = [record for ask in self.asks.values() for record in ask.records]
        again = Counter(record.id for record in records for attempt in record.attempts if attempt.waited)
        most = 10 + self.limits.share * len(self.asks)
        if again.total() > most:
            self.broken(f"{again.total()} requests were sent again, {most:.0f} allowed")
        for name, count in again.items():
            if count > self.limits.retries:
                self.broken(f"{name} was sent again {count} times")


def _is_bad(exchange: Exchange, ask: Ask | None) -> bool:
    """Whether it speaks against the provider, as far as an outsider can tell."""
    if exchange.ended == "complete":
        return exchange.status >= 500 or exchange.sky in {Sky.ERROR_FIRST, Sky.ERROR_LATER, Sky.GARBAGE}
    if exchange.sky in _OUR_OWN or exchange.sky in _LIMITS:
        return False
    if exchange.status >= 300:
        return True
    gone = ask is not None and (ask.left is not None or ask.cut)
    return exchange.ended == "fault" or not gone
