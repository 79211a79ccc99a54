from __future__ import annotations

import json

import pytest

from ccr.adapters.dialects.anthropic.errors import (
    TABLE,
    decode_error,
    encode_error,
    error_event_data,
    provider_error,
)
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

OWN = b'{"type":"error","error":{"type":"api_error","message":"theirs"},"request_id":"req_theirs"}'


def shown(error: GatewayError) -> tuple[int, dict[str, str], dict[str, object]]:
    status, headers, body = encode_error(error, "req_1")
    return status, dict(headers), json.loads(body)


def replied(body: bytes, status: int = 500, dialect: str = "anthropic", **headers: str) -> UpstreamReply:
    return UpstreamReply(
        dialect, status, {name.replace("_", "-"): value for name, value in headers.items()}, body
    )


def test_every_kind_has_its_line() -> None:
    classes = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]

    assert {cls.kind for cls in classes} <= set(TABLE)


@pytest.mark.parametrize(
    "error, status, kind",
    [
        (InvalidRequestError("x"), 400, "invalid_request_error"),
        (errors.UnsupportedError("x"), 400, "invalid_request_error"),
        (errors.UnknownModelError("x"), 400, "invalid_request_error"),
        (errors.BodyTooLargeError("x"), 413, "request_too_large"),
        (errors.UnauthenticatedError("x"), 401, "authentication_error"),
        (errors.ForbiddenError("x"), 403, "permission_error"),
        (errors.NoSuchPathError("x"), 404, "not_found_error"),
        (WrongMethodError("x"), 405, "invalid_request_error"),
        (LimitedError("x"), 429, "rate_limit_error"),
        (BudgetError("x"), 429, "billing_error"),
        (errors.OverloadedError("x"), 529, "overloaded_error"),
        (errors.DrainingError("x"), 529, "overloaded_error"),
        (UpstreamRejectedError("x", status=422), 422, "invalid_request_error"),
        (UpstreamRejectedError("x", status=404), 400, "invalid_request_error"),
        (UpstreamRejectedError("x", status=413), 413, "request_too_large"),
        (UpstreamAuthError("x"), 502, "api_error"),
        (UpstreamLimitedError("x"), 429, "rate_limit_error"),
        (UpstreamLimitedError("x", overloaded=True), 529, "overloaded_error"),
        (UpstreamUnavailableError("x"), 503, "api_error"),
        (UpstreamTimeoutError("x"), 504, "timeout_error"),
        (UpstreamProtocolError("x"), 502, "api_error"),
    ],
)
def test_the_table(error: GatewayError, status: int, kind: str) -> None:
    got, headers, body = shown(error)

    assert got == status
    assert body == {"type": "error", "error": {"type": kind, "message": "x"}, "request_id": "req_1"}
    assert headers["request-id"] == "req_1"
    assert headers["content-type"] == "application/json"
    assert ("x-should-retry" in headers) == isinstance(error, BudgetError | UpstreamAuthError)


def test_a_fault_of_ours_says_nothing_of_itself() -> None:
    assert "secret" not in str(shown(InternalError("secret"))[2])
    status, _, body = shown(GatewayError("secret"))
    assert (status, "secret" in str(body)) == (500, False)


def test_headers_that_go_with_an_error() -> None:
    assert shown(WrongMethodError("x", allowed=("GET", "HEAD")))[1]["allow"] == "GET, HEAD"
    assert shown(LimitedError("x", retry_after=1.2))[1]["retry-after"] == "2"
    assert shown(BudgetError("x"))[1]["x-should-retry"] == "false"
    no_credit = Failure("upstream_limited", Blast.CREDENTIAL, Remedy.NEXT)
    assert shown(UpstreamLimitedError("x", failure=no_credit))[1]["x-should-retry"] == "false"
    assert "x-should-retry" not in shown(UpstreamLimitedError("x", failure=no_credit, retry_after=7))[1]


@pytest.mark.parametrize(
    "error, message",
    [
        (ContextOverflowError("x", tokens=9, maximum=5), "prompt is too long: 9 tokens > 5 maximum"),
        (ContextOverflowError("prompt is too long"), "prompt is too long"),
    ],
)
def test_too_many_tokens_are_told_in_words_that_make_the_client_compact(
    error: GatewayError, message: str
) -> None:
    status, _, body = shown(error)

    assert status == 400
    assert body["error"] == {"type": "invalid_request_error", "message": message}


def test_a_thread_is_refused_with_the_code_that_makes_the_client_stop() -> None:
    body = shown(InvalidRequestError("x", param="thread"))[2]

    assert body["error"]["details"] == {"error_code": "thread_unsupported_request"}  # type: ignore[index]


