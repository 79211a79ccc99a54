"""Ways to log in at a provider, by the word that provider files and transformers use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import time

from attrs import define

from ccr.adapters.credentials.aws import aws_credential
from ccr.adapters.credentials.cli_tokens import BasicKey, gemini_token, qwen_token
from ccr.adapters.credentials.google import google_credential
from ccr.adapters.credentials.keys import FIXED, static_key
from ccr.application.ports.hosting import CredentialSource
from ccr.domain.secret import Secret

__all__ = ["KINDS", "CredentialKinds"]

_OTHERS = ("aws", "basic", "gemini-cli", "google", "qwen-cli")
KINDS = frozenset({*FIXED, *_OTHERS})
"""Every word."""


@define(eq=False)
class CredentialKinds:
    """Makes credential sources. ``environ`` and ``home`` are where the clouds' own tools leave theirs; ``now`` gives seconds
    since 1970.
    """

    environ: Mapping[str, str]
    home: Path
    now: Callable[[], float] = time

    def __call__(self, kind: str, keys: Sequence[Secret], url: str) -> CredentialSource:
        """Return a source for the first key.

        Raises LookupError (no such kind) or ValueError (it cannot be used so; the message says what to do).
        """
        if kind in FIXED:
            return static_key(kind, keys)
        first = keys[0] if keys else None
        match kind:
            case "aws":
                return aws_credential(first, url, self.environ)
            case "google":
                return google_credential(first, self.now)
            case "basic":
                return BasicKey(first)
            case "gemini-cli":
                return gemini_token(self.home, self.now)
            case "qwen-cli":
                return qwen_token(self.home, self.now)
            case _:
                raise LookupError(f"no login is called {kind!r}; known: {', '.join(sorted(KINDS))}")
