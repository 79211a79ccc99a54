"""Amazon's ways in for Bedrock: a bearer key, or a signature by botocore's own signer (SigV4).

botocore is an optional part (``pip install 'ccr[aws]'``). It is imported in a thread, when somebody needs it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import define, field

from ccr.adapters.credentials.keys import StaticKey
from ccr.domain.errors import UpstreamAuthError
from ccr.domain.secret import Secret
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.ports.hosting import CredentialSource
    from ccr.application.ports.upstream import UpstreamRequest

__all__ = ["SignedRequests", "aws_credential"]

_SERVICE = "bedrock"
_ACCESS_KEYS = ("AKIA", "ASIA")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}")
_DEFAULT_REGION = "us-east-1"
_MISSING = "Bedrock with AWS credentials needs botocore: pip install 'ccr[aws]'"
_NOBODY = (
    "no AWS credentials were found: give a Bedrock API key or ACCESS:SECRET as api_key, "
    "or set them up for the AWS command line"
)
_STALE = "the AWS credentials cannot be renewed: log in again with the AWS command line, or check the role"


def aws_credential(key: Secret | None, url: str, environ: Mapping[str, str]) -> CredentialSource:
    """Return how to log in with this key: ``ACCESS:SECRET[:SESSION]`` signs, another text is a Bedrock API key.

    Without a key ``AWS_BEARER_TOKEN_BEDROCK`` counts, then botocore's own chain. Raises ValueError where botocore is
    needed and missing.
    """
    text = key.reveal() if key else environ.get("AWS_BEARER_TOKEN_BEDROCK", "")
    is_pair = text.startswith(_ACCESS_KEYS) and ":" in text
    if text and not is_pair:
        return StaticKey("bearer", Secret(text))
    if find_spec("botocore") is None:
        raise ValueError(_MISSING)
    region = _region(url, environ)
    if not is_pair:
        return SignedRequests(region, _chain)
    access, _, rest = text.partition(":")
    secret, _, session = rest.partition(":")
    texts = (secret, session) if session else (secret,)
    return SignedRequests(region, lambda: _fixed(access, secret, session or None), texts)


def _region(url: str, environ: Mapping[str, str]) -> str:
    """Return the part of the host that is a region (``bedrock-runtime.eu-west-1.amazonaws.com``); else the environment's."""
    parts = (urlsplit(url).hostname or "").split(".")
    named = next((part for part in parts if _REGION.fullmatch(part)), "")
    return named or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or _DEFAULT_REGION


def _fixed(access: str, secret: str, session: str | None) -> Any:
    from botocore.credentials import Credentials

    return Credentials(access, secret, session)


def _chain() -> Any:
    """Blocking: environment, files, other programs, the metadata service."""
    from botocore.session import Session

    return Session().get_credentials()


def _signed_headers(credentials: Any, region: str, request: UpstreamRequest) -> dict[str, str]:
    """Sign method, address, body and the header that no hop changes; return the headers of the signature."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    stable = {name: value for name, value in request.headers if name == "content-type"}
    signed = AWSRequest(method=request.method, url=request.url, data=request.body, headers=stable)
    SigV4Auth(credentials, _SERVICE, region).add_auth(signed)
    return {name.lower(): value for name, value in signed.headers.items()}


@define(eq=False)
class SignedRequests:
    """Signs with what ``find`` gives, which may block and may be None; it is asked once, in a thread."""

    region: str
    find: Callable[[], Any] = field(repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)
    _found: Any = field(default=None, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """Return the signed request. Raises UpstreamAuthError if there are no credentials, or none any more."""
        added = await asyncio.to_thread(self._sign, request)
        others = tuple((name, value) for name, value in request.headers if name not in added)
        return evolve(request, headers=(*others, *added.items()))

    def secrets(self) -> tuple[str, ...]:
        """Return the secret parts of what is known by now."""
        return self.texts

    def _sign(self, request: UpstreamRequest) -> dict[str, str]:
        """In a thread: the chain reads files and asks services, it renews what expires, and bodies are long."""
        with self._lock:
            if self._found is None:
                self._found = self._asked()
        try:
            frozen = self._found.get_frozen_credentials()
        except Exception as error:  # botocore's own, or those of a program that it asks
            raise UpstreamAuthError(f"{_STALE} ({type(error).__name__})") from error
        self.texts = tuple(text for text in (frozen.secret_key, frozen.token) if text)
        return _signed_headers(frozen, self.region, request)

    def _asked(self) -> Any:
        try:
            found = self.find()
        except Exception as error:
            raise UpstreamAuthError(f"{_NOBODY} ({type(error).__name__})") from error
        if found is None:
            raise UpstreamAuthError(_NOBODY)
        return found
