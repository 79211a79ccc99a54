"""Errors, both ways: Google's envelope (google.rpc.Status as JSON), and what one means.

``{error: {code, message, status, details[]}}``, or a list of one (providers.md 4.6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from ccr.adapters.dialects.gemini.wire import NAME, Wire
from ccr.adapters.wire import headers as header_rules
from ccr.adapters.wire import json
from ccr.adapters.wire.overflow import find_overflow, overflow_message
from ccr.domain.errors import (
    Blast,
    ContextOverflowError,
    Failure,
    GatewayError,
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
    from ccr.application.call import Headers

__all__ = ["TABLE", "decode_error", "encode_error", "error_object", "said_in_reply"]

TABLE: dict[str, tuple[int, str]] = {
    "invalid_request": (400, "INVALID_ARGUMENT"),
    "unsupported": (400, "INVALID_ARGUMENT"),
    "body_too_large": (413, "INVALID_ARGUMENT"),
    "context_overflow": (400, "INVALID_ARGUMENT"),
    "unknown_model": (400, "INVALID_ARGUMENT"),
    "unauthenticated": (401, "UNAUTHENTICATED"),
    "forbidden": (403, "PERMISSION_DENIED"),
    "no_such_path": (404, "NOT_FOUND"),
    "wrong_method": (405, "UNIMPLEMENTED"),
    "client_gone": (499, "CANCELLED"),
    "limited": (429, "RESOURCE_EXHAUSTED"),
    "budget": (429, "RESOURCE_EXHAUSTED"),
    "overload": (503, "UNAVAILABLE"),
    "draining": (503, "UNAVAILABLE"),
    "config": (500, "INTERNAL"),
    "internal": (500, "INTERNAL"),
    "upstream_rejected": (400, "INVALID_ARGUMENT"),
    "upstream_auth": (502, "INTERNAL"),
    "upstream_limited": (429, "RESOURCE_EXHAUSTED"),
    "upstream_unavailable": (503, "UNAVAILABLE"),
    "upstream_timeout": (504, "DEADLINE_EXCEEDED"),
    "upstream_protocol": (502, "INTERNAL"),
}
"""Status and Google's name of it by the ``kind`` of an error. Google's clients know no 529: overload is a 503 to them."""

_REJECTED = {403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED"}
_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""Codes of google.rpc.Code as HTTP statuses, for errors that come inside a 200."""

