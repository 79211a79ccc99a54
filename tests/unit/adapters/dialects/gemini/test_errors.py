from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.gemini import GeminiClient, GeminiProvider
from ccr.adapters.dialects.gemini.errors import TABLE
from ccr.domain import errors
from ccr.domain.errors import (
    Blast,
    ContextOverflowError,
    GatewayError,
    InternalError,
    LimitedError,
    Remedy,
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamRejectedError,
    UpstreamReply,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    WrongMethodError,
)

OWN = b'{"error":{"code":400,"message":"theirs","status":"INVALID_ARGUMENT"}}'
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}


def shown(error: GatewayError) -> tuple[int, dict[str, str], Any]:
    status, headers, body = GeminiClient().encode_error(error, "req_1")
    return status, dict(headers), msgspec.json.decode(body)


def made(status: int, message: object = "said", details: object = None, **headers: str) -> GatewayError:
    body = {"error": {"code": status, "message": message, "status": "X", "details": details}}
    return decoded(status, msgspec.json.encode(body), **headers)


def decoded(status: int, body: bytes, **headers: str) -> GatewayError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return GeminiProvider().decode_error(status, named, body, provider="google")


# --------------------------------------------------------------------------------------------------- out


def test_every_class_has_its_line_and_googles_name() -> None:
    classes = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert {cls.kind for cls in classes} <= set(TABLE)
    for cls in classes:
        error = cls([]) if cls is errors.ConfigError else cls("said")
        status, _, body = shown(error)
        assert (status, body["error"]["status"]) == TABLE[error.kind]
        assert body["error"]["code"] == status


def test_an_unknown_kind_is_bland() -> None:
    class OddError(GatewayError):
        kind = "odd"

    for error in (OddError("secret"), InternalError("secret")):
        status, _, body = shown(error)
        assert status == 500
        assert "secret" not in body["error"]["message"]


def test_statuses_of_rejections_and_overload() -> None:
    assert shown(UpstreamRejectedError("x", status=404))[2]["error"]["status"] == "NOT_FOUND"
    assert shown(UpstreamRejectedError("x", status=422))[0] == 422
    assert shown(UpstreamLimitedError("x", overloaded=True))[2]["error"]["status"] == "UNAVAILABLE"
    assert shown(UpstreamLimitedError("x"))[0] == 429


def test_how_long_to_wait_and_what_is_allowed() -> None:
    _, headers, body = shown(LimitedError("slow", retry_after=1.2))
    assert headers["retry-after"] == "2"
    assert body["error"]["details"] == [{**RETRY, "retryDelay": "2s"}]
    assert shown(WrongMethodError("x", allowed=("GET",)))[1]["allow"] == "GET"
    assert shown(WrongMethodError("x"))[1] == {
        "content-type": "application/json; charset=UTF-8",
        "x-request-id": "req_1",
    }


def test_an_overflow_and_half_a_character() -> None:
    said = shown(ContextOverflowError("x", tokens=5, maximum=4))[2]["error"]["message"]
    assert said == "prompt is too long: 5 tokens > 4 maximum"
    assert shown(LimitedError("a\ud83d"))[2]["error"]["message"] == "a?"


def test_own_replies_pass_unmodified_but_a_rejected_key_never() -> None:
    reply = UpstreamReply("gemini", 400, {"x-ratelimit-limit": "1"}, OWN)
    status, headers, body = GeminiClient().encode_error(UpstreamRejectedError("x", upstream=reply), "r")
    assert (status, body, dict(headers)["x-ratelimit-limit"]) == (400, OWN, "1")
    listed = UpstreamReply("gemini", 500, {}, b"[" + OWN + b"]")
    assert GeminiClient().encode_error(UpstreamUnavailableError("x", upstream=listed), "r")[2] == listed.body
    for error in (
        UpstreamAuthError("ours", upstream=reply),
        UpstreamRejectedError("ours", upstream=UpstreamReply("anthropic", 400, {}, OWN)),
        UpstreamRejectedError("ours", upstream=UpstreamReply("gemini", 400, {}, b"<html>")),
        UpstreamRejectedError("ours", upstream=UpstreamReply("gemini", 200, {}, OWN)),
        LimitedError("ours", upstream=reply),
    ):
        assert shown(error)[2]["error"]["message"] == "ours"


