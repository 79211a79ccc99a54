from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.openai_responses import ResponsesClient, ResponsesProvider
from ccr.adapters.wire.openai_errors import TABLE, said_in_reply
from ccr.domain import errors
from ccr.domain.errors import (
    Blast,
    BudgetError,
    ContextOverflowError,
    Failure,
    GatewayError,
    InternalError,
    InvalidRequestError,
    LimitedError,
    Remedy,
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamRejectedError,
    UpstreamReply,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    WrongMethodError,
)

OWN = b'{"error":{"message":"theirs","type":"x","param":null,"code":"y"}}'
QUOTA = Failure("upstream_limited", Blast.CREDENTIAL, Remedy.NEXT)
RESTING = Failure("upstream_limited", Blast.MODEL, Remedy.NEXT)
MISSING = Failure("upstream_rejected", Blast.MODEL, Remedy.NEXT)


def shown(error: GatewayError) -> tuple[int, dict[str, str], dict[str, Any]]:
    status, headers, body = ResponsesClient().encode_error(error, "req_1")
    return status, dict(headers), msgspec.json.decode(body)["error"]


def replied(
    dialect: str = "openai_responses", body: bytes = OWN, status: int = 418, **headers: str
) -> UpstreamReply:
    return UpstreamReply(
        dialect, status, {name.replace("_", "-"): value for name, value in headers.items()}, body
    )


def decoded(status: int, body: object, **headers: str) -> GatewayError:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return ResponsesProvider().decode_error(status, told, data, provider="p")


# --------------------------------------------------------------------------------------------------- out


def test_every_kind_has_its_line() -> None:
    classes = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]

    assert {cls.kind for cls in classes} <= set(TABLE)


