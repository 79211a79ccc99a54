"""A whole response for our client, and the object that every event about a response repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses import output_items
from ccr.adapters.dialects.openai_responses.output_items import Ids
from ccr.adapters.dialects.openai_responses.seals import OURS
from ccr.adapters.dialects.openai_responses.usage import write_usage
from ccr.adapters.dialects.openai_responses.wire import Raw, Wire
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.broken_call import broken_call
from ccr.domain.conversation import ServerToolCall, ServerToolResult, Text, Thinking, ToolCall
from ccr.domain.reply import StopReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ccr.adapters.dialects.openai_responses.echo import Echo
    from ccr.domain.conversation import ContentBlock
    from ccr.domain.reply import Reply

__all__ = ["INCOMPLETE", "Item", "Sheet", "is_broken", "is_search", "write_reply"]

Item = Wire | Raw

INCOMPLETE = {
    StopReason.MAX_TOKENS: "max_output_tokens",
    StopReason.CONTEXT_WINDOW: "max_output_tokens",
    StopReason.REFUSAL: "content_filter",
}
"""Reasons for which a response is incomplete, and the word for it."""

_DEFAULTS: dict[str, object] = {
    "background": False,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "output": [],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "auto",
    "store": False,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "usage": None,
    "user": None,
}


class Sheet:
    """What one reply is written on: ids, model, time (seconds since 1970) and what is repeated of the request."""

    __slots__ = ("_created", "_settings", "echo", "ids", "model", "reply_id")

    def __init__(self, token: str, model: str, created: int, echo: Echo) -> None:
        self.ids = Ids(token)
        self.reply_id = f"resp{OURS}{token}"
        self.model = model
        self.echo = echo
        self._created = created
        self._settings = {name: Raw(data) for name, data in echo.settings.items()}

    def response(self, status: str, output: Sequence[Item] = (), **fields: object) -> Wire:
        """Return a response object."""
        return {
            "id": self.reply_id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "model": self.model,
            **_DEFAULTS,
            **self._settings,
            "output": output,
            **fields,
        }

    def ended(self, reason: StopReason, output: Sequence[Item], usage: Wire) -> Wire:
        """Return the response of a reply that ended well, or short."""
        why = INCOMPLETE.get(reason)
        if why is None:
            return self.response("completed", output, usage=usage)
        last = output[-1] if output else None
        if reason is not StopReason.REFUSAL and isinstance(last, dict) and "status" in last:
            output = [*output[:-1], {**last, "status": "incomplete"}]
        return self.response("incomplete", output, usage=usage, incomplete_details={"reason": why})


def is_broken(call: ToolCall, echo: Echo) -> bool:
    """Whether a finished call has no object as its input; that of a freeform tool is text."""
    text = output_items.input_text(call)
    return call.name not in echo.freeform and bool(text) and not json.is_object(text)


def is_search(call: ServerToolCall) -> bool:
    """Whether a provider's own tool is web search."""
    return call.name.startswith("web_search")


def write_reply(reply: Reply, sheet: Sheet) -> bytes:
    """Write a whole response; where the provider named neither reply nor model, ours stand in.

    Raises UpstreamProtocolError for a tool call without an object as its input, unless the reply was cut short.
    """
    for block in reply.blocks:
        if isinstance(block, ToolCall) and is_broken(block, sheet.echo) and reply.reason not in INCOMPLETE:
            raise broken_call(block.name)
    sheet.reply_id = reply.id or sheet.reply_id
    sheet.model = reply.model or sheet.model
    output = list(_items(reply.blocks, sheet))
    return json.encode_wire(sheet.ended(reply.reason, output, write_usage(reply.usage)))


def _items(blocks: Sequence[ContentBlock], sheet: Sheet) -> Iterator[Item]:
    ids = sheet.ids
    results = {
        block.call_id: block
        for block in blocks
        if isinstance(block, ServerToolResult) and block.kind == web_results.KIND
    }
    for block in blocks:
        match block:
            case Text(text=text):
                if text:
                    yield output_items.message(ids.new("msg"), block)
            case Thinking(text=text, seal=seal):
                if text or seal is not None:
                    yield output_items.reasoning(ids.new("rs"), block)
            case ToolCall():
                before = output_items.carrier(ids, block)
                if before is not None:
                    yield before
                prefix = "ctc" if block.name in sheet.echo.freeform else "fc"
                yield output_items.call(ids.new(prefix), block, sheet.echo)
            case ServerToolCall() if is_search(block):
                yield output_items.search(search_id(block, ids), block, results.get(block.id))
            case _:
                whole = output_items.atomic(ids, block)
                if whole is not None:
                    yield whole


def search_id(call: ServerToolCall, ids: Ids) -> str:
    """Return the id of a search: its own if it is one of this dialect."""
    return call.id if call.id.startswith("ws_") else ids.new("ws")
