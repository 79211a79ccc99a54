from __future__ import annotations

import json

import pytest

from ccr.adapters.dialects.openai_chat import OpenAIChatClient
from ccr.adapters.wire.openai_errors import TABLE
from ccr.application.ports.dialect import ClientDialect
from ccr.domain import errors
from ccr.domain.errors import (
    ContextOverflowError,
    GatewayError,
    InvalidRequestError,
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamRejectedError,
    UpstreamReply,
    WrongMethodError,
)

OWN = b'{"error":{"message":"theirs","type":"x","param":"p","code":"c"}}'


def encoded(error: GatewayError) -> tuple[int, dict[str, str], bytes]:
    status, headers, body = OpenAIChatClient().encode_error(error, "req_1")
    return status, dict(headers), body


def fields(error: GatewayError) -> tuple[int, dict[str, object]]:
    status, _, body = encoded(error)
    return status, json.loads(body)["error"]


def test_it_is_the_port() -> None:
    client: ClientDialect = OpenAIChatClient()

    assert client.name == "openai_chat"
    assert client.write_count(7) == b'{"input_tokens":7}'


STATUSES = {
    "InvalidRequestError": (400, None),
    "UnsupportedError": (400, "unsupported_value"),
    "BodyTooLargeError": (413, "request_too_large"),
    "ContextOverflowError": (400, "context_length_exceeded"),
    "UnknownModelError": (400, "model_not_found"),
    "UnauthenticatedError": (401, "invalid_api_key"),
    "ForbiddenError": (403, "permission_denied"),
    "NoSuchPathError": (404, "unknown_url"),
    "WrongMethodError": (405, "method_not_supported"),
    "ClientGoneError": (499, None),
    "LimitedError": (429, "rate_limit_exceeded"),
    "BudgetError": (429, "insufficient_quota"),
    "OverloadedError": (529, "server_is_overloaded"),
    "DrainingError": (529, "server_is_overloaded"),
    "InternalError": (500, "server_error"),
    "UpstreamRejectedError": (400, None),
    "UpstreamAuthError": (502, "upstream_auth"),
    "UpstreamLimitedError": (429, "rate_limit_exceeded"),
    "UpstreamUnavailableError": (503, "server_error"),
    "UpstreamTimeoutError": (504, "timeout"),
    "UpstreamProtocolError": (502, "server_error"),
}


@pytest.mark.parametrize("name", STATUSES)
def test_every_class_of_the_tree(name: str) -> None:
    error: GatewayError = getattr(errors, name)("what went wrong")
    status, said = fields(error)
    assert (status, said["code"]) == STATUSES[name]
    assert (status, said["type"], said["code"]) == TABLE[error.kind]
    assert said["message"]
    assert said["param"] is None


def test_the_table_is_whole() -> None:
    leaves = {
        found
        for found in vars(errors).values()
        if isinstance(found, type)
        and issubclass(found, GatewayError)
        # Other modules refine some of them, if they are imported.
        and not [one for one in found.__subclasses__() if one.__module__ == errors.__name__]
    }
    assert {found.__name__ for found in leaves} == {*STATUSES, "ConfigError"}


def test_where_the_request_is_wrong() -> None:
    assert fields(InvalidRequestError("n: one only", param="n"))[1]["param"] == "n"
    status, headers, _ = encoded(WrongMethodError("POST", allowed=("POST",)))
    assert (status, headers["allow"]) == (405, "POST")


def test_a_providers_own_words_go_out_as_they_are() -> None:
    for dialect in ("openai_chat", "openai_responses"):
        upstream = UpstreamReply(dialect, 422, {"x-ratelimit-limit": "9", "x-should-retry": "true"}, OWN)
        status, headers, body = encoded(UpstreamRejectedError("m", status=422, upstream=upstream))
        assert (status, body) == (422, OWN)
        assert (headers["x-ratelimit-limit"], headers["x-should-retry"]) == ("9", "true")
    other = UpstreamReply("anthropic", 422, {}, OWN)
    assert encoded(UpstreamRejectedError("mine", status=422, upstream=other))[2] != OWN


def test_a_rejected_key_is_never_a_401() -> None:
    status, headers, body = encoded(
        UpstreamAuthError("bad key", upstream=UpstreamReply("openai_chat", 401, {}, OWN))
    )
    assert (status, headers["x-should-retry"]) == (502, "false")
    assert body != OWN


def test_waits_and_words() -> None:
    assert encoded(UpstreamLimitedError("slow", retry_after=1.2))[1]["retry-after"] == "2"
    assert fields(UpstreamLimitedError("busy", overloaded=True))[0] == 529
    overflow = ContextOverflowError("x", tokens=9, maximum=5)
    assert fields(overflow)[1]["message"] == "prompt is too long: 9 tokens > 5 maximum"
