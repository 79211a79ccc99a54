"""What a reply is made of while it is being read: pieces of text, thinking and tool calls, in the order they began.

The first segment is live: what comes for it goes out at once. The others wait until those before them are complete,
because one block is open at a time, while providers interleave parallel calls, text and reasoning.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Literal

from attrs import define, field

from ccr.adapters.dialects.openai_chat.details import DETAILS, add_detail
from ccr.adapters.dialects.openai_chat.found import search_events
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json
from ccr.adapters.wire.loose_json import repair_object
from ccr.domain.conversation import Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    SealDelta,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ccr.domain.conversation import Citation
    from ccr.domain.stream import StreamEvent

__all__ = ["SYNTHETIC_SEAL", "Prose", "Segments", "ToolSegment"]

SYNTHETIC_SEAL = Seal(Origin(NAME), "ccr", "ccr:unsigned")
"""Chat completions sign no reasoning. Claude's client wants a signature, so it gets one that everybody recognises:
``ccr:`` marks what must never be shown to Anthropic as if it were Anthropic's."""

_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]")

_PLACEHOLDERS = ("{}", "null")
"""First pieces that are no input yet at some providers, and the whole input at others."""


@define(eq=False)
class Prose:
    """Text or thinking. It opens with the first character that is not white space: Anthropic refuses blank blocks."""

    kind: Literal["text", "thinking"]
    pieces: list[str] = field(factory=list)
    citations: list[Citation] = field(factory=list)
    opened: bool = False
    details: list[dict[str, object]] = field(factory=list)
    """OpenRouter's ``reasoning_details`` of this thinking."""

    def ready(self) -> bool:
        """Whether the block can be opened."""
        return any(not piece.isspace() for piece in self.pieces)


@define(eq=False)
class ToolSegment:
    """A tool call. It opens when its name and its id are sure."""

    order: int
    id: str = ""
    name: str = ""
    pieces: list[str] = field(factory=list)
    sent: int = 0
    opened: bool = False
    closed: bool = False
    refuted: int = 0
    """Number of pieces that were found to be no object."""

    @property
    def text(self) -> str:
        """The input so far."""
        return "".join(self.pieces)

    def ready(self) -> bool:
        """Whether the block can be opened: input has begun, so the name is whole."""
        return (
            bool(self.id and self.name)
            and not self.held()
            and any(not piece.isspace() for piece in self.pieces)
        )

    def held(self) -> bool:
        """Whether all there is of the input may be a placeholder."""
        return len(self.pieces) == 1 and self.pieces[0].strip() in _PLACEHOLDERS

    def blank(self) -> bool:
        """Whether there is no input, in one of the ways to say so."""
        return self.text.strip() in ("", "null")

    def complete(self) -> bool:
        """Whether the input is one JSON object; only parsed where it may be, since it is asked with every piece."""
        ends = bool(self.pieces) and self.pieces[-1].rstrip().endswith("}")
        if not ends or not self.name or len(self.pieces) == self.refuted:
            return False
        if json.is_object(self.text):
            return True
        self.refuted = len(self.pieces)
        return False


@define(eq=False)
class Found:
    """What a search of the provider's own gave."""

    results: Sequence[Mapping[str, object]]


