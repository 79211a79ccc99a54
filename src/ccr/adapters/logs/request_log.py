"""One line a request, whatever its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attrs import fields

from ccr.adapters.logs.setup import Logs
from ccr.domain.record import AttemptRecord, Outcome, RequestRecord
from ccr.domain.usage import Usage

__all__ = ["RequestLog", "line_of"]

_LONGEST = 500
"""Characters of a field."""

_LONGEST_FOREIGN = 300
_QUOTED = re.compile(r"\"[^\"]{64,}\"|'[^']{64,}'|`[^`]{64,}`")
"""Names of models and parameters are shorter."""
_RAW = re.compile(r"[{\n]|\[[\[{\"']")
"""Where JSON begins, or another line."""

_COUNTS = tuple(field.name for field in fields(Usage) if field.name != "basis")

_OURS = frozenset({
    "id", "outcome", "status", "seconds", "ttft", "path", "revision", "bytes_in", "bytes_out", "usage", "attempts", "losses",
    "error", "dialect", "stream", "class", "scenario", "tokens",
})  # fmt: skip
"""Fields that hold numbers and words of our own."""

_QUIET = frozenset({Outcome.OK, Outcome.CLIENT_CLOSED})


class RequestLog:
    """A Sink."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def accept(self, record: RequestRecord) -> None:
        """Write the line: information if it went well, else a warning; an internal fault is an error."""
        level = "info" if record.outcome in _QUIET else "warning"
        if record.outcome is Outcome.INTERNAL:
            level = "error"
        if self._logs.writes(level):
            self._logs.often(level, "request", line_of(record, self._logs.redactor.text), _OURS)


def line_of(record: RequestRecord, redact: Callable[[str], str] = str) -> dict[str, Any]:
    """Return the fields of the line: no prompt text, no headers, nothing unbounded. Seconds; tokens; bytes.

    Callers choose some of the texts, and a line must not grow with them. A long one is redacted before it is cut: half a
    key would not be known for one. So are the names in ``attempts``.
    """
    line: dict[str, Any] = {
        "id": record.id,
        "outcome": record.outcome.value,
        "status": record.status,
        "seconds": round(record.seconds, 4),
        "ttft": round(record.first_byte, 4) if record.first_byte is not None else None,
        "path": record.path,
        "revision": record.revision,
        "principal": record.principal,
        "bytes_in": record.bytes_in,
        "bytes_out": record.bytes_out,
        "usage": _usage(record.usage),
        "attempts": [_attempt(attempt, redact) for attempt in record.attempts],
        "losses": sorted({str(loss) for loss in record.losses}),
        "repairs": [f"{repair.tool}:{repair.fix.value}" for repair in record.repairs],
        "error": record.error,
        "message": _brief(record),
    }
    facts, decision = record.facts, record.decision
    if facts is not None:
        line |= {
            "dialect": facts.dialect,
            "asked": facts.model,
            "stream": facts.stream,
            "session": facts.session.session,
            "agent": facts.session.agent,
            "agent_type": facts.agent_type,
            "class": facts.request_class.value if facts.request_class is not None else "",
            "client": facts.client,
        }
    if decision is not None:
        line |= {
            "target": str(decision.target),
            "scenario": decision.scenario,
            "reason": decision.reason,
            "tokens": decision.tokens,
        }
    return {
        key: said
        if type(said) is not str or len(said) <= _LONGEST
        else redact(said[: 20 * _LONGEST])[:_LONGEST]
        for key, said in line.items()
        if said or said == 0
    }


def _attempt(attempt: AttemptRecord, redact: Callable[[str], str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "target": redact(f"{attempt.provider},{attempt.model}"),
        "status": attempt.status,
        "seconds": round(attempt.seconds, 4),
        "error": attempt.error,
    }
    if attempt.purpose:
        said["purpose"] = attempt.purpose
    if attempt.key:
        said["key"] = redact(attempt.key)
    if attempt.waited:
        said["waited"] = round(attempt.waited, 4)
    if attempt.doubtful:
        said["maybe_billed"] = True
    return said


def _brief(record: RequestRecord) -> str:
    """A provider's sentence without what it quotes at length: it may be the prompt."""
    if not record.error.startswith("upstream_"):
        return record.message
    said = _QUOTED.sub("'...'", record.message)
    return _RAW.split(said, maxsplit=1)[0].rstrip()[:_LONGEST_FOREIGN]


def _usage(usage: Usage) -> dict[str, object]:
    said: dict[str, object] = {name: found for name in _COUNTS if (found := getattr(usage, name)) is not None}
    if said:
        said["basis"] = usage.basis.value
    return said
