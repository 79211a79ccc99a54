"""Hands the record of every request to all who listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.contained import contained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.contained import Faults
    from ccr.application.ports.journal import Sink
    from ccr.domain.record import RequestRecord

__all__ = ["Journal"]


@define(eq=False)
class Journal:
    """One record a request; a sink that fails is reported and the others still get theirs."""

    sinks: Sequence[Sink]
    faults: Faults
    written: int = field(default=0, init=False)

    def write(self, record: RequestRecord) -> None:
        """Hand it over. Never raises."""
        self.written += 1
        for sink in self.sinks:
            with contained(f"sink {type(sink).__name__}", self.faults):
                sink.accept(record)
