"""OpenAI's error envelope, which chat completions and Responses share: what one means, and how ours are written.

``{error: {message, type, param, code}}`` with what others made of it (providers.md 4.6); the way out is the table of
house.md 3.8, column OpenAI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from ccr.adapters.wire import headers as header_rules
from ccr.adapters.wire import json
from ccr.adapters.wire.finality import is_final, is_spent
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
    UpstreamUnavailableError,
    WrongMethodError,
)
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.call import Headers

__all__ = [
    "TABLE",
    "code_of",
    "decode_error",
    "encode_error",
    "error_fields",
    "said_in_reply",
    "shown_message",
]

TABLE: dict[str, tuple[int, str, str | None]] = {
    "invalid_request": (400, "invalid_request_error", None),
    "unsupported": (400, "invalid_request_error", "unsupported_value"),
    "body_too_large": (413, "invalid_request_error", "request_too_large"),
    "context_overflow": (400, "invalid_request_error", "context_length_exceeded"),
    "unknown_model": (400, "invalid_request_error", "model_not_found"),
    "unauthenticated": (401, "invalid_request_error", "invalid_api_key"),
    "forbidden": (403, "permission_error", "permission_denied"),
    "no_such_path": (404, "invalid_request_error", "unknown_url"),
    "wrong_method": (405, "invalid_request_error", "method_not_supported"),
    "client_gone": (499, "server_error", None),
    "limited": (429, "rate_limit_error", "rate_limit_exceeded"),
    "budget": (429, "insufficient_quota", "insufficient_quota"),
    "overload": (529, "server_error", "server_is_overloaded"),
    "draining": (529, "server_error", "server_is_overloaded"),
    "config": (500, "server_error", "server_error"),
    "internal": (500, "server_error", "server_error"),
    "upstream_rejected": (400, "invalid_request_error", None),
    "upstream_auth": (502, "server_error", "upstream_auth"),
    "upstream_limited": (429, "rate_limit_error", "rate_limit_exceeded"),
    "upstream_unavailable": (503, "server_error", "server_error"),
    "upstream_timeout": (504, "server_error", "timeout"),
    "upstream_protocol": (502, "server_error", "server_error"),
}
"""Status, ``error.type`` and ``error.code`` by the ``kind`` of an error. ``server_is_overloaded`` is what Codex knows."""

_BLAND = "The gateway failed. Its log has the details under this request id."

_MAX_MESSAGE = 2000
_MAX_KEPT = 64 * 1024
_OVERLOADED = 529
_NO_STATUS = 502
_MAX_WRAPS = 3

_STATUS_OF_WORD = {
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "insufficient_quota": 429,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": _OVERLOADED,
    "server_is_overloaded": _OVERLOADED,
    "slow_down": _OVERLOADED,
}
"""Statuses of errors that come inside a 200, by their code or type."""

_NO_CREDIT = (
    "insufficient_quota",
    "billing_not_active",
    "exceeded your current quota",
    "insufficient balance",
)
_NO_MODEL = ("model_not_found", "model_not_exist", "unknown_model")


# --------------------------------------------------------------------------------------------------- out


def encode_error(
    error: GatewayError, request_id: str, dialects: frozenset[str]
) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return status, headers and body.

    An error reply that a provider of one of ``dialects`` sent goes out unmodified, since clients match on its words; but a
    rejected key never does.
    """
    headers = [("content-type", "application/json"), ("request-id", request_id), ("x-request-id", request_id)]
    own = _own_reply(error, dialects)
    if own is not None:
        status, body = own.status, own.body
        headers += header_rules.returned(own.headers)
        should_retry = own.headers.get("x-should-retry", "")
        if should_retry not in ("true", "false") and is_final(error):
            should_retry = "false"  # its words are for people; clients go by the status
        if should_retry in ("true", "false"):
            headers.append(("x-should-retry", should_retry))
    else:
        status, body = _status(error), json.encode_wire({"error": error_fields(error)})
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


def error_fields(error: GatewayError) -> dict[str, object]:
    """Return what stands in the envelope."""
    return {
        "message": shown_message(error),
        "type": _line(error)[1],
        "param": error.param,
        "code": code_of(error),
    }


def code_of(error: GatewayError) -> str | None:
    """Return the ``code``, by which OpenAI's clients know what to do."""
    if is_spent(error):
        return "insufficient_quota"
    if isinstance(error, UpstreamRejectedError) and error.failure.blast is Blast.MODEL:
        return "model_not_found"
    return _line(error)[2]


def shown_message(error: GatewayError) -> str:
    """Return the sentence for the client; faults of ours are bland, the log has the rest."""
    if error.kind == "internal" or error.kind not in TABLE:
        return _BLAND
    if isinstance(error, ContextOverflowError):
        return overflow_message(error.tokens, error.maximum, error.message)
    return error.message.encode("utf-8", "replace").decode()


def _own_reply(error: GatewayError, dialects: frozenset[str]) -> UpstreamReply | None:
    reply = error.upstream
    if reply is None or reply.dialect not in dialects or isinstance(error, UpstreamAuthError):
        return None
    if not isinstance(error, UpstreamError | ContextOverflowError) or not 400 <= reply.status <= 599:
        return None
    fields = json.object_of(reply.body)
    return reply if fields is not None and isinstance(fields.get("error"), dict) else None


