"""What is written down of a request at its end: one value, whatever the end."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from ccr.domain.facts import RequestFacts
from ccr.domain.fidelity import Loss
from ccr.domain.repair import Repair
from ccr.domain.routing.decision import RouteDecision
from ccr.domain.usage import NO_USAGE, Usage
from ccr.domain.value import value

__all__ = ["AttemptRecord", "Outcome", "RequestRecord"]


class Outcome(Enum):
    """How a request ended."""

    OK = "ok"
    CLIENT_CLOSED = "client_closed"
    UPSTREAM_ERROR = "upstream_error"
    UPSTREAM_TRUNCATED = "upstream_truncated"
    TIMEOUT = "timeout"
    OVERLOAD = "overload"
    AUTH = "auth"
    INVALID = "invalid"
    INTERNAL = "internal"
    DRAINED = "drained"


@value
class AttemptRecord:
    """One try at one target. Seconds; ``status`` 0 = no answer; ``error`` is a kind, empty = it went well.

    ``purpose`` of a call of our own (``image``, or ``continuation`` of a reply that was cut); empty = the request itself.
    ``key``: id of the provider's key, where it has several. ``waited``: seconds before it. ``doubtful``: it failed, but may
    have been accepted and billed.
    """

    provider: str
    model: str
    status: int
    seconds: float
    error: str = ""
    purpose: str = ""
    key: str = ""
    waited: float = 0.0
    doubtful: bool = False


@value
class RequestRecord:
    """One request. Seconds; bytes; ``path`` is ``relay`` or ``translate``; empty or None = did not come so far.

    ``error`` is an error kind, ``message`` its sentence (no bodies, no secrets). ``first_byte`` is the time to the
    first content sent to the client. ``repairs``: what was mended in tool calls.
    """

    id: str
    at: datetime
    outcome: Outcome
    status: int
    seconds: float
    principal: str
    facts: RequestFacts | None = None
    decision: RouteDecision | None = None
    attempts: tuple[AttemptRecord, ...] = ()
    usage: Usage = NO_USAGE
    first_byte: float | None = None
    path: str = ""
    losses: tuple[Loss, ...] = ()
    repairs: tuple[Repair, ...] = ()
    error: str = ""
    message: str = ""
    revision: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
