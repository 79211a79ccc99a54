"""Blocks of a reply as output items, complete: as ``output_item.done`` and a whole response have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.citations import write_citations
from ccr.adapters.dialects.openai_responses.seals import OURS, write_seal
from ccr.adapters.dialects.openai_responses.wire import NAME, Raw, Wire
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.call_seals import carried
from ccr.domain.conversation import Image, Inline, Opaque, ServerToolCall, ServerToolResult
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ccr.adapters.dialects.openai_responses.echo import Echo
    from ccr.domain.conversation import ContentBlock, Text, Thinking, ToolCall

__all__ = [
    "Ids",
    "atomic",
    "call",
    "carrier",
    "freeform_text",
    "input_text",
    "message",
    "reasoning",
    "search",
]


class Ids:
    """Names items; who reads the ids back knows that we made them."""

    __slots__ = ("_next", "_token")

    def __init__(self, token: str) -> None:
        self._token = token
        self._next = 0

    def new(self, prefix: str) -> str:
        """Return a new id."""
        self._next += 1
        return f"{prefix}{OURS}{self._token}_{self._next}"


def message(item_id: str, text: Text) -> Wire:
    """Return the message of a text."""
    part: Wire = {
        "type": "output_text",
        "text": text.text,
        "annotations": write_citations(text.citations, len(text.text)),
        "logprobs": [],
    }
    return {
        "id": item_id,
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }


def reasoning(item_id: str, thinking: Thinking) -> Wire:
    """Return the reasoning item of a thought; its seal goes with it."""
    summary = [{"type": "summary_text", "text": thinking.text}] if thinking.text else []
    return {
        "id": item_id,
        "type": "reasoning",
        "summary": summary,
        "encrypted_content": write_seal(thinking.seal),
    }


def carrier(ids: Ids, call: ToolCall) -> Wire | None:
    """Return the reasoning item that carries the seal of a call; None if it has none."""
    if call.seal is None:
        return None
    seal = carried(call.id, call.seal)
    return {
        "id": ids.new("rs"),
        "type": "reasoning",
        "summary": [],
        "encrypted_content": write_seal(seal),
    }


def call(item_id: str, block: ToolCall, echo: Echo) -> Wire:
    """Return a function call, or a custom tool call where the tool's input is text."""
    space, name = echo.namespaces.get(block.name, ("", block.name))
    made: Wire = {"id": item_id, "call_id": block.id, "name": name}
    if space:
        made["namespace"] = space
    text = input_text(block)
    if block.name in echo.freeform:
        return {**made, "type": "custom_tool_call", "input": freeform_text(text)}
    return {**made, "type": "function_call", "status": "completed", "arguments": text or "{}"}


def input_text(block: ToolCall | ServerToolCall) -> str:
    """Return the input of a call as text."""
    return block.input.data.decode("utf-8", "replace") if isinstance(block.input, Json) else block.input


def freeform_text(text: str) -> str:
    """Return the text that a freeform tool was called with.

    Where such tools are unknown they are declared as functions with the one argument ``input``, and called so.
    """
    if not text.lstrip().startswith("{"):
        return text
    found = json.object_of(text.encode("utf-8", "replace"))
    given = found.get("input") if found is not None and len(found) == 1 else None
    return "" if found == {} else given if isinstance(given, str) else text


def search(item_id: str, asked: ServerToolCall, result: ServerToolResult | None) -> Wire:
    """Return a web search with what it was asked and where it found something."""
    given = json.object_of(input_text(asked).encode("utf-8", "replace")) or {}
    query = given.get("query")
    action: Wire = {"type": "search", "query": query if isinstance(query, str) else ""}
    failed = False
    if result is not None:
        failed = _is_error(json.object_of(result.content.data))
        urls = (one.get("url") for one in web_results.results_of(result.content))
        action["sources"] = [{"type": "url", "url": url} for url in urls if isinstance(url, str)]
    return {
        "id": item_id,
        "type": "web_search_call",
        "status": "failed" if failed else "completed",
        "action": action,
    }


def _is_error(content: Mapping[str, object] | None) -> bool:
    return content is not None and "error_code" in content


def atomic(ids: Ids, block: ContentBlock) -> Wire | Raw | None:
    """Return a block that comes whole: our own items as they came, a picture as one that was made; None of others."""
    if isinstance(block, Opaque) and block.dialect == NAME:
        return Raw(block.data.data)
    if isinstance(block, Image) and isinstance(block.source, Inline):
        return {
            "id": ids.new("ig"),
            "type": "image_generation_call",
            "status": "completed",
            "result": block.source.data,
        }
    return None
