"""Every error of the domain as HTTP: the table of the errors, column Anthropic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ccr.adapters.dialects.anthropic.client import AnthropicClient
from ccr.adapters.wire import json
from ccr.domain import errors as domain
from ccr.domain.errors import GatewayError, WrongMethodError
from ccr.entrypoints.http.errors import ErrorWriter, gateway_error
from ccr.entrypoints.http.guard import HeadersTooLargeError, MisdirectedError, UnsupportedMediaError
from tests.support.asgi import Wire, scope_of

pytestmark = pytest.mark.anyio

TABLE: dict[type[GatewayError], tuple[int, str]] = {
    domain.InvalidRequestError: (400, "invalid_request_error"),
    domain.UnsupportedError: (400, "invalid_request_error"),
    domain.BodyTooLargeError: (413, "request_too_large"),
    domain.ContextOverflowError: (400, "invalid_request_error"),
    domain.UnknownModelError: (400, "invalid_request_error"),
    domain.UnauthenticatedError: (401, "authentication_error"),
    domain.ForbiddenError: (403, "permission_error"),
    domain.NoSuchPathError: (404, "not_found_error"),
    domain.WrongMethodError: (405, "invalid_request_error"),
    domain.LimitedError: (429, "rate_limit_error"),
    domain.BudgetError: (429, "billing_error"),
    domain.OverloadedError: (529, "overloaded_error"),
    domain.DrainingError: (529, "overloaded_error"),
    domain.InternalError: (500, "api_error"),
    domain.UpstreamRejectedError: (400, "invalid_request_error"),
    domain.UpstreamAuthError: (502, "api_error"),
    domain.UpstreamLimitedError: (429, "rate_limit_error"),
    domain.UpstreamUnavailableError: (503, "api_error"),
    domain.UpstreamTimeoutError: (504, "timeout_error"),
    domain.UpstreamProtocolError: (502, "api_error"),
    MisdirectedError: (421, "invalid_request_error"),
    HeadersTooLargeError: (431, "invalid_request_error"),
    UnsupportedMediaError: (415, "invalid_request_error"),
}
NOBODY_HEARS_IT = {domain.ClientGoneError, domain.ConfigError}
BRANCHES = {domain.CallError, domain.GatewayStateError, domain.UpstreamError}
WRITER = ErrorWriter({"anthropic": AnthropicClient()}, "anthropic")


def all_classes(root: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from all_classes(kind)


def test_the_table_knows_every_class() -> None:
    ours = {kind for kind in all_classes() if kind.__module__.startswith("ccr.")}

    assert ours - NOBODY_HEARS_IT - BRANCHES == set(TABLE)


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_every_class_has_its_status_and_type(kind: type[GatewayError]) -> None:
    status, headers, body = WRITER.render(kind("what happened"), "req_9", "/v1/messages")
    decoded: Any = json.decode(body)

    assert (status, decoded["error"]["type"]) == TABLE[kind]
    assert set(decoded) == {"type", "error", "request_id"}
    assert ("what happened" in decoded["error"]["message"]) == (kind is not domain.InternalError)
    named = dict(headers)
    assert len(named) == len(headers)
    assert named["content-type"] == "application/json"
    no_retry = kind in {domain.BudgetError, domain.UpstreamAuthError}
    assert named.get("x-should-retry") == ("false" if no_retry else None)


def test_overload_by_the_provider_is_529() -> None:
    assert WRITER.render(domain.UpstreamLimitedError("x", overloaded=True), "r", "/")[0] == 529


@pytest.mark.parametrize(
    "error", [domain.LimitedError("x", retry_after=7), domain.OverloadedError("x", retry_after=7)]
)
def test_patience_is_a_header(error: GatewayError) -> None:
    assert dict(WRITER.render(error, "r", "/")[1])["retry-after"] == "7"


@pytest.mark.parametrize(
    "status, expected",
    [(404, 404), (405, 405), (400, 400), (409, 400), (422, 400), (500, 500), (503, 500)],
)
def test_the_framework_s_words_become_ours(status: int, expected: int) -> None:
    error = gateway_error(status, "detail", "/p", "PUT", ("GET",))

    assert WRITER.render(error, "r", "/")[0] == expected
    assert "detail" not in str(error) or expected == 400


async def test_allow_is_said_once() -> None:
    wire = Wire()
    error = WrongMethodError("no", allowed=("GET", "HEAD"))
    await WRITER.send(scope_of("POST"), wire.send, error, "r")  # type: ignore[arg-type]

    assert [value for name, value in wire.told.pairs if name == b"allow"] == [b"GET, HEAD"]
