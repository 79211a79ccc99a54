"""The ``demo`` provider: an upstream in this process, so that everything can be tried without a key or a network.

It speaks Anthropic Messages behind the ``Upstream`` port (``demo://`` URLs) and always answers the same to the same
request: it repeats what was said last, thinks when asked to, and calls a harmless tool when the prompt says so::

    demo: tool Read /etc/hostname      calls Read on that file, if Read is offered
    demo: tool echo some words         calls Bash with `echo 'some words'`, or a tool named echo

Once the tool has answered, it quotes the first line of the answer and ends.
"""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from ccr.adapters.upstream.fake import FakeResponse, Reply
from ccr.adapters.wire import json
from ccr.adapters.wire.sse import write_event
from ccr.domain.errors import UpstreamUnavailableError

if TYPE_CHECKING:
    from ccr.application.ports.upstream import UpstreamRequest

__all__ = ["DemoUpstream"]

_PIECE = 12
"""Characters of one delta: small, so that streaming is seen to stream."""

_BYTES_PER_TOKEN = 4
_SIGNATURE = "ccr1.WyJkZW1vIiwiIiwiIiwiIiwiY2NyIl0=.demo"
"""A signature that our Anthropic dialect knows for one of the dialect ``demo``, and so never shows to Anthropic."""
_REMINDER = "<system-reminder>"
_ASKED = re.compile(r"demo:[ \t]*tool\b[ \t]*(\S*)[ \t]*(.*)")
_GREETING = "hello from the demo provider"

_Json = dict[str, object]


@frozen
class _Said:
    """What the demonstration says: thinking, text, and at most one call."""

    text: str = ""
    thinking: str = ""
    tool: str = ""
    input: Mapping[str, object] | None = None


class DemoUpstream:
    """Implements ``Upstream``. No state between requests."""

    def __init__(self) -> None:
        self._closed = False

    async def open(self, request: UpstreamRequest) -> FakeResponse:
        """Answer at once. Raises UpstreamUnavailableError after ``aclose``."""
        if self._closed:
            raise UpstreamUnavailableError("The demo provider is closed")
        return FakeResponse(_answer(urlsplit(request.url).path, request.body), asyncio.sleep)

    async def aclose(self) -> None:
        """Refuse what comes from now on."""
        self._closed = True


def _answer(path: str, body: bytes) -> Reply:
    asked = json.object_of(body)
    if asked is None or not isinstance(asked.get("messages"), list):
        return _error(400, "invalid_request_error", "messages: Field required")
    if path.endswith("/count_tokens"):
        return _whole({"input_tokens": _tokens(body)})
    if not path.endswith("/messages"):
        return _error(404, "not_found_error", f"the demo provider has no {path}")
    said = _say(asked)
    limit = asked.get("max_tokens")
    cut = isinstance(limit, int) and len(said.text) > limit * _BYTES_PER_TOKEN
    if cut and isinstance(limit, int):
        said = _Said(said.text[: limit * _BYTES_PER_TOKEN], said.thinking)
    message = _message(asked, said, body, cut=cut)
    if asked.get("stream") is True:
        return Reply(200, {"content-type": "text/event-stream; charset=utf-8"}, tuple(_events(message)))
    return _whole(message)


def _say(asked: Mapping[str, object]) -> _Said:
    turns = [turn for turn in _list(asked["messages"]) if turn.get("role") == "user"]
    thinking = asked.get("thinking")
    thinks = isinstance(thinking, Mapping) and thinking.get("type") in ("enabled", "adaptive")
    results = [block for block in _blocks(turns[-1:]) if block.get("type") == "tool_result"]
    if results:
        line = _first_line(results[-1])
        thought = "The tool has answered; I quote its first line."
        return _Said(f'The tool answered: "{line}"', thought if thinks else "")
    text = _prompt(turns)
    found = _ASKED.search(text)
    if found is None:
        thought = f"{len(text.split())} words were said; I repeat them."
        return _Said(f"You said: {text}" if text else "You said nothing.", thought if thinks else "")
    return _call(found[1], found[2].strip(), _list(asked.get("tools")), "A tool is wanted." if thinks else "")


