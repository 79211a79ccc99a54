"""Log-ins of other command lines, read from where they keep them (the ancestor's ``gemini-cli``, ``qwen-cli`` and ``rovo-cli``)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from ccr.adapters.credentials.keys import with_key
from ccr.adapters.wire import json
from ccr.domain.errors import UpstreamAuthError
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.ports.hosting import CredentialSource
    from ccr.application.ports.upstream import UpstreamRequest
    from ccr.domain.secret import Secret

__all__ = ["BasicKey", "TokenFile", "gemini_token", "qwen_token"]


@frozen(eq=False)
class BasicKey:
    """``Authorization: Basic``, the key as it is (rovo-cli)."""

    secret: Secret | None

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """Return the request with the key."""
        if not self.secret:
            return request
        text = b64encode(self.secret.reveal().encode()).decode()
        return evolve(request, headers=(*request.headers, ("authorization", f"Basic {text}")))

    def secrets(self) -> tuple[str, ...]:
        """Return the key in both its forms."""
        if not self.secret:
            return ()
        return (self.secret.reveal(), b64encode(self.secret.reveal().encode()).decode())


@define(eq=False)
class TokenFile:
    """A token that another program keeps fresh: read again whenever its file has changed. We never write it.

    The file is JSON with ``access_token`` and, in milliseconds since 1970, ``expiry_date``.
    """

    path: Path
    program: str
    now: Callable[[], float]
    _seen: int = field(default=0, init=False)
    _token: str = field(default="", init=False, repr=False)
    _until: float = field(default=0.0, init=False)

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """Return the request with the token. Raises UpstreamAuthError if there is none, or it has expired."""
        self._read()
        if self._until and self.now() >= self._until:
            raise UpstreamAuthError(
                f"the login of {self.program} has expired: run `{self.program}` once to renew it"
            )
        return with_key(request, "bearer", self._token)

    def secrets(self) -> tuple[str, ...]:
        """Return the token."""
        return (self._token,) if self._token else ()

    def _read(self) -> None:
        try:
            changed = self.path.stat().st_mtime_ns
            if changed == self._seen:
                return
            found = json.object_of(self.path.read_bytes())
        except OSError as error:
            raise UpstreamAuthError(
                f"{self.program} is not logged in here: run `{self.program}` once"
            ) from error
        if found is None and self._token:
            return  # half written: what was read before counts until it ends
        token, until = (found or {}).get("access_token"), (found or {}).get("expiry_date")
        if not isinstance(token, str) or not token:
            raise UpstreamAuthError(f"{self.program} left no token: run `{self.program}` once to log in")
        self._seen, self._token = changed, token
        self._until = until / 1000 if isinstance(until, int | float) else 0.0


def gemini_token(home: Path, now: Callable[[], float]) -> CredentialSource:
    """Return the login of Gemini CLI, ``~/.gemini/oauth_creds.json``."""
    return TokenFile(home / ".gemini" / "oauth_creds.json", "gemini", now)


def qwen_token(home: Path, now: Callable[[], float]) -> CredentialSource:
    """Return the login of Qwen Code, ``~/.qwen/oauth_creds.json``."""
    return TokenFile(home / ".qwen" / "oauth_creds.json", "qwen", now)
