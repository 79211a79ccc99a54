"""A streamed response for our client, with the whole sequence of events that the official SDKs and Codex expect.

Every item is announced, filled and done before the next one; numbers rise by one; the last event holds the whole response.
A reply that fails ends in ``response.failed``, never in a bare cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ccr.adapters.dialects.openai_responses import output_items
from ccr.adapters.dialects.openai_responses.citations import write_citation
from ccr.adapters.dialects.openai_responses.errors import failure
from ccr.adapters.dialects.openai_responses.usage import write_usage
from ccr.adapters.dialects.openai_responses.wire import Wire
from ccr.adapters.dialects.openai_responses.write_reply import (
    INCOMPLETE,
    Item,
    Sheet,
    is_broken,
    is_search,
    search_id,
)
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.broken_call import broken_call
from ccr.adapters.wire.sse import CONTENT_TYPE
from ccr.domain.conversation import ServerToolCall, ServerToolResult, Text, Thinking, ToolCall
from ccr.domain.stream import (
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
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccr.domain.conversation import Citation, ContentBlock
    from ccr.domain.provenance import Seal
    from ccr.domain.stream import StreamEvent

__all__ = ["COMMENT", "ResponsesStreamEncoder"]

COMMENT = b": keep-alive\n\n"

_DELTA = (
    b'event: %s\ndata: {"type":"%s","sequence_number":%d,"item_id":"%s","output_index":%d,%s"delta":%s%s}\n\n'
)
_TEXT = (b"response.output_text.delta", b'"content_index":0,', b',"logprobs":[]')
_SUMMARY = (b"response.reasoning_summary_text.delta", b'"summary_index":0,', b"")
_ARGUMENTS = (b"response.function_call_arguments.delta", b"", b"")
_CUSTOM = (b"response.custom_tool_call_input.delta", b"", b"")


class ResponsesStreamEncoder:
    """:class:`ccr.application.ports.dialect.StreamEncoder`."""

    content_type = CONTENT_TYPE

    def __init__(self, sheet: Sheet, input_estimate: int) -> None:
        self._sheet = sheet
        self._estimate = input_estimate
        self._usage = NO_USAGE
        self._number = 0
        self._started = False
        self._ended = False
        self._out: list[bytes] = []
        self._items: list[Item] = []
        self._item_id = ""
        self._open: ContentBlock | None = None
        self._announced = False  # the open block's item has been added
        self._pieces: list[str] = []
        self._citations: list[Citation] = []
        self._seal: Seal | None = None
        self._asked: ServerToolCall | None = None  # a search that waits for what it found
        self._broken: ToolCall | None = None  # a call that has no object as its input: cut short, or a fault

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events; nothing more once the reply has ended."""
        writers = self._WRITERS
        for event in events:
            if self._ended:
                break
            if self._broken is not None and not _may_follow(event):
                event = StreamFailed(broken_call(self._broken.name))  # noqa: PLW2901 - in its place
            writers[type(event)](self, event)
        return self._taken()

    def keep_alive(self) -> bytes:
        """Return a comment; before the first event also the opening of the response."""
        if self._ended:
            return b""
        if not self._started:
            self._opening()
        return self._taken() + COMMENT

    def _taken(self) -> bytes:
        out, self._out = self._out, []
        return b"".join(out)

    def _emit(self, kind: str, **fields: object) -> None:
        data = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        self._out += (b"event: ", kind.encode(), b"\ndata: ", json.encode_wire(data), b"\n\n")

    def _delta(self, kind: tuple[bytes, bytes, bytes], text: str) -> None:
        name, where, rest = kind
        fields = (
            name,
            name,
            self._number,
            self._item_id.encode(),
            len(self._items),
            where,
            _string(text),
            rest,
        )
        self._number += 1
        self._out.append(_DELTA % fields)

    # ------------------------------------------------------------------------------------- the response

    def _opening(self) -> None:
        self._started = True
        response = self._sheet.response("in_progress")
        self._emit("response.created", response=response)
        self._emit("response.in_progress", response=response)

    def _begin(self, event: MessageStart) -> None:
        self._usage = self._usage.merged(event.usage)
        # After a keep-alive the client knows the response by our id; SDKs refuse one that changes.
        if not self._started:
            self._sheet.reply_id = event.id or self._sheet.reply_id
            self._sheet.model = event.model or self._sheet.model
            self._opening()

    def _usage_update(self, event: UsageUpdate) -> None:
        self._usage = self._usage.merged(event.usage)

    def _end(self, event: MessageStop) -> None:
        self._found(None)
        if self._broken is not None:
            self._finish_call(self._broken)
        self._ended = True
        usage = write_usage(self._usage.merged(event.usage), self._estimate)
        kind = "response.incomplete" if event.reason in INCOMPLETE else "response.completed"
        self._emit(kind, response=self._sheet.ended(event.reason, self._items, usage))

    def _failed(self, event: StreamFailed) -> None:
        if not self._started:
            self._opening()
        self._ended = True
        known = self._usage is not NO_USAGE
        usage = write_usage(self._usage, self._estimate) if known else None
        response = self._sheet.response("failed", self._items, error=failure(event.error), usage=usage)
        self._emit("response.failed", response=response)

    # ----------------------------------------------------------------------------------------- an item

    def _added(self, item: Item) -> None:
        self._announced = True
        self._emit("response.output_item.added", output_index=len(self._items), item=item)

    def _done(self, item: Item) -> None:
        self._emit("response.output_item.done", output_index=len(self._items), item=item)
        self._items.append(item)

    def _about(self, kind: str, **fields: object) -> None:
        """Emit an event about the open item."""
        self._emit(kind, item_id=self._item_id, output_index=len(self._items), **fields)

    def _open_block(self, event: BlockStart) -> None:
        block = event.block
        if not (isinstance(block, ServerToolResult) and block.kind == web_results.KIND):
            self._found(None)
        self._open, self._announced = block, False
        self._pieces, self._citations, self._seal = [], [], None
        if isinstance(block, ToolCall):
            self._open_call(block)
        elif isinstance(block, ServerToolResult):
            self._found(block)
        else:
            self._atomic(block)

    def _atomic(self, block: ContentBlock) -> None:
        """Write a block that comes whole; what is filled by deltas is none."""
        whole = output_items.atomic(self._sheet.ids, block)
        if whole is not None:
            self._added(whole)
            self._done(whole)

    def _open_call(self, block: ToolCall) -> None:
        self._carry(block)
        freeform = block.name in self._sheet.echo.freeform
        self._item_id = self._sheet.ids.new("ctc" if freeform else "fc")
        item = output_items.call(self._item_id, evolve(block, input=""), self._sheet.echo)
        if item["type"] == "function_call":
            item.update(status="in_progress", arguments="")
        self._added(item)
        given = output_items.input_text(block)
        if given not in ("", "{}"):
            self._input(ToolInputDelta(given))

    def _carry(self, block: ToolCall) -> None:
        item = output_items.carrier(self._sheet.ids, block)
        if item is not None:
            self._added(item)
            self._done(item)

    # ----------------------------------------------------------------------------------------- content

    def _text(self, event: TextDelta) -> None:
        if not self._announced:
            self._item_id = self._sheet.ids.new("msg")
            item = output_items.message(self._item_id, Text(""))
            self._added({**item, "status": "in_progress", "content": []})
            self._about("response.content_part.added", content_index=0, part=_part(item))
        self._pieces.append(event.text)
        self._delta(_TEXT, event.text)

    def _citation(self, event: CitationDelta) -> None:
        written = write_citation(event.citation, sum(map(len, self._pieces)))
        if written is not None and self._announced:
            self._about(
                "response.output_text.annotation.added",
                content_index=0,
                annotation_index=len(self._citations),
                annotation=written,
            )
            self._citations.append(event.citation)

    def _thinking(self, event: ThinkingDelta) -> None:
        if not self._announced:
            self._open_reasoning()
        if not self._pieces:
            part = {"type": "summary_text", "text": ""}
            self._about("response.reasoning_summary_part.added", summary_index=0, part=part)
        self._pieces.append(event.text)
        self._delta(_SUMMARY, event.text)

    def _open_reasoning(self) -> None:
        self._item_id = self._sheet.ids.new("rs")
        self._added({"id": self._item_id, "type": "reasoning", "summary": []})

    def _seals(self, event: SealDelta) -> None:
        self._seal = event.seal

    def _input(self, event: ToolInputDelta) -> None:
        self._pieces.append(event.text)
        block = self._open
        if isinstance(block, ToolCall) and block.name not in self._sheet.echo.freeform:
            self._delta(_ARGUMENTS, event.text)

    # ----------------------------------------------------------------------------------------- its end

    def _close_block(self, _event: BlockStop) -> None:
        block, self._open = self._open, None
        text = "".join(self._pieces)
        match block:
            case Text():
                self._close_text(text)
            case Thinking(seal=seal):
                self._close_thinking(text, self._seal or seal)
            case ToolCall():
                self._close_call(evolve(block, input=Json(text.encode("utf-8", "replace")), seal=self._seal))
            case ServerToolCall(input=given) if is_search(block):
                self._asked = evolve(block, input=text or given)
            case _:
                pass

    def _close_text(self, text: str) -> None:
        if not self._announced:
            return  # a message without text is none
        item = output_items.message(self._item_id, Text(_clean(text), citations=tuple(self._citations)))
        self._about("response.output_text.done", content_index=0, text=_clean(text), logprobs=[])
        self._about("response.content_part.done", content_index=0, part=_part(item))
        self._done(item)

    def _close_thinking(self, text: str, seal: Seal | None) -> None:
        if not self._announced:
            if seal is None:
                return
            self._open_reasoning()
        item = output_items.reasoning(self._item_id, Thinking(_clean(text), seal))
        if self._pieces:
            part = {"type": "summary_text", "text": _clean(text)}
            self._about("response.reasoning_summary_text.done", summary_index=0, text=part["text"])
            self._about("response.reasoning_summary_part.done", summary_index=0, part=part)
        self._done(item)

    def _close_call(self, block: ToolCall) -> None:
        if is_broken(block, self._sheet.echo):
            self._broken = block  # its client would run it as soon as it is done
        else:
            self._finish_call(block)

    def _finish_call(self, block: ToolCall) -> None:
        item = output_items.call(self._item_id, block, self._sheet.echo)
        if item["type"] == "custom_tool_call":
            self._delta(_CUSTOM, str(item["input"]))
            self._about("response.custom_tool_call_input.done", input=item["input"])
        else:
            self._about(
                "response.function_call_arguments.done", arguments=item["arguments"], name=item["name"]
            )
        self._done(item)
        self._carry(block)  # a seal that came late; who reads it back finds its call by id

    def _found(self, result: ServerToolResult | None) -> None:
        """Write the search that waits, with what it found."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self._item_id = search_id(asked, self._sheet.ids)
        item = output_items.search(self._item_id, asked, result)
        action: Wire = {"type": "search", "query": ""}
        self._added({**item, "status": "in_progress", "action": action})
        for step in ("in_progress", "searching", "completed"):
            self._about(f"response.web_search_call.{step}")
        self._done(item)

    _WRITERS: ClassVar[dict[type, Callable[..., None]]] = {
        MessageStart: _begin,
        BlockStart: _open_block,
        TextDelta: _text,
        ThinkingDelta: _thinking,
        SealDelta: _seals,
        ToolInputDelta: _input,
        CitationDelta: _citation,
        BlockStop: _close_block,
        UsageUpdate: _usage_update,
        MessageStop: _end,
        StreamFailed: _failed,
    }


def _may_follow(event: StreamEvent) -> bool:
    """Whether a broken call may have been cut short, after all."""
    return isinstance(event, UsageUpdate | StreamFailed) or (
        isinstance(event, MessageStop) and event.reason in INCOMPLETE
    )


def _part(message: Wire) -> object:
    content = message["content"]
    assert isinstance(content, list), "what output_items makes"
    return content[0]


def _clean(text: str) -> str:
    """Half a surrogate pair has no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _string(text: str) -> bytes:
    try:
        return json.encode_wire(text)
    except UnicodeEncodeError:
        return json.encode_wire(_clean(text))
