"""Google's token endpoint, as strict about assertions as it is, and the service accounts that it knows."""

from __future__ import annotations

import base64
import time
from typing import Any
from urllib.parse import parse_qs

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from typing_extensions import override

from tests.support.loopback import Exchange, LoopbackServer, Recorded
from tests.support.scripts import Json

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_AUDIENCE = "https://oauth2.googleapis.com/token"
"""Of every assertion, wherever the account's file says that it goes (google-auth signs no other)."""
_HOUR = 3600
_SKEW = 60


class FakeTokens(LoopbackServer):
    """Gives ``ya29.token-1``, ``-2``, ... for assertions that its one account has signed.

    Attributes:
        lasts: seconds that a token lasts.
        given: every token, in order.
        valid: those that count.
        refusals: why assertions were refused.
    """

    def __init__(self, project: str = "my-project") -> None:
        super().__init__()
        self.project = project
        self.lasts = _HOUR
        self.given: list[str] = []
        self.valid: set[str] = set()
        self.refusals: list[str] = []
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def uri(self) -> str:
        return f"{self.origin}/token"

    @property
    def account(self) -> Json:
        """The account's file, as the console lets one download it."""
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": "canary-key-id",
            "private_key": self._key.private_bytes(*form).decode(),
            "client_email": f"ccr@{self.project}.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": self.uri,
        }

    def forget(self) -> None:
        """Begin anew: nothing has been asked or given."""
        self.lasts = _HOUR
        self.requests.clear()
        self.given.clear()
        self.valid.clear()
        self.refusals.clear()

    @override
    async def answer(self, exchange: Exchange) -> None:
        kind = {"content-type": "application/json"}
        if refusal := self._refusal(exchange.recorded):
            self.refusals.append(refusal)
            error = {"error": "invalid_grant", "error_description": refusal}
            await exchange.reply(400, msgspec.json.encode(error), kind)
            return
        token = f"ya29.token-{len(self.given) + 1}"
        self.given.append(token)
        self.valid.add(token)
        made = {"access_token": token, "expires_in": self.lasts, "token_type": "Bearer"}
        await exchange.reply(200, msgspec.json.encode(made), kind)

    def _refusal(self, recorded: Recorded) -> str:
        form = parse_qs(recorded.body.decode())
        if (recorded.method, recorded.path) != ("POST", "/token") or form.get("grant_type") != [_GRANT]:
            return "Invalid grant_type"
        head, claims, signature = form["assertion"][0].split(".")
        try:
            self._key.public_key().verify(
                _bytes(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return "Invalid JWT Signature."
        if msgspec.json.decode(_bytes(head)) != {"typ": "JWT", "alg": "RS256", "kid": "canary-key-id"}:
            return "Invalid JWT header."
        return self._wrong(msgspec.json.decode(_bytes(claims)))

    def _wrong(self, claims: Json) -> str:
        now: float = time.time()
        since, until = claims.get("iat", 0), claims.get("exp", 0)
        expected: dict[str, Any] = {
            "iss": self.account["client_email"],
            "aud": _AUDIENCE,
            "scope": _SCOPE,
        }
        if wrong := [name for name, value in expected.items() if claims.get(name) != value]:
            return f"Invalid JWT: {', '.join(wrong)}"
        if not (now - _HOUR < since <= now + _SKEW and now < until <= since + _HOUR):
            return "Invalid JWT: Token must be a short-lived token (60 minutes)"
        return ""


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
