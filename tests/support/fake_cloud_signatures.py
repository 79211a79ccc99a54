"""Amazon's signature, version 4, as its services verify it: from what came over the socket, with nobody's library.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from attrs import frozen

from tests.support.loopback import Recorded

_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=([^/]+)/(\d{{8}})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), "
    r"Signature=([0-9a-f]{64})"
)
_MINUTES = 5
"""How far clocks may be apart."""


@frozen
class Signer:
    """Who may sign, and for what. ``session`` is empty for keys that last."""

    access: str
    secret: str
    session: str
    region: str
    service: str

    def complaint(self, recorded: Recorded, now: datetime) -> str:
        """Return what is wrong with the signature of a request; empty = nothing."""
        found = _AUTHORIZATION.fullmatch(recorded.headers.get("authorization", ""))
        if found is None:
            return "the header is not one of a signature"
        access, day, region, service, listed, signature = found.groups()
        if (access, region, service) != (self.access, self.region, self.service):
            return "the credential is of another key, region or service"
        date = recorded.headers.get("x-amz-date", "")
        sent_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if not date.startswith(day) or abs((now - sent_at).total_seconds()) > _MINUTES * 60:
            return "the signature has expired"
        if recorded.headers.get("x-amz-security-token", "") != self.session:
            return "the security token is not that of the key"
        names = listed.split(";")
        if unsigned := _must_be_signed(recorded) - set(names):
            return f"not signed: {', '.join(sorted(unsigned))}"
        if names != sorted(names) or not set(names) <= recorded.headers.keys():
            return "the signed headers are not in order, or not there"
        scope = f"{day}/{region}/{service}/aws4_request"
        digest = hashlib.sha256(canonical(recorded, names).encode()).hexdigest()
        expected = self._signature(scope, f"{_ALGORITHM}\n{date}\n{scope}\n{digest}")
        return "" if hmac.compare_digest(expected, signature) else "the signature does not match"

    def _signature(self, scope: str, text: str) -> str:
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = _mac(key, part)
        return _mac(key, text).hex()


def canonical(recorded: Recorded, names: list[str]) -> str:
    """Return the canonical request. The path is that of the request line, encoded once more: only S3 does not do that."""
    path, _, query = recorded.path.partition("?")
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in parse_qsl(query, True))
    headers = [f"{name}:{' '.join(recorded.headers[name].split())}" for name in names]
    return "\n".join(
        (
            recorded.method,
            "/".join(_encoded(segment) for segment in path.split("/")),
            "&".join(f"{name}={value}" for name, value in pairs),
            *headers,
            "",
            ";".join(names),
            hashlib.sha256(recorded.body).hexdigest(),
        )
    )


def _must_be_signed(recorded: Recorded) -> set[str]:
    there = {name for name in recorded.headers if name.startswith("x-amz-") or name == "content-type"}
    return {"host", *there}


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
