"""What was learned of a model at an endpoint, with its evidence."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ccr.domain.compat.amendment import Amendment
from ccr.domain.value import value

__all__ = ["LIFETIME", "MOST", "Learned", "door_of", "evidence_of"]

LIFETIME = timedelta(days=7)
"""After so long the request goes out unamended once more: providers learn, too."""

MOST = 8
"""Amendments of one model at one endpoint: one that needs more is not understood, and a person should look."""

_LONGEST = 240
_SECRET = re.compile(
    r"(?i:bearer\s+|\b(?:api[-_ ]?)?key\s*[:=]\s*)\S+|\b(?:sk|pk|rk|gsk|xai|AIza)[-_]?[A-Za-z0-9_-]{12,}"
    r"|\b(?=[A-Za-z0-9+/=]*\d)[A-Za-z0-9+/=]{32,}"
)


@value
class Learned:
    """``endpoint`` is an address without query, ``evidence`` what the provider said; times are in UTC."""

    endpoint: str
    model: str
    amendment: Amendment
    evidence: str
    first_seen: datetime
    last_used: datetime
    expires: datetime

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What replaces each other."""
        return (self.endpoint, self.model, *self.amendment.key)


def door_of(url: str) -> str:
    """Return an address as it is remembered: without query and credentials. Any text is taken."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def evidence_of(sentence: str) -> str:
    """Return a provider's sentence as one bounded line, without what looks like a key."""
    line = " ".join("".join(char if char.isprintable() else " " for char in sentence[:4000]).split())
    masked = _SECRET.sub("***", line)
    return masked if len(masked) <= _LONGEST else f"{masked[: _LONGEST - 3]}..."