def test_a_providers_own_error_goes_out_unmodified() -> None:
    upstream = replied(
        OWN,
        529,
        retry_after="7",
        x_should_retry="true",
        anthropic_ratelimit_unified_status="x",
        set_cookie="c",
    )
    error = UpstreamLimitedError("theirs", overloaded=True, upstream=upstream)
    status, headers, body = encode_error(error, "req_1")

    assert (status, body) == (529, OWN)
    assert dict(headers) == {
        "content-type": "application/json",
        "request-id": "req_1",
        "anthropic-ratelimit-unified-status": "x",
        "x-should-retry": "true",
        "retry-after": "7",
    }
    assert error_event_data(error) == OWN


@pytest.mark.parametrize(
    "error",
    [
        UpstreamAuthError("ours", upstream=replied(OWN, 401)),
        UpstreamUnavailableError("ours", upstream=replied(OWN, 500, "openai_chat")),
        UpstreamUnavailableError("ours", upstream=replied(b"<html>")),
        UpstreamUnavailableError("ours", upstream=replied(b'{"error":"text"}')),
        UpstreamUnavailableError("ours", upstream=replied(OWN, 200)),
        UpstreamProtocolError("ours"),
        InvalidRequestError("ours", upstream=replied(OWN)),
    ],
)
def test_anything_else_is_told_in_our_envelope(error: GatewayError) -> None:
    assert shown(error)[2]["error"]["message"] == "ours"  # type: ignore[index]
    assert json.loads(error_event_data(error))["error"]["message"] == "ours"


def test_an_overflow_goes_out_as_it_came_only_in_words_that_the_client_knows() -> None:
    known = b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9"}}'
    other = b'{"type":"error","error":{"type":"invalid_request_error","message":"Input is too long"}}'

    assert encode_error(decode_error(400, {}, known, provider="p"), "")[2] == known
    assert (
        b"prompt is too long (Input is too long)"
        in encode_error(decode_error(400, {}, other, provider="p"), "")[2]
    )


def test_an_event_holds_no_line_ends() -> None:
    pretty = json.dumps(json.loads(OWN), indent=1).encode()
    error = UpstreamUnavailableError("x", upstream=replied(pretty))

    assert b"\n" not in error_event_data(error)


@pytest.mark.parametrize(
    "status, body, expected",
    [
        (
            400,
            b'{"type":"error","error":{"type":"invalid_request_error","message":"no"}}',
            UpstreamRejectedError,
        ),
        (400, b'{"error":{"message":"maximum context length is 5 tokens"}}', ContextOverflowError),
        (401, OWN, UpstreamAuthError),
        (402, OWN, UpstreamAuthError),
        (403, OWN, UpstreamAuthError),
        (404, OWN, UpstreamRejectedError),
        (408, OWN, UpstreamTimeoutError),
        (413, OWN, UpstreamRejectedError),
        (429, OWN, UpstreamLimitedError),
        (500, OWN, UpstreamUnavailableError),
        (500, b'{"error":{"type":"overloaded_error"}}', UpstreamLimitedError),
        (502, b"<html>", UpstreamUnavailableError),
        (503, b"", UpstreamUnavailableError),
        (504, b"", UpstreamTimeoutError),
        (529, OWN, UpstreamLimitedError),
        (200, b'{"type":"error","error":{"type":"rate_limit_error","message":"x"}}', UpstreamLimitedError),
        (200, b'{"type":"error","error":{"type":"not_found_error","message":"x"}}', UpstreamRejectedError),
        (200, b"", UpstreamUnavailableError),
    ],
)
def test_what_an_error_reply_means(status: int, body: bytes, expected: type[GatewayError]) -> None:
    error = decode_error(status, {"retry-after": "3"}, body, provider="p")

    assert type(error) is expected
    assert error.provider == "p"
    assert error.upstream is not None
    assert error.upstream.body == body
    if not isinstance(error, ContextOverflowError):
        assert error.retry_after == 3.0


@pytest.mark.parametrize(
    "body, message",
    [
        (b'{"error":"plain"}', "plain"),
        (b'{"error":{"msg":"m"}}', "m"),
        (b'{"detail":"d","error":null}', "d"),
        (b'{"message":7,"detail":[1]}', "p answered with status 500 and no readable message"),
        (b"<html>", "p answered with status 500 and no readable message"),
    ],
)
def test_what_a_provider_says(body: bytes, message: str) -> None:
    assert decode_error(500, {}, body, provider="p").message == message


def test_blast_and_remedy() -> None:
    missing, busy = provider_error(404, "", "x").failure, provider_error(529, "", "x").failure

    assert (missing.blast, missing.remedy) == (Blast.MODEL, Remedy.NEXT)
    assert (busy.blast, busy.remedy) == (Blast.ENDPOINT, Remedy.NEXT)
    assert provider_error(429, "", "x").failure.remedy is Remedy.WAIT


TOO_LONG = b'{"message":"Input is too long for requested model."}'
REFUSED = b'{"message":"The model returned the following errors: invalid beta flag"}'


