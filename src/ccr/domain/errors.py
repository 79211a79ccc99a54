"""Everything that can go wrong with a request, by whose doing it is.

::

    GatewayError
    |-- CallError                 the client's doing
    |   |-- InvalidRequestError       malformed or contradictory
    |   |-- UnsupportedError          legal, but not for this target
    |   |-- BodyTooLargeError
    |   |-- ContextOverflowError      more tokens than the model takes
    |   |-- UnknownModelError         unknown provider or model; lists near names
    |   |-- UnauthenticatedError
    |   |-- ForbiddenError
    |   |-- NoSuchPathError
    |   |-- WrongMethodError
    |   `-- ClientGoneError           left before the end
    |-- GatewayStateError         ours to say
    |   |-- LimitedError
    |   |-- BudgetError
    |   |-- OverloadedError
    |   |-- DrainingError
    |   |-- ConfigError               problems with positions; start, reload and check only
    |   `-- InternalError
    `-- UpstreamError             the provider's doing
        |-- UpstreamRejectedError     a 4xx about this request
        |-- UpstreamAuthError         it refused our key
        |-- UpstreamLimitedError      429, 529
        |-- UpstreamUnavailableError  connect, reset, 5xx
        |-- UpstreamTimeoutError
        `-- UpstreamProtocolError     answered, but not in its dialect

Each class has a stable ``kind`` and a :class:`Failure`, which is all that retries, breakers and learned
compatibility read. Status codes live in the tables of the dialects.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from ccr.domain.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Blast",
    "BodyTooLargeError",
    "BudgetError",
    "CallError",
    "ClientGoneError",
    "ConfigError",
    "ContextOverflowError",
    "DrainingError",
    "Failure",
    "ForbiddenError",
    "GatewayError",
    "GatewayStateError",
    "InternalError",
    "InvalidRequestError",
    "LimitedError",
    "NoSuchPathError",
    "OverloadedError",
    "Problem",
    "Remedy",
    "UnauthenticatedError",
    "UnknownModelError",
    "UnsupportedError",
    "UpstreamAuthError",
    "UpstreamError",
    "UpstreamLimitedError",
    "UpstreamProtocolError",
    "UpstreamRejectedError",
    "UpstreamReply",
    "UpstreamTimeoutError",
    "UpstreamUnavailableError",
    "WrongMethodError",
]


class Blast(Enum):
    """What a failure speaks against."""

    REQUEST = "request"
    MODEL = "model"
    CREDENTIAL = "credential"
    ENDPOINT = "endpoint"
    PROVIDER = "provider"


class Remedy(Enum):
    """What may help: nothing, the same target with the request amended, the same later, or another target."""

    STOP = "stop"
    AMEND = "amend"
    WAIT = "wait"
    NEXT = "next"


@value
class Failure:
    """What a failure means to whoever decides about another attempt."""

    kind: str
    blast: Blast
    remedy: Remedy


@value
class UpstreamReply:
    """An error reply of a provider as it came: what a client of the same dialect is given back unmodified.

    ``body`` is bounded by whoever read it; ``headers`` have lower-case names.
    """

    dialect: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class GatewayError(Exception):
    """The root: a sentence for the caller, and what the edges need to render it.

    Attributes:
        message: one sentence that may be shown to the client; never holds secrets or bodies.
        provider: name of the provider it concerns, if any.
        retry_after: seconds after which a repetition may succeed.
        upstream: the provider's own error reply, if it sent one.
        param: JSON path in the caller's request that the error is about.
    """

    kind: ClassVar[str] = "internal"
    blast: ClassVar[Blast] = Blast.REQUEST
    remedy: ClassVar[Remedy] = Remedy.STOP
    accepted: bool = False
    """A model may have taken the request, and somebody may have to pay for it."""
    unreached: bool = False
    """No connection was made: nothing has been sent."""

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        retry_after: float | None = None,
        upstream: UpstreamReply | None = None,
        param: str | None = None,
        failure: Failure | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.retry_after = retry_after
        self.upstream = upstream
        self.param = param
        self._failure = failure

    @property
    def failure(self) -> Failure:
        """The default failure of the class unless whoever raised it knew better."""
        return self._failure or Failure(self.kind, self.blast, self.remedy)


class CallError(GatewayError):
    """The client's doing."""

    kind = "invalid_request"


class InvalidRequestError(CallError):
    """The request is malformed or contradicts itself."""


class UnsupportedError(CallError):
    """The request is legal, but this target cannot do it."""

    kind = "unsupported"
    blast = Blast.MODEL
    remedy = Remedy.NEXT


