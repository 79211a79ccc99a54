"""Headers of what goes back: built from scratch, never copied wholesale (decision 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ccr.application.exchange.job import Job
    from ccr.application.exchange.trail import Trail
    from ccr.application.ports.dialect import StreamEncoder
    from ccr.domain.record import AttemptRecord

__all__ = ["decision_headers", "json_headers", "provider_headers", "stream_headers"]

_MOST_REASON = 200
_MOST_ATTEMPTS = 12
_MOST_VALUE = 256
_STREAM = (
    ("cache-control", "no-cache"),
    ("x-accel-buffering", "no"),
)
_JSON = (("content-type", "application/json"),)
_RATE_PREFIXES = ("anthropic-ratelimit-", "x-ratelimit-")


def stream_headers(job: Job, encoder: StreamEncoder) -> tuple[tuple[str, str], ...]:
    """Headers of a streamed reply."""
    return (("content-type", encoder.content_type), *_STREAM, *decision_headers(job.trail))


def json_headers(job: Job) -> tuple[tuple[str, str], ...]:
    """Headers of a whole reply."""
    return _JSON + decision_headers(job.trail)


def decision_headers(trail: Trail) -> tuple[tuple[str, str], ...]:
    """Return ``request-id``, and as far as they are known ``x-ccr-decision``, ``x-ccr-attempts``, ``x-ccr-degraded``."""
    headers = [("request-id", trail.id)]
    decision = trail.decision
    if decision is not None:
        target, reason = _quoted(str(decision.target)), _quoted(decision.reason)
        text = f"scenario={decision.scenario}; target={target}; reason={reason}"
        headers.append(("x-ccr-decision", text))
    if trail.attempts:
        headers.append(("x-ccr-attempts", ", ".join(map(_attempt, trail.attempts[:_MOST_ATTEMPTS]))))
    if trail.losses:
        headers.append(("x-ccr-degraded", _plain(", ".join(sorted({str(loss) for loss in trail.losses})))))
    return tuple(headers)


def _attempt(attempt: AttemptRecord) -> str:
    """One attempt as an item of a structured list (RFC 9651): the target, then what became of it."""
    text = _quoted(f"{attempt.provider},{attempt.model}")
    if attempt.key:
        text += f";key={_quoted(attempt.key)}"
    if attempt.purpose:
        text += f";purpose={attempt.purpose}"
    text += f";status={attempt.status}"
    if attempt.error:
        text += f";error={attempt.error}"
    text += f";ms={attempt.seconds * 1000:.0f}"
    if attempt.waited:
        text += f";waited={attempt.waited * 1000:.0f}"
    return text + ";maybe-billed" if attempt.doubtful else text


def provider_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what a provider's headers say about rate limits, if it is harmless text; its request id by another name."""
    kept = [
        (name, value)
        for name, value in headers.items()
        if name.startswith(_RATE_PREFIXES) and _harmless(name) and _harmless(value)
    ]
    upstream_id = headers.get("request-id") or headers.get("x-request-id")
    if upstream_id and _harmless(upstream_id):
        kept.append(("x-ccr-upstream-request-id", upstream_id))
    return tuple(kept)


def _harmless(value: str) -> bool:
    return len(value) <= _MOST_VALUE and value.isascii() and value.isprintable()


def _quoted(text: str) -> str:
    """Bounded: the model of a provider without a list is a caller's text."""
    return '"' + _plain(text[:_MOST_REASON]).replace('"', "'") + '"'


def _plain(text: str) -> str:
    """Header values are printable ASCII (RFC 9110 5.5); what is not becomes a question mark."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text)