def _call(name: str, rest: str, tools: list[Mapping[str, object]], thinking: str) -> _Said:
    offered = {str(tool.get("name")).lower(): tool for tool in tools}
    wanted = name.lower() or ("bash" if "bash" in offered else "read")
    if wanted == "read" and "read" in offered and rest:
        return _Said("I read the file.", thinking, str(offered["read"]["name"]), {"file_path": rest})
    words = rest or _GREETING
    if wanted == "echo" and "echo" in offered:
        tool = offered["echo"]
        return _Said("I call echo.", thinking, str(tool["name"]), {_first_property(tool): words})
    if wanted in ("echo", "bash") and "bash" in offered:
        # Whatever is asked for, nothing but echo is run.
        given = {"command": f"echo {shlex.quote(words)}", "description": "Repeat some words"}
        return _Said("I run echo.", thinking, str(offered["bash"]["name"]), given)
    return _Said(
        f"The demo provider calls Read (with a path), Bash or echo, if they are offered; here are: "
        f"{', '.join(sorted(offered)) or 'no tools'}.",
        thinking,
    )


def _message(asked: Mapping[str, object], said: _Said, body: bytes, *, cut: bool) -> _Json:
    number = sha256(body).hexdigest()[:24]
    content: list[_Json] = []
    if said.thinking:
        content.append({"type": "thinking", "thinking": said.thinking, "signature": _SIGNATURE})
    content.append({"type": "text", "text": said.text})
    if said.input is not None:
        content.append(
            {"type": "tool_use", "id": f"toolu_demo_{number}", "name": said.tool, "input": dict(said.input)}
        )
    reason = "max_tokens" if cut else "tool_use" if said.input is not None else "end_turn"
    return {
        "id": f"msg_demo_{number}",
        "type": "message",
        "role": "assistant",
        "model": str(asked.get("model", "demo")),
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": _tokens(body),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": _tokens(json.encode(content)),
        },
    }


def _events(message: _Json) -> Iterator[bytes]:
    usage, content = message["usage"], message["content"]
    assert isinstance(usage, dict)
    assert isinstance(content, list)
    opening = {
        **message,
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield _event("message_start", message=opening)
    for index, block in enumerate(content):
        start, deltas = _pieces(block)
        yield _event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=ending, usage=usage)
    yield _event("message_stop")


def _pieces(block: _Json) -> tuple[_Json, list[_Json]]:
    """Return the block as it starts, and its deltas."""
    if block["type"] == "thinking":
        deltas: list[_Json] = [
            {"type": "thinking_delta", "thinking": text} for text in _cut(str(block["thinking"]))
        ]
        return {**block, "thinking": "", "signature": ""}, [
            *deltas,
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    if block["type"] == "tool_use":
        text = json.encode(block["input"]).decode()
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": piece} for piece in _cut(text)
        ]
    return {"type": "text", "text": ""}, [
        {"type": "text_delta", "text": piece} for piece in _cut(str(block["text"]))
    ]


def _event(kind: str, **fields: object) -> bytes:
    return write_event(kind.encode(), json.encode({"type": kind, **fields}))


def _cut(text: str) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]


def _whole(message: _Json) -> Reply:
    return Reply(200, {"content-type": "application/json"}, (json.encode(message),))


def _error(status: int, kind: str, message: str) -> Reply:
    body = json.encode({"type": "error", "error": {"type": kind, "message": message}})
    return Reply(status, {"content-type": "application/json"}, (body,))


def _prompt(turns: list[Mapping[str, object]]) -> str:
    """Return what the person said last: Claude Code puts reminders of its own beside it."""
    for turn in reversed(turns):
        for block in reversed(_blocks([turn])):
            text = block.get("text")
            if isinstance(text, str) and text.strip() and not text.lstrip().startswith(_REMINDER):
                return text.strip()
    return ""


def _first_line(result: Mapping[str, object]) -> str:
    texts = [str(block.get("text", "")) for block in _blocks([result])]
    return next((line.strip() for text in texts for line in text.splitlines() if line.strip()), "nothing")


def _first_property(tool: Mapping[str, object]) -> str:
    schema = tool.get("input_schema")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return next(iter(properties), "text") if isinstance(properties, Mapping) else "text"


def _blocks(turns: list[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Return the blocks of messages or tool results; text alone is one block."""
    blocks: list[Mapping[str, object]] = []
    for turn in turns:
        content = turn.get("content")
        blocks.extend([{"type": "text", "text": content}] if isinstance(content, str) else _list(content))
    return blocks


def _list(value: object) -> list[Mapping[str, object]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _tokens(data: bytes) -> int:
    return max(1, len(data) // _BYTES_PER_TOKEN)
