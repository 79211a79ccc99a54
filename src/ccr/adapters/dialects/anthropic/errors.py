"""Errors, both ways: the table of house.md 3.8, column Anthropic, and what a provider's error reply means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic.wire import DIALECT
from ccr.adapters.wire import headers as header_rules
from ccr.adapters.wire import json
from ccr.adapters.wire.cloud_errors import amazon_type, exception_of, google_delay, google_type
from ccr.adapters.wire.finality import is_final
from ccr.adapters.wire.overflow import find_overflow, overflow_message
from ccr.domain.errors import (
    Blast,
    ContextOverflowError,
    Failure,
    GatewayError,
    InvalidRequestError,
    Remedy,
    UpstreamAuthError,
    UpstreamError,
    UpstreamLimitedError,
    UpstreamRejectedError,
    UpstreamReply,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    WrongMethodError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ccr.application.call import Headers

__all__ = ["TABLE", "decode_error", "encode_error", "error_body", "error_event_data", "provider_error"]

TABLE: dict[str, tuple[int, str]] = {
    "invalid_request": (400, "invalid_request_error"),
    "unsupported": (400, "invalid_request_error"),
    "body_too_large": (413, "request_too_large"),
    "context_overflow": (400, "invalid_request_error"),
    "unknown_model": (400, "invalid_request_error"),
    "unauthenticated": (401, "authentication_error"),
    "forbidden": (403, "permission_error"),
    "no_such_path": (404, "not_found_error"),
    "wrong_method": (405, "invalid_request_error"),
    "client_gone": (499, "api_error"),
    "limited": (429, "rate_limit_error"),
    "budget": (429, "billing_error"),
    "overload": (529, "overloaded_error"),
    "draining": (529, "overloaded_error"),
    "config": (500, "api_error"),
    "internal": (500, "api_error"),
    "upstream_rejected": (400, "invalid_request_error"),
    "upstream_auth": (502, "api_error"),
    "upstream_limited": (429, "rate_limit_error"),
    "upstream_unavailable": (503, "api_error"),
    "upstream_timeout": (504, "timeout_error"),
    "upstream_protocol": (502, "api_error"),
}
"""Status and ``error.type`` by the ``kind`` of an error."""

_REJECTED = {
    403: "permission_error",
    404: "invalid_request_error",
    413: "request_too_large",
    422: "invalid_request_error",
}
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
    "api_error": 500,
}
"""What the types of the Messages API are as statuses, for errors that come as events."""

_BLAND = "The gateway failed. Its log has the details under this request id."
_WORDS_OF_OVERFLOW = (b"prompt is too long", b"exceed context limit", b"prompt_too_long")
_THREAD_CODE = {"error_code": "thread_unsupported_request"}
_MODEL_MISSING = Failure("upstream_rejected", Blast.MODEL, Remedy.NEXT)
_OVERLOADED = Failure("upstream_limited", Blast.ENDPOINT, Remedy.NEXT)


# --------------------------------------------------------------------------------------------------- out


def encode_error(error: GatewayError, request_id: str) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return status, headers and body.

    A provider's own error reply in this dialect goes out unmodified, since clients match on its words; but a rejected
    key never does, and a context overflow only in words that make the client compact.
    """
    headers = [("content-type", "application/json"), ("request-id", request_id)]
    own = _own_reply(error)
    if own is not None:
        status, body = own.status, own.body
        headers += header_rules.returned(own.headers)
        should_retry = own.headers.get("x-should-retry", "")
        if should_retry in ("true", "false"):
            headers.append(("x-should-retry", should_retry))
    else:
        status, kind = _status(error)
        body = error_body(error, kind, request_id)
        if is_final(error):
            headers.append(("x-should-retry", "false"))
    if isinstance(error, WrongMethodError) and error.allowed:
        headers.append(("allow", ", ".join(error.allowed)))
    wait = error.retry_after
    if wait is None and error.upstream is not None and error.kind != "upstream_auth":
        wait = header_rules.retry_after(error.upstream.headers)
    if wait is not None:
        headers.append(("retry-after", header_rules.retry_seconds(wait)))
    return status, tuple(headers), body


def error_body(error: GatewayError, kind: str, request_id: str) -> bytes:
    """Return the envelope."""
    detail: dict[str, object] = {"type": kind, "message": _message(error)}
    if isinstance(error, InvalidRequestError) and error.param == "thread":
        detail["details"] = _THREAD_CODE
    body: dict[str, object] = {"type": "error", "error": detail}
    if request_id:
        body["request_id"] = request_id
    return json.encode_wire(body)


def error_event_data(error: GatewayError) -> bytes:
    """Return the data of an ``event: error``: the provider's own if it is one of this dialect."""
    own = _own_reply(error)
    return own.body if own is not None and b"\n" not in own.body else error_body(error, _status(error)[1], "")


