"""A provider's request as its own JSON, open at the top level only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import define, field

from ccr.domain.fidelity import Loss
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

__all__ = ["Encoded", "JsonCodec", "Payload"]


class JsonCodec(Protocol):
    """The one JSON codec, handed in so that the application names no library."""

    def decode(self, data: bytes) -> object:
        """Return plain values. Raises ValueError on anything that is not JSON."""
        ...

    def encode(self, value: object) -> bytes:
        """Return JSON text; ``Json`` values inside are written as they are."""
        ...


@define(frozen=True)
class Payload:
    """Top-level fields by name. Values are plain JSON values or ``Json`` (``messages``, ``tools``: not yet parsed)."""

    fields: Mapping[str, object]
    codec: JsonCodec = field(repr=False, eq=False)

    def get(self, name: str, default: object = None) -> object:
        """Return the value as it stands: plain, or ``Json``."""
        return self.fields.get(name, default)

    def parsed(self, name: str) -> object:
        """Return the value as plain, mutable JSON values of the caller's own (a fresh copy); None if absent."""
        found = self.fields.get(name)
        if found is None:
            return None
        return self.codec.decode(found.data if isinstance(found, Json) else self.codec.encode(found))

    def with_(self, name: str, value: object) -> Payload:
        """Return a payload in which ``name`` is ``value``; the order of the fields stays."""
        return evolve(self, fields={**self.fields, name: value})

    def without(self, *names: str) -> Payload:
        """Return a payload without these fields."""
        return evolve(self, fields={key: val for key, val in self.fields.items() if key not in names})

    def encode(self) -> bytes:
        """Return the JSON text."""
        return self.codec.encode(dict(self.fields))


@define(frozen=True)
class Encoded:
    """A request written, and what could not be carried over. ``headers`` go with the body (betas, versions)."""

    payload: Payload
    losses: tuple[Loss, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
