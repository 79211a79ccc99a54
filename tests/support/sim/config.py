"""A configuration by chance: several dialects, keys, targets and limits, none of them generous."""

from __future__ import annotations

from random import Random
from typing import Any

from attrs import frozen

__all__ = ["DIALECTS", "Limits", "drawn"]

DIALECTS = {"ant": "anthropic", "oai": "openai_chat", "bed": "anthropic", "sol": "openai_chat"}
_PATHS = {"anthropic": "v1/messages", "openai_chat": "v1/chat/completions"}
_MODELS = {"ant": ("m1", "m2"), "oai": ("m1", "m2"), "bed": ("m1",), "sol": ("m1", "m2")}
_STRATEGIES = ("order", "weighted", "leastInFlight", "latency")


@frozen
class Limits:
    """What a configuration promises, in seconds and requests, for whoever checks it."""

    queue: float
    provider_queue: float
    total: float
    longest_wait: float
    retries: int
    share: float
    failures: int
    longest_rest: float
    affinity: float


def drawn(chance: Random) -> tuple[dict[str, Any], Limits]:
    """Draw one, and say what it promises."""
    # Circuits are worth a look where they open often and many are under way: every third run is such a storm.
    storm = chance.random() < 0.33
    queue = chance.choice((0, 50, 2_000, 20_000))
    provider_queue = chance.choice((0, 1_000, 15_000))
    total = chance.choice((40_000, 90_000))
    retries, percent = chance.choice((0, 2, 4)), chance.choice((0, 20, 50))
    failures = 2 if storm else chance.choice((2, 3, 5))
    rest = 500 if storm else chance.choice((500, 3_000, 10_000))
    affinity = chance.choice((20_000, 300_000))
    settings: dict[str, Any] = {
        "LOG": False,
        "Providers": [_provider(name, chance, storm=storm) for name in DIALECTS],
        "Router": _router(chance, storm=storm),
        "Failover": {
            "retries": retries,
            "retryBudgetPercent": percent,
            "affinityMs": affinity,
            "breakerFailures": failures,
            "breakerRestMs": rest,
        },
        "Timeouts": {
            "connectMs": 2_000,
            "firstByteMs": 20_000,
            "idleMs": 15_000,
            "totalMs": total,
            "keepAliveMs": chance.choice((2_000, 15_000)),
        },
        "Limits": {
            "maxInFlight": 500 if storm else chance.choice((3, 8, 30, 500)),
            "queueMs": queue,
            "providerQueueMs": provider_queue,
            "maxQueued": chance.choice((4, 1_000)),
        },
    }
    promised = Limits(
        queue / 1000,
        provider_queue / 1000,
        total / 1000,
        longest_wait=3.0,
        retries=retries,
        share=percent / 100,
        failures=failures,
        longest_rest=120.0,
        affinity=affinity / 1000,
    )
    return settings, promised


def _provider(name: str, chance: Random, *, storm: bool) -> dict[str, Any]:
    keys = [
        {"key": f"sk-canary-{name}-{number}", "weight": chance.randint(1, 4)}
        for number in range(chance.choice((1, 1, 2, 3)))
    ]
    made: dict[str, Any] = {
        "name": name,
        "api_base_url": f"http://{name}.test/{_PATHS[DIALECTS[name]]}",
        "api_key": keys,
        "models": list(_MODELS[name]),
    }
    if not storm and chance.random() < 0.5:
        made["maxInFlight"] = chance.choice((1, 2, 5, 20))
    return made


def _router(chance: Random, *, storm: bool) -> dict[str, Any]:
    choices = ["ant,m1", "oai,m1", "bed,m1", "ant,m2", "sol,m2"]
    members = chance.sample(choices, chance.choice((1, 2) if storm else (1, 2, 2, 3, 4)))
    targets = [{"target": member, "weight": chance.randint(1, 4)} for member in members]
    made: dict[str, Any] = {
        "default": {"targets": targets, "strategy": chance.choice(_STRATEGIES)},
        "background": chance.choice(("sol,m1", ["sol,m1", "oai,m2"])),
    }
    return made
