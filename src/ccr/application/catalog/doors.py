"""Which way leads to a provider: dialect, door and login, from what is said, known and seen."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ccr.application.ports.provider import SHAPES, Endpoint
from ccr.application.ports.transformer import Door
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.application.ports.provider import ProviderSpec
    from ccr.application.settings import ProviderSettings

__all__ = ["combined", "credential_kind", "endpoint_of"]

_X_API_KEY = "x-api-key"


def combined(doors: Iterable[Door | None]) -> Door:
    """Return what a chain of transformers says, the last one's word above the others'."""
    whole = Door()
    for door in doors:
        if door is not None:
            whole = Door(
                dialect=door.dialect or whole.dialect,
                hosting=door.hosting or whole.hosting,
                credential=door.credential or whole.credential,
                native=door.native or whole.native,
            )
    return whole


def endpoint_of(provider: ProviderSettings, spec: ProviderSpec, door: Door) -> Endpoint | None:
    """Recognise the endpoint: said (``dialect``), by a transformer, by the provider's file, by the shape of the path.

    What a file knows of a door holds at another address too, if the provider is called by that name: a company's proxy.
    """
    known = spec.endpoint_for(provider.url)
    path = urlsplit(provider.url).path.rstrip("/").lower()
    shape = next((dialect for ending, dialect in SHAPES if path.endswith(ending)), None)
    dialect = provider.dialect or door.dialect or (known.dialect if known is not None else shape)
    if not dialect:
        return None
    if known is None or known.dialect != dialect:
        known = Endpoint(dialect, provider.url, is_anthropic=door.native)
    return evolve(known, url=provider.url, hosting=door.hosting or known.hosting)


def credential_kind(spec: ProviderSpec, endpoint: Endpoint, door: Door) -> str:
    """How it logs in: by a transformer, else as Anthropic's own API does, else as the provider's file says."""
    if door.credential:
        return door.credential
    if endpoint.credential:
        return endpoint.credential
    direct = endpoint.dialect == "anthropic" and endpoint.hosting == "direct"
    if direct and (endpoint.is_anthropic or spec.credential == _X_API_KEY):
        return _X_API_KEY
    return spec.credential if spec.endpoints else "bearer"
