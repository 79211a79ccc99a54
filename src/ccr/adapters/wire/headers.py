"""What headers of a provider's reply say, read without a clock."""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REPLY_ID", "is_visible", "product", "retry_after", "retry_seconds", "returned"]

REPLY_ID = re.compile(r"[\w.:/=+-]{1,200}")
"""Ids and other tokens of a provider that may be repeated in a header or an id of ours."""

_RETURNED_PREFIXES = ("anthropic-ratelimit-", "x-ratelimit-")
_RETURNED = frozenset({"anthropic-organization-id"})
_VISIBLE = re.compile(r"[\x20-\x7e]{1,1000}")
_MAX_WAIT = 366 * 24 * 3600.0


def is_visible(value: str) -> bool:
    """Whether a header value is plain visible ASCII of a sane length: no line ends, no controls."""
    return _VISIBLE.fullmatch(value) is not None


def returned(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the rate-limit headers of a provider's reply that a client may see (house.md decision 7)."""
    return tuple(
        (name, value)
        for name, value in headers.items()
        if (name.startswith(_RETURNED_PREFIXES) or name in _RETURNED) and is_visible(value)
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that a reply names (RFC 9110 10.2.3), None if it names none.

    ``retry-after-ms`` (OpenAI, Azure) is the finer one and goes first. A date is taken relative to the reply's own
    ``date``, so no clock is asked; without a ``date`` it says nothing.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    return _until(value, headers.get("date", "")) if seconds is None else seconds


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return min(number, _MAX_WAIT) if number >= 0 else None


def _until(moment: str, now: str) -> float | None:
    try:
        wait = (parsedate_to_datetime(moment) - parsedate_to_datetime(now)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait, 0.0), _MAX_WAIT)


def retry_seconds(seconds: float) -> str:
    """Return a ``retry-after`` value: whole seconds, rounded up, since Claude Code reads integers only."""
    return str(max(0, math.ceil(seconds)))


def product(user_agent: str) -> str:
    """Return product and version of a ``User-Agent`` (``claude-cli/2.1.330``), at most 64 characters."""
    first = user_agent.strip().split(" ", 1)[0][:64]
    return first if is_visible(first) else ""
