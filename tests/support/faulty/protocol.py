"""Faults inside the reply: of SSE for all dialects, then of each dialect."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.faulty.catalogue import CUT, EITHER, OK, fault
from tests.support.faulty.scripts import SCRIPTS, TEXT, Script, chat_chunk, dump, event, gemini_chunk
from tests.support.faulty.wire import Asked, Wire

CHAT = ("openai_chat",)
ANTHROPIC = ("anthropic",)
RESPONSES = ("openai_responses",)
GEMINI = ("gemini",)
BROKEN = (502, 503)


async def _sent(wire: Wire, script: Script, stream: bool, *events: bytes) -> None:
    """Send events to those who asked for a stream, the usual to others."""
    if stream:
        await wire.head()
        await wire.data(*events)
        await wire.end()
    else:
        await wire.whole(script.whole)


def _streamed(
    name: str, expected: Any, make: Any, *, row: int = 0, text: str = TEXT, only: Any = tuple(SCRIPTS)
) -> None:
    """Put a fault of streams only into the catalogue; ``make`` gives the events."""

    @fault(expected, OK, row=row, name=name, text=text, dialects=only)
    async def act(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
        await _sent(wire, script, stream, *make(script))


# ----------------------------------------------------------------------------------------------------------- SSE

_streamed("eof-no-finish", CUT, lambda s: (*s.opening, *s.deltas), row=34)
_streamed("eof-after-opening", BROKEN, lambda s: s.opening[:1] or (b": hi\n\n",), row=34)
_streamed("mid-error", CUT, lambda s: (*s.opening, s.deltas[0], s.failure), row=36)
_streamed("first-error", (500, 502, 503), lambda s: (s.failure,), row=27)
_streamed(
    "bad-json-event",
    CUT,
    lambda s: (*s.opening, s.deltas[0], event(b'{"choices": ['), *s.deltas[1:], *s.closing),
    row=37,
)
_streamed("crlf", OK, lambda s: [e.replace(b"\n", b"\r\n") for e in s.events], row=42)
_streamed("cr-only", OK, lambda s: [e.replace(b"\n", b"\r") for e in s.events], row=42)
_streamed("bom", OK, lambda s: (b"\xef\xbb\xbf", *s.events), row=42)
_streamed(
    "no-space",
    OK,
    lambda s: [e.replace(b"data: ", b"data:").replace(b"event: ", b"event:") for e in s.events],
    row=42,
)
_streamed("extra-fields", OK, lambda s: [b"id: 7\nretry: 100\nfoo: bar\n" + e for e in s.events], row=42)
_streamed("no-final-newline", OK, lambda s: (*s.events[:-1], s.events[-1].rstrip(b"\n")), row=35)
_streamed("one-write", OK, lambda s: (b"".join(s.events),), row=38)
_streamed("blank-lines", OK, lambda s: [b"\n\n\n" + e + b"\n\n" for e in s.events])
_streamed("nul-bytes", EITHER, lambda s: (*s.opening, b"\x00\x00\n\n", *s.deltas, *s.closing))
_streamed("junk-after-the-end", OK, lambda s: (*s.events, b"data: nonsense\n\n", s.failure))
_streamed("bad-utf8", EITHER, lambda s: (*s.opening, s.deltas[0].replace(b"Hello", b"\xff\xfe\xc3("), *s.deltas[1:], *s.closing), row=39)  # fmt: skip


@fault(OK, row=38)
async def split_every_byte(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    body = b"".join(script.events) if stream else script.whole
    await wire.head(kind="text/event-stream" if stream else "application/json")
    for at in range(len(body)):
        await wire.data(body[at : at + 1])
        if at % 50 == 0:
            await asyncio.sleep(0)
    await wire.end()


_HARD = 'h\u00e9 \u2028 \u2029 \u0085 \u000b \U0001f600 \\ " \n\nevent: message_stop\ndata: {}\n\n'


def _hard(script: Script) -> bytes:
    return script.saying(_HARD)


@fault(OK, OK, row=40, text="Hello" + _HARD, name="separators-and-injection")
async def _separators(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    """Every line separator of Unicode, and an SSE frame, inside the model's text; split at every byte."""
    if not stream:
        await wire.whole(script.whole.replace(dump(TEXT), dump("Hello" + _HARD)))
        return
    closing = b"".join(script.closing).replace(dump(TEXT), dump("Hello" + _HARD))
    body = b"".join((*script.opening, script.deltas[0], _hard(script))) + closing
    await wire.head()
    for at in range(0, len(body), 3):
        await wire.data(body[at : at + 3])
    await wire.end()


