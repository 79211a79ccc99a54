"""``ccr route explain``: why a request goes, or went, where it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import define

from ccr.application.exchange.amend import Amending
from ccr.application.exchange.foresee import foresee
from ccr.application.exchange.job import Job, is_armed
from ccr.application.exchange.trail import Trail
from ccr.application.flow.queue import caller_of
from ccr.domain.errors import GatewayError, NoSuchPathError
from ccr.domain.routing.decide import decide
from ccr.domain.routing.policy import clip

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.exchange.seams import Adapter, Interceptor
    from ccr.application.flow.balance import Balance
    from ccr.application.flow.conditions import Snapshot
    from ccr.application.ports.compat import LearnedStore
    from ccr.application.tracker import Decided, Tracker
    from ccr.domain.facts import RequestFacts
    from ccr.domain.models import ModelRef
    from ccr.domain.routing.decision import RouteDecision, Verdict

__all__ = ["LAST", "ExplainRoute", "to_dict", "to_lines"]

_NEVER = datetime.fromtimestamp(0, UTC)
LAST = "last"
"""In place of a request id: the newest decision."""


@define(eq=False)
class ExplainRoute:
    """Decides as the data path does, and calls nobody; or looks up what was decided. Answers plain JSON values."""

    catalog: CatalogHolder
    snapshot: Snapshot
    tracker: Tracker
    balance: Balance
    helpers: Sequence[Adapter | Interceptor] = ()
    learned: LearnedStore | None = None

    async def __call__(self, call: Call) -> Mapping[str, object]:
        """Decide about a request without sending it.

        Raises InvalidRequestError and UnknownModelError as the request itself would.
        """
        catalog = self.catalog.current
        await call.read()
        client = catalog.clients[call.dialect]
        parsed = client.read(call)
        conditions = await self.snapshot(call, parsed, catalog)
        decision = decide(catalog.policy, parsed.facts, conditions)
        trail = Trail(call.request_id, _NEVER, call.received, call.principal.id)
        decision, plan = self.balance.plan(decision, catalog, parsed.facts, caller_of(call))
        job = Job(
            call, client, catalog, parsed, parsed.facts, decision, plan, trail,
            armed=is_armed(catalog, parsed.facts, decision), routes=conditions.routes,
        )  # fmt: skip
        if self.learned is not None:
            job.amending = Amending(self.learned)
        told = to_dict(decision, request_id=call.request_id, facts=parsed.facts)
        return {**told, "targets": [self._foreseen(job, ref) for ref in plan.targets]}

    def _foreseen(self, job: Job, ref: ModelRef) -> dict[str, object]:
        """Say how a target would be spoken to, and what it would not get."""
        try:
            seen = foresee(job, job.catalog.target(ref), self.helpers)
        except GatewayError as failed:
            return {"target": str(ref), "path": None, "losses": [], "error": failed.message}
        losses = [str(loss) for loss in seen.losses]
        refused = bool(losses) and job.decision.exact
        said = "passed over, the route asks for exact fidelity" if refused else None
        return {"target": str(ref), "path": seen.path, "losses": losses, "error": said}

    def recent(self, last: int = 1) -> Sequence[Mapping[str, object]]:
        """Return the newest decisions, newest first."""
        return [_decided(found) for found in self.tracker.recent(last)]

    def remembered(self, request_id: str) -> Mapping[str, object]:
        """Return what was decided for a request id, or for ``last``. Raises NoSuchPathError if it is not known."""
        found = (
            next(iter(self.tracker.recent(1)), None) if request_id == LAST else self.tracker.find(request_id)
        )
        if found is None:
            raise NoSuchPathError(f"no decision is remembered for {clip(request_id)!r}")
        return _decided(found)


def _decided(found: Decided) -> Mapping[str, object]:
    return to_dict(found.decision, request_id=found.request_id, facts=found.facts)


def to_dict(
    decision: RouteDecision, *, request_id: str = "", facts: RequestFacts | None = None
) -> dict[str, object]:
    """Return a decision as plain JSON values."""
    return {
        "request_id": request_id or None,
        "requested": facts.model if facts is not None else None,
        "target": str(decision.target),
        "scenario": decision.scenario,
        "reason": decision.reason,
        "tokens": decision.tokens,
        "fidelity": "exact" if decision.exact else "best",
        "group": _group(decision),
        "fallbacks": [str(ref) for ref in decision.fallbacks],
        "verdicts": [_verdict(verdict) for verdict in decision.verdicts],
    }


def _group(decision: RouteDecision) -> dict[str, object] | None:
    group = decision.group
    if group is None:
        return None
    members = [{"target": str(ref), "weight": group.weight(ref)} for ref in group.members]
    return {"strategy": group.strategy.value, "targets": members}


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "rule": verdict.rule,
        "matched": verdict.matched,
        "because": verdict.because,
        "target": str(verdict.target) if verdict.target is not None else None,
    }


def to_lines(explained: Mapping[str, Any]) -> list[str]:
    """Return what :func:`to_dict` gave as lines for a terminal: the outcome, then every rule in the order it was asked."""
    verdicts: Sequence[Mapping[str, Any]] = explained["verdicts"]
    width = max((len(verdict["rule"]) for verdict in verdicts), default=0)
    lines = [f"{explained['target']}  ({explained['scenario']}: {explained['reason']})"]
    for verdict in verdicts:
        mark = "*" if verdict["matched"] else " "
        arrow = f" -> {verdict['target']}" if verdict["target"] else ""
        lines.append(f"  {mark} {verdict['rule']:<{width}}  {verdict['because']}{arrow}")
    group = explained.get("group")
    if group:
        members = ", ".join(f"{one['target']} ({one['weight']:g})" for one in group["targets"])
        lines.append(f"  {group['strategy']} of {members}")
    if explained["fallbacks"]:
        lines.append(f"  then {', '.join(explained['fallbacks'])}")
    for target in explained.get("targets", ()):
        lost = f", loses {', '.join(target['losses'])}" if target["losses"] else ""
        said = f": {target['error']}" if target["error"] else ""
        lines.append(f"  {target['target']}: {target['path'] or 'cannot be called'}{lost}{said}")
    return lines
