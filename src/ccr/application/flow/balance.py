"""Who serves a request: the targets of its route in the order in which they are tried, and a key of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from ccr.domain.affinity import Pin, Pins, Who
from ccr.domain.attempts import AttemptPlan
from ccr.domain.errors import GatewayError
from ccr.domain.facts import RequestClass
from ccr.domain.routing.balance import Standing, lot, ordered
from ccr.domain.routing.decision import Verdict
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ccr.application.catalog.holder import Catalog
    from ccr.application.catalog.targets import Target, TargetKey
    from ccr.application.flow.health import Health
    from ccr.application.ports.system import Clock
    from ccr.application.settings import FailoverSettings
    from ccr.domain.facts import RequestFacts
    from ccr.domain.models import ModelRef
    from ccr.domain.routing.decision import RouteDecision

__all__ = ["Balance"]

_BARRED = Standing(barred=True)


@define(eq=False)
class Balance:
    """Keeps the pins."""

    health: Health
    clock: Clock
    random: Callable[[], float]
    pins: Pins = field(factory=Pins)
    enabled: bool = True

    def configure(self, settings: FailoverSettings) -> None:
        """Take over what is configured."""
        self.enabled = settings.affinity is not None
        self.pins.ttl = settings.affinity or 0.0

    def plan(
        self, decision: RouteDecision, catalog: Catalog, facts: RequestFacts, caller: str
    ) -> tuple[RouteDecision, AttemptPlan]:
        """Return the plan, and the decision with the target that comes first in it."""
        group = decision.group
        if group is None or len(group.members) == 1:
            return decision, AttemptPlan((decision.target, *decision.fallbacks))
        pin = self.pinned(decision, facts, caller)
        order = ordered(group, self._standings(catalog), self.random, pin.ref if pin is not None else None)
        rest = tuple(ref for ref in decision.fallbacks if ref not in order)
        because = f"{order[0]} of {len(order)} targets ({group.strategy.value}"
        because += ", as before)" if pin is not None and pin.ref == order[0] else ")"
        made = evolve(
            decision,
            target=order[0],
            verdicts=(*decision.verdicts, Verdict("balance", False, because, order[0])),
        )
        return made, AttemptPlan((*order, *rest))

    def _standings(self, catalog: Catalog) -> Callable[[ModelRef], Standing]:
        def standing(ref: ModelRef) -> Standing:
            try:
                return self.health.standing(catalog.target(ref))
            except GatewayError:
                return _BARRED

        return standing

    def pinned(self, decision: RouteDecision, facts: RequestFacts, caller: str) -> Pin | None:
        """Return where the caller's session was served by this route."""
        who = self._who(decision, facts, caller)
        return None if who is None else self.pins.get(who, self.clock.monotonic())

    def key(
        self, target: Target, tried: Collection[str], pinned: Callable[[], Pin | None]
    ) -> TargetKey | None:
        """Return a key that was not tried; a rested one if there is any, the ``pinned`` one if it is rested."""
        if len(target.keys) == 1:
            key = target.keys[0]
            return None if key.id in tried else key
        now = self.clock.monotonic()
        left = [key for key in target.keys if key.id not in tried]
        rested = [key for key in left if self.health.key_rest(target, key.id, now) <= 0]
        if not rested:
            return min(left, key=lambda key: self.health.key_rest(target, key.id, now), default=None)
        if len(rested) == 1:
            return rested[0]
        pin = pinned()
        if pin is not None and pin.ref == target.ref:
            found = next((key for key in rested if key.id == pin.key), None)
            if found is not None:
                return found
        return max(rested, key=lambda key: lot(key.weight, self.random))

    def served(
        self,
        decision: RouteDecision,
        facts: RequestFacts,
        caller: str,
        target: Target,
        key: str,
        catalog: Catalog,
    ) -> None:
        """Remember who served a request, unless somebody else is to go on with the session.

        A target outside the route's own is a makeshift. One that only stood in for the pinned one, which was full or failed
        once, does not take the session over: its cache would begin anew there, and again on the way back.
        """
        who = self._who(decision, facts, caller)
        if who is None:
            return
        if facts.compaction or facts.request_class is RequestClass.COMPACTION:
            self.pins.drop(who.caller, who.session, who.agent)
            return
        members = decision.group.members if decision.group is not None else (decision.target,)
        if target.ref not in members or (len(members) == 1 and len(target.keys) == 1):
            return
        now = self.clock.monotonic()
        old = self.pins.get(who, now)
        if (
            old is not None
            and (old.ref, old.key) != (target.ref, key)
            and self._still_good(old, catalog, now)
        ):
            self.pins.put(who, evolve(old, at=now))
            return
        self.pins.put(who, Pin(target.ref, key, now))

    def _still_good(self, pin: Pin, catalog: Catalog, now: float) -> bool:
        try:
            target = catalog.target(pin.ref)
        except GatewayError:
            return False
        if pin.key not in {key.id for key in target.keys} or self.health.key_rest(target, pin.key, now) > 0:
            return False
        return not self.health.standing(target).barred

    def _who(self, decision: RouteDecision, facts: RequestFacts, caller: str) -> Who | None:
        session = facts.session
        if not self.enabled or not session.session:
            return None
        return Who(caller, session.session, session.agent, decision.route or decision.scenario)
