"""What is read of strangers, and what may come of it: a target raises only when a promise was broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from ccr.adapters.config import json5
from ccr.adapters.config.load import load
from ccr.adapters.dialects.anthropic import AnthropicClient, AnthropicProvider
from ccr.adapters.dialects.gemini import GeminiClient, GeminiProvider
from ccr.adapters.dialects.openai_chat import OpenAIChatClient, OpenAIChatProvider
from ccr.adapters.dialects.openai_responses import ResponsesClient, ResponsesProvider
from ccr.adapters.wire.eventstream import EventStreamFramer, write_message
from ccr.adapters.wire.sse import SseFramer
from ccr.application.call import Call, Disconnect
from ccr.application.ports.dialect import ClientDialect, Frame, Framer, ProviderDialect, StreamDecoder
from ccr.domain.access import LOCAL
from ccr.domain.conversation import Conversation, Role, Text, Turn
from ccr.domain.conversation.texts import texts_of
from ccr.domain.errors import CallError, ConfigError, UpstreamProtocolError
from ccr.domain.facts import Operation
from ccr.domain.routing.tag import OPENING, read_tag, strip_tag
from tests.support.strategies import decoded, meaning

__all__ = ["TARGETS", "Target"]

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
_LARGEST = 64 * 1024


class BrokenPromiseError(AssertionError):
    """A reader did what it says that it never does."""


@frozen
class Target:
    """``check`` judges one input; ``seeds`` are where to begin."""

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


def pieces_of(data: bytes) -> tuple[bytes, list[bytes]]:
    """Take the first byte for the size of the pieces in which the rest comes."""
    size, rest = data[:1], data[1:]
    step = (size[0] % 61) + 1 if size else 1
    return rest, [rest[at : at + step] for at in range(0, len(rest), step)]


# --------------------------------------------------------------------------------------------------- framers


def _frames(framer: Framer, pieces: Sequence[bytes]) -> tuple[list[Frame], bool]:
    found: list[Frame] = []
    try:
        for piece in pieces:
            found += framer.feed(piece)
        found += framer.close()
    except UpstreamProtocolError:
        return found, True
    return found, False


def _framed(make: Callable[[], Framer]) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        whole, pieces = pieces_of(data)
        if _frames(make(), [whole]) != _frames(make(), pieces):
            raise BrokenPromiseError("frames depend on where the network cuts")

    return check


# -------------------------------------------------------------------------------------------------- decoders


def _decoded(dialect: ProviderDialect) -> Callable[[bytes], None]:
    def make() -> StreamDecoder:
        return dialect.stream_decoder(SseFramer())

    def check(data: bytes) -> None:
        whole, pieces = pieces_of(data)
        if meaning(decoded(make, pieces)) != meaning(decoded(make, [whole])):
            raise BrokenPromiseError("events depend on where the network cuts")

    return check


# --------------------------------------------------------------------------------------------------- readers


def _call(dialect: str, body: bytes) -> Call:
    async def loaded() -> bytes:
        return body

    paths = {"gemini": "/v1beta/models/m:generateContent"}
    return Call(
        operation=Operation.GENERATE,
        dialect=dialect,
        path=paths.get(dialect, "/"),
        headers={},
        principal=LOCAL,
        request_id="r",
        load=loaded,
        disconnect=Disconnect(),
        received=0.0,
        body=body,
    )


def _read(client: ClientDialect) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        try:
            parsed = client.read(_call(client.name, data))
            said = parsed.conversation()
            texts_of(said)
        except CallError as error:
            if not error.message:
                raise BrokenPromiseError("a refusal without a reason") from error
            return
        strip_tag(said)

    return check


# ---------------------------------------------------------------------------------------------- configuration


def _configured(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    json5.parse(text)
    try:
        load(text, file="config.json", environ={"KEY": "value"})
    except ConfigError as error:
        if not error.problems or any(not problem.message for problem in error.problems):
            raise BrokenPromiseError("refused without a reason") from error


def _tagged(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    found = read_tag(text)
    if "<" in found or len(found) > len(text):
        raise BrokenPromiseError("a tag that is none")
    said = Conversation(model="m", system=(Text(text),), turns=(Turn(Role.USER, (Text(text),)),))
    once = strip_tag(said)
    if OPENING not in text and once != said:
        raise BrokenPromiseError("changed, although there is no tag")


# ----------------------------------------------------------------------------------------------------- seeds


def _files(name: str, word: bytes, lead: bytes = b"") -> Callable[[], Iterator[bytes]]:
    """Return the fixtures with a word in them, so many bytes before them."""

    def found() -> Iterator[bytes]:
        for path in sorted(FIXTURES.glob(f"providers/*/*/{name}")):
            data = path.read_bytes()
            if word in data and len(data) < _LARGEST:
                yield lead + data

    return found


def _written() -> Iterator[bytes]:
    body = b'{"bytes":"eyJ0eXBlIjoicGluZyJ9"}'
    headers = {":event-type": "chunk", ":message-type": "event", ":content-type": "application/json"}
    yield b"\x07" + write_message(headers, body)
    yield b"\x01" + write_message(headers, body) * 2
    yield b"\x20" + write_message(
        {":exception-type": "throttlingException", ":message-type": "exception"}, b'{"message":"no"}'
    )


def _requests(dialect: str) -> Callable[[], Iterator[bytes]]:
    def found() -> Iterator[bytes]:
        yield from _REQUESTS[dialect]
        if dialect == "anthropic":
            for path in sorted(FIXTURES.glob("providers/*/*/request.json")):
                yield path.read_bytes()

    return found


_REQUESTS: Mapping[str, Sequence[bytes]] = {
    "anthropic": (
        b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"<CCR-SUBAGENT-MODEL>a,b</CCR-SUBAGENT-MODEL>"}]}',
    ),
    "openai_chat": (
        (
            b'{"model":"m","stream":true,"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},'
            b'{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},{"role":"assistant","content":null,"tool_calls":'
            b'[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],'
            b'"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"auto"}'
        ),
    ),
    "openai_responses": (
        (
            b'{"model":"m","instructions":"i","input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},'
            b'{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"r"},'
            b'{"type":"reasoning","id":"r","summary":[],"encrypted_content":"e"}],"tools":[{"type":"function","name":"f","parameters":{}}]}'
        ),
        b'{"model":"m","input":"hello"}',
    ),
    "gemini": (
        (
            b'{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"inlineData":{"mimeType":'
            b'"image/png","data":"AAAA"}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":'
            b'[{"functionResponse":{"name":"f","response":{"a":1}}}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":'
            b'{"type":"OBJECT"}}]}],"generationConfig":{"maxOutputTokens":5,"thinkingConfig":{"thinkingBudget":1}}}'
        ),
    ),
}


def _configs() -> Iterator[bytes]:
    yield b"""{ // a comment
  "PORT": 3456, 'HOST': "127.0.0.1", APIKEY: "$KEY", LOG: false,
  "Providers": [{"name": "a", "api_base_url": "https://a.test/v1/chat/completions", "api_key": ["k", {"key": "${KEY}", "weight": 2}],
    "models": ["m"], "transformer": {"use": ["deepseek", ["maxtoken", {"max_tokens": 5}]], "m": {"use": ["tooluse"]}}}],
  "Router": {"default": ["a,m", {"target": "a,m", "weight": 3}], "longContextThreshold": 1e3, "agents": {"Explore": "a,m"}},
  "Timeouts": {"idleMs": 0x10,}, "fallback": {"default": ["a,m"]}, /* end */
}"""
    yield b'{"Providers": [], "Router": {"default": {"targets": ["a,b"], "strategy": "latency"}}}'


def _tags() -> Iterator[bytes]:
    yield b"before <CCR-SUBAGENT-MODEL> a,b </CCR-SUBAGENT-MODEL> after"
    yield b"<CCR-SUBAGENT-MODEL><CCR-SUBAGENT-MODEL>x</CCR-SUBAGENT-MODEL>"


def _sse() -> Iterator[bytes]:
    yield b"\x05\xef\xbb\xbfevent: a\r\ndata: 1\r\n\r\n: comment\ndata: 2\ndata: 3\n\nretry: 5\rid: 7\r\rdata"
    yield from _files("reply.sse", b"data:", b"\x10")()


TARGETS: Mapping[str, Target] = {
    "sse": Target(_framed(SseFramer), _sse),
    "eventstream": Target(_framed(EventStreamFramer), _written),
    "decode_anthropic": Target(_decoded(AnthropicProvider()), _files("reply.sse", b"message_start", b"\x09")),
    "decode_openai_chat": Target(_decoded(OpenAIChatProvider()), _files("reply.sse", b"choices", b"\x11")),
    "decode_openai_responses": Target(
        _decoded(ResponsesProvider()), _files("reply.sse", b"response.", b"\x19")
    ),
    "decode_gemini": Target(_decoded(GeminiProvider()), _files("reply.sse", b"candidates", b"\x21")),
    "read_anthropic": Target(_read(AnthropicClient()), _requests("anthropic")),
    "read_openai_chat": Target(_read(OpenAIChatClient()), _requests("openai_chat")),
    "read_openai_responses": Target(_read(ResponsesClient()), _requests("openai_responses")),
    "read_gemini": Target(_read(GeminiClient()), _requests("gemini")),
    "config": Target(_configured, _configs),
    "tag": Target(_tagged, _tags),
}
"""By name."""
