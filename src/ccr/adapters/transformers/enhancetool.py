"""``enhancetool``: tool input that is nearly JSON is made JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.adapters.wire.loose_json import repair_object
from ccr.application.ports.transformer import EventStage, Transformer
from ccr.domain.conversation import ToolCall
from ccr.domain.stream import BlockStart, BlockStop, StreamFailed, ToolInputDelta

if TYPE_CHECKING:
    from ccr.domain.models import Destination
    from ccr.domain.stream import StreamEvent

__all__ = ["EnhanceTool"]


@define(frozen=True)
class EnhanceTool(Transformer):
    """Hold the input of each call until it is whole, and repair it. What cannot be read for certain stays as it is."""

    name: ClassVar[str] = "enhancetool"

    @override
    def stage(self, to: Destination) -> EventStage:
        return _Repairs()


class _Repairs:
    def __init__(self) -> None:
        self._held: list[str] | None = None

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        passed: list[StreamEvent] = []
        for event in events:
            if self._held is not None and isinstance(event, ToolInputDelta):
                self._held.append(event.text)
                continue
            if isinstance(event, BlockStart) and isinstance(event.block, ToolCall):
                self._held = []
            elif isinstance(event, BlockStop | StreamFailed) and self._held is not None:
                passed.extend(_mended("".join(self._held)))
                self._held = None
            passed.append(event)
        return passed


def _mended(text: str) -> list[StreamEvent]:
    mended = repair_object(text)
    whole = text if mended is None else mended.decode()
    return [ToolInputDelta(whole)] if whole else []