class Segments:
    """The queue. ``events`` gathers what goes out; whoever feeds takes it.

    Not ``live``: everything goes out at the end, when it is known what is broken.
    """

    def __init__(self, stream_id: str, *, live: bool) -> None:
        self._live = live
        self._stream_id = _UNSAFE.sub("", stream_id) or "reply"
        self._queue: deque[Prose | ToolSegment | Found] = deque()
        self._ids: set[str] = set()
        self._index = 0
        self._loose: list[Citation] = []
        self.tools: list[ToolSegment] = []
        self.any_content = False
        self.mended = ""
        """The name of a call whose input was put right."""
        self.events: list[StreamEvent] = []

    def prose(self, kind: Literal["text", "thinking"], text: str) -> None:
        """Add text or thinking, to the newest segment if it is of that kind."""
        last = self._queue[-1] if self._queue else None
        if not isinstance(last, Prose) or last.kind != kind:
            last = Prose(kind)
            if kind == "text":
                last.citations, self._loose = self._loose, []
            self._queue.append(last)
        self.any_content = True
        last.pieces.append(text)
        self.pump()

    @property
    def flows(self) -> bool:
        """Whether more text goes out as it comes: the one segment that there is, an open one of text, is all that is read."""
        if len(self._queue) != 1 or not self._live:
            return False
        head = self._queue[0]
        return type(head) is Prose and head.opened and head.kind == "text"

    def details(self, entries: Sequence[Mapping[str, object]]) -> None:
        """Add ``reasoning_details`` to the thinking that is being read; what comes later is thinking without a text."""
        if not entries:
            return
        last = self._queue[-1] if self._queue else None
        if not isinstance(last, Prose) or last.kind != "thinking":
            last = Prose("thinking")
            self._queue.append(last)
        for entry in entries:
            add_detail(last.details, entry, join=self._live)
        self.pump()

    def search(self, results: Sequence[Mapping[str, object]]) -> None:
        """Add what a search gave."""
        self._queue.append(Found(results))
        self.pump()

    def cite(self, citation: Citation) -> None:
        """Add a citation to the newest text, or to the one to come."""
        last = next((s for s in reversed(self._queue) if isinstance(s, Prose) and s.kind == "text"), None)
        (self._loose if last is None else last.citations).append(citation)
        self.pump()

    def tool(self) -> ToolSegment:
        """Begin a tool call."""
        self.any_content = True
        segment = ToolSegment(len(self.tools))
        self.tools.append(segment)
        self._queue.append(segment)
        return segment

    def name_id(self, segment: ToolSegment, wanted: str) -> None:
        """Give a call its id; one that another call of this reply has already is not taken over."""
        if not segment.id and wanted and wanted not in self._ids:
            segment.id = wanted
            self._ids.add(wanted)

    def input(self, segment: ToolSegment, text: str) -> None:
        """Add input to a call. Raises UpstreamProtocolError if it was complete and has been closed."""
        if segment.closed:
            if text.strip() and text != segment.text:
                raise UpstreamProtocolError(
                    f"the provider went on with the input of {segment.name!r} after its end"
                )
            return
        if segment.held() and text.strip():
            segment.pieces.clear()
        segment.pieces.append(text)

    def pump(self) -> None:
        """Send what can be sent."""
        while self._live and self._queue:
            head = self._queue[0]
            more = len(self._queue) > 1
            if isinstance(head, Prose):
                self._send_prose(head)
                if not more:
                    return
                self._close_prose(head)
            elif isinstance(head, Found):
                self._send_found(head)
            else:
                self._send_tool(head)
                if not more or not head.complete():
                    return
                self._close_tool(head)
            self._queue.popleft()

    def finish(self, *, cut: bool, lenient: bool = False) -> None:
        """End of the reply: close everything.

        ``cut`` = the output limit was hit, so the last input may be broken: it stays as it is if its block is open,
        else the call is dropped. Raises UpstreamProtocolError on a broken input otherwise; with ``lenient`` it stays as it
        is, for somebody who can mend it.
        """
        while self._queue:
            head = self._queue.popleft()
            if isinstance(head, Prose):
                self._send_prose(head)
                self._close_prose(head)
            elif isinstance(head, Found):
                self._send_found(head)
            else:
                self._finish_tool(head, cut=cut, lenient=lenient)

    @property
    def broken(self) -> str:
        """The name of a call whose input is no JSON object, or was none before it was put right."""
        wrong = (
            tool for tool in self.tools if (tool.opened or not tool.blank()) and not json.is_object(tool.text)
        )
        return self.mended or next((tool.name or "a function" for tool in wrong), "")

    def _finish_tool(self, tool: ToolSegment, *, cut: bool, lenient: bool) -> None:
        if not tool.opened and tool.blank():
            tool.pieces = ["{}"]
        if not json.is_object(tool.text) and not (tool.opened and (cut or lenient)):
            mended = None if tool.opened or cut else repair_object(tool.text)
            if mended is not None:
                tool.pieces, self.mended = [mended.decode()], tool.name
            elif cut:
                self.tools.remove(tool)
                return
            elif not lenient:
                raise UpstreamProtocolError(f"the provider's input for {tool.name!r} is not a JSON object")
        if not tool.name:
            raise UpstreamProtocolError("the provider called a tool without a name")
        self._close_tool(tool)

    def _send_prose(self, prose: Prose) -> None:
        if not prose.opened:
            if not prose.ready():
                return
            prose.opened = True
            self.events.append(BlockStart(self._index, Text("") if prose.kind == "text" else Thinking("")))
        delta = TextDelta if prose.kind == "text" else ThinkingDelta
        self.events.extend(delta(piece) for piece in prose.pieces)
        self.events.extend(CitationDelta(citation) for citation in prose.citations)
        prose.pieces.clear()
        prose.citations.clear()

    def _close_prose(self, prose: Prose) -> None:
        if not prose.opened:
            if not prose.details:
                return
            self.events.append(BlockStart(self._index, Thinking("")))
        if prose.details:
            data = json.encode_wire(prose.details).decode()
            self.events.append(SealDelta(Seal(Origin(NAME), DETAILS, data)))
        elif prose.kind == "thinking":
            self.events.append(SealDelta(SYNTHETIC_SEAL))
        self._stop()

    def _send_found(self, found: Found) -> None:
        self.events.extend(search_events(self._index, f"search_{self._stream_id}", found.results))
        self._index += 2

    def _send_tool(self, tool: ToolSegment) -> None:
        if not tool.opened:
            if not tool.ready():
                return
            self._open_tool(tool)
        self.events.extend(map(ToolInputDelta, tool.pieces[tool.sent :]))
        tool.sent = len(tool.pieces)

    def _open_tool(self, tool: ToolSegment) -> None:
        tool.opened = True
        self.events.append(BlockStart(self._index, ToolCall(tool.id, tool.name, "")))

    def _close_tool(self, tool: ToolSegment) -> None:
        if not tool.id:
            # The same reply gives the same id, whoever reads it again.
            self.name_id(tool, f"call_{tool.order}_{self._stream_id}")
        if not tool.opened:
            self._open_tool(tool)
        self._send_tool(tool)
        tool.closed = True
        self._stop()

    def _stop(self) -> None:
        self.events.append(BlockStop(self._index))
        self._index += 1
