"""Bounds and time limits."""

from __future__ import annotations

from attrs import frozen

__all__ = ["LimitSettings", "TimeoutSettings"]


@frozen
class TimeoutSettings:
    """Seconds; None = no limit. ``api`` (API_TIMEOUT_MS) caps each single wait, see house.md decision 14."""

    connect: float | None = 5.0
    first_byte: float | None = 120.0
    idle: float | None = 120.0
    total: float | None = None
    api: float | None = None
    commit_after: float = 5.0
    """Seconds after which the status is sent although no content has come."""
    keep_alive: float = 15.0
    """Seconds of silence after which the client gets a ping."""
    send: float | None = 60.0
    """Seconds that a client may take to accept a piece of its reply."""
    plugin: float | None = 0.05
    """Seconds that a hook of a plugin may take."""


@frozen
class LimitSettings:
    """Bytes and requests. ``max_body`` is the largest request body, ``max_reply`` the largest non-streamed reply or single
    event; ``max_in_flight`` and ``max_queued`` are of one worker.
    """

    max_body: int = 32 * 1024 * 1024
    max_reply: int = 64 * 1024 * 1024
    max_event: int = 16 * 1024 * 1024
    max_in_flight: int = 2_000
    queue: float = 0.05
    """Seconds that a request above ``max_in_flight`` may wait."""
    provider_queue: float = 30.0
    """Seconds that a request may wait for a place at a provider."""
    max_queued: int = 1_000
    memo: int = 16 * 1024 * 1024
    """Bytes of turns, of tools, or of what was made of them, that each memory of a worker keeps."""
    worker_memory: int = 0
    """Bytes above which a worker is replaced; 0 = never."""
    body_idle: float = 30.0
    """Seconds between two pieces of a request body."""
    body_total: float = 120.0
    """Seconds for the whole request body."""
