"""One line a request, whatever its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attrs import asdict

from ccr.adapters.logs.setup import Logs
from ccr.domain.record import Outcome, RequestRecord
from ccr.domain.usage import Usage

__all__ = ["RequestLog", "line_of"]

_LONGEST = 500
"""Characters of a field."""

_LONGEST_FOREIGN = 300
_QUOTED = re.compile(r"\"[^\"]{64,}\"|'[^']{64,}'|`[^`]{64,}`")
"""Names of models and parameters are shorter."""
_RAW = re.compile(r"[{\n]|\[[\[{\"']")
"""Where JSON begins, or another line."""

_QUIET = frozenset({Outcome.OK, Outcome.CLIENT_CLOSED})


class RequestLog:
    """A Sink."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def accept(self, record: RequestRecord) -> None:
        """Write the line: information if it went well, else a warning; an internal fault is an error."""
        logger = self._logs.logger
        log = logger.info if record.outcome in _QUIET else logger.warning
        if record.outcome is Outcome.INTERNAL:
            log = logger.error
        log("request", **line_of(record, self._logs.redactor.text))


def line_of(record: RequestRecord, redact: Callable[[str], str] = str) -> dict[str, Any]:
    """Return the fields of the line: no prompt text, no headers, nothing unbounded. Seconds; tokens; bytes.

    A long text is redacted before it is cut: half a key would not be known for one.
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
        "attempts": [
            {
                "target": f"{a.provider},{a.model}",
                "status": a.status,
                "seconds": round(a.seconds, 4),
                "error": a.error,
                **({"purpose": a.purpose} if a.purpose else {}),
                **({"key": a.key} if a.key else {}),
                **({"waited": round(a.waited, 4)} if a.waited else {}),
                **({"maybe_billed": True} if a.doubtful else {}),
            }
            for a in record.attempts
        ],
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
    return {key: _clipped(value, redact) for key, value in line.items() if value not in (None, "", [], {})}


def _brief(record: RequestRecord) -> str:
    """A provider's sentence without what it quotes at length: it may be the prompt."""
    if not record.error.startswith("upstream_"):
        return record.message
    said = _QUOTED.sub("'...'", record.message)
    return _RAW.split(said, maxsplit=1)[0].rstrip()[:_LONGEST_FOREIGN]


def _clipped(value: object, redact: Callable[[str], str]) -> object:
    """Callers choose some of these texts; a line must not grow with them."""
    return (
        redact(value[: 20 * _LONGEST])[:_LONGEST]
        if isinstance(value, str) and len(value) > _LONGEST
        else value
    )


def _usage(usage: Usage) -> dict[str, object]:
    said = {key: value for key, value in asdict(usage).items() if value is not None and key != "basis"}
    return {**said, "basis": usage.basis.value} if said else {}
