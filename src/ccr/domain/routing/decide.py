"""``decide``: pure and total. Equal facts and conditions, equal decision."""

from __future__ import annotations

from ccr.domain.errors import UnknownModelError
from ccr.domain.facts import RequestFacts
from ccr.domain.models import ModelRef
from ccr.domain.routing.balance import Group
from ccr.domain.routing.conditions import NOTHING_KNOWN, Conditions
from ccr.domain.routing.decision import RouteDecision
from ccr.domain.routing.policy import RoutePolicy
from ccr.domain.routing.rules import CUSTOM_FIRST, EXPLICIT_FIRST, RESERVED_OUTPUT, View, fits
from ccr.domain.value import evolve

__all__ = ["decide", "is_explicit", "needs_count"]

_OWN_FALLBACK_ONLY = frozenset({"background", "think", "longContext", "webSearch"})
"""Scenarios that the ancestor's ``fallback`` knows by name; every other one uses the list of ``default``."""


def decide(policy: RoutePolicy, facts: RequestFacts, conditions: Conditions = NOTHING_KNOWN) -> RouteDecision:
    """Choose a target and say why, rule by rule.

    Raises UnknownModelError when the caller explicitly names a provider or model that does not exist, or when nothing
    at all is configured.
    """
    view = View(policy, conditions.routes or policy.table, facts, conditions)
    target: ModelRef | None = None
    scenario = route = ""
    verdicts = []
    for rule in CUSTOM_FIRST if policy.custom_first else EXPLICIT_FIRST:
        if target is None:
            verdict = rule.ask(view)
            if verdict.matched:
                target, scenario = verdict.target, rule.scenario
                route = verdict.route or rule.scenario
            verdicts.append(verdict)
        else:
            verdicts.append(rule.passed)
    if target is None:
        raise UnknownModelError(
            "no route leads anywhere: set Router.default to provider,model", param="model"
        )
    moved = fits(view, target)
    verdicts.append(moved)
    if moved.target is not None:
        target, scenario, route = moved.target, "longContext", "longContext"
    return RouteDecision(
        target=target,
        scenario=scenario,
        verdicts=tuple(verdicts),
        fallbacks=_fallbacks(policy, scenario, target),
        strip_tag=bool(facts.subagent_tag),
        tokens=conditions.low if conditions.counted else None,
        exact=policy.is_exact(scenario),
        group=_group(view, route, target),
        route=route,
    )


def _group(view: View, route: str, target: ModelRef) -> Group | None:
    """Return the targets of a route; a session's router without a default uses the global one's."""
    group = view.routes.groups.get(route)
    if group is None and route == "default" and view.routes.default is None:
        group = view.policy.table.groups.get(route)
    return group if group is not None and target in group.members else None


def _fallbacks(policy: RoutePolicy, scenario: str, target: ModelRef) -> tuple[ModelRef, ...]:
    found = policy.fallbacks.get(scenario)
    if found is None and scenario not in _OWN_FALLBACK_ONLY:
        found = policy.fallbacks.get("default")
    return tuple(ref for ref in found or () if ref != target)


def is_explicit(policy: RoutePolicy, facts: RequestFacts) -> bool:
    """Whether the caller names a provider, so that no other rule will be asked (unless a custom router comes first)."""
    hit = policy.look_up(facts.model, wants_1m=facts.wants_1m)
    return hit.explicit


def needs_count(policy: RoutePolicy, facts: RequestFacts, conditions: Conditions) -> bool:
    """Whether an exact count could change the decision: the estimate straddles a limit that matters.

    Deciding at both ends answers that, for a target changes with rising input at most from one that is too small to
    the long-context one. Almost every request is answered by the first comparison.
    """
    routes = conditions.routes or policy.table
    if routes.long_context is None:
        return False
    quiet = routes.threshold
    if policy.smallest_window is not None:
        quiet = min(quiet, policy.smallest_window - RESERVED_OUTPUT)
    if conditions.high <= quiet:
        return False
    try:
        least = decide(policy, facts, evolve(conditions, high=conditions.low))
        most = decide(policy, facts, evolve(conditions, low=conditions.high))
    except UnknownModelError:
        return False
    return (least.target, least.scenario) != (most.target, most.scenario)
