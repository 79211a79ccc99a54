"""Our own blocks: time limits, bounds, who may reach us."""

from __future__ import annotations

from attrs import frozen

from ccr.adapters.config.schema.keys import Kind, key

__all__ = ["AdminBlock", "LimitsBlock", "TimeoutsBlock"]


@frozen
class TimeoutsBlock:
    """Milliseconds; 0 = no limit."""

    connect: int = key("connectMs", Kind.MILLIS, "Until a connection to the provider stands.", default=5_000)
    first_byte: int = key("firstByteMs", Kind.MILLIS, "Until the provider's reply begins.", default=120_000)
    idle: int = key("idleMs", Kind.MILLIS, "Longest silence within a reply.", default=120_000)
    total: int = key("totalMs", Kind.MILLIS, "The whole request; no limit unless set.", default=0)
    commit_after: int = key(
        "commitAfterMs", Kind.MILLIS, "After so long the client gets its status and keep-alives.",
        default=5_000, least=1,
    )  # fmt: skip
    keep_alive: int = key(
        "keepAliveMs", Kind.MILLIS, "Silence after which the client gets a ping.", default=15_000, least=1
    )
    send: int = key(
        "sendMs",
        Kind.MILLIS,
        "How long a client may take nothing of its reply before its connection is closed and the provider's with it.",
        default=60_000,
    )
    plugin: int = key(
        "pluginMs",
        Kind.MILLIS,
        "How long a hook of a plugin may take. It is not interrupted; after three times more it is switched off until the "
        "configuration is loaded again.",
        default=50,
    )
    drain: int = key(
        "drainMs", Kind.MILLIS, "How long open streams may go on when the gateway stops.", default=30_000
    )
    drain_wait: int | None = key(
        "drainWaitMs",
        Kind.MILLIS,
        "Between failing readiness and stopping, for load balancers. Unless set, 0 at a loopback `HOST` and 5000 at "
        "another.",
        default=None,
    )


@frozen
class LimitsBlock:
    """Bounds of memory and of work."""

    max_body: int = key(
        "maxBodyBytes", Kind.INTEGER, "Largest request body.", default=32 * 1024 * 1024, least=1024
    )
    max_reply: int = key(
        "maxReplyBytes",
        Kind.INTEGER,
        "Largest reply that is not streamed.",
        default=64 * 1024 * 1024,
        least=1024,
    )
    max_event: int = key(
        "maxEventBytes",
        Kind.INTEGER,
        "Largest single event of a stream.",
        default=16 * 1024 * 1024,
        least=1024,
    )
    max_in_flight: int = key(
        "maxInFlight",
        Kind.INTEGER,
        "Requests that one worker serves at once; one more is answered with 529 and `Retry-After`.",
        default=2_000,
        least=1,
    )
    queue: int = key(
        "queueMs",
        Kind.MILLIS,
        "How long a request above `maxInFlight` may wait for another one to end before it is refused.",
        default=50,
    )
    provider_queue: int = key(
        "providerQueueMs",
        Kind.MILLIS,
        "How long a request may wait for a place at a provider with `maxInFlight`, when no other target has one.",
        default=30_000,
    )
    max_queued: int = key(
        "maxQueued",
        Kind.INTEGER,
        "Requests that may wait at once, in each of these queues.",
        default=1_000,
        least=0,
    )
    memo: int = key(
        "memoMb",
        Kind.INTEGER,
        "How much each memory of a worker keeps of what comes again: turns and tools as they were sent (for each API that clients "
        "speak), turns as they are written (chat completions, Anthropic), their token counts. 16 are some 130 sessions of 120 kB. "
        "0: nothing is remembered, and long sessions cost several times the CPU.",
        default=16,
        least=0,
    )
    worker_memory: int = key(
        "workerMemoryMb",
        Kind.INTEGER,
        "A worker that holds more memory than this is replaced by a new one, without losing a request (Linux). "
        "0: never. Takes effect with the next start or restart.",
        default=0,
        least=0,
    )
    body_idle: int = key(
        "bodyIdleMs", Kind.MILLIS, "Longest pause within a request body.", default=30_000, least=1
    )
    body_total: int = key(
        "bodyTotalMs", Kind.MILLIS, "Time for the whole request body.", default=120_000, least=1
    )


@frozen
class AdminBlock:
    """Who may reach the gateway, and what it may reach."""

    hosts: tuple[str, ...] = key(
        "hosts", Kind.NAMES, "Further host names under which the gateway may be addressed.", default=()
    )
    origins: tuple[str, ...] = key(
        "origins", Kind.NAMES, "Further browser origins that may call it.", default=()
    )
    workers: int = key("workers", Kind.INTEGER, "Worker processes.", default=1, least=1, most=64)
    block_private: bool = key(
        "blockPrivateUpstreams",
        Kind.BOOLEAN,
        "A provider's name may not lead to a private address or to this machine, whatever its name server says. An address "
        "written in `api_base_url` itself may. Metadata services and link-local addresses are never called.",
        default=False,
    )
