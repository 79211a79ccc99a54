"""Bodies that no client should send, to every door, over real sockets: 400 in the door's own words, in time, and no harm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.support.gateway_process import GatewayProcess

_HI = {"role": "user", "content": "hi"}
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": ("/v1/messages", {"model": "demo,demo", "max_tokens": 9, "messages": [_HI]}),
    "openai_chat": ("/v1/chat/completions", {"model": "demo,demo", "messages": [_HI]}),
    "openai_responses": ("/v1/responses", {"model": "demo,demo", "input": "hi"}),
    "gemini": (
        "/v1beta/models/demo,demo:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ),
}
_LISTS = {
    "anthropic": "messages",
    "openai_chat": "messages",
    "openai_responses": "input",
    "gemini": "contents",
}
_LIMITS = {
    "anthropic": "max_tokens",
    "openai_chat": "max_tokens",
    "openai_responses": "max_output_tokens",
    "gemini": "generationConfig",
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("clients"), {"Router": {"default": "demo,demo"}}) as running:
        yield running


def _raw(door: str, **changes: bytes) -> bytes:
    """The body of a door with fields in the bytes of a test."""
    fields = {name: msgspec.json.encode(value) for name, value in DOORS[door][1].items()} | changes
    return b"{" + b",".join(msgspec.json.encode(name) + b":" + value for name, value in fields.items()) + b"}"


def _bodies(door: str) -> dict[str, bytes]:
    many, limit = _LISTS[door], _LIMITS[door]

    def number(text: bytes) -> bytes:
        return b'{"maxOutputTokens":' + text + b"}" if door == "gemini" else text

    return {
        "nothing": b"",
        "half": _raw(door)[:-5],
        "a list": b"[]",
        "a text": b'"hi"',
        "no UTF-8": b'{"model":"\xff\xfe"}',
        "a list of nothing": _raw(door, **{many: b"[]"}),
        "an object for a list": _raw(door, **{many: b"{}"}),
        "null for a list": _raw(door, **{many: b"null"}),
        "a list of numbers": _raw(door, **{many: b"[1,2]"}),
        "a list in lists, a hundred thousand deep": _raw(door, **{many: b"[" * 100_000 + b"]" * 100_000}),
        "objects, a hundred thousand deep": _raw(door, **{many: b'{"a":' * 100_000 + b"1" + b"}" * 100_000}),
        "a negative limit": _raw(door, **{limit: number(b"-1")}),
        "a limit beyond all numbers": _raw(door, **{limit: number(b"1e999")}),
        "a limit of a hundred digits": _raw(door, **{limit: number(b"9" * 100)}),
        "a limit in words": _raw(door, **{limit: number(b'"many"')}),
        "half a surrogate pair": _raw(door, **{many: b'"\\ud800"'}),
        "a NUL": _raw(door) + b"\x00",
        "two values": _raw(door) + b"{}",
    }


_NOT_OURS = {
    ("anthropic", "a list of numbers"),
    ("openai_responses", "a list of nothing"),
    ("gemini", "a list of nothing"),
}
"""The bytes of Messages go on to whoever speaks Messages, who judges what is in the list; and an input may be empty."""
CASES = [(door, name) for door in DOORS for name in _bodies(door) if (door, name) not in _NOT_OURS]


def _is_error(door: str, said: Any) -> bool:
    """In the words of the door, and one that says something."""
    error = said.get("error", {})
    if not error.get("message"):
        return False
    if door == "gemini":
        return (error.get("code"), error.get("status")) == (400, "INVALID_ARGUMENT")
    return error.get("type") == "invalid_request_error" and (
        door != "anthropic" or said.get("type") == "error"
    )


@pytest.mark.parametrize("door, name", CASES)
def test_a_body_without_sense_is_a_400_in_the_words_of_the_door(
    gateway: GatewayProcess, door: str, name: str
) -> None:
    began = time.monotonic()
    reply = httpx.post(
        gateway.base_url + DOORS[door][0],
        content=_bodies(door)[name],
        headers={"content-type": "application/json"},
        trust_env=False,
        timeout=30,
    )

    assert reply.status_code == 400, reply.text[:300]
    assert _is_error(door, reply.json()), reply.text[:300]
    assert reply.headers["request-id"]
    assert "Traceback" not in reply.text
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("door", DOORS)
def test_after_all_that_a_sound_one_is_answered(gateway: GatewayProcess, door: str) -> None:
    path, sound = DOORS[door]

    assert httpx.post(gateway.base_url + path, json=sound, trust_env=False, timeout=30).status_code == 200


def test_what_comes_from_no_page_of_ours_and_what_nobody_knows_how_to_take(gateway: GatewayProcess) -> None:
    """Foreign names, origins and types are refused on every door before anything is read, and nothing allows pages in."""
    for path, sound in DOORS.values():
        for headers, status in (
            ({"host": "evil.example"}, 421),
            ({"origin": "https://evil.example"}, 403),
            ({"content-type": "text/plain"}, 415),
            ({"content-encoding": "gzip"}, 415),
        ):
            reply = httpx.post(
                gateway.base_url + path,
                content=msgspec.json.encode(sound),
                headers={"content-type": "application/json", **headers},
                trust_env=False,
            )
            assert reply.status_code == status, (path, headers)
            assert not [name for name in reply.headers if name.startswith("access-control")]


def test_home_is_where_the_log_is(gateway: GatewayProcess) -> None:
    """None of it was a fault of ours."""
    logs = "".join(path.read_text() for path in Path(gateway.home / "logs").glob("*.log"))

    assert "Traceback" not in logs + gateway.output
    assert '"outcome":"internal"' not in logs
