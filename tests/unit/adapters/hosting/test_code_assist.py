"""The service behind Gemini CLI's login: wrapped both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ccr.adapters.hosting.code_assist import CodeAssistHosting
from ccr.adapters.wire.json import CODEC
from ccr.application.ports.payload import Encoded, Payload
from ccr.application.ports.provider import Endpoint
from ccr.domain.errors import UnsupportedError
from ccr.domain.facts import Operation
from ccr.domain.fidelity import Loss
from ccr.domain.verbatim import Json
from tests.support.assembly import BODY, Bench, assembled, streamed, whole

BASE = "https://cloudcode-pa.googleapis.com/v1internal"
REPLY: dict[str, Any] = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7},
}


def door(environ: dict[str, str] | None = None) -> CodeAssistHosting:
    return CodeAssistHosting(environ or {})


@pytest.mark.parametrize(
    "url", [BASE, f"{BASE}/", f"{BASE}:generateContent", "https://cloudcode-pa.googleapis.com"]
)
@pytest.mark.parametrize(
    "stream, action", [(False, ":generateContent"), (True, ":streamGenerateContent?alt=sse")]
)
def test_the_address(url: str, stream: bool, action: str) -> None:
    endpoint = Endpoint("gemini", url, "code_assist")
    assert door().url(endpoint, "m", Operation.GENERATE, stream=stream) == BASE + action


@pytest.mark.parametrize(
    "dialect, operation", [("gemini", Operation.COUNT), ("openai_chat", Operation.GENERATE)]
)
def test_what_it_cannot_be_asked(dialect: str, operation: Operation) -> None:
    with pytest.raises(UnsupportedError, match=operation.value):
        door().url(Endpoint(dialect, BASE, "code_assist"), "m", operation, stream=False)


def amended(environ: dict[str, str], **fields: object) -> dict[str, Any]:
    encoded = Encoded(Payload(fields, CODEC), (Loss("x"),))
    made = door(environ).amend(encoded, Endpoint("gemini", BASE, "code_assist"), (), stream=True)
    assert made.losses == (Loss("x"),)
    body: dict[str, Any] = json.loads(made.payload.encode())
    return body


def test_a_request_is_wrapped() -> None:
    body = amended({}, model="models/gemini-3-pro", contents=Json(b'[{"parts":[]}]'), stream=True)

    assert len(body.pop("user_prompt_id")) == 32
    assert body == {"model": "gemini-3-pro", "request": {"contents": [{"parts": []}]}}


def test_the_project_is_an_option_or_a_variable() -> None:
    environ = {"GOOGLE_CLOUD_PROJECT": " of-the-shell "}

    assert amended(environ, model="m", project="mine")["project"] == "mine"
    assert amended(environ, model="m")["project"] == "of-the-shell"


@pytest.mark.parametrize(
    "body, inside",
    [
        (b'{"response": {"a": 1}, "traceId": "t"}', b'{"a": 1}'),
        (b'{"error":{"code":500}}', b'{"error":{"code":500}}'),
        (b"[]", b"[]"),
        (b"\xff", b"\xff"),
    ],
)
def test_a_reply_is_unwrapped(body: bytes, inside: bytes) -> None:
    assert door().unwrapped(body) == inside
    framer = door().framer(limit=1000)
    assert [frame.data for frame in framer.feed(b"data: " + body + b"\n\n")] == [inside]
    framer.feed(b"data: " + body)
    assert [frame.data for frame in framer.close()] == [inside]


# --------------------------------------------------------------------------------------- the whole walk


def config(home: Path, *use: Any) -> dict[str, Any]:
    (home / ".gemini").mkdir()
    (home / ".gemini" / "oauth_creds.json").write_text('{"access_token":"ya29.canary","expiry_date":0}')
    provider: dict[str, Any] = {
        "name": "gemini-cli",
        "api_base_url": BASE,
        "api_key": "",
        "models": ["gemini-3-pro-preview"],
    }
    if use:
        provider["transformer"] = {"use": list(use)}
    return {"LOG": False, "Providers": [provider], "Router": {"default": "gemini-cli,gemini-3-pro-preview"}}


def sent(bench: Bench) -> tuple[str, dict[str, str], dict[str, Any]]:
    (request,) = bench.upstream.requests
    return request.url, dict(request.headers), json.loads(request.body)


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("use", [(), ("gemini-cli",), (["gemini-cli", {"project": "p"}],)])
async def test_claude_code_with_the_login_of_gemini_cli(tmp_path: Path, stream: bool, use: Any) -> None:
    wrapped = {"response": REPLY, "traceId": "t"}
    reply = streamed(b"data: " + CODEC.encode(wrapped) + b"\n\n") if stream else whole(wrapped)
    async with assembled(reply, config=config(tmp_path, *use), home=tmp_path) as bench:
        answer, raw = await bench.ask({**BODY, "model": "claude-x", "stream": stream})

        assert answer.status == 200
        assert b'"Hi"' in raw
        url, headers, body = sent(bench)
        assert url.startswith(f"{BASE}:{'streamG' if stream else 'g'}enerateContent")
        assert headers["authorization"] == "Bearer ya29.canary"
        assert body["request"]["contents"][0]["parts"][0]["text"] == "Hello"
        assert body.get("project") == ("p" if use and isinstance(use[0], list) else None)
        assert bench.record.usage.output == 2
