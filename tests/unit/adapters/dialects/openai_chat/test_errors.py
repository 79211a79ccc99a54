from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.openai_chat.errors import decode_error
from ccr.domain.errors import (
    Blast,
    ContextOverflowError,
    GatewayError,
    Remedy,
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamRejectedError,
    UpstreamReply,
    UpstreamUnavailableError,
)


def decoded(status: int, body: object, **headers: str) -> GatewayError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return decode_error(status, named, data, provider="p")


def openai(message: str, code: str | None = None, kind: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, UpstreamRejectedError),
        (401, UpstreamAuthError),
        (402, UpstreamAuthError),
        (403, UpstreamAuthError),
        (404, UpstreamRejectedError),
        (408, UpstreamUnavailableError),
        (422, UpstreamRejectedError),
        (429, UpstreamLimitedError),
        (500, UpstreamUnavailableError),
        (503, UpstreamUnavailableError),
        (529, UpstreamLimitedError),
    ],
)
def test_statuses(status: int, kind: type[GatewayError]) -> None:
    error = decoded(status, openai("no"))
    assert kind is type(error)
    assert (error.message, error.provider) == ("no", "p")
    assert status == getattr(error, "status", status)
    assert UpstreamReply("openai_chat", status, {}, msgspec.json.encode(openai("no"))) == error.upstream


def test_too_many_tokens() -> None:
    message = (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    )
    error = decoded(400, openai(message, "context_length_exceeded"))
    assert isinstance(error, ContextOverflowError)
    assert error.message == "prompt is too long: 9000 tokens > 8192 maximum"
    assert (error.tokens, error.maximum) == (9000, 8192)


def test_too_many_tokens_by_the_code_alone() -> None:
    assert isinstance(decoded(400, openai("no", "context_length_exceeded")), ContextOverflowError)


def test_a_limit_that_waiting_helps() -> None:
    error = decoded(429, openai("slow down"), retry_after="7")
    assert (error.retry_after, error.failure.remedy) == (7.0, Remedy.WAIT)


def test_no_credit_is_not_a_matter_of_waiting() -> None:
    error = decoded(429, openai("You exceeded your current quota", "insufficient_quota"))
    assert (error.failure.blast, error.failure.remedy) == (Blast.CREDENTIAL, Remedy.NEXT)


def test_overloaded_speaks_against_the_endpoint() -> None:
    error = decoded(529, openai("busy"))
    assert isinstance(error, UpstreamLimitedError)
    assert error.overloaded
    assert Blast.ENDPOINT is error.failure.blast


def test_a_402_with_a_time_is_a_limit() -> None:
    assert isinstance(decoded(402, openai("in flight"), retry_after="1"), UpstreamLimitedError)


@pytest.mark.parametrize("status, code", [(404, None), (400, "model_not_found")])
def test_an_unknown_model_speaks_against_the_model(status: int, code: str | None) -> None:
    error = decoded(status, openai("no such model", code))
    assert (error.failure.blast, error.failure.remedy) == (Blast.MODEL, Remedy.NEXT)


@pytest.mark.parametrize(
    "body, message",
    [
        ({"error": "plain"}, "plain"),
        ({"message": "m"}, "m"),
        ({"code": 1, "msg": "m"}, "m"),
        ({"detail": [{"loc": ["body"]}]}, '[{"loc":["body"]}]'),
        ([{"error": {"code": 400, "message": "google", "status": "INVALID_ARGUMENT"}}], "google"),
        (
            {"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": "why"}}},
            "Provider returned error: why",
        ),
        ({"error": {"code": 400, "metadata": {"raw": {"a": 1}}}}, '{"a":1}'),
        (b"bad gateway", "bad gateway"),
        (b"<html>x</html>", "the provider answered with status 400 and no message"),
        (b"", "the provider answered with status 400 and no message"),
        (b"5", "the provider answered with status 400 and no message"),
        (b"[]", "the provider answered with status 400 and no message"),
    ],
)
def test_sentences_of_any_shape(body: object, message: str) -> None:
    assert message == decoded(400, body).message


def test_html_by_its_content_type() -> None:
    error = decoded(502, b"\n busy", content_type="text/html")
    assert error.message == "the provider answered with status 502 and no message"


def test_a_huge_body_is_bounded() -> None:
    error = decoded(500, b"x" * 1_000_000)
    assert len(error.message) == 2000
    assert error.upstream is not None
    assert len(error.upstream.body) == 64 * 1024
