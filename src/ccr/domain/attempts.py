"""Which targets are tried, in which order, and whether there is another try. Pure: no clock, no sleep, no dice."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from attrs import define

from ccr.domain.errors import (
    Blast,
    CallError,
    ContextOverflowError,
    ForbiddenError,
    GatewayError,
    GatewayStateError,
    Remedy,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from ccr.domain.value import evolve, value

if TYPE_CHECKING:
    # The settings need the rules, and the command line needs the settings, but no models.
    from ccr.domain.models import ModelRef

__all__ = ["AttemptPlan", "Next", "RetryBudget", "RetryRules", "Step", "further", "meaningful", "next_step"]

_TRY_ELSEWHERE = (ContextOverflowError, ForbiddenError, UnsupportedError)
"""The client's doing, but not at every target."""


_NOT_AGAIN = (UpstreamTimeoutError, UpstreamProtocolError, GatewayStateError)
"""Whoever let us wait for minutes, or answers in riddles, will do so again; our own limits say when they end."""


class Step(Enum):
    """What to do after a failure."""

    STOP = "stop"
    AGAIN = "again"
    """The same target: with the request amended, with another key, or after a wait."""
    NEXT = "next"


@value
class RetryRules:
    """Seconds. ``retries``: how often one request is sent again to a target that nothing but time may mend."""

    retries: int = 2
    base: float = 0.25
    """The first wait is a random part of this, each further one of twice as much (full jitter)."""
    longest: float = 3.0
    """No wait is longer: a ``Retry-After`` above this is the client's to wait for, who then knows its status."""


@value
class AttemptPlan:
    """Targets in order; ``tried`` of them have failed.

    Attributes:
        retries: how often the request was sent again to a target that had failed.
        doubtful: a failed attempt may have been accepted, and billed.
        unreachable: providers to which no connection could be made.
    """

    targets: tuple[ModelRef, ...]
    tried: int = 0
    retries: int = 0
    doubtful: bool = False
    unreachable: frozenset[str] = frozenset()

    @property
    def current(self) -> ModelRef:
        """The target to try now."""
        return self.targets[self.tried]

    @property
    def is_last(self) -> bool:
        """No other target is left after the current one."""
        return self.following() is None

    def following(self) -> int | None:
        """Return the place of the next target worth trying."""
        for at in range(self.tried + 1, len(self.targets)):
            if self.targets[at].provider not in self.unreachable:
                return at
        return None


@value
class Next:
    """What to do: the step, the plan from there, and the seconds to wait before it."""

    step: Step
    plan: AttemptPlan
    wait: float = 0.0


def next_step(
    plan: AttemptPlan,
    error: GatewayError,
    *,
    other_key: bool = False,
    may_retry: bool = False,
    chance: float = 0.5,
    rules: RetryRules = RetryRules(),  # noqa: B008 - a value
) -> Next:
    """Say whether there is another try, where, and when.

    Args:
        plan: where we are.
        error: what the current target failed with.
        other_key: the target's provider has a key that was not tried and may do better.
        may_retry: the retry budget has something left.
        chance: a number in [0, 1), for the jitter.
        rules: how often, how long.
    """
    failure = error.failure
    if failure.remedy is Remedy.AMEND:
        return Next(Step.AGAIN, plan)
    if failure.remedy is Remedy.STOP or (
        isinstance(error, CallError) and not isinstance(error, _TRY_ELSEWHERE)
    ):
        return Next(Step.STOP, plan)
    if error.accepted:
        plan = evolve(plan, doubtful=True)
    if failure.blast is Blast.CREDENTIAL and other_key:
        return Next(Step.AGAIN, plan)
    if _is_unreachable(error):
        plan = evolve(plan, unreachable=plan.unreachable | {plan.current.provider})
    following = plan.following()
    if following is not None:
        return Next(Step.NEXT, evolve(plan, tried=following))
    wait = _wait(plan, error, chance, rules) if may_retry else None
    if wait is None:
        return Next(Step.STOP, plan)
    return Next(Step.AGAIN, evolve(plan, retries=plan.retries + 1, unreachable=frozenset()), wait)