_BLAND = "The gateway failed. Its log has the details under this request id."
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_MAX_MESSAGE = 2000
_MAX_KEPT = 64 * 1024
_NO_STATUS = 502
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_WAIT = re.compile(r"retry in (\d{1,9}(?:\.\d{1,9})?)s", re.IGNORECASE)
_BAD_KEY = ("API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "API_KEY_EXPIRED")
_BAD_KEY_WORDS = ("api key not valid", "api key expired", "api key not found")
_LONG = ("PerDay", "limit: 0")
"""What speaks of quotas that no short wait brings back."""


# --------------------------------------------------------------------------------------------------- out


def encode_error(error: GatewayError, request_id: str) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return status, headers and body.

    A provider's own error reply in this dialect goes out unmodified, since clients match on its words; but a rejected key
    never does.
    """
    headers = [("content-type", "application/json; charset=UTF-8"), ("x-request-id", request_id)]
    own = _own_reply(error)
    if own is not None:
        status, body = own.status, own.body
        headers += header_rules.returned(own.headers)
    else:
        status, body = _status(error)[0], json.encode_wire({"error": _fields(error)})
    if isinstance(error, WrongMethodError) and error.allowed:
        headers.append(("allow", ", ".join(error.allowed)))
    if error.retry_after is not None:
        headers.append(("retry-after", header_rules.retry_seconds(error.retry_after)))
    return status, tuple(headers), body


def error_object(error: GatewayError) -> bytes:
    """Return ``{"error": ...}`` for the middle of a stream: the provider's own if it is one of this dialect."""
    own = _own_reply(error)
    if own is not None and own.body.startswith(b"{"):
        return json.encode_wire(json.decode(own.body))  # in one line, as an event has to be
    return json.encode_wire({"error": _fields(error)})


def _fields(error: GatewayError) -> Wire:
    status, name = _status(error)
    made: Wire = {"code": status, "message": _message(error), "status": name}
    if error.retry_after is not None:
        delay = header_rules.retry_seconds(error.retry_after)
        made["details"] = [{"@type": _RETRY_INFO, "retryDelay": f"{delay}s"}]
    return made


def _own_reply(error: GatewayError) -> UpstreamReply | None:
    reply = error.upstream
    if reply is None or reply.dialect != NAME or isinstance(error, UpstreamAuthError):
        return None
    if not isinstance(error, UpstreamError | ContextOverflowError) or not 400 <= reply.status <= 599:
        return None
    return reply if _inner(reply.body) is not None else None


def _status(error: GatewayError) -> tuple[int, str]:
    status, name = TABLE.get(error.kind, TABLE["internal"])
    if isinstance(error, UpstreamRejectedError):
        return error.status, _REJECTED.get(error.status, name)
    if isinstance(error, UpstreamLimitedError) and error.overloaded:
        return TABLE["overload"]
    return status, name


def _message(error: GatewayError) -> str:
    if error.kind == "internal" or error.kind not in TABLE:
        return _BLAND
    if isinstance(error, ContextOverflowError):
        return overflow_message(error.tokens, error.maximum, error.message)
    return error.message.encode("utf-8", "replace").decode()


# ---------------------------------------------------------------------------------------------------- in


@frozen
class _Complaint:
    """What a provider said: ``name`` is Google's name of the status, ``words`` all of the details as text."""

    status: int
    message: str = ""
    name: str = ""
    words: str = ""
    wait: float | None = None


def decode_error(status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
    """Say what an error reply means. ``error.upstream`` keeps the reply, at most 64 KiB of it."""
    kept = UpstreamReply(NAME, status, dict(headers), body[:_MAX_KEPT])
    inner = _inner(body)
    said = _complaint(status, {} if inner is None else inner)
    message = (
        said.message or f"{provider or 'the provider'} answered with status {status} and no readable message"
    )
    wait = header_rules.retry_after(headers) if said.wait is None else said.wait
    return _classify(said, message, wait, provider or None, kept)


def said_in_reply(error: object) -> GatewayError:
    """Return what the ``error`` of a reply that began as a 200 means."""
    fields = error if isinstance(error, Mapping) else {"message": error}
    code = fields.get("code")
    known = _STATUS.get(str(fields.get("status")), _NO_STATUS)
    said = _complaint(code if isinstance(code, int) and 400 <= code < 600 else known, fields)
    return _classify(
        said, said.message or "the provider reported an error without a message", said.wait, None, None
    )


def _inner(body: bytes) -> Mapping[str, object] | None:
    """Return the ``error`` of a body, also of one in a list."""
    try:
        found = json.decode(body)
    except ValueError:
        return None
    if isinstance(found, list) and found:
        found = found[0]
    error = found.get("error") if isinstance(found, Mapping) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, Mapping) else None


def _complaint(status: int, fields: Mapping[str, object]) -> _Complaint:
    message, name, details = fields.get("message"), fields.get("status"), fields.get("details")
    text = message[:_MAX_MESSAGE] if isinstance(message, str) else ""
    waits = [
        float(delay[1])
        for one in (details if isinstance(details, list) else ())
        if isinstance(one, Mapping) and (delay := _DELAY.fullmatch(str(one.get("retryDelay"))))
    ]
    told = _WAIT.search(text)
    wait = waits[0] if waits else float(told[1]) if told else None
    words = json.encode_wire(details).decode() if details else ""
    return _Complaint(status, text, name if isinstance(name, str) else "", words, wait)


def _classify(
    said: _Complaint, message: str, wait: float | None, provider: str | None, upstream: UpstreamReply | None
) -> GatewayError:
    status = said.status
    if status in (401, 402, 403) or _is_bad_key(said):
        return UpstreamAuthError(message, provider=provider, upstream=upstream)
    overflow = find_overflow(message) if status in (400, 413) else None
    if overflow is not None:
        text = overflow_message(overflow.tokens, overflow.maximum, message)
        return ContextOverflowError(
            text, tokens=overflow.tokens, maximum=overflow.maximum, provider=provider, upstream=upstream
        )
    overloaded = status == 529 or (status == 503 and "overloaded" in message.lower())
    if status == 429 or overloaded:
        return UpstreamLimitedError(
            message,
            overloaded=overloaded,
            provider=provider,
            retry_after=wait,
            upstream=upstream,
            failure=_limit_failure(said, overloaded=overloaded),
        )
    if status in (408, 504):
        return UpstreamTimeoutError(message, provider=provider, retry_after=wait, upstream=upstream)
    if status >= 499 or status < 400:
        return UpstreamUnavailableError(message, provider=provider, retry_after=wait, upstream=upstream)
    return UpstreamRejectedError(
        message, status=status, provider=provider, retry_after=wait, upstream=upstream, failure=_failure(said)
    )


def _is_bad_key(said: _Complaint) -> bool:
    """A key that is wrong is a 400 here."""
    message = said.message.lower()
    return any(word in said.words for word in _BAD_KEY) or any(word in message for word in _BAD_KEY_WORDS)


def _limit_failure(said: _Complaint, *, overloaded: bool) -> Failure | None:
    if overloaded:
        return Failure(UpstreamLimitedError.kind, Blast.ENDPOINT, Remedy.NEXT)
    if any(word in said.words or word in said.message for word in _LONG):
        return Failure(UpstreamLimitedError.kind, Blast.CREDENTIAL, Remedy.NEXT)
    return None


def _failure(said: _Complaint) -> Failure | None:
    if said.status == 404:
        return Failure(UpstreamRejectedError.kind, Blast.MODEL, Remedy.NEXT)
    if said.name == "FAILED_PRECONDITION":  # "User location is not supported", no billing
        return Failure(UpstreamRejectedError.kind, Blast.ENDPOINT, Remedy.NEXT)
    return None
