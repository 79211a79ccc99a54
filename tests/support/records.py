"""Request records for tests of those who read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ccr.domain.facts import Operation, RequestFacts, SessionKey
from ccr.domain.fidelity import Loss
from ccr.domain.models import ModelRef
from ccr.domain.record import AttemptRecord, Outcome, RequestRecord
from ccr.domain.routing.decision import RouteDecision, Verdict
from ccr.domain.usage import Usage

__all__ = ["AT", "decision", "facts", "record"]

AT = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)


def facts(**changes: Any) -> RequestFacts:
    """Facts of a main request."""
    given: dict[str, Any] = {
        "operation": Operation.GENERATE,
        "dialect": "anthropic",
        "model": "claude-sonnet-5-5",
        "stream": True,
        "max_tokens": 100,
        "session": SessionKey("session-1", "agent-1"),
        "agent_type": "Explore",
        "client": "claude-cli/2.1.330",
    }
    return RequestFacts(**{**given, **changes})


def decision(
    provider: str = "deepseek", model: str = "deepseek-chat", because: str = "it is the default"
) -> RouteDecision:
    """A decision of the last rule."""
    return RouteDecision(
        ModelRef(provider, model), "default", (Verdict("default", matched=True, because=because),)
    )


def record(**changes: Any) -> RequestRecord:
    """A request that went well."""
    given: dict[str, Any] = {
        "id": "req_1",
        "at": AT,
        "outcome": Outcome.OK,
        "status": 200,
        "seconds": 1.23456,
        "principal": "local",
        "facts": facts(),
        "decision": decision(),
        "attempts": (AttemptRecord("deepseek", "deepseek-chat", 200, 1.2),),
        "usage": Usage(input_uncached=10, cache_read=5, output=3),
        "first_byte": 0.5,
        "path": "translate",
        "losses": (Loss("thinking"),),
        "revision": "abc",
        "bytes_in": 100,
        "bytes_out": 200,
    }
    return RequestRecord(**{**given, **changes})
