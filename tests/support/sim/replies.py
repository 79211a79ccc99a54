"""What a provider sends, in its dialect: pieces of bytes, with the seconds before each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

from attrs import frozen

from ccr.adapters.wire import json
from ccr.domain.errors import GatewayError, UpstreamProtocolError, UpstreamUnavailableError
from tests.support.assembly import openai_chunks, sse, text_events
from tests.support.sim.weather import HTTP_ERRORS, Sky

__all__ = ["FOR_EVER", "Piece", "Script", "script_of"]

FOR_EVER = 1e9
"""Seconds."""

Piece: TypeAlias = tuple[float, bytes | GatewayError]
_PAGE = b"<html><body><h1>502 Bad Gateway</h1>sk-canary-page</body></html>"
_COMMENTS = 400


@frozen
class Script:
    """A reply: ``before`` seconds until its head. ``complete``: it says all that it has to say."""

    status: int
    headers: Mapping[str, str]
    before: float
    pieces: Sequence[Piece]
    complete: bool = False


def script_of(sky: Sky, chance: Random, dialect: str, text: str, *, stream: bool) -> Script:
    """Write a reply; the skies without a head are not asked for."""
    before = chance.expovariate(1 / 0.6)
    if sky in HTTP_ERRORS:
        return _refusal(sky, before, dialect)
    if sky is Sky.SLOW:
        before = chance.uniform(3, 15)
    kind = "text/event-stream" if stream else "application/json"
    pieces = _cut_up(_body(sky, dialect, text, stream=stream), chance, slow=sky is Sky.SLOW)
    complete = sky in (Sky.FINE, Sky.SLOW)
    if not complete:
        pieces = _spoiled(sky, pieces, chance)
    return Script(200, {"content-type": kind}, before, pieces, complete)


def _refusal(sky: Sky, before: float, dialect: str) -> Script:
    status, kind, later = HTTP_ERRORS[sky]
    headers = {"content-type": "application/json" if kind else "text/html"}
    if later:
        headers["retry-after"] = later
    said: dict[str, Any] = {"error": {"type": kind, "message": f"the provider says {sky.value}"}}
    if dialect == "anthropic":
        said["type"] = "error"
    return Script(status, headers, before, [(0.0, json.encode(said) if kind else _PAGE)])


def _body(sky: Sky, dialect: str, text: str, *, stream: bool) -> bytes:
    if sky is Sky.GARBAGE:
        return b"data: {]\n\ndata: nonsense\n\n" if stream else b"{]"
    if not stream:
        return json.encode(_message(text) if dialect == "anthropic" else _completion(text))
    half = len(text) // 2
    if dialect == "anthropic":
        events = text_events(text[:half])
        events.insert(
            3,
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": text[half:]},
            },
        )
        body = sse(*events)
        error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
        after = body.index(b"event: content_block_stop")
    else:
        body = openai_chunks(text[:half], text[half:])
        error = b'data: {"error":{"message":"The server is overloaded","type":"server_error","code":503}}\n\n'
        after = body.index(b"\n\n", body.index(b"assistant")) + 2
    if sky is Sky.ERROR_FIRST:
        return error
    return body[:after] + error if sky is Sky.ERROR_LATER else body


def _message(text: str) -> dict[str, Any]:
    return {
        "id": "msg_sim",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }


def _completion(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    }


def _cut_up(body: bytes, chance: Random, *, slow: bool) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    while at < len(body):
        size = chance.randint(20, 400)
        pause = chance.uniform(1, 9) if slow else chance.expovariate(1 / 0.15)
        pieces.append((pause, body[at : at + size]))
        at += size
    return pieces


def _spoiled(sky: Sky, pieces: list[Piece], chance: Random) -> list[Piece]:
    kept = pieces[: chance.randint(0, max(0, len(pieces) - 2))]
    match sky:
        case Sky.STALL:
            return [*kept, (FOR_EVER, b"")]
        case Sky.PINGS:
            return [*kept, *[(3.0, b": still here\n\n")] * _COMMENTS]
        case Sky.CUT:
            error: GatewayError = UpstreamUnavailableError("sim broke the connection")
            if chance.random() < 0.5:
                error = UpstreamProtocolError("The answer of sim was cut short")
            error.accepted = True
            return [*kept, (0.1, error)]
        case Sky.SHORT:
            return kept
        case _:
            return pieces
