"""Every text of a configuration that no log may show."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ccr.adapters.config.expand import is_secret_name

if TYPE_CHECKING:
    from ccr.application.settings import Settings

__all__ = ["secrets_of"]


def secrets_of(settings: Settings) -> frozenset[str]:
    """Return keys, header values, passwords, and what options hold under a secret's name."""
    return frozenset(text for text in _found(settings) if text)


def _found(settings: Settings) -> Iterator[str]:
    for key in (settings.server.api_key, settings.search.api_key):
        if key is not None:
            yield key.reveal()
    for provider in settings.providers:
        yield from (key.reveal() for key in provider.api_keys)
        yield from provider.hidden()
        for use in (*provider.use, *(use for uses in provider.model_use.values() for use in uses)):
            yield from _options(use.options)
    for file in settings.transformers:
        yield from _options(file.options)
    for url in (settings.proxy_url, settings.search.url):
        yield from _password(url or "")


def _options(value: object, *, secret: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if secret:
            yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _options(inner, secret=secret or is_secret_name(str(name)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _options(inner, secret=secret)


def _password(url: str) -> Iterator[str]:
    """As it is written, as it is meant, and as it is sent."""
    user, colon, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    if colon:
        yield password
        yield unquote(password)
        yield b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
