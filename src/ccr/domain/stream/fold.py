"""A stream made whole, and a whole reply made a stream: the two ways are the same reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.domain.conversation.blocks import ServerToolCall, Text, Thinking, ToolCall
from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.reply import Reply
from ccr.domain.stream.events import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import NO_USAGE
from ccr.domain.value import evolve
from ccr.domain.verbatim import EMPTY_OBJECT, Json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ccr.domain.conversation.blocks import ContentBlock
    from ccr.domain.conversation.citations import Citation
    from ccr.domain.provenance import Seal
    from ccr.domain.stream.events import StreamEvent

__all__ = ["Folder", "fold", "unfold"]


class Folder:
    """Gathers the events of one reply. ``reply()`` is there once the stream has ended well."""

    def __init__(self) -> None:
        self._start: MessageStart | None = None
        self._stop: MessageStop | None = None
        self._usage = NO_USAGE
        self._blocks: list[ContentBlock] = []
        self._open: ContentBlock | None = None
        self._pieces: list[str] = []
        self._citations: list[Citation] = []
        self._seal: Seal | None = None
        self.error: GatewayError | None = None

    def feed(self, events: Iterable[StreamEvent]) -> None:
        """Take events in order; they must be legal by the grammar."""
        for event in events:
            kind = type(event)
            if kind is TextDelta or kind is ThinkingDelta or kind is ToolInputDelta:
                self._pieces.append(event.text)  # type: ignore[union-attr]  # narrowed by the three types above
            else:
                self._rare(event)

    def _rare(self, event: StreamEvent) -> None:
        match event:
            case BlockStart(block=block):
                self._open, self._pieces, self._citations, self._seal = block, [], [], None
            case BlockStop():
                self._close()
            case CitationDelta(citation=citation):
                self._citations.append(citation)
            case SealDelta(seal=seal):
                self._seal = seal
            case MessageStart():
                self._start, self._usage = event, self._usage.merged(event.usage)
            case UsageUpdate(usage=usage):
                self._usage = self._usage.merged(usage)
            case MessageStop():
                self._stop, self._usage = event, self._usage.merged(event.usage)
            case StreamFailed(error=error):
                self.error = error
            case _:
                raise TypeError(f"not a stream event: {event!r}")

    @property
    def open(self) -> ContentBlock | None:
        """The open block as it began."""
        return self._open

    @property
    def so_far(self) -> tuple[ContentBlock, ...]:
        """The blocks, the open one with what has come of it."""
        made = self._made()
        return tuple(self._blocks) if made is None else (*self._blocks, made)

    def _close(self) -> None:
        block = self._made()
        if block is not None:
            self._blocks.append(block)
        self._open = None

    def _made(self) -> ContentBlock | None:
        block, text = self._open, "".join(self._pieces)
        if isinstance(block, Text):
            block = evolve(block, text=block.text + text, citations=(*block.citations, *self._citations))
        elif isinstance(block, Thinking):
            block = evolve(block, text=block.text + text, seal=self._seal or block.seal)
        elif isinstance(block, ToolCall):
            block = evolve(block, input=_whole(block.input, text), seal=self._seal or block.seal)
        elif isinstance(block, ServerToolCall):
            block = evolve(block, input=_whole(block.input, text))
        return block

    def reply(self) -> Reply:
        """Return the reply. Raises the stream's own error, or UpstreamProtocolError if it has not ended."""
        if self.error is not None:
            raise self.error
        if self._start is None or self._stop is None:
            raise UpstreamProtocolError("the reply ended before it was complete")
        return Reply(
            id=self._start.id,
            model=self._start.model,
            blocks=tuple(self._blocks),
            reason=self._stop.reason,
            stop_sequence=self._stop.stop_sequence,
            details=self._stop.details,
            usage=self._usage,
        )


def _whole(start: Json | str, text: str) -> Json:
    if text:
        return Json(text.encode(errors="replace"))  # half a surrogate pair has no UTF-8
    if isinstance(start, Json):
        return start
    return Json(start.encode()) if start else EMPTY_OBJECT


def fold(events: Iterable[StreamEvent]) -> Reply:
    """Make a whole reply of a whole stream. Raises as Folder.reply()."""
    folder = Folder()
    folder.feed(events)
    return folder.reply()


def unfold(reply: Reply) -> list[StreamEvent]:
    """Make a stream of a whole reply: ``fold(unfold(reply)) == reply``."""
    events: list[StreamEvent] = [MessageStart(reply.id, reply.model, reply.usage)]
    for index, block in enumerate(reply.blocks):
        events.extend(_unfold_block(index, block))
    events.append(MessageStop(reply.reason, reply.stop_sequence, reply.details, reply.usage))
    return events


def _unfold_block(index: int, block: ContentBlock) -> Iterator[StreamEvent]:
    match block:
        case Text(text=text, citations=citations):
            yield BlockStart(index, evolve(block, text="", citations=()))
            if text:
                yield TextDelta(text)
            yield from map(CitationDelta, citations)
        case Thinking(text=text, seal=seal):
            yield BlockStart(index, Thinking(""))
            if text:
                yield ThinkingDelta(text)
            if seal is not None:
                yield SealDelta(seal)
        case ToolCall(input=given) | ServerToolCall(input=given):
            yield BlockStart(index, evolve(block, input=""))
            yield ToolInputDelta(given.data.decode() if isinstance(given, Json) else given)
        case _:
            yield BlockStart(index, block)
    yield BlockStop(index)
