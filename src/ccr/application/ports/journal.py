"""Those who listen to what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ccr.application.call import Headers
    from ccr.domain.facts import RequestFacts
    from ccr.domain.record import RequestRecord

__all__ = ["Sink", "Span", "Tracer"]


class Sink(Protocol):
    """Takes a record at a request's end. In-process hand-over: it never blocks and never raises."""

    def accept(self, record: RequestRecord) -> None:
        """Take the record."""
        ...


class Span(Protocol):
    """A span under way."""

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Trace headers for the provider (``traceparent``), empty when there are none to pass."""
        ...

    def end(self, record: RequestRecord) -> None:
        """End it with what the record says."""
        ...


class Tracer(Protocol):
    """Starts spans."""

    def start(self, facts: RequestFacts, parent: Headers) -> Span:
        """Start a span under the trace that the caller's headers name, if any."""
        ...