_LONG = "x" * 600_000


@fault(OK, OK, row=43, text=_LONG)
async def huge_line(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    if not stream:
        await wire.whole(script.whole.replace(dump(TEXT), dump(_LONG)))
        return
    closing = b"".join(script.closing).replace(dump(TEXT), dump(_LONG))
    await _sent(wire, script, stream, *script.opening, script.saying(_LONG), closing)


@fault(CUT, (502,), row=43)
async def line_over_the_limit(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    if not stream:
        await wire.whole(script.whole.replace(dump(TEXT), dump("x" * 5_000_000)))
        return
    await _sent(
        wire,
        script,
        stream,
        *script.opening,
        script.deltas[0],
        script.saying("x" * 3_000_000),
        *script.closing,
    )


_MANY = "ab" * 2500


@fault(OK, OK, row=43, text=_MANY)
async def many_tiny(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    if not stream:
        await wire.whole(script.whole.replace(dump(TEXT), dump(_MANY)))
        return
    closing = b"".join(script.closing).replace(dump(TEXT), dump(_MANY))
    await _sent(
        wire, script, stream, *script.opening, *[script.saying("a"), script.saying("b")] * 2500, closing
    )


@fault((400, 500, 502, 503), row=27)
async def error_in_200(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    await wire.whole(script.error("it broke inside", "api_error"))


# ---------------------------------------------------------------------------------------------------------- chat

_USAGE = {"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": 10**30, "total_tokens": "x"}}
_streamed("no-done", OK, lambda s: s.events[:-1], row=35, only=CHAT)
_streamed("double-done", OK, lambda s: (*s.events, s.events[-1]), row=35, only=CHAT)
_streamed("done-no-finish", CUT, lambda s: (*s.opening, *s.deltas, b"data: [DONE]\n\n"), row=35, only=CHAT)
_streamed(
    "usage-missing", OK, lambda s: (*s.opening, *s.deltas, s.closing[0], s.closing[2]), row=45, only=CHAT
)
_streamed(
    "usage-absurd",
    EITHER,
    lambda s: (*s.opening, *s.deltas, s.closing[0], event(_USAGE), s.closing[2]),
    row=45,
    only=CHAT,
)
_streamed(
    "finish-unknown",
    OK,
    lambda s: (*s.opening, *s.deltas, chat_chunk({}, "because"), s.closing[2]),
    row=46,
    only=CHAT,
)
_streamed(
    "finish-error", CUT, lambda s: (*s.opening, s.deltas[0], chat_chunk({}, "error")), row=36, only=CHAT
)
_streamed("empty-choices", OK, lambda s: (event({"choices": []}), *s.events), row=44, only=CHAT)
_streamed(
    "null-fields",
    OK,
    lambda s: (chat_chunk({"role": None, "content": None, "tool_calls": None}), *s.events),
    row=44,
    only=CHAT,
)
_streamed(
    "missing-delta", EITHER, lambda s: (event({"choices": [{"index": 0}]}), *s.events), row=44, only=CHAT
)
_streamed("wrong-types", EITHER, lambda s: (event({"choices": [{"index": "a", "delta": {"content": 7}}]}), *s.events), row=44, only=CHAT)  # fmt: skip
_streamed("choices-is-text", EITHER, lambda s: (event({"choices": "no"}), *s.events), row=44, only=CHAT)
_streamed("event-is-list", EITHER, lambda s: (event([1, 2]), *s.events), row=44, only=CHAT)
_streamed("two-choices", OK, lambda s: (*s.opening, event({"choices": [{"index": 1, "delta": {"content": "ghost"}, "finish_reason": None}]}), *s.deltas, *s.closing), row=44, only=CHAT)  # fmt: skip
_streamed(
    "error-is-text",
    CUT,
    lambda s: (*s.opening, s.deltas[0], event({"error": "overloaded"})),
    row=36,
    only=CHAT,
)
_streamed("error-event-name", CUT, lambda s: (*s.opening, s.deltas[0], b'event: error\ndata: {"message": "it broke"}\n\n'), row=36, only=CHAT)  # fmt: skip


def _multi_line(script: Script) -> tuple[bytes, ...]:
    """Break the JSON of an event over two data lines, as SSE allows."""
    return tuple(e.replace(b'"choices":', b'\ndata: "choices":') for e in script.events)


_streamed("multi-line-data", OK, _multi_line, row=42, only=CHAT)


def _call(number: int | None, name: str | None, arguments: object, call_id: str | None = "call_1") -> bytes:
    made: dict[str, Any] = {"function": {}}
    if number is not None:
        made["index"] = number
    if call_id is not None:
        made |= {"id": call_id, "type": "function"}
    if name is not None:
        made["function"]["name"] = name
    if arguments is not None:
        made["function"]["arguments"] = arguments
    return chat_chunk({"tool_calls": [made]})


_TOOLS = chat_chunk({}, "tool_calls")
_END = b"data: [DONE]\n\n"
TOOL = "tool:"
"""In place of a text: the tool's input as JSON."""
_GOOD = TOOL + '{"command":"ls"}'


def _tools(name: str, expected: Any, *events: bytes, row: int, text: str = _GOOD) -> None:
    @fault(expected, OK, row=row, name=f"tool-{name}", text=text, dialects=CHAT)
    async def act(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
        if stream:
            await _sent(wire, script, stream, *events)
            return
        calls = [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "Bash", "arguments": text.removeprefix(TOOL)},
            }
        ]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        await wire.whole(dump({"id": "c", "model": "m", "choices": [choice]}))


_ARGS = '{"command":"ls"}'
_tools(
    "ok",
    OK,
    _call(0, "Bash", ""),
    _call(0, None, '{"comm', None),
    _call(0, None, 'and":"ls"}', None),
    _TOOLS,
    _END,
    row=47,
)
_tools("no-id", OK, _call(0, "Bash", _ARGS, None), _TOOLS, _END, row=51)
_tools("no-index", OK, _call(None, "Bash", _ARGS), _TOOLS, _END, row=51)
_tools("no-name", EITHER, _call(0, None, _ARGS), _TOOLS, _END, row=51)
_tools("repeated-name", OK, _call(0, "Bash", ""), _call(0, "Bash", _ARGS, "call_1"), _TOOLS, _END, row=51)
_tools("object-args", OK, _call(0, "Bash", {"command": "ls"}), _TOOLS, _END, row=51)
_tools("empty-args", OK, _call(0, "Bash", ""), _TOOLS, _END, row=51, text=TOOL + "{}")
_tools("finish-stop", OK, _call(0, "Bash", _ARGS), chat_chunk({}, "stop"), _END, row=52)
_tools("args-garbage", CUT, _call(0, "Bash", "this is <not> JSON"), _TOOLS, _END, row=48)
_tools("args-truncated", CUT, _call(0, "Bash", '{"command":"rm -rf /tmp/x'), _TOOLS, _END, row=48)
_tools("args-scalar", CUT, _call(0, "Bash", "17"), _TOOLS, _END, row=48)
_tools("args-list", CUT, _call(0, "Bash", '["ls"]'), _TOOLS, _END, row=48)
_tools(
    "args-length",
    EITHER,
    _call(0, "Bash", '{"command":"rm -rf /tmp/x'),
    chat_chunk({}, "length"),
    _END,
    row=49,
)
_tools("eof", CUT, _call(0, "Bash", '{"command":"rm -rf /tmp/x'), row=50)
_tools("eof-clean", CUT, _call(0, "Bash", _ARGS), row=50)
_tools("split-escape", OK, _call(0, "Bash", '{"command":"a\\'), _call(0, None, "u00", None), _call(0, None, 'e9\\n"}', None), _TOOLS, _END, row=47, text=TOOL + '{"command":"a\u00e9\\n"}')  # fmt: skip
_tools("text-after", OK, _call(0, "Bash", _ARGS), chat_chunk({"content": "done"}), _TOOLS, _END, row=53)
_tools("interleaved", OK, _call(0, "Bash", '{"comm'), _call(1, "Bash", '{"command":"', "call_2"), _call(0, None, 'and":"ls"}', None), _call(1, None, 'pwd"}', None), _TOOLS, _END, row=51)  # fmt: skip

# ----------------------------------------------------------------------------------------------------- Anthropic

_streamed(
    "anth-no-message-start", EITHER, lambda s: (*s.opening[1:], *s.deltas, *s.closing), row=54, only=ANTHROPIC
)
_streamed(
    "anth-no-block-start", EITHER, lambda s: (s.opening[0], *s.deltas, *s.closing), row=54, only=ANTHROPIC
)
_streamed(
    "anth-no-block-stop", EITHER, lambda s: (*s.opening, *s.deltas, *s.closing[1:]), row=54, only=ANTHROPIC
)
_streamed(
    "anth-no-message-delta",
    EITHER,
    lambda s: (*s.opening, *s.deltas, s.closing[0], s.closing[2]),
    row=54,
    only=ANTHROPIC,
)
_streamed("anth-no-message-stop", EITHER, lambda s: s.events[:-1], row=54, only=ANTHROPIC)
_streamed("anth-two-starts", EITHER, lambda s: (s.opening[0], *s.events), row=54, only=ANTHROPIC)
_streamed("anth-wrong-index", EITHER, lambda s: (*s.opening, event({"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "x"}}, "content_block_delta"), *s.deltas, *s.closing), row=54, only=ANTHROPIC)  # fmt: skip
_streamed("anth-unknown-event", OK, lambda s: (*s.opening, event({"type": "sparkle"}, "sparkle"), *s.deltas, *s.closing), row=54, only=ANTHROPIC)  # fmt: skip
_streamed(
    "anth-ping-storm",
    OK,
    lambda s: (*[event({"type": "ping"}, "ping")] * 500, *s.events),
    row=54,
    only=ANTHROPIC,
)
_streamed("anth-name-and-type-differ", EITHER, lambda s: [e.replace(b"event: message_stop", b"event: message_start") for e in s.events], row=54, only=ANTHROPIC)  # fmt: skip
_streamed("anth-no-names", OK, lambda s: [e.partition(b"\n")[2] for e in s.events], row=54, only=ANTHROPIC)
_streamed("anth-after-the-stop", OK, lambda s: (*s.events, *s.deltas), row=54, only=ANTHROPIC)
_streamed("anth-overloaded", CUT, lambda s: (*s.opening, s.deltas[0], event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")), row=36, only=ANTHROPIC)  # fmt: skip
_BASH = event({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}}, "content_block_start")  # fmt: skip
_HALF = event({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"command":"rm'}}, "content_block_delta")  # fmt: skip
_streamed("anth-tool-eof", CUT, lambda s: (s.opening[0], _BASH, _HALF), row=50, only=ANTHROPIC)
_streamed(
    "anth-tool-truncated", EITHER, lambda s: (s.opening[0], _BASH, _HALF, *s.closing), row=48, only=ANTHROPIC
)

# ----------------------------------------------------------------------------------------------------- Responses

_streamed("resp-incomplete-tokens", EITHER, lambda s: (*s.opening, *s.deltas, *s.closing[:2], s.closing[2].replace(b"response.completed", b"response.incomplete").replace(b'"completed"', b'"incomplete"')), only=RESPONSES)  # fmt: skip
_streamed("resp-failed", CUT, lambda s: (*s.opening, s.deltas[0], s.failure), row=36, only=RESPONSES)
_streamed("resp-error-event", CUT, lambda s: (*s.opening, s.deltas[0], event({"type": "error", "code": "server_error", "message": "it broke", "param": None}, "error")), row=36, only=RESPONSES)  # fmt: skip
_streamed("resp-no-created", EITHER, lambda s: s.events[1:], only=RESPONSES)
_streamed("resp-no-item", EITHER, lambda s: (s.opening[0], *s.deltas, *s.closing), only=RESPONSES)
_streamed("resp-unknown-events", OK, lambda s: (*s.opening, event({"type": "response.sparkle"}, "response.sparkle"), *s.deltas, *s.closing), only=RESPONSES)  # fmt: skip
_streamed("resp-no-completed", CUT, lambda s: s.events[:-1], row=34, only=RESPONSES)
_streamed("resp-only-completed", EITHER, lambda s: (s.opening[0], s.closing[-1]), only=RESPONSES)
_streamed("resp-cancelled", EITHER, lambda s: (*s.opening, s.deltas[0], s.closing[2].replace(b"response.completed", b"response.cancelled").replace(b'"completed"', b'"cancelled"')), only=RESPONSES)  # fmt: skip

# -------------------------------------------------------------------------------------------------------- Gemini

_streamed("gem-no-finish", CUT, lambda s: s.deltas, row=34, only=GEMINI)
_streamed("gem-safety", EITHER, lambda s: (*s.deltas, event(gemini_chunk([], "SAFETY"))), row=46, only=GEMINI)
_streamed(
    "gem-unknown-finish",
    EITHER,
    lambda s: (*s.deltas, event(gemini_chunk([], "BECAUSE"))),
    row=46,
    only=GEMINI,
)
_streamed(
    "gem-malformed-call",
    EITHER,
    lambda s: (*s.deltas, event(gemini_chunk([], "MALFORMED_FUNCTION_CALL"))),
    row=48,
    only=GEMINI,
)
_streamed(
    "gem-blocked-prompt",
    EITHER,
    lambda _: (event({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}),),
    only=GEMINI,
)
_streamed(
    "gem-no-candidates",
    OK,
    lambda s: (event({"usageMetadata": {"promptTokenCount": 3}}), *s.events),
    only=GEMINI,
)
_streamed(
    "gem-no-parts",
    OK,
    lambda s: (event({"candidates": [{"index": 0, "content": {"role": "model"}}]}), *s.events),
    only=GEMINI,
)
_streamed(
    "gem-unknown-part", EITHER, lambda s: (event(gemini_chunk([{"sparkle": 1}])), *s.events), only=GEMINI
)
_streamed("gem-null-text", EITHER, lambda s: (event(gemini_chunk([{"text": None}])), *s.events), only=GEMINI)
_streamed("gem-error-list", CUT, lambda s: (s.deltas[0], event([{"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}}])), row=36, only=GEMINI)  # fmt: skip


@fault(OK, dialects=GEMINI, name="gem-array")
async def _array(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    """A stream as one JSON array, as without ``alt=sse``."""
    if not stream:
        await wire.whole(script.whole)
        return
    events = [e.removeprefix(b"data: ").strip() for e in script.events]
    await wire.head(kind="application/json")
    await wire.data(b"[", b",\n".join(events), b"]")
    await wire.end()
