"""A reply's events as parts, for a stream and for a whole reply alike.

Text goes out as it comes; a call is written when it is whole. What is not thought aloud for this client goes, hidden, with
its seal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ccr.adapters.dialects.gemini.grounding import SEARCH, Sources, queries_of
from ccr.adapters.dialects.gemini.seals import DUMMY, THOUGHT, is_bare, write_seal
from ccr.adapters.dialects.gemini.wire import NAME, Raw, Wire
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.broken_call import broken_call
from ccr.domain.conversation import (
    Image,
    Inline,
    Opaque,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
)
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    SealDelta,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
)
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import Citation, ContentBlock
    from ccr.domain.provenance import Seal
    from ccr.domain.stream import StreamEvent

__all__ = ["CUT_SHORT", "PartWriter", "clean"]

CUT_SHORT = frozenset({StopReason.MAX_TOKENS, StopReason.CONTEXT_WINDOW})
"""Reasons for which the last call may rightly be half a call: it is left out."""


class PartWriter:
    """``thoughts``: the client wants to see them. ``sources`` gathers what was searched and found."""

    def __init__(self, *, thoughts: bool) -> None:
        self._thoughts = thoughts
        self._open: ContentBlock | None = None
        self._pieces: list[str] = []
        self._citations: list[Citation] = []
        self._seal: Seal | None = None
        self._broken = ""
        self._has_called = False
        self.sources = Sources()

    def take(self, event: StreamEvent) -> list[Wire | Raw]:
        """Return the parts that an event completes. Raises UpstreamProtocolError if a call turns out to be broken."""
        writer = self._WRITERS.get(type(event))
        return [] if writer is None else writer(self, event)

    def end(self, reason: StopReason) -> None:
        """The reply is complete. Raises UpstreamProtocolError if its last call is broken and was not cut off."""
        if self._broken and reason not in CUT_SHORT:
            raise broken_call(self._broken)

    def _start(self, event: BlockStart) -> list[Wire | Raw]:
        self.end(StopReason.TOOL_USE)  # what was followed by something was not cut off
        block = event.block
        self._open, self._pieces, self._citations = block, [], []
        self._seal = block.seal if isinstance(block, Thinking | ToolCall) else None
        match block:
            case Text(text=text) if text:
                return self._text(TextDelta(text))
            case Thinking(text=text) if text:
                return self._thinking(ThinkingDelta(text))
            case Image(source=Inline(media_type=media_type, data=data)):
                return [{"inlineData": {"mimeType": media_type, "data": data}}]
            case Opaque(dialect=dialect, data=data) if dialect == NAME:
                return [Raw(data.data)]
            case ServerToolResult(kind=web_results.KIND):
                self.sources.found(block)
            case _:
                pass
        return []

    def _text(self, event: TextDelta) -> list[Wire | Raw]:
        self._pieces.append(event.text)
        return [{"text": clean(event.text)}]

    def _thinking(self, event: ThinkingDelta) -> list[Wire | Raw]:
        self._pieces.append(event.text)
        return [{"text": clean(event.text), "thought": True}] if self._thoughts else []

    def _seals(self, event: SealDelta) -> list[Wire | Raw]:
        self._seal = event.seal
        return []

    def _input(self, event: ToolInputDelta) -> list[Wire | Raw]:
        self._pieces.append(event.text)
        return []

    def _cited(self, event: CitationDelta) -> list[Wire | Raw]:
        self._citations.append(event.citation)
        return []

    def _stop(self, _event: BlockStop) -> list[Wire | Raw]:
        block, self._open = self._open, None
        text = "".join(self._pieces)
        match block:
            case Text():
                for citation in self._citations:
                    self.sources.cited(citation, text)
            case Thinking():
                return self._signed(text)
            case ToolCall():
                return self._called(block, text or _given(block))
            case ServerToolCall(name=name) if name == SEARCH:
                self.sources.queries += queries_of(text or _given(block))
            case _:
                pass
        return []

    def _signed(self, text: str) -> list[Wire | Raw]:
        seal = self._seal
        if seal is None:
            return []
        made: Wire = {"text": "", "thoughtSignature": write_seal(seal, "" if self._thoughts else text)}
        if not is_bare(seal) or seal.form == THOUGHT:
            made["thought"] = True
        return [made]

    def _called(self, block: ToolCall, text: str) -> list[Wire | Raw]:
        data = (text or "{}").encode("utf-8", "replace")
        if not json.is_object(data):
            self._broken = block.name
            return []
        made: Wire = {"functionCall": {"id": block.id, "name": block.name, "args": Raw(data)}}
        if self._seal is not None:
            made["thoughtSignature"] = write_seal(self._seal)
        elif not self._has_called:
            # Nobody signed it, and it may go to Gemini over the relay, which refuses a first call without a signature.
            made["thoughtSignature"] = DUMMY
        self._has_called = True
        return [made]

    _WRITERS: ClassVar[dict[type, Callable[..., list[Wire | Raw]]]] = {
        BlockStart: _start,
        TextDelta: _text,
        ThinkingDelta: _thinking,
        SealDelta: _seals,
        ToolInputDelta: _input,
        CitationDelta: _cited,
        BlockStop: _stop,
    }


def _given(block: ToolCall | ServerToolCall) -> str:
    return block.input.data.decode("utf-8", "replace") if isinstance(block.input, Json) else block.input


def clean(text: str) -> str:
    """Half a surrogate pair has no UTF-8."""
    return text.encode("utf-8", "replace").decode()
