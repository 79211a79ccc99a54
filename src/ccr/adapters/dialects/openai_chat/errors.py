"""Errors of providers that speak chat completions: OpenAI's envelope and what others made of it (providers.md 4.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from ccr.adapters.dialects.openai_chat.wire import NAME, Chunk
from ccr.adapters.wire import json
from ccr.adapters.wire.headers import retry_after
from ccr.adapters.wire.overflow import find_overflow, overflow_message
from ccr.domain.errors import (
    Blast,
    ContextOverflowError,
    Failure,
    GatewayError,
    Remedy,
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamRejectedError,
    UpstreamReply,
    UpstreamUnavailableError,
)

if TYPE_CHECKING:
    from ccr.application.call import Headers

__all__ = ["decode_error", "error_in_reply"]

_MAX_MESSAGE = 2000
_MAX_KEPT = 64 * 1024
_OVERLOADED = 529
_NO_STATUS = 502
_MAX_WRAPS = 3

_STATUS_OF_WORD = {
    "invalid_request_error": 400,
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
}
"""Statuses of errors that come inside a 200, by their code or type."""

_NO_CREDIT = (
    "insufficient_quota",
    "billing_not_active",
    "exceeded your current quota",
    "insufficient balance",
)
_NO_MODEL = ("model_not_found", "model_not_exist", "unknown_model")


@frozen
class _Complaint:
    """What a provider said: its sentence, and the words of ``code``, ``type`` and the like, in lower case."""

    message: str = ""
    words: tuple[str, ...] = ()
    status: int = 0


def decode_error(status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
    """Say what an error reply means. ``error.upstream`` keeps the reply, at most 64 KiB of it."""
    kept = UpstreamReply(NAME, status, dict(headers), body[:_MAX_KEPT])
    complaint = _read_body(body, headers.get("content-type", ""))
    message = complaint.message or f"the provider answered with status {status} and no message"
    return _classify(evolve(complaint, message=message, status=status), retry_after(headers), provider, kept)


def error_in_reply(chunk: Chunk) -> GatewayError | None:
    """Return the error that a 200 hid, None if there is none (OpenRouter and relays; P6)."""
    said = chunk.error
    if not said and chunk.choices:
        said = chunk.choices[0].error
    if not said and isinstance(chunk.x_groq, Mapping):
        said = chunk.x_groq.get("error")
    if said:
        complaint = _complaint(said)
    elif chunk.choices is None and chunk.usage is None and (chunk.code or chunk.msg or chunk.message):
        # A "fake 200": {"code": 1234, "msg": "..."} (DashScope, Zhipu and relays).
        complaint = _complaint({"code": chunk.code, "message": chunk.message or chunk.msg})
    else:
        return None
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
