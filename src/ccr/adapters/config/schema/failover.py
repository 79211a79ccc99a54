"""``Failover``: what happens when a provider fails, and who is served where."""

from __future__ import annotations

from attrs import frozen

from ccr.adapters.config.schema.keys import Kind, key

__all__ = ["FailoverBlock"]


@frozen
class FailoverBlock:
    """Retries, circuit breakers, affinity."""

    retries: int = key(
        "retries",
        Kind.INTEGER,
        "How often a request is sent again to a target that failed for the moment, when no other target is left.",
        default=2,
        least=0,
        most=10,
    )
    budget: int = key(
        "retryBudgetPercent",
        Kind.INTEGER,
        "Such repetitions are at most this share of the requests (after a quiet time ten are free).",
        default=20,
        least=0,
        most=100,
    )
    longest_wait: int = key(
        "maxWaitMs",
        Kind.MILLIS,
        "Longest wait before a repetition. A provider's `Retry-After` up to this is waited for; a longer one is given to "
        "the client.",
        default=3_000,
        least=1,
    )
    failures: int = key(
        "breakerFailures",
        Kind.INTEGER,
        "A target is not asked any more when its failures outnumber its successes by so many within `breakerWindowMs`, and "
        "they are those of at least two sessions. 0: never.",
        default=5,
        least=0,
        most=64,
    )
    window: int = key(
        "breakerWindowMs", Kind.MILLIS, "Within this time failures add up.", default=30_000, least=1
    )
    rest: int = key(
        "breakerRestMs",
        Kind.MILLIS,
        "Then one request finds out whether it works again; after each that fails it is twice as long.",
        default=10_000,
        least=1,
    )
    affinity: bool = key(
        "affinity",
        Kind.BOOLEAN,
        "Of several targets or keys, a session's agent stays with the one that served it, whose prompt cache knows it.",
        default=True,
    )
    affinity_ttl: int = key(
        "affinityMs",
        Kind.MILLIS,
        "After so long without a request the provider's cache has expired, and the choice is made anew.",
        default=300_000,
        least=1,
    )
    continues: bool = key(
        "continueStreams",
        Kind.BOOLEAN,
        "A streamed reply that is cut in the middle goes on: the target, or another one, is asked for the rest. Streamed "
        "requests are then always translated, and a tool call is sent when it is whole.",
        default=False,
    )