@pytest.mark.parametrize(
    "error, status, kind, code",
    [
        (InvalidRequestError("x"), 400, "invalid_request_error", None),
        (errors.UnsupportedError("x"), 400, "invalid_request_error", "unsupported_value"),
        (errors.BodyTooLargeError("x"), 413, "invalid_request_error", "request_too_large"),
        (ContextOverflowError("x"), 400, "invalid_request_error", "context_length_exceeded"),
        (errors.UnknownModelError("x"), 400, "invalid_request_error", "model_not_found"),
        (errors.UnauthenticatedError("x"), 401, "invalid_request_error", "invalid_api_key"),
        (errors.ForbiddenError("x"), 403, "permission_error", "permission_denied"),
        (errors.NoSuchPathError("x"), 404, "invalid_request_error", "unknown_url"),
        (WrongMethodError("x"), 405, "invalid_request_error", "method_not_supported"),
        (errors.ClientGoneError("x"), 499, "server_error", None),
        (LimitedError("x"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (BudgetError("x"), 429, "insufficient_quota", "insufficient_quota"),
        (errors.OverloadedError("x"), 529, "server_error", "server_is_overloaded"),
        (errors.DrainingError("x"), 529, "server_error", "server_is_overloaded"),
        (InternalError("x"), 500, "server_error", "server_error"),
        (UpstreamRejectedError("x", status=422), 422, "invalid_request_error", None),
        (
            UpstreamRejectedError("x", status=404, failure=MISSING),
            404,
            "invalid_request_error",
            "model_not_found",
        ),
        (UpstreamAuthError("x"), 502, "server_error", "upstream_auth"),
        (UpstreamLimitedError("x"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (UpstreamLimitedError("x", failure=QUOTA), 429, "rate_limit_error", "insufficient_quota"),
        (UpstreamLimitedError("x", failure=RESTING), 429, "rate_limit_error", "rate_limit_exceeded"),
        (UpstreamLimitedError("x", overloaded=True), 529, "server_error", "server_is_overloaded"),
        (UpstreamUnavailableError("x"), 503, "server_error", "server_error"),
        (UpstreamTimeoutError("x"), 504, "server_error", "timeout"),
        (UpstreamProtocolError("x"), 502, "server_error", "server_error"),
    ],
)
def test_the_table(error: GatewayError, status: int, kind: str, code: str | None) -> None:
    got, headers, body = shown(error)

    assert (got, body["type"], body["code"]) == (status, kind, code)
    assert headers["content-type"] == "application/json"
    assert headers["request-id"] == headers["x-request-id"] == "req_1"
    no_retry = isinstance(error, BudgetError | UpstreamAuthError) or error.failure is QUOTA
    assert headers.get("x-should-retry") == ("false" if no_retry else None)


def test_messages() -> None:
    assert shown(InvalidRequestError("x\ud83d", param="a.b"))[2] == {
        "message": "x?",
        "type": "invalid_request_error",
        "param": "a.b",
        "code": None,
    }
    assert "secret" not in shown(InternalError("secret"))[2]["message"]
    assert shown(ContextOverflowError("x", tokens=2, maximum=1))[2]["message"] == (
        "prompt is too long: 2 tokens > 1 maximum"
    )


def test_headers_that_go_with_an_error() -> None:
    assert shown(LimitedError("x", retry_after=1.2))[1]["retry-after"] == "2"
    assert shown(WrongMethodError("x", allowed=("POST",)))[1]["allow"] == "POST"
    waiting = UpstreamUnavailableError("x", upstream=replied("gemini", retry_after="7"))
    assert shown(waiting)[1]["retry-after"] == "7"
    refused = UpstreamAuthError("x", upstream=replied(retry_after="7"))
    assert "retry-after" not in shown(refused)[1]


@pytest.mark.parametrize("dialect", ["openai_responses", "openai_chat"])
def test_what_a_provider_of_the_same_envelope_said_goes_out_unmodified(dialect: str) -> None:
    reply = replied(dialect, x_should_retry="true", x_ratelimit_limit_requests="5", set_cookie="no")
    status, headers, body = ResponsesClient().encode_error(UpstreamRejectedError("x", upstream=reply), "r")

    assert (status, body) == (418, OWN)
    assert dict(headers)["x-should-retry"] == "true"
    assert dict(headers)["x-ratelimit-limit-requests"] == "5"
    assert "set-cookie" not in dict(headers)


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRejectedError("ours", upstream=replied("anthropic")),
        UpstreamRejectedError("ours", upstream=replied(body=b"<html>")),
        UpstreamRejectedError("ours", upstream=replied(body=b'{"error":"x"}')),
        UpstreamRejectedError("ours", upstream=replied(status=200)),
        UpstreamAuthError("ours", upstream=replied()),
        InvalidRequestError("ours", upstream=replied()),
    ],
)
def test_what_others_said_does_not(error: GatewayError) -> None:
    assert shown(error)[2]["message"] == "ours"


def test_who_has_no_credit_left_need_not_ask_again() -> None:
    spent = UpstreamLimitedError("x", failure=QUOTA, upstream=replied())
    later = UpstreamLimitedError("x", failure=QUOTA, retry_after=7)

    assert shown(spent)[1]["x-should-retry"] == "false"
    assert "x-should-retry" not in shown(later)[1]


def test_a_retry_hint_that_is_none_is_not_repeated() -> None:
    reply = replied(x_should_retry="maybe")

    assert "x-should-retry" not in shown(UpstreamRejectedError("x", upstream=reply))[1]


# ---------------------------------------------------------------------------------------------------- in


@pytest.mark.parametrize(
    "status, code, kind, remedy",
    [
        (400, "context_length_exceeded", ContextOverflowError, Remedy.NEXT),
        (400, None, UpstreamRejectedError, Remedy.STOP),
        (400, "model_not_found", UpstreamRejectedError, Remedy.NEXT),
        (404, None, UpstreamRejectedError, Remedy.NEXT),
        (401, "invalid_api_key", UpstreamAuthError, Remedy.NEXT),
        (402, None, UpstreamAuthError, Remedy.NEXT),
        (403, None, UpstreamAuthError, Remedy.NEXT),
        (408, None, UpstreamUnavailableError, Remedy.NEXT),
        (429, "rate_limit_exceeded", UpstreamLimitedError, Remedy.WAIT),
        (429, "insufficient_quota", UpstreamLimitedError, Remedy.NEXT),
        (529, None, UpstreamLimitedError, Remedy.NEXT),
        (500, None, UpstreamUnavailableError, Remedy.NEXT),
    ],
)
def test_errors_of_providers(status: int, code: str | None, kind: type[GatewayError], remedy: Remedy) -> None:
    error = decoded(status, {"error": {"message": "said", "type": "t", "param": None, "code": code}})

    assert type(error) is kind
    assert error.failure.remedy is remedy
    assert "said" in error.message
    assert error.provider == "p"
    assert error.upstream is not None
    assert error.upstream.dialect == "openai_responses"


@pytest.mark.parametrize(
    "body, message",
    [
        ([{"error": {"message": "in a list"}}], "in a list"),
        ({"error": "a text"}, "a text"),
        ({"detail": {"a": 1}}, '{"a":1}'),
        (
            {"error": {"message": "Provider returned error", "metadata": {"raw": "raw"}}},
            "Provider returned error: raw",
        ),
        ({"error": {"metadata": {"raw": "raw"}}}, "raw"),
        (b"plain words", "plain words"),
        (b"<html>", "the provider answered with status 400 and no message"),
        (b"3", "the provider answered with status 400 and no message"),
    ],
)
def test_shapes_of_bodies(body: object, message: str) -> None:
    assert decoded(400, body).message == message


def test_a_wait_that_a_provider_names() -> None:
    assert decoded(429, {}, retry_after="3").retry_after == 3
    assert isinstance(decoded(402, {}, retry_after="3"), UpstreamLimitedError)


def test_an_error_in_a_reply_may_carry_a_status() -> None:
    assert isinstance(said_in_reply({"code": 429, "message": "x"}), UpstreamLimitedError)
    assert said_in_reply({}).message == "the provider reported an error without a message"
