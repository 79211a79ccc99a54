"""One request under way: what every step of the walk hands to the next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.catalog.holder import Catalog
    from ccr.application.exchange.amend import Amending
    from ccr.application.exchange.trail import Trail
    from ccr.application.ports.dialect import ClientDialect, ParsedCall, StreamEncoder
    from ccr.domain.attempts import AttemptPlan
    from ccr.domain.facts import RequestFacts
    from ccr.domain.models import ModelRef
    from ccr.domain.routing.decision import RouteDecision
    from ccr.domain.routing.policy import Routes

__all__ = ["Job", "is_armed"]


@define(eq=False)
class Job:
    """Owned by the request's task. ``client`` None = the caller takes events, not bytes (embedding).

    ``encoder`` is set once the client has been sent an opened message: from then on every attempt must translate.
    """

    call: Call
    client: ClientDialect | None
    catalog: Catalog
    parsed: ParsedCall | None
    facts: RequestFacts
    decision: RouteDecision
    plan: AttemptPlan
    trail: Trail
    encoder: StreamEncoder | None = field(default=None)
    echo: object = field(default=None, repr=False)
    """What the client's dialect needs of the request to write the reply; outlives ``parsed``."""

    amending: Amending | None = field(default=None, repr=False)
    """What is known of the providers' complaints; set when the attempts begin."""

    began: float = field(factory=lambda: asyncio.get_running_loop().time())
    """Loop time."""

    armed: bool = False
    """A reply that is cut may go on (:func:`is_armed`)."""

    routes: Routes | None = None
    """The router of the caller's session or project; None = the configuration's counts."""

    @property
    def vision(self) -> ModelRef | None:
        """The model that describes images for those that cannot see."""
        return (self.routes or self.catalog.policy.table).image

    def left(self, total: float | None) -> float | None:
        """Return the seconds that are left of a limit for the whole request; None = there is none."""
        if total is None:
            return None
        return max(0.0, total - (asyncio.get_running_loop().time() - self.began))

    @property
    def request(self) -> ParsedCall:
        """The parsed call. Raises RuntimeError once it was let go."""
        if self.parsed is None:
            raise RuntimeError("the request was let go: content has been committed")
        return self.parsed

    def let_go(self) -> None:
        """Forget body and conversation: no other target can be tried any more, and streams are long."""
        self.parsed = None
        self.call.drop()


def is_armed(catalog: Catalog, facts: RequestFacts, decision: RouteDecision) -> bool:
    """Say whether a reply may go on when it is cut: it is streamed, asked for, and need not be what one provider said."""
    return facts.stream and catalog.settings.failover.continues and not decision.exact
