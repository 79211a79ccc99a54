"""How the clouds that sell other people's models name what went wrong, in the words of the Messages API.

Amazon names an exception (docs.aws.amazon.com/bedrock, InvokeModel, "Errors"): in the header ``x-amzn-errortype`` of an
error reply, in ``:exception-type`` of an event stream. Google names a canonical code (google.rpc.Code) in
``error.status``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["amazon_type", "exception_of", "google_delay", "google_type"]

_AMAZON = {
    "throttling": "rate_limit_error",
    "servicequotaexceeded": "rate_limit_error",
    "toomanyrequests": "rate_limit_error",
    "validation": "invalid_request_error",
    "accessdenied": "permission_error",
    "unrecognizedclient": "authentication_error",
    "expiredtoken": "authentication_error",
    "invalidsignature": "authentication_error",
    "incompletesignature": "authentication_error",
    "missingauthenticationtoken": "authentication_error",
    "resourcenotfound": "not_found_error",
    "modeltimeout": "timeout_error",
    "modelnotready": "api_error",
    "modelerror": "api_error",
    "modelstreamerror": "api_error",
    "serviceunavailable": "api_error",
    "internalserver": "api_error",
    "internalfailure": "api_error",
}
"""Names of exceptions in lower case, without the word ``exception``."""

_GOOGLE = {
    "INVALID_ARGUMENT": "invalid_request_error",
    "FAILED_PRECONDITION": "invalid_request_error",
    "OUT_OF_RANGE": "invalid_request_error",
    "UNAUTHENTICATED": "authentication_error",
    "PERMISSION_DENIED": "permission_error",
    "NOT_FOUND": "not_found_error",
    "RESOURCE_EXHAUSTED": "rate_limit_error",
    "DEADLINE_EXCEEDED": "timeout_error",
    "UNAVAILABLE": "api_error",
    "INTERNAL": "api_error",
    "UNKNOWN": "api_error",
    "ABORTED": "api_error",
}

_DELAY = re.compile(r"(\d{1,8}(?:\.\d{1,9})?)s")


def exception_of(headers: Mapping[str, str], fields: Mapping[str, object]) -> str:
    """Return the exception that an error reply of Amazon names, in its header or its ``__type``; empty = none."""
    named = headers.get("x-amzn-errortype") or fields.get("__type")
    return named if isinstance(named, str) else ""


def amazon_type(exception: str) -> str:
    """Return the ``error.type`` of an exception; empty = not one that we know.

    Names come bare, as ``com.amazon.coral.service#ThrottlingException`` and as ``ValidationException:http://...``.
    """
    name = exception.partition(":")[0].rpartition("#")[2].strip().lower()
    return _AMAZON.get(name.removesuffix("exception"), "")


def google_type(error: Mapping[str, object]) -> str:
    """Return the ``error.type`` of an ``error`` object of Google; empty = not one of Google's, or unknown."""
    status = error.get("status")
    return _GOOGLE.get(status, "") if isinstance(status, str) else ""


def google_delay(error: Mapping[str, object]) -> float | None:
    """Return the seconds to wait that ``details[].retryDelay`` names (google.rpc.RetryInfo); None if none does."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        found = _DELAY.fullmatch(delay) if isinstance(delay, str) else None
        if found is not None:
            return float(found[1])
    return None