@pytest.mark.parametrize(
    "exception, status, body, expected",
    [
        ("ThrottlingException", 429, REFUSED, UpstreamLimitedError),
        ("ServiceQuotaExceededException", 400, REFUSED, UpstreamLimitedError),
        ("ValidationException", 400, TOO_LONG, ContextOverflowError),
        ("ValidationException:http://internal.example/coral/", 400, REFUSED, UpstreamRejectedError),
        ("com.amazon.coral.validate#ValidationException", 400, REFUSED, UpstreamRejectedError),
        ("AccessDeniedException", 403, REFUSED, UpstreamAuthError),
        ("UnrecognizedClientException", 403, REFUSED, UpstreamAuthError),
        ("ExpiredTokenException", 400, REFUSED, UpstreamAuthError),
        ("InvalidSignatureException", 403, REFUSED, UpstreamAuthError),
        ("ModelNotReadyException", 429, REFUSED, UpstreamUnavailableError),
        ("ServiceUnavailableException", 503, REFUSED, UpstreamUnavailableError),
        ("InternalServerException", 500, REFUSED, UpstreamUnavailableError),
        ("ModelErrorException", 424, REFUSED, UpstreamUnavailableError),
        ("ModelTimeoutException", 408, REFUSED, UpstreamTimeoutError),
        ("ResourceNotFoundException", 404, REFUSED, UpstreamRejectedError),
        ("SomethingNewException", 400, REFUSED, UpstreamRejectedError),
    ],
)
def test_what_an_exception_of_amazon_means(
    exception: str, status: int, body: bytes, expected: type[GatewayError]
) -> None:
    error = decode_error(status, {"x-amzn-errortype": exception}, body, provider="p")

    assert type(error) is expected
    assert error.message == json.loads(body)["message"]
    assert error.upstream is not None
    assert error.upstream.status == status
    assert shown(error)[2]["type"] == "error"


def test_an_exception_may_be_named_in_the_body_and_the_message_be_capital() -> None:
    body = b'{"__type":"com.amazon.coral.availability#ThrottlingException","Message":"Too many requests"}'
    error = decode_error(400, {}, body, provider="p")

    assert (type(error), error.message) == (UpstreamLimitedError, "Too many requests")
    assert type(decode_error(400, {}, b'{"__type":7}', provider="p")) is UpstreamRejectedError


def test_a_model_that_amazon_does_not_have_is_a_missing_model() -> None:
    headers = {"x-amzn-errortype": "ResourceNotFoundException"}
    missing = decode_error(404, headers, REFUSED, provider="p").failure

    assert (missing.blast, missing.remedy) == (Blast.MODEL, Remedy.NEXT)


def google(status: str, message: str = "no", **more: object) -> bytes:
    return json.dumps({"error": {"code": 400, "message": message, "status": status, **more}}).encode()


@pytest.mark.parametrize(
    "status, body, expected",
    [
        (429, google("RESOURCE_EXHAUSTED"), UpstreamLimitedError),
        (401, google("UNAUTHENTICATED"), UpstreamAuthError),
        (403, google("PERMISSION_DENIED"), UpstreamAuthError),
        (404, google("NOT_FOUND"), UpstreamRejectedError),
        (400, google("INVALID_ARGUMENT"), UpstreamRejectedError),
        (400, google("FAILED_PRECONDITION"), UpstreamRejectedError),
        (400, google("INVALID_ARGUMENT", "prompt is too long: 9 tokens > 5 maximum"), ContextOverflowError),
        (503, google("UNAVAILABLE"), UpstreamUnavailableError),
        (500, google("INTERNAL"), UpstreamUnavailableError),
        (504, google("DEADLINE_EXCEEDED"), UpstreamTimeoutError),
        (400, b"[" + google("UNAUTHENTICATED") + b"]\n", UpstreamAuthError),
        (400, b"[1, 2]", UpstreamRejectedError),
        (200, google("RESOURCE_EXHAUSTED"), UpstreamLimitedError),
    ],
)
def test_what_an_error_of_google_means(status: int, body: bytes, expected: type[GatewayError]) -> None:
    error = decode_error(status, {}, body, provider="p")
    shown_status, _, told = shown(error)

    assert type(error) is expected
    assert set(told) == {"type", "error", "request_id"}  # never Google's own envelope
    assert shown_status >= 400


@pytest.mark.parametrize(
    "details, wait",
    [
        ([{"@type": "x"}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}], 2.5),
        ([{"retryDelay": "soon"}, "x", {"retryDelay": 7}], None),
        ("x", None),
    ],
)
def test_google_says_in_the_body_how_long_to_wait(details: object, wait: float | None) -> None:
    body = google("RESOURCE_EXHAUSTED", details=details)

    assert decode_error(429, {}, body, provider="p").retry_after == wait
    assert decode_error(429, {"retry-after": "9"}, body, provider="p").retry_after == 9.0