# ---------------------------------------------------------------------------------------------------- in


@pytest.mark.parametrize(
    "status,message,kind",
    [
        (400, "API key not valid. Please pass a valid API key.", UpstreamAuthError),
        (400, "API key expired. Please renew the API key.", UpstreamAuthError),
        (401, "no", UpstreamAuthError),
        (403, "Permission denied", UpstreamAuthError),
        (429, "Resource has been exhausted", UpstreamLimitedError),
        (503, "The model is overloaded. Please try again later.", UpstreamLimitedError),
        (503, "down", UpstreamUnavailableError),
        (500, "An internal error has occurred", UpstreamUnavailableError),
        (499, "cancelled", UpstreamUnavailableError),
        (302, "moved", UpstreamUnavailableError),
        (504, "Deadline expired", UpstreamTimeoutError),
        (408, "late", UpstreamTimeoutError),
        (400, "Invalid value", UpstreamRejectedError),
        (404, "models/x is not found", UpstreamRejectedError),
    ],
)
def test_what_a_reply_means(status: int, message: str, kind: type[GatewayError]) -> None:
    error = made(status, message)
    assert type(error) is kind
    assert (error.message, error.provider) == (message, "google")
    assert error.upstream is not None
    assert (error.upstream.dialect, error.upstream.status) == ("gemini", status)


def test_a_wrong_key_by_its_reason() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    assert isinstance(made(400, "bad", [info]), UpstreamAuthError)


def test_an_overflow_has_its_numbers() -> None:
    error = made(
        400, "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
    )
    assert isinstance(error, ContextOverflowError)
    assert (error.tokens, error.maximum) == (1048577, 1048576)
    assert error.message.startswith("prompt is too long")


def test_how_long_a_provider_says_to_wait() -> None:
    assert made(429, "x", [7, {"a": 1}, RETRY]).retry_after == 34.07
    assert made(429, "Please retry in 12.5s.").retry_after == 12.5
    assert made(429, "x", retry_after="3").retry_after == 3
    assert made(429, "x", [{**RETRY, "retryDelay": "soon"}]).retry_after is None


def test_whether_waiting_helps() -> None:
    day = [{"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]
    assert made(429, "x", day).failure.remedy is Remedy.NEXT
    assert made(429, "x limit: 0, model: y").failure.remedy is Remedy.NEXT
    assert (
        made(429, "You exceeded your current quota, please check your plan and billing.").failure.remedy
        is Remedy.WAIT
    )
    assert made(503, "overloaded").failure.blast is Blast.ENDPOINT
    assert made(404).failure.blast is Blast.MODEL
    place = (
        b'{"error":{"code":400,"message":"User location is not supported","status":"FAILED_PRECONDITION"}}'
    )
    assert decoded(400, place).failure.blast is Blast.ENDPOINT
    assert made(400).failure.remedy is Remedy.STOP


@pytest.mark.parametrize(
    "body,message",
    [
        (b'[{"error":{"code":400,"message":"listed"}}]', "listed"),
        (b'{"error":"a text"}', "a text"),
        (b"<html>", "google answered with status 400 and no readable message"),
        (b"[]", "google answered with status 400 and no readable message"),
        (b'{"error":7}', "google answered with status 400 and no readable message"),
        (b'{"error":{"message":7}}', "google answered with status 400 and no readable message"),
    ],
)
def test_shapes_of_bodies(body: bytes, message: str) -> None:
    error = decoded(400, body)
    assert isinstance(error, UpstreamRejectedError)
    assert error.message == message


def test_a_provider_without_a_name() -> None:
    error = GeminiProvider().decode_error(500, {}, b"", provider="")
    assert error.message.startswith("the provider answered")
    assert error.provider is None
