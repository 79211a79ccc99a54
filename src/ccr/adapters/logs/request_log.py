"""One line a request."""

from __future__ import annotations

from ccr.adapters.logs.setup import Logs
from ccr.domain.record import RequestRecord

__all__ = ["RequestLog"]


class RequestLog:
    """A Sink."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def accept(self, record: RequestRecord) -> None:
        """Write the line."""
        self._logs.logger.info("request", id=record.id, outcome=record.outcome.value, status=record.status)