class BodyTooLargeError(CallError):
    """The body is over the limit (bytes)."""

    kind = "body_too_large"


class ContextOverflowError(CallError):
    """More tokens than the model takes; ``tokens`` and ``maximum`` where the provider said them."""

    kind = "context_overflow"
    blast = Blast.MODEL
    remedy = Remedy.NEXT

    def __init__(
        self,
        message: str,
        *,
        tokens: int | None = None,
        maximum: int | None = None,
        provider: str | None = None,
        upstream: UpstreamReply | None = None,
    ) -> None:
        super().__init__(message, provider=provider, upstream=upstream)
        self.tokens = tokens
        self.maximum = maximum


class UnknownModelError(CallError):
    """No such provider or model; the message lists near names."""

    kind = "unknown_model"


class UnauthenticatedError(CallError):
    """No credential, or none that we know."""

    kind = "unauthenticated"


class ForbiddenError(CallError):
    """A known caller who may not do this."""

    kind = "forbidden"
    remedy = Remedy.NEXT


class NoSuchPathError(CallError):
    """Nothing lives at this path."""

    kind = "no_such_path"


class WrongMethodError(CallError):
    """The path exists, the method does not; ``allowed`` is for the ``Allow`` header."""

    kind = "wrong_method"

    def __init__(self, message: str, *, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class ClientGoneError(CallError):
    """The client left before the end: there is nobody to answer."""

    kind = "client_gone"


class GatewayStateError(GatewayError):
    """Ours to say."""


class LimitedError(GatewayStateError):
    """A rate or concurrency limit of ours."""

    kind = "limited"


class BudgetError(GatewayStateError):
    """A spending limit of ours."""

    kind = "budget"


class OverloadedError(GatewayStateError):
    """More work than this process, or a provider of ours, takes at once."""

    kind = "overload"


class DrainingError(GatewayStateError):
    """This process is about to end and takes no new work."""

    kind = "draining"


@value
class Problem:
    """One thing wrong in the configuration: where, what, and what would be right.

    ``line`` and ``column`` count from 1; 0 = unknown. ``severity`` is ``error`` or ``warning``.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}: {self.path}: {self.message}{hint}"


class ConfigError(GatewayStateError):
    """The configuration cannot be used; carries every problem at once."""

    kind = "config"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class InternalError(GatewayStateError):
    """A fault of ours. The client gets a bland sentence, the log has the rest."""

    kind = "internal"


class UpstreamError(GatewayError):
    """The provider's doing."""

    kind = "upstream_unavailable"
    blast = Blast.ENDPOINT
    remedy = Remedy.NEXT


class UpstreamRejectedError(UpstreamError):
    """A 4xx about this request; ``status`` is the provider's."""

    kind = "upstream_rejected"
    blast = Blast.REQUEST
    remedy = Remedy.STOP

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        provider: str | None = None,
        retry_after: float | None = None,
        upstream: UpstreamReply | None = None,
        failure: Failure | None = None,
    ) -> None:
        super().__init__(
            message, provider=provider, retry_after=retry_after, upstream=upstream, failure=failure
        )
        self.status = status

    def amend(self) -> None:
        """Say that the complaint names what to change, and that the request will be changed."""
        self._failure = Failure(self.kind, Blast.REQUEST, Remedy.AMEND)


class UpstreamAuthError(UpstreamError):
    """It refused *our* key: never a 401 to the client, who would be sent to log in."""

    kind = "upstream_auth"
    blast = Blast.CREDENTIAL


class UpstreamLimitedError(UpstreamError):
    """429 or 529; ``overloaded`` tells the second from the first."""

    kind = "upstream_limited"
    blast = Blast.CREDENTIAL
    remedy = Remedy.WAIT

    def __init__(
        self,
        message: str,
        *,
        overloaded: bool = False,
        provider: str | None = None,
        retry_after: float | None = None,
        upstream: UpstreamReply | None = None,
        failure: Failure | None = None,
    ) -> None:
        super().__init__(
            message, provider=provider, retry_after=retry_after, upstream=upstream, failure=failure
        )
        self.overloaded = overloaded


class UpstreamUnavailableError(UpstreamError):
    """No connection, a reset, or a 5xx."""

    kind = "upstream_unavailable"


class UpstreamTimeoutError(UpstreamError):
    """It did not connect, answer or go on in time."""

    kind = "upstream_timeout"


class UpstreamProtocolError(UpstreamError):
    """It answered, but not in its dialect: junk, a cut, or an end without an end."""

    kind = "upstream_protocol"
