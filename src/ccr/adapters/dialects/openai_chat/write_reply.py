"""A whole reply for our client: a ``chat.completion``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ccr.adapters.dialects.openai_chat.reply_deltas import CUT_SHORT, ReplyDeltas, finish_reason
from ccr.adapters.dialects.openai_chat.usage import write_usage
from ccr.adapters.wire import json
from ccr.adapters.wire.broken_call import broken_call
from ccr.domain.stream import unfold

if TYPE_CHECKING:
    from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
    from ccr.adapters.dialects.openai_chat.reply_deltas import Delta
    from ccr.domain.reply import Reply

__all__ = ["write_reply"]


def write_reply(reply: Reply, new_id: str, model: str, created: int, echo: ChatEcho) -> bytes:
    """Write a whole reply; ``new_id`` and ``model`` stand in where the provider named none, ``created`` in seconds.

    Raises UpstreamProtocolError if a tool call is broken, unless the reply was cut short.
    """
    deltas = ReplyDeltas(echo)
    message: Delta = {"role": "assistant", "content": None, "refusal": None}
    for event in unfold(reply):
        for delta in deltas.take(event):
            _gather(message, delta)
        if deltas.broken and reply.reason not in CUT_SHORT:
            raise broken_call(deltas.broken)
    for delta in deltas.last(reply.reason):
        _gather(message, delta)
    if message["content"] is None and "tool_calls" not in message and "function_call" not in message:
        message["content"] = ""
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": finish_reason(reply.reason, echo),
    }
    whole = {
        "id": reply.id or new_id,
        "object": "chat.completion",
        "created": created,
        "model": reply.model or model,
        "choices": [choice],
        "usage": write_usage(reply.usage),
    }
    return json.encode_wire(whole)


def _gather(message: Delta, delta: Delta) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            _call(message, cast("list[Delta]", value)[0])
        elif name == "function_call":
            _grow(cast("Delta", message.setdefault("function_call", {})), cast("Delta", value))
        elif isinstance(value, list):
            cast("list[object]", message.setdefault(name, [])).extend(value)
        else:
            message[name] = f"{message.get(name) or ''}{value}"


def _call(message: Delta, entry: Delta) -> None:
    calls = cast("list[Delta]", message.setdefault("tool_calls", []))
    if "id" in entry:
        calls.append({name: value for name, value in entry.items() if name != "index"})
    else:
        _grow(cast("Delta", calls[-1]["function"]), cast("Delta", entry["function"]))


def _grow(function: Delta, piece: Delta) -> None:
    for name, value in piece.items():
        function[name] = f"{function.get(name, '')}{value}"