def _own_reply(error: GatewayError) -> UpstreamReply | None:
    reply = error.upstream
    if reply is None or reply.dialect != DIALECT or isinstance(error, UpstreamAuthError):
        return None
    if not isinstance(error, UpstreamError | ContextOverflowError) or not 400 <= reply.status <= 599:
        return None
    if error.kind == "context_overflow" and not any(words in reply.body for words in _WORDS_OF_OVERFLOW):
        return None
    said = (json.object_of(reply.body) or {}).get("error")
    if not isinstance(said, dict) or google_type(said):
        return None  # a cloud's own words, which no client of this dialect reads
    return reply


def _status(error: GatewayError) -> tuple[int, str]:
    status, kind = TABLE.get(error.kind, TABLE["internal"])
    if isinstance(error, UpstreamRejectedError):
        # A 404 would hide the text from the user (claude-code-client.md 5).
        return (400 if error.status == 404 else error.status), _REJECTED.get(error.status, kind)
    if isinstance(error, UpstreamLimitedError) and error.overloaded:
        return TABLE["overload"]
    return status, kind


def _message(error: GatewayError) -> str:
    if error.kind == "internal" or error.kind not in TABLE:
        return _BLAND
    if isinstance(error, ContextOverflowError):
        return overflow_message(error.tokens, error.maximum, error.message)
    return error.message.encode("utf-8", "replace").decode()


# ---------------------------------------------------------------------------------------------------- in


def decode_error(status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
    """Say what an error reply means; the reply itself is kept in ``error.upstream``. A 200 may hide one.

    Clouds that sell Claude have words of their own for what goes wrong before the model is asked; those count more
    than the status (Amazon says 429 of a model that is not ready, and 400 of an expired token).
    """
    fields = _fields(body)
    kind, message = _read(fields)
    clouds = _cloud_type(headers, fields)
    kind = clouds or kind
    if status < 400:
        status = _STATUS.get(kind, 500)
    said = message or f"{provider or 'the provider'} answered with status {status} and no readable message"
    upstream = UpstreamReply(DIALECT, status, dict(headers), body)
    wait = header_rules.retry_after(headers)
    if clouds:
        status = status if clouds == "api_error" and status >= 500 else _STATUS[clouds]
        wait = google_delay(_error_of(fields)) if wait is None else wait
    return provider_error(status, kind, said, provider=provider or None, retry_after=wait, upstream=upstream)


def _cloud_type(headers: Headers, fields: Mapping[str, object]) -> str:
    return amazon_type(exception_of(headers, fields)) or google_type(_error_of(fields))


def provider_error(
    status: int,
    kind: str,
    message: str,
    *,
    provider: str | None = None,
    retry_after: float | None = None,
    upstream: UpstreamReply | None = None,
) -> GatewayError:
    """Return the error of the taxonomy for a status, an ``error.type`` and a message."""
    if status in (400, 413, 422) and (overflow := find_overflow(message)) is not None:
        return ContextOverflowError(
            message, tokens=overflow.tokens, maximum=overflow.maximum, provider=provider, upstream=upstream
        )
    if status in (401, 402, 403):
        return UpstreamAuthError(message, provider=provider, retry_after=retry_after, upstream=upstream)
    if status == 529 or kind == "overloaded_error":
        return UpstreamLimitedError(
            message,
            overloaded=True,
            provider=provider,
            retry_after=retry_after,
            upstream=upstream,
            failure=_OVERLOADED,
        )
    if status == 429:
        return UpstreamLimitedError(message, provider=provider, retry_after=retry_after, upstream=upstream)
    if status in (408, 504):
        return UpstreamTimeoutError(message, provider=provider, retry_after=retry_after, upstream=upstream)
    if status >= 500:
        return UpstreamUnavailableError(
            message, provider=provider, retry_after=retry_after, upstream=upstream
        )
    return UpstreamRejectedError(
        message,
        status=status,
        provider=provider,
        retry_after=retry_after,
        upstream=upstream,
        failure=_MODEL_MISSING if status == 404 else None,
    )


_LONGEST = 2000


def _fields(body: bytes) -> Mapping[str, object]:
    """Open an error body; Google wraps one in a list at times. HTML and the like hold nothing."""
    fields = json.object_of(body)
    if fields is None and body.lstrip().startswith(b"["):
        fields = json.object_of(body.strip()[1:-1])
    return fields or {}


def _error_of(fields: Mapping[str, object]) -> Mapping[str, object]:
    error = fields.get("error")
    return error if isinstance(error, dict) else {}


def _read(fields: Mapping[str, object]) -> tuple[str, str]:
    """Return type and message of an error body of any of the shapes that occur."""
    error = fields.get("error")
    if isinstance(error, str):
        return "", error[:_LONGEST]
    inner = error if isinstance(error, dict) else fields
    kind = inner.get("type")
    message = next((inner[name] for name in _MESSAGES if isinstance(inner.get(name), str)), "")
    return (kind if isinstance(kind, str) else ""), str(message)[:_LONGEST]


_MESSAGES = ("message", "Message", "msg", "detail", "error_msg", "errorMessage")