def _status(error: GatewayError) -> int:
    return error.status if isinstance(error, UpstreamRejectedError) else _line(error)[0]


def _line(error: GatewayError) -> tuple[int, str, str | None]:
    if isinstance(error, UpstreamLimitedError) and error.overloaded:
        return TABLE["overload"]
    return TABLE.get(error.kind, TABLE["internal"])


# ---------------------------------------------------------------------------------------------------- in


@frozen
class _Complaint:
    """What a provider said: its sentence, and the words of ``code``, ``type`` and the like, in lower case."""

    message: str = ""
    words: tuple[str, ...] = ()
    status: int = 0


def decode_error(status: int, headers: Headers, body: bytes, *, provider: str, dialect: str) -> GatewayError:
    """Say what an error reply means. ``error.upstream`` keeps the reply, at most 64 KiB of it."""
    kept = UpstreamReply(dialect, status, dict(headers), body[:_MAX_KEPT])
    complaint = _read_body(body, headers.get("content-type", ""))
    message = complaint.message or f"the provider answered with status {status} and no message"
    wait = header_rules.retry_after(headers)
    return _classify(evolve(complaint, message=message, status=status), wait, provider, kept)


def said_in_reply(said: object) -> GatewayError:
    """Return what an error inside a 200 or a stream means: an error object, or a text."""
    complaint = _complaint(said)
    status = complaint.status or next(
        (_STATUS_OF_WORD[word] for word in complaint.words if word in _STATUS_OF_WORD), _NO_STATUS
    )
    message = complaint.message or "the provider reported an error without a message"
    return _classify(evolve(complaint, message=message, status=status), None, None, None)


def _classify(
    said: _Complaint, wait: float | None, provider: str | None, upstream: UpstreamReply | None
) -> GatewayError:
    status = said.status
    overflow = find_overflow(" ".join((said.message, *said.words))) if status not in (401, 403, 429) else None
    if overflow is not None:
        text = overflow_message(overflow.tokens, overflow.maximum, said.message)
        return ContextOverflowError(
            text, tokens=overflow.tokens, maximum=overflow.maximum, provider=provider, upstream=upstream
        )
    if status in (401, 403) or (status == 402 and wait is None):
        return UpstreamAuthError(said.message, provider=provider, upstream=upstream)
    if status in (402, 429, _OVERLOADED):
        return UpstreamLimitedError(
            said.message,
            overloaded=status == _OVERLOADED,
            provider=provider,
            retry_after=wait,
            upstream=upstream,
            failure=_limit_failure(said),
        )
    if status >= 500 or status == 408:
        return UpstreamUnavailableError(said.message, provider=provider, retry_after=wait, upstream=upstream)
    return UpstreamRejectedError(
        said.message,
        status=status,
        provider=provider,
        retry_after=wait,
        upstream=upstream,
        failure=_model_failure(said),
    )


def _limit_failure(said: _Complaint) -> Failure | None:
    """No credit is not a matter of waiting."""
    text = " ".join((said.message.lower(), *said.words))
    if any(phrase in text for phrase in _NO_CREDIT):
        return Failure(UpstreamLimitedError.kind, Blast.CREDENTIAL, Remedy.NEXT)
    if said.status == _OVERLOADED:
        return Failure(UpstreamLimitedError.kind, Blast.ENDPOINT, Remedy.NEXT)
    return None


def _model_failure(said: _Complaint) -> Failure | None:
    """The model is unknown there; another target may have it."""
    if said.status == 404 or any(word in _NO_MODEL for word in said.words):
        return Failure(UpstreamRejectedError.kind, Blast.MODEL, Remedy.NEXT)
    return None


def _read_body(body: bytes, content_type: str) -> _Complaint:
    try:
        value = json.decode(body)
    except ValueError:
        # A sentence in plain text is worth showing, a page of HTML is not.
        text = body[:_MAX_MESSAGE].decode("utf-8", "replace").strip()
        return _Complaint("" if "html" in content_type or text.startswith("<") else text)
    return _complaint(value)


def _complaint(value: object) -> _Complaint:
    """Find the sentence in any of the known shapes."""
    for _ in range(_MAX_WRAPS):
        if isinstance(value, list) and value:
            value = value[0]  # Google wraps its errors in a list
        elif isinstance(value, Mapping) and value.get("error"):
            value = value["error"]
    if isinstance(value, str):
        return _Complaint(value[:_MAX_MESSAGE])
    if not isinstance(value, Mapping):
        return _Complaint()
    message = next(
        (text for name in ("message", "msg", "detail") if (text := _sentence(value.get(name)))), ""
    )
    metadata = value.get("metadata")
    raw = _sentence(metadata.get("raw")) if isinstance(metadata, Mapping) else ""
    if raw:
        # OpenRouter: "Provider returned error", and what it returned.
        message = f"{message}: {raw}" if message else raw
    words = (value.get("code"), value.get("type"), value.get("status"))
    return _Complaint(
        message[:_MAX_MESSAGE],
        tuple(word.lower() for word in words if isinstance(word, str)),
        next((word for word in words if isinstance(word, int) and 400 <= word < 600), 0),
    )


def _sentence(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if not value else json.encode_wire(value).decode()
