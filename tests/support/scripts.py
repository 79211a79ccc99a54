"""What a scripted upstream answers: replies in neutral words, and the scripts that choose them.

A *script* is a function ``(Seen, n) -> Answer``; ``n`` counts the requests from 0.
The same reply is rendered by ``fake_openai`` and ``fake_anthropic`` in their dialects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import evolve, field, frozen

Json: TypeAlias = dict[str, Any]


@frozen
class Text:
    """Visible text, streamed in `pieces` deltas."""

    text: str
    pieces: int = 4


@frozen
class Thinking:
    """Reasoning before the answer. The OpenAI fake sends it as `reasoning_content`."""

    text: str
    signature: str = "c2lnbmVkLWJ5LXRoZS1mYWtl"


@frozen
class ToolCall:
    """One tool call; the fake invents an id when none is given. `raw` replaces the JSON of `input`."""

    name: str
    input: Json = field(factory=dict)
    id: str | None = None
    raw: str | None = None


@frozen
class Usage:
    """Tokens, Anthropic's way: `input` does not include the cached ones."""

    input: int = 100
    output: int = 20
    cache_read: int = 0
    cache_write: int = 0


Part: TypeAlias = Text | Thinking | ToolCall


@frozen
class Failure:
    """An HTTP error. `body` replaces the dialect's own envelope (bytes are sent as they are)."""

    status: int
    message: str = "scripted failure"
    kind: str | None = None
    headers: Mapping[str, str] = field(factory=dict)
    body: Json | bytes | None = None


@frozen
class Reply:
    """A model's answer and how it is delivered. Counted "events" are SSE events of the dialect.

    stop: Anthropic's word; None lets the fake choose `tool_use` or `end_turn`.
    cut_after: close the connection after so many events, without the terminal chunk.
    fail_after: send `failure` as an error event after so many events and end.
    stall_after: say nothing for `stall_seconds` after so many events, then go on.
    drip: seconds between events; delay: seconds before the status line.
    """

    parts: tuple[Part, ...]
    stop: str | None = None
    usage: Usage | None = Usage()
    headers: Mapping[str, str] = field(factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    cut_after: int | None = None
    stall_after: int | None = None
    stall_seconds: float = 600.0
    fail_after: int | None = None
    failure: Failure = Failure(529, "scripted failure in the stream")

    @property
    def stop_reason(self) -> str:
        if self.stop is not None:
            return self.stop
        return "tool_use" if any(isinstance(part, ToolCall) for part in self.parts) else "end_turn"

    def cut(self, after: int) -> Reply:
        return evolve(self, cut_after=after)

    def dripping(self, seconds: float) -> Reply:
        return evolve(self, drip=seconds)

    def stalled(self, after: int, seconds: float = 600.0) -> Reply:
        return evolve(self, stall_after=after, stall_seconds=seconds)

    def failing(self, after: int, failure: Failure | None = None) -> Reply:
        return evolve(self, fail_after=after, failure=failure or self.failure)

    def using(self, usage: Usage | None) -> Reply:
        return evolve(self, usage=usage)


Answer: TypeAlias = Reply | Failure


@frozen
class Seen:
    """One request as the fake read it, with questions that mean the same in both dialects."""

    dialect: str
    path: str
    headers: Mapping[str, str]
    json: Json

    @property
    def model(self) -> str:
        return str(self.json.get("model", ""))

    @property
    def messages(self) -> list[Json]:
        return list(self.json.get("messages", []))

    @property
    def streaming(self) -> bool:
        return self.json.get("stream") is True

    @property
    def assistant_turns(self) -> int:
        """Complete model turns so far (a tool loop has one for each call)."""
        return sum(1 for message in self.messages if message.get("role") == "assistant")

    @property
    def system_text(self) -> str:
        """Top-level system prompt and all system messages."""
        texts = _texts(self.json.get("system"))
        for message in self.messages:
            if message.get("role") in {"system", "developer"}:
                texts += _texts(message.get("content"))
        return "\n".join(texts)

    @property
    def user_text(self) -> str:
        """All text of user messages, tool results excluded."""
        texts: list[str] = []
        for message in self.messages:
            if message.get("role") == "user":
                texts += _texts(message.get("content"))
        return "\n".join(texts)

    @property
    def tool_names(self) -> list[str]:
        return [str(tool.get("name") or tool["function"]["name"]) for tool in self.json.get("tools") or []]

    @property
    def tool_results(self) -> dict[str, str]:
        """Text of every tool result by call id, in order of appearance."""
        results: dict[str, str] = {}
        for message in self.messages:
            if message.get("role") == "tool":
                results[message["tool_call_id"]] = "\n".join(_texts(message.get("content")))
            for block in _blocks(message.get("content")):
                if block.get("type") == "tool_result":
                    results[block["tool_use_id"]] = "\n".join(_texts(block.get("content")))
        return results

    @property
    def tool_calls(self) -> dict[str, str]:
        """Name of every echoed tool call by id."""
        calls: dict[str, str] = {}
        for message in self.messages:
            for call in message.get("tool_calls") or []:
                calls[call["id"]] = call["function"]["name"]
            for block in _blocks(message.get("content")):
                if block.get("type") == "tool_use":
                    calls[block["id"]] = block["name"]
        return calls

    @property
    def images(self) -> list[str]:
        """Media types of the images carried, wherever they stand."""
        found: list[str] = []
        for message in self.messages:
            for block in _blocks(message.get("content")):
                found += _images(block)
        return found


Script: TypeAlias = Callable[[Seen, int], Answer]


def _blocks(content: object) -> list[Json]:
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [str(block["text"]) for block in _blocks(content) if block.get("type") == "text"]


def _images(block: Json) -> list[str]:
    if block.get("type") == "image":
        return [str(block["source"].get("media_type", "url"))]
    if block.get("type") == "image_url":
        url = str(block["image_url"]["url"])
        return [url[5:].partition(";")[0] if url.startswith("data:") else "url"]
    if block.get("type") == "tool_result":
        return [image for inner in _blocks(block.get("content")) for image in _images(inner)]
    return []


def text(words: str, *, pieces: int = 4) -> Reply:
    """Answer with text alone."""
    return Reply((Text(words, pieces),))


def thinking(thought: str, words: str) -> Reply:
    """Answer with a thought, then text."""
    return Reply((Thinking(thought), Text(words)))


def call(name: str, **arguments: object) -> Reply:
    """Answer with one tool call."""
    return Reply((ToolCall(name, dict(arguments)),))


def calls(*parts: Part) -> Reply:
    """Answer with these parts, for instance several tool calls."""
    return Reply(parts)


def in_order(*answers: Answer) -> Script:
    """Answer the n-th request with the n-th answer, and with the last one from then on."""
    return lambda _seen, n: answers[min(n, len(answers) - 1)]


def by_turn(*answers: Answer) -> Script:
    """Answer by the number of assistant turns already in the request.

    Retries and side requests do not shift it, and a continued conversation goes on where it stopped.
    """
    return lambda seen, _n: answers[min(seen.assistant_turns, len(answers) - 1)]


def failing_first(times: int, failure: Failure, then: Script) -> Script:
    """Fail the first `times` requests, then follow `then`."""
    return lambda seen, n: failure if n < times else then(seen, n - times)


def when(condition: Callable[[Seen], bool], then: Script, otherwise: Script) -> Script:
    """Choose a script by a question to the request."""
    return lambda seen, n: (then if condition(seen) else otherwise)(seen, n)


def mentions(words: str) -> Callable[[Seen], bool]:
    """Whether a user message (not a tool result) holds these words."""
    return lambda seen: words in seen.user_text
