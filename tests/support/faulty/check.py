"""What a client may be given: the grammar of the Messages API's stream and its errors, checked from outside.

Written from the published format alone, without a line of the gateway's own code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import define, field

__all__ = ["Seen", "read_error", "read_message", "read_stream"]

_DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
}


@define
class Seen:
    """What came of a request. ``problems``: what may never be, whatever the fault."""

    status: int = 0
    text: str = ""
    tools: list[str] = field(factory=list)
    ended: str = ""
    """``stop``, ``error`` or nothing."""
    message: str = ""
    problems: list[str] = field(factory=list)
    seconds: float = 0.0
    headers: Mapping[str, str] = field(factory=dict, repr=False)

    @property
    def is_ok(self) -> bool:
        """A normal end."""
        return self.status == 200 and self.ended == "stop"


def read_error(seen: Seen, body: bytes) -> None:
    """Check an error reply."""
    try:
        said = msgspec.json.decode(body)
        kind, message = said["error"]["type"], said["error"]["message"]
    except (msgspec.DecodeError, KeyError, TypeError):
        seen.problems.append(f"not an error of the dialect: {body[:200]!r}")
        return
    seen.ended, seen.message = "error", str(message)
    if said.get("type") != "error" or not isinstance(kind, str) or not message:
        seen.problems.append(f"not an error of the dialect: {body[:200]!r}")
    if not seen.headers.get("request-id"):
        seen.problems.append("an error without a request id")
    _clean(seen, body)


def _clean(seen: Seen, body: bytes) -> None:
    lower = body.lower()
    for word in (b"<html", b"<script", b"traceback", b"sk-canary", b'file "/'):
        if word in lower:
            seen.problems.append(f"{word!r} in a reply")


def read_message(seen: Seen, body: bytes) -> None:
    """Check a whole reply."""
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        seen.problems.append(f"not JSON: {body[:200]!r}")
        return
    if said.get("type") != "message" or not said.get("id") or not said.get("stop_reason"):
        seen.problems.append(f"not a message: {body[:300]!r}")
    _usage(seen, said.get("usage"))
    for block in said.get("content", ()):
        if block["type"] == "text":
            seen.text += block["text"]
        elif block["type"] == "tool_use":
            if not isinstance(block["input"], dict):
                seen.problems.append("a tool input that is no object")
            seen.tools.append(msgspec.json.encode(block["input"]).decode())
    seen.ended = "stop"
    _clean(seen, body)


def _usage(seen: Seen, usage: Any) -> None:
    for name in ("input_tokens", "output_tokens"):
        count = (usage or {}).get(name, 0)
        if not isinstance(count, int) or not 0 <= count < 10**12:
            seen.problems.append(f"usage says {name} = {count!r}")


def read_stream(seen: Seen, body: bytes) -> None:
    """Check a stream from its first byte to its last."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        seen.problems.append("the stream is not UTF-8")
        return
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if text and not text.endswith("\n\n"):
        seen.problems.append("the stream ends inside an event")
    grammar = _Grammar(seen)
    for frame in text.split("\n\n"):
        lines = [line for line in frame.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        fields = [line.partition(":") for line in lines]
        name = "".join(value.strip() for key, _, value in fields if key == "event")
        if not any(key == "data" for key, _, _ in fields):
            continue
        data = "\n".join(value.removeprefix(" ") for key, _, value in fields if key == "data")
        try:
            value = msgspec.json.decode(data)
        except msgspec.DecodeError:
            seen.problems.append(f"an event that is not JSON: {data[:100]!r}")
            continue
        if name and value.get("type") != name:
            seen.problems.append(f"event {name!r} says that it is {value.get('type')!r}")
        grammar.take(value)
    grammar.close()
    _clean(seen, body)


@define
class _Grammar:
    seen: Seen
    started: bool = False
    block: int | None = None
    kind: str = ""
    held: str = ""
    blocks: int = 0
    stopped: str | None = None

    def take(self, value: Mapping[str, Any]) -> None:
        kind, seen = str(value.get("type")), self.seen
        if seen.ended:
            seen.problems.append(f"{kind} after the end")
            return
        if kind == "error":
            seen.ended, seen.message = "error", str(value.get("error", {}).get("message"))
            if not value.get("error", {}).get("type"):
                seen.problems.append("an error event without a type")
            return
        if kind == "ping":
            return
        handler = getattr(self, kind, None)
        if handler is None or kind.startswith("_"):
            return  # clients pass over what they do not know (Messages API, "other events")
        if kind != "message_start" and not self.started:
            seen.problems.append(f"{kind} before message_start")
        else:
            handler(value)

    def message_start(self, value: Mapping[str, Any]) -> None:
        if self.started:
            self.seen.problems.append("two message_start")
        self.started = True
        _usage(self.seen, value["message"].get("usage"))

    def content_block_start(self, value: Mapping[str, Any]) -> None:
        if self.block is not None or value["index"] != self.blocks:
            self.seen.problems.append(f"block {value['index']} begins out of turn")
        self.block, self.kind, self.held = value["index"], value["content_block"]["type"], ""
        self.blocks += 1
        if self.kind == "tool_use" and not (
            value["content_block"].get("id") and value["content_block"].get("name")
        ):
            self.seen.problems.append("a tool call without id or name")

    def content_block_delta(self, value: Mapping[str, Any]) -> None:
        delta = value["delta"]
        if (
            self.block is None
            or value["index"] != self.block
            or delta["type"] not in _DELTAS.get(self.kind, ())
        ):
            self.seen.problems.append(
                f"{delta['type']} does not belong into block {self.block} ({self.kind})"
            )
        if delta["type"] == "text_delta":
            self.seen.text += delta["text"]
        elif delta["type"] == "input_json_delta":
            self.held += delta["partial_json"]

    def content_block_stop(self, value: Mapping[str, Any]) -> None:
        if self.block is None or value["index"] != self.block:
            self.seen.problems.append(f"block {value['index']} ends out of turn")
        if self.kind == "tool_use":
            self.seen.tools.append(self.held or "{}")
        self.block, self.kind = None, ""

    def message_delta(self, value: Mapping[str, Any]) -> None:
        if self.block is not None:
            self.seen.problems.append("message_delta inside a block")
        self.stopped = value["delta"].get("stop_reason") or self.stopped
        _usage(self.seen, value.get("usage"))

    def message_stop(self, _value: Mapping[str, Any]) -> None:
        if self.block is not None or not self.stopped:
            self.seen.problems.append("message_stop in the middle")
        self.seen.ended = "stop"

    def close(self) -> None:
        seen = self.seen
        if not seen.ended:
            seen.problems.append("the stream has no end")
        # A call cut by the output limit is closed with max_tokens: the client knows that it is not whole.
        if seen.ended == "stop" and self.stopped != "max_tokens":
            for held in seen.tools:
                try:
                    whole = isinstance(msgspec.json.decode(held), dict)
                except msgspec.DecodeError:
                    whole = False
                if not whole:
                    seen.problems.append(f"a finished tool call with {held[:60]!r}")