def further(plan: AttemptPlan, error: GatewayError, *, may_retry: bool) -> AttemptPlan | None:
    """Say who may give the rest of a reply that was cut after the client had some of it; None = nobody.

    First whoever began it, if ``may_retry``: it knows its words. Who let us wait is asked only if there is nobody else.
    """
    after, before = plan.targets[plan.tried + 1 :], plan.targets[: plan.tried]
    others = tuple(ref for ref in (*after, *before) if ref.provider not in plan.unreachable)
    same = (plan.current,) if may_retry else ()
    targets = (others or same) if isinstance(error, UpstreamTimeoutError) else (*same, *others)
    if not targets:
        return None
    return AttemptPlan(targets, retries=plan.retries + 1, doubtful=True, unreachable=plan.unreachable)


def _is_unreachable(error: GatewayError) -> bool:
    """Nothing was sent: another model behind the same door would fare no better."""
    return (
        isinstance(error, UpstreamError)
        and error.failure.blast in (Blast.ENDPOINT, Blast.PROVIDER)
        and error.unreached
    )


def _wait(plan: AttemptPlan, error: GatewayError, chance: float, rules: RetryRules) -> float | None:
    """Return the seconds after which the same target is worth another try, None if it is not."""
    if plan.retries >= rules.retries or isinstance(error, _NOT_AGAIN):
        return None
    waits = error.failure.remedy is Remedy.WAIT
    if not waits and error.failure.blast not in (Blast.ENDPOINT, Blast.PROVIDER):
        return None
    if plan.doubtful and plan.retries:
        return None  # sent twice already, perhaps billed twice
    if error.retry_after is not None:
        # The provider's word, and a little more so that a crowd does not come back at once.
        wait = error.retry_after + chance * rules.base
        return wait if error.retry_after <= rules.longest else None
    return chance * min(rules.longest, rules.base * (1 << plan.retries))


def meaningful(errors: Sequence[GatewayError]) -> GatewayError:
    """Return the failure that tells the caller most: what to do next is in a limit's words, not in a broken line.

    Of limits the one that ends first: whoever comes back then is served. Of equals the last one.
    """
    told = max(reversed(errors), key=_rank)
    ending = [e for e in errors if isinstance(e, UpstreamLimitedError) and e.retry_after is not None]
    if isinstance(told, UpstreamLimitedError) and ending:
        return min(reversed(ending), key=lambda error: error.retry_after or 0.0)
    return told


def _rank(error: GatewayError) -> int:
    if isinstance(error, UpstreamLimitedError):
        return 6
    if isinstance(error, GatewayStateError):
        return 2
    if isinstance(error, ForbiddenError):
        return 1  # of one target; what the others failed with is news
    if isinstance(error, UpstreamUnavailableError) and error.upstream is None:
        return 0 if error.unreached else 1  # an open circuit, too: what others said is news
    if isinstance(error, CallError) or error.failure.blast in (Blast.REQUEST, Blast.MODEL):
        return 5
    if isinstance(error, UpstreamAuthError):
        return 4
    if error.upstream is not None:
        return 3
    return 0 if isinstance(error, UpstreamError) and error.unreached else 1


@define(eq=False)
class RetryBudget:
    """Retries are at most ``share`` of the requests, so that an outage is not answered with a storm.

    ``burst`` retries are free after a quiet time. Moving to another target is no retry: the breaker bounds that.
    """

    share: float = 0.2
    burst: float = 10.0
    left: float = 10.0

    def earn(self) -> None:
        """A request came."""
        self.left = min(self.burst, self.left + self.share)

    def spend(self) -> None:
        """A retry goes out."""
        self.left -= 1

    @property
    def allows(self) -> bool:
        """Whether a retry may go out."""
        return self.left >= 1
