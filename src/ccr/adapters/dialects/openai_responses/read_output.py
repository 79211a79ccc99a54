"""Output items as blocks, from their first sign to the item itself, which at its end says everything once more.

What the deltas left out is taken from there: some servers send no deltas, some only the whole response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

import msgspec

from ccr.adapters.dialects.openai_responses.citations import read_citation
from ccr.adapters.dialects.openai_responses.namespaces import flat_name
from ccr.adapters.dialects.openai_responses.seals import seal_of
from ccr.adapters.dialects.openai_responses.slots import Block, Item, Slots
from ccr.adapters.dialects.openai_responses.wire import (
    ITEM,
    NAME,
    PARTS,
    RAWS,
    Raw,
    WireItem,
    WirePart,
    absent,
)
from ccr.adapters.wire import json, web_results
from ccr.domain.conversation import (
    Opaque,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
)
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.stream import CitationDelta, SealDelta, TextDelta, ThinkingDelta, ToolInputDelta
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Output", "understood"]

_T = TypeVar("_T")
_PART = msgspec.json.Decoder(WirePart)
_CALLS = frozenset({"function_call", "custom_tool_call"})


def understood(decoder: msgspec.json.Decoder[_T], raw: Raw | bytes) -> _T:
    """Decode a part of a reply. Raises UpstreamProtocolError."""
    try:
        return json.decode_tolerant(decoder, bytes(raw))
    except ValueError as error:
        raise UpstreamProtocolError("the provider's reply is not one of the Responses API") from error


class Output:
    """The items of one reply by their ``output_index``. Methods raise UpstreamProtocolError."""

    def __init__(self) -> None:
        self.slots = Slots()
        self.calls = 0
        self.searches = 0
        self.refused = False
        self.broken = ""
        """The name of a function call that came to its end with input that is no JSON object."""
        self._items: dict[int, Item] = {}

    def added(self, index: int, raw: Raw) -> None:
        """An item has begun."""
        wire = understood(ITEM, raw)
        known = self._items.get(index)
        if known is not None and not known.done:
            known.close()  # an index used twice
        item = self._new(index, wire.type or "")
        if item.kind in _CALLS:
            self._call(item, wire)
        self.slots.pump()

    def done(self, index: int, raw: Raw) -> None:
        """An item is complete."""
        wire = understood(ITEM, raw)
        item = self._items.get(index)
        if item is None or item.done:
            item = self._new(index, wire.type or "")
        self._READERS.get(wire.type or "", Output._opaque)(self, item, wire, raw)
        item.close()
        self.slots.pump()

    def rest(self, output: Raw) -> None:
        """The whole output: take what has not been told."""
        raws = [] if absent(output) else understood(RAWS, output)
        untold = len(raws) > len(self._items)
        for index, raw in enumerate(raws):
            known = self._items.get(index)
            if (known is None and untold) or (known is not None and not known.done):
                self.done(index, raw)
        self.slots.finish()

    def text(self, index: int, part: int, text: str, *, whole: bool = False) -> None:
        """More text of a message, or the whole of it."""
        block = self._part(self._item(index, "message"), part)
        if whole:
            block.whole(text)
        else:
            block.more(text)
        self.slots.pump()

    def thought(self, index: int, part: str, text: str, *, whole: bool = False) -> None:
        """More of what was thought, or the whole of a part."""
        block = self._thinking(self._item(index, "reasoning"))
        if whole:
            block.whole(text, part)
        else:
            block.more(text, part)
        self.slots.pump()

    def input(self, index: int, text: str, *, whole: bool = False) -> None:
        """More input of a call, or the whole of it."""
        item = self._item(index, "function_call")
        block = self._input(item)
        if whole:
            block.whole(text)
            if item.kind == "function_call":
                self._judge(text, getattr(block.start, "name", ""))
        else:
            block.more(text)
        self.slots.pump()

    def cite(self, index: int, part: int, annotation: Raw) -> None:
        """A citation of a text."""
        self._cite(self._part(self._item(index, "message"), part), annotation)
        self.slots.pump()

    def part_done(self, index: int, part: int, raw: Raw) -> None:
        """A part of a message is complete; a part of reasoning is told by its texts."""
        item = self._item(index, "message")
        if item.kind == "message" and not absent(raw):
            self._text_done(item, part, understood(_PART, raw))
            self.slots.pump()

    # -------------------------------------------------------------------------------- blocks of an item

    def _new(self, index: int, kind: str) -> Item:
        item = self._items[index] = self.slots.add(Item(kind))
        return item

    def _item(self, index: int, kind: str) -> Item:
        return self._items.get(index) or self._new(index, kind)

    def _part(self, item: Item, index: int) -> Block:
        block = item.parts.get(index)
        if block is None:
            for earlier in item.blocks:
                earlier.closed = True
            block = item.parts[index] = item.block(Block(TextDelta, Text("")))
        return block

    def _thinking(self, item: Item) -> Block:
        block = item.parts.get(0)
        if block is None:
            block = item.parts[0] = item.block(Block(ThinkingDelta, Thinking("")))
        return block

    def _input(self, item: Item) -> Block:
        block = item.parts.get(0)
        if block is None:
            block = item.parts[0] = item.block(Block(ToolInputDelta, None, eager=True))
            self.calls += 1
        return block

    def _cite(self, block: Block, annotation: Raw) -> None:
        citation = read_citation(annotation)
        if citation is not None and isinstance(block.start, Text):
            block.citations += 1
            block.pending.append(CitationDelta(citation))

    def _call(self, item: Item, wire: WireItem) -> Block:
        block = self._input(item)
        call_id = wire.call_id or wire.id
        if block.start is None and call_id and wire.name:
            block.start = ToolCall(call_id, flat_name(wire.namespace, wire.name), "")
        return block

    # ------------------------------------------------------------------------------- items at their end

    def _message(self, item: Item, wire: WireItem, _raw: Raw) -> None:
        parts = [] if absent(wire.content) else understood(PARTS, wire.content)
        for index, part in enumerate(parts):
            self._text_done(item, index, part)

    def _text_done(self, item: Item, index: int, part: WirePart) -> None:
        block = self._part(item, index)
        if part.refusal:
            self.refused = True
        block.whole(part.text or part.refusal or "")
        annotations = [] if absent(part.annotations) else understood(RAWS, part.annotations)
        for annotation in annotations[block.citations :]:
            self._cite(block, annotation)
        block.closed = True

    def _reasoning(self, item: Item, wire: WireItem, _raw: Raw) -> None:
        block = self._thinking(item)
        summary, content = _texts(wire.summary), _texts(wire.content)
        for number, text in enumerate(summary):
            block.whole(text, f"s{number}")
        for number, text in enumerate([] if summary else content):
            block.whole(text, f"c{number}")
        seal = seal_of(wire.id or "", summary, content, wire.encrypted_content or "")
        if seal is not None and isinstance(block.start, Thinking):
            block.pending.append(SealDelta(seal))

    def _called(self, item: Item, wire: WireItem, _raw: Raw) -> None:
        block = self._call(item, wire)
        if block.start is None:
            raise UpstreamProtocolError("the provider called a tool without a name")
        block.whole(wire.arguments or wire.input or "")
        if wire.type == "function_call" and wire.status != "incomplete":
            self._judge(wire.arguments or "", wire.name or "")

    def _judge(self, text: str, name: str) -> None:
        if text.strip() and not json.is_object(text):
            self.broken = self.broken or name or "a function"

    def _search(self, item: Item, wire: WireItem, raw: Raw) -> None:
        action = json.object_of(wire.action) or {}
        if action.get("type") not in (None, "search"):
            self._opaque(item, wire, raw)
            return
        self.searches += 1
        queries = action.get("queries")
        query = action.get("query") or (queries[0] if isinstance(queries, list) and queries else "")
        call_id = wire.id or f"ws_{self.searches}"
        call = item.block(Block(ToolInputDelta, ServerToolCall(call_id, "web_search", ""), eager=True))
        call.more(json.encode({"query": query if isinstance(query, str) else ""}).decode())
        content = _found(action.get("sources"), failed=wire.status == "failed")
        result = ServerToolResult(call_id, web_results.KIND, Json(json.encode(content)), NAME)
        item.block(Block(TextDelta, result, eager=True))

    def _opaque(self, item: Item, wire: WireItem, raw: Raw) -> None:
        item.block(Block(TextDelta, Opaque(NAME, wire.type or "", json.json_of(raw)), eager=True))

    _READERS: ClassVar[dict[str, Callable[[Output, Item, WireItem, Raw], None]]] = {
        "message": _message,
        "reasoning": _reasoning,
        "function_call": _called,
        "custom_tool_call": _called,
        "web_search_call": _search,
    }


def _texts(raw: Raw) -> list[str]:
    if absent(raw):
        return []
    parts = understood(PARTS, raw)
    return [part.text or "" for part in parts]


def _found(sources: object, *, failed: bool) -> object:
    if failed:
        return {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    urls = [
        (one["url"], one.get("title"))
        for one in (sources if isinstance(sources, list) else ())
        if isinstance(one, dict) and isinstance(one.get("url"), str)
    ]
    return [
        {
            "type": "web_search_result",
            "url": url,
            "title": title if isinstance(title, str) and title else url,
            "page_age": None,
            "encrypted_content": "",
        }
        for url, title in urls
    ]
