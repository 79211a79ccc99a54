"""The snapshot of the outside that ``decide`` sees: everything here may fail, and then the next rule is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.catalog.policy import compile_routes, router_of
from ccr.application.contained import Faults, contained
from ccr.domain.errors import UnknownModelError
from ccr.domain.routing.conditions import Conditions
from ccr.domain.routing.decide import is_explicit, needs_count
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.catalog.holder import Catalog
    from ccr.application.counting import Counting
    from ccr.application.ports.dialect import ParsedCall
    from ccr.application.ports.routing import SessionRouters
    from ccr.domain.routing.policy import RoutePolicy, Routes

__all__ = ["Snapshot"]

_SESSION_TIMEOUT = 1.0
"""Seconds for looking at router files: a home directory on a slow disk must not hold up requests."""


@define(eq=False)
class Snapshot:
    """Takes the conditions of a request. Never fails; faults are counted, told and left in the conditions."""

    counting: Counting
    session_routers: SessionRouters | None = None
    faults: Faults = field(factory=Faults)

    async def __call__(self, call: Call, parsed: ParsedCall, catalog: Catalog) -> Conditions:
        """Ask session routers, the custom router and, only if it can change the decision, for an exact count."""
        policy, facts = catalog.policy, parsed.facts
        bounds = await self.counting.range(parsed)
        conditions = Conditions(low=bounds.low, high=bounds.high)
        session, routers = facts.session.session, self.session_routers
        if policy.session_routers and session and routers is not None and routers.may_find(session):
            conditions = await self._session(conditions, session, policy)
        if catalog.custom_router is not None and (policy.custom_first or not is_explicit(policy, facts)):
            conditions = await self._custom(conditions, call, parsed, catalog)
        tag = facts.subagent_tag.strip()
        if tag:
            self._check("subagent tag", policy, tag)
        if needs_count(policy, facts, conditions):
            counted = await self.counting.count(parsed)
            if counted.error:
                return evolve(conditions, tokens_error=counted.error)
            return evolve(conditions, low=counted.tokens, high=counted.tokens, counted=True)
        return conditions

    async def _session(self, conditions: Conditions, session: str, policy: RoutePolicy) -> Conditions:
        assert self.session_routers is not None
        wrong: list[str] = []

        def complain(path: str, message: str) -> None:
            wrong.append(f"{path}: {message}")
            self.faults.report("session router", ValueError(wrong[-1]))

        routes: Routes | None = None
        origin = ""
        with contained("session router", self.faults) as outcome:
            async with asyncio.timeout(_SESSION_TIMEOUT):
                found = await self.session_routers.find(session)
            if found is not None:
                routes = compile_routes(policy, router_of(found.router, complain), complain)
                origin = found.origin
        return evolve(
            conditions,
            routes=routes,
            routes_from=origin,
            routes_error=outcome.because or "; ".join(wrong)[:200],
        )

    async def _custom(
        self, conditions: Conditions, call: Call, parsed: ParsedCall, catalog: Catalog
    ) -> Conditions:
        router, settings = catalog.custom_router, catalog.settings
        assert router is not None
        answer: str | None = None
        with contained("custom router", self.faults) as outcome:
            async with asyncio.timeout(settings.router.custom_timeout):
                answer = await router.route(call, parsed, settings.raw)
        if answer:
            self._check("custom router", catalog.policy, answer)
        return evolve(
            conditions, custom_asked=True, custom_answer=answer or None, custom_error=outcome.because
        )

    def _check(self, place: str, policy: RoutePolicy, text: str) -> None:
        """Tell of a target that does not exist; the verdict of its rule says the same to whoever explains."""
        hit = policy.look_up(text)
        if hit.ref is None:
            self.faults.report(place, UnknownModelError(f"{text[:120]!r} is no target: {hit.because}"))
