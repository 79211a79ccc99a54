"""Says of every seal in a reply who made it, so that it is given back to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.domain.conversation import ServerToolResult, Thinking, ToolCall
from ccr.domain.provenance import Origin, stamped
from ccr.domain.stream import BlockStart, SealDelta, TextDelta
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.catalog.targets import Target
    from ccr.domain.reply import Reply
    from ccr.domain.stream import StreamEvent

__all__ = ["Stamp"]


class Stamp:
    """:class:`ccr.application.ports.transformer.EventStage`: the first to see a reply."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    @classmethod
    def of(cls, target: Target) -> Stamp | None:
        """Return the stage of a target; None for Anthropic itself, whose signatures are the same behind every door."""
        destination = target.destination
        if destination.is_anthropic:
            return None
        return cls(Origin(destination.dialect, destination.ref.provider, destination.ref.model))

    def leaves(self, reply: Reply) -> bool:
        """Whether nobody has sealed anything in it."""
        return not any(
            isinstance(block, ServerToolResult) or getattr(block, "seal", None) is not None
            for block in reply.blocks
        )

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return the events, seals stamped."""
        if not any(type(event) is SealDelta or type(event) is BlockStart for event in events):
            return events
        return [self._one(event) for event in events]

    def _one(self, event: StreamEvent) -> StreamEvent:
        if isinstance(event, TextDelta):
            return event
        if isinstance(event, SealDelta):
            return SealDelta(stamped(event.seal, self._origin))
        if (
            isinstance(event, BlockStart)
            and isinstance(event.block, Thinking | ToolCall)
            and event.block.seal
        ):
            return BlockStart(event.index, evolve(event.block, seal=stamped(event.block.seal, self._origin)))
        if (
            isinstance(event, BlockStart)
            and isinstance(event.block, ServerToolResult)
            and event.block.dialect
        ):
            # What is opaque in a search's results is for whoever made it, not for all who speak its dialect.
            maker = f"{event.block.dialect}@{self._origin.provider}"
            return BlockStart(event.index, evolve(event.block, dialect=maker))
        return event
