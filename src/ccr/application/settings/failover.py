"""What happens when a provider fails, and who is served where."""

from __future__ import annotations

from attrs import frozen

from ccr.domain.attempts import RetryRules
from ccr.domain.health import BreakerRules

__all__ = ["FailoverSettings"]


@frozen
class FailoverSettings:
    """``retry_share`` of the requests may be sent again; ``breaker`` None = targets are always asked.

    ``affinity`` in seconds: how long a provider's prompt cache is worth staying for; None = every request is chosen anew.
    ``continues``: a streamed reply that is cut after the client had some of it goes on.
    """

    retry: RetryRules = RetryRules()
    retry_share: float = 0.2
    breaker: BreakerRules | None = BreakerRules()
    affinity: float | None = 300.0
    continues: bool = False
