"""Between two tries of one request: which key, whether to go on, and how long to wait first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from attrs import define, field

from ccr.application.exchange.watch import Watch
from ccr.application.flow.queue import caller_of, rank_of
from ccr.domain.attempts import RetryBudget, RetryRules, Step, meaningful, next_step
from ccr.domain.errors import (
    Blast,
    CallError,
    Failure,
    GatewayError,
    OverloadedError,
    Remedy,
    UpstreamLimitedError,
    UpstreamRejectedError,
)
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.flow.balance import Balance
    from ccr.application.flow.health import Health, Lease
    from ccr.application.ports.hosting import RenewableCredential
    from ccr.application.settings import FailoverSettings
    from ccr.domain.affinity import Pin
    from ccr.domain.models import ModelRef

__all__ = ["Failover", "Tries"]

_UNAUTHORIZED = 401
_NO_ROOM = Failure(OverloadedError.kind, Blast.ENDPOINT, Remedy.NEXT)
_TIRED = Failure(UpstreamLimitedError.kind, Blast.MODEL, Remedy.NEXT)
_RETRY_AFTER = 2.0


@define(eq=False)
class Failover:
    """What all requests share: health, pins, the retry budget."""

    health: Health
    balance: Balance
    random: Callable[[], float]
    budget: RetryBudget = field(factory=RetryBudget)
    rules: RetryRules = field(factory=RetryRules)

    def configure(self, settings: FailoverSettings) -> None:
        """Take over what is configured."""
        self.rules, self.budget.share = settings.retry, settings.retry_share


@define(eq=False)
class Tries:
    """What one request has tried. Owned by its task."""

    shared: Failover
    job: Job
    _caller: str = field(default="", init=False)
    _session: str = field(default="", init=False)
    _keys: dict[ModelRef, set[str]] = field(factory=dict, init=False)
    _asked_before: set[ModelRef] = field(factory=set, init=False)
    _renewed: set[ModelRef] = field(factory=set, init=False)
    _failures: list[GatewayError] = field(factory=list, init=False)
    _limits: dict[tuple[ModelRef, str], GatewayError] = field(factory=dict, init=False)
    """The last limit that each target told each key."""

    def __attrs_post_init__(self) -> None:
        job = self.job
        self._caller = caller_of(job.call)
        # Who is not told apart by a session counts for itself: it is no other's bad luck either.
        self._session = job.facts.session.session or job.call.request_id
        self.shared.budget.earn()

    def go_on(self) -> None:
        """The client has been sent content, and the rest is asked for: keys have another chance."""
        self._keys.clear()
        self._failures.clear()
        self._limits.clear()

    def _pinned(self) -> Pin | None:
        """Where the session was served, by this request too if it has got so far: there is its prompt cache."""
        return self.shared.balance.pinned(self.job.decision, self.job.facts, self._caller)

    async def claim(self, target: Target) -> tuple[Target, Lease]:
        """Choose a key, and take a place at the provider: waiting for it only if nobody else could answer.

        Raises GatewayError: no place, an open circuit, or keys that rest while there is another target.
        """
        health, job = self.shared.health, self.job
        tried = self._keys.setdefault(target.ref, set())
        key = self.shared.balance.key(target, tried, self._pinned) or target.keys[0]
        rest = health.key_rest(target, key.id, health.clock.monotonic())
        if rest > 0 and not job.plan.is_last:
            why = health.why_tired(target, key.id)
            raise UpstreamLimitedError(
                f"{target.ref} rests for another {rest:.0f} s: {why}",
                provider=target.ref.provider, retry_after=rest, failure=_TIRED,
            )  # fmt: skip
        tried.add(key.id)
        if len(target.keys) > 1:
            target = evolve(target, credential=key.credential)
        slots = health.slots(target.ref.provider)
        if slots is not None:
            patience = job.catalog.settings.limits.provider_queue if job.plan.is_last else 0.0
            rank = rank_of(job.decision.scenario, is_subagent=bool(job.facts.session.agent))
            async with Watch(job.call.disconnect):
                taken = await slots.take(self._caller, rank, patience)
            if not taken:
                raise OverloadedError(
                    f"{target.ref.provider} has as many requests under way as it may have at once ({slots.limit})",
                    provider=target.ref.provider, retry_after=_RETRY_AFTER, failure=_NO_ROOM,
                )  # fmt: skip
        lease = health.lease(target, key.id, self._session, slots)
        lease.counted = target.ref in self._asked_before
        self._asked_before.add(target.ref)
        job.trail.lease = lease
        return target, lease

    def served(self, target: Target, key: str) -> None:
        """Somebody has answered."""
        self.shared.health.fresh(target, key)
        self.shared.balance.served(
            self.job.decision, self.job.facts, self._caller, target, key, self.job.catalog
        )

    async def after(self, error: GatewayError, target: Target | None, key: str) -> float:
        """Decide about another try and wait for it; returns the seconds waited. Raises what the request fails with."""
        job = self.job
        self._remember(error, key)
        if target is not None and self._helped(error, target, key):
            return 0.0
        shared = self.shared
        following = next_step(
            job.plan,
            error,
            other_key=target is not None and self._has_other_key(target),
            may_retry=shared.budget.allows,
            chance=shared.random(),
            rules=shared.rules,
        )
        if following.step is Step.STOP or (following.wait and self._would_cost_the_status(following.wait)):
            raise self._last(error)
        if following.step is Step.NEXT or following.plan.retries > job.plan.retries:
            self._keys.pop(job.plan.current, None)
        if following.plan.retries > job.plan.retries:
            shared.budget.spend()
        job.plan = following.plan
        if following.wait > 0:
            async with Watch(job.call.disconnect):
                await asyncio.sleep(following.wait)
        return following.wait

    def _remember(self, error: GatewayError, key: str) -> None:
        self._failures.append(error)
        if isinstance(error, UpstreamLimitedError):
            place = (self.job.plan.current, key)
            # A limit that was waited for, and has been told anew, is no news any more.
            if place in self._limits:
                self._failures.remove(self._limits[place])
            self._limits[place] = error

    def _would_cost_the_status(self, wait: float) -> bool:
        """Whether a streaming client would be sent its 200 while we wait, although all it may get is this error.

        Half the time until then is ours; the other half the provider needs to answer. Once the 200 is out, waiting is free.
        """
        job = self.job
        patience = job.catalog.settings.timeouts.commit_after
        passed = asyncio.get_running_loop().time() - job.began
        return job.facts.stream and job.client is not None and passed < patience < 2 * (passed + wait)

    def _helped(self, error: GatewayError, target: Target, key: str) -> bool:
        """Whether the same target with the same key is worth another try at once: renewed, or amended."""
        status = error.upstream.status if error.upstream is not None else 0
        again = False
        if status == _UNAUTHORIZED and target.ref not in self._renewed and _renews(target):
            self._renewed.add(target.ref)
            self.shared.health.fresh(target, key)
            again = True
        elif isinstance(error, UpstreamRejectedError) and self.job.amending is not None:
            again = self.job.amending.remedy(target, error)
            if again:
                error.amend()
        if again:
            self._keys[target.ref].discard(key)
        return again

    def _has_other_key(self, target: Target) -> bool:
        tried = self._keys.get(target.ref, set())
        now = self.shared.health.clock.monotonic()
        return any(
            key.id not in tried and self.shared.health.key_rest(target, key.id, now) <= 0
            for key in target.keys
        )

    def _last(self, error: GatewayError) -> GatewayError:
        final = error.failure.remedy is Remedy.STOP or len(self._failures) == 1
        if final and isinstance(error, CallError | UpstreamRejectedError):
            return error
        return meaningful(self._failures)


def _renews(target: Target) -> bool:
    """Whether the target may be given another credential for the one that it refused."""
    if not hasattr(target.credential, "refused"):
        return False
    cast("RenewableCredential", target.credential).refused()
    return True
