from __future__ import annotations

import pytest

from ccr.adapters.wire.cloud_errors import amazon_type, exception_of, google_delay, google_type


@pytest.mark.parametrize(
    "exception, expected",
    [
        ("ThrottlingException", "rate_limit_error"),
        ("throttlingException", "rate_limit_error"),
        ("com.amazon.coral.availability#ThrottlingException", "rate_limit_error"),
        ("ValidationException:http://internal.example/coral/com.amazon.bedrock/", "invalid_request_error"),
        ("InternalFailure", "api_error"),
        ("exception", ""),
        ("SomethingNewException", ""),
        ("", ""),
    ],
)
def test_an_exception_of_amazon_is_a_type_of_the_messages_api(exception: str, expected: str) -> None:
    assert amazon_type(exception) == expected


def test_an_exception_is_named_in_a_header_else_in_the_body() -> None:
    assert exception_of({"x-amzn-errortype": "A"}, {"__type": "B"}) == "A"
    assert exception_of({}, {"__type": "B"}) == "B"
    assert exception_of({}, {"__type": 7}) == ""
    assert exception_of({}, {}) == ""


@pytest.mark.parametrize(
    "error, expected",
    [
        ({"status": "RESOURCE_EXHAUSTED"}, "rate_limit_error"),
        ({"status": "OF_TOMORROW"}, ""),
        ({"status": 429}, ""),
        ({}, ""),
    ],
)
def test_a_code_of_google_is_a_type_of_the_messages_api(error: dict[str, object], expected: str) -> None:
    assert google_type(error) == expected


@pytest.mark.parametrize(
    "details, expected",
    [
        ([{"retryDelay": "34s"}], 34.0),
        ([{"retryDelay": "0.5s"}], 0.5),
        ([{"retryDelay": "-1s"}], None),
        (None, None),
    ],
)
def test_how_long_google_says_to_wait(details: object, expected: float | None) -> None:
    assert google_delay({"details": details}) == expected
