"""Whether it is of any use to a client to ask again."""

from __future__ import annotations

from ccr.domain.errors import Blast, GatewayError, Remedy, UpstreamLimitedError

__all__ = ["is_final", "is_spent"]

_FINAL = frozenset({"budget", "upstream_auth"})


def is_final(error: GatewayError) -> bool:
    """Whether time mends nothing: a key that is refused, and money that is spent, be it ours or the account's."""
    return error.kind in _FINAL or (is_spent(error) and error.retry_after is None)


def is_spent(error: GatewayError) -> bool:
    """Whether an account has no credit left: that is a 429, too (providers.md 4.6)."""
    failure = error.failure
    return (
        isinstance(error, UpstreamLimitedError)
        and failure.blast is Blast.CREDENTIAL
        and failure.remedy is Remedy.NEXT
    )
