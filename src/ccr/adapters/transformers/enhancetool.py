"""``enhancetool``: calls of tools are mended by the tool's own schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from attrs import define, frozen
from typing_extensions import override

from ccr.adapters.wire import json
from ccr.adapters.wire.mend_json import read_object
from ccr.application.ports.transformer import EventStage, Transformer
from ccr.domain.conversation import FreeformTool, FunctionTool, ToolCall
from ccr.domain.repair import Fix, Repair, mend, nearest_name
from ccr.domain.reply import StopReason
from ccr.domain.stream import BlockStart, BlockStop, MessageStop, StreamFailed, ToolInputDelta, UsageUpdate
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import Destination
    from ccr.domain.stream import StreamEvent

__all__ = ["EnhanceTool"]

_MOST_HELD = 4 * 1024 * 1024
"""Characters of one input; Claude Code writes no file that big in one call. A longer one passes as it comes."""

_CUT = frozenset({StopReason.MAX_TOKENS, StopReason.CONTEXT_WINDOW})


@define(frozen=True)
class EnhanceTool(Transformer):
    """Hold the input of each call, and only that, until it is whole; mend it by a fixed list of fixes.

    What fits the tool's schema goes out byte for byte. What cannot be mended for certain goes out as it came. At Anthropic
    itself it does nothing.
    """

    name: ClassVar[str] = "enhancetool"

    @override
    def idle(self, to: Destination) -> bool:
        return to.is_anthropic

    @override
    def stage_for(self, conversation: Conversation, to: Destination) -> EventStage | None:
        if to.is_anthropic:
            return None
        free = {tool.name for tool in conversation.tools if isinstance(tool, FreeformTool)}
        return _Repairs(
            {tool.name: tool for tool in conversation.tools if isinstance(tool, FunctionTool)}, free
        )


@frozen
class _Doubtful:
    """An input that lacks brackets, and its end: whether the reply was cut is only known afterwards."""

    given: str
    mended: str
    repairs: tuple[Repair, ...]
    stop: BlockStop


class _Repairs:
    """A stage. ``repairs`` is what was done so far; ``mends``: a decoder may hand it input that is no JSON object."""

    mends = True

    def __init__(self, tools: Mapping[str, FunctionTool], free: set[str]) -> None:
        self.repairs: list[Repair] = []
        self._tools = tools
        self._free = free
        self._tool = ""
        self._held: list[str] | None = None
        self._size = 0
        self._doubtful: _Doubtful | None = None

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events."""
        return [event for given in events for event in self._take(given)]

    def _take(self, event: StreamEvent) -> Sequence[StreamEvent]:
        if self._doubtful is not None:
            return (
                [event]
                if isinstance(event, UsageUpdate)
                else [*self._decided(self._doubtful, event), *self._take(event)]
            )
        if isinstance(event, BlockStart) and isinstance(event.block, ToolCall):
            return [self._begun(event, event.block)]
        if self._held is None:
            return [event]
        if isinstance(event, ToolInputDelta):
            return self._more(self._held, event)
        if isinstance(event, BlockStop):
            return self._ended("".join(self._held), event)
        if isinstance(event, StreamFailed):
            return [*_delta("".join(self._held)), event]
        return [event]

    def _begun(self, event: BlockStart, call: ToolCall) -> BlockStart:
        name = call.name
        if name in self._free:
            return event
        self._held, self._size = [], 0
        if name not in self._tools:
            offered = nearest_name(name, self._tools)
            if offered is not None:
                self.repairs.append(Repair(offered, Fix.TOOL_NAME))
                event, name = evolve(event, block=evolve(call, name=offered)), offered
        self._tool = name
        return event

    def _more(self, held: list[str], event: ToolInputDelta) -> Sequence[StreamEvent]:
        held.append(event.text)
        self._size += len(event.text)
        if self._size <= _MOST_HELD:
            return ()
        self._held = None
        return [ToolInputDelta("".join(held))]

    def _ended(self, given: str, stop: BlockStop) -> Sequence[StreamEvent]:
        self._held = None
        mended, repairs = self._mended(given)
        if any(repair.fix is Fix.BRACKETS for repair in repairs):
            self._doubtful = _Doubtful(given, mended, repairs, stop)
            return ()
        self.repairs.extend(repairs)
        return [*_delta(mended), stop]

    def _decided(self, doubtful: _Doubtful, following: StreamEvent) -> Sequence[StreamEvent]:
        """Half a command must never run: brackets are closed only if the model itself went on, or ended."""
        self._doubtful = None
        cut = isinstance(following, StreamFailed) or (
            isinstance(following, MessageStop) and following.reason in _CUT
        )
        if cut:
            return [*_delta(doubtful.given), doubtful.stop]
        self.repairs.extend(doubtful.repairs)
        return [*_delta(doubtful.mended), doubtful.stop]

    def _mended(self, given: str) -> tuple[str, tuple[Repair, ...]]:
        if not given.strip():
            return "{}", ()
        read = read_object(given)
        if read is None:
            return given, ()
        found, fixes = read
        done = [(fix, "") for fix in fixes]
        fitting, more = mend(found, self._schema(), _decode)
        done.extend(more)
        if not done:
            return given, ()
        return json.encode(fitting).decode(), tuple(Repair(self._tool, fix, at) for fix, at in done)

    def _schema(self) -> Mapping[str, object]:
        tool = self._tools.get(self._tool)
        return (json.object_of(tool.schema.data) if tool is not None else None) or {}


def _decode(text: str) -> object:
    return json.decode(text.encode("utf-8", "replace"))


def _delta(text: str) -> list[StreamEvent]:
    return [ToolInputDelta(text)] if text else []
