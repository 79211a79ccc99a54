"""Google's ways in for Vertex AI: a service account, the application default credentials, or a token.

google-auth is an optional part (``pip install 'ccr[google]'``) and is imported when somebody needs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ccr.adapters.credentials.keys import StaticKey, with_key
from ccr.adapters.wire import json
from ccr.domain.errors import UpstreamAuthError

if TYPE_CHECKING:
    from ccr.application.ports.hosting import CredentialSource
    from ccr.application.ports.upstream import UpstreamRequest
    from ccr.domain.secret import Secret

__all__ = ["GoogleToken", "google_credential"]

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_PARTS = ("google", "google.auth", "requests")
_MISSING = "Vertex AI needs google-auth: pip install 'ccr[google]'"
_EARLY = 60.0
"""Seconds before its end at which a token is renewed: a request may wait that long before it is sent."""
_UNSAID = 300.0
"""Seconds for which a token counts that does not say when it ends."""
_AGAIN = 60.0
"""Seconds between renewals of tokens that were refused: what Google has just given, and refuses, is not at fault."""
_TIMEOUT = 20.0
"""Seconds for one question to Google; its library would wait two minutes, and our client with it."""
_HELP = "run `gcloud auth application-default login`, or give the path of a service account's JSON file as api_key"
_SECRETS = ("private_key", "client_secret", "refresh_token")


def google_credential(key: Secret | None, now: Callable[[], float]) -> CredentialSource:
    """Return how to log in: with credentials (path of a JSON file, or its text), a token, or what gcloud left.

    Raises ValueError without google-auth, for a file that cannot be read, and for credentials that are none.
    """
    text = key.reveal().strip() if key else ""
    found = text if text.startswith("{") else _file(text)
    if text and found is None:
        return StaticKey("bearer", key)
    if not _is_installed():
        raise ValueError(_MISSING)
    if found is None:
        return GoogleToken(_default, now)
    info = json.object_of(found.encode("utf-8", "replace"))
    if info is None:
        raise ValueError("the Google credentials are not a JSON object")
    try:
        made = _credentials(info)
    except Exception as error:  # ValueError, and what the reader of the private key raises
        raise ValueError(f"the Google credentials cannot be used: {type(error).__name__}") from error
    secrets = (info.get(name) for name in _SECRETS)
    return GoogleToken(lambda: made, now, tuple(text for text in secrets if isinstance(text, str) and text))


def _is_installed() -> bool:
    return all(find_spec(name) is not None for name in _PARTS)


def _file(text: str) -> str | None:
    """Return the text of the file that this names; None if it is no name of a file. Raises ValueError."""
    if not text.endswith(".json") and not text.startswith(("/", "~", "./", "../")):
        return None
    try:
        return Path(text).expanduser().read_text("utf-8")
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"the file of api_key cannot be read ({type(error).__name__})") from error


def _credentials(info: Mapping[str, object]) -> Any:
    read: Any  # google-auth has no types
    if info.get("type") == "authorized_user":
        from google.oauth2.credentials import Credentials

        read = Credentials.from_authorized_user_info
    else:
        from google.oauth2.service_account import Credentials as Account

        read = Account.from_service_account_info
    return read(dict(info), scopes=_SCOPES)


def _default() -> Any:
    """Blocking: files, environment, the metadata server."""
    from google.auth import default

    found, _ = default(scopes=_SCOPES)
    return found


@define(eq=False)
class GoogleToken:
    """Keeps one token and renews it; whoever waits for the same renewal shares it. ``find`` may block."""

    find: Callable[[], Any] = field(repr=False)
    now: Callable[[], float]
    texts: tuple[str, ...] = field(default=(), repr=False)
    _credentials: Any = field(default=None, init=False, repr=False)
    _token: str = field(default="", init=False, repr=False)
    _before: str = field(default="", init=False, repr=False)
    _until: float = field(default=0.0, init=False)
    _refused: float = field(default=-_AGAIN, init=False)
    _renewal: asyncio.Task[UpstreamAuthError | None] | None = field(default=None, init=False, repr=False)

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """Return the request with the token. Raises UpstreamAuthError if there is none to be had."""
        if self.now() >= self._until - _EARLY:
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.get_running_loop().create_task(self._renew())
            # One who leaves does not take the others' token with him.
            error = await asyncio.shield(self._renewal)
            if error is not None and self.now() >= self._until:
                # Each gets an error of his own: it is masked and given a provider's name in place.
                raise UpstreamAuthError(error.message) from error
        return with_key(request, "bearer", self._token)

    def refused(self) -> None:
        """Let the next request have another token, unless that was so a moment ago."""
        if self.now() - self._refused >= _AGAIN:
            self._refused = self.now()
            self._until = 0.0

    def secrets(self) -> tuple[str, ...]:
        """Return the token and the one before it, which a request under way may hold, and what buys them."""
        return tuple(text for text in (self._token, self._before, *self.texts) if text)

    async def _renew(self) -> UpstreamAuthError | None:
        """Return why it failed rather than raise it: nobody may be left to hear it."""
        try:
            await asyncio.to_thread(self._fetch)
        except Exception as error:  # noqa: BLE001  # google-auth's own, and those of its transport
            said = " ".join(str(error).split())[:200]
            return UpstreamAuthError(f"Google gave no token ({type(error).__name__}: {said}); {_HELP}")
        return None

    def _fetch(self) -> None:
        from google.auth.transport.requests import Request

        if self._credentials is None:
            self._credentials = self.find()
        made = self._credentials
        made.refresh(partial(Request(), timeout=_TIMEOUT))
        if made.token != self._token:
            self._before = self._token
        self._token = str(made.token or "")
        expiry = made.expiry
        self._until = self.now() + _UNSAID if expiry is None else expiry.replace(tzinfo=UTC).timestamp()
