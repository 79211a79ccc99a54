"""Providers as configured."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ccr.domain.secret import Secret

__all__ = ["OPEN_HEADERS", "ModelOverride", "ProviderSettings", "TransformerFile", "TransformerUse"]


OPEN_HEADERS = frozenset({
    "accept", "accept-language", "anthropic-beta", "anthropic-version", "content-type", "http-referer", "openai-beta",
    "openai-organization", "openai-project", "referer", "user-agent", "x-title",
})  # fmt: skip
"""Headers whose values may be shown. Any other may be a key by a name that only its owner knows."""


@frozen
class TransformerUse:
    """A transformer by name, with its options; ``where`` is its JSON path, for messages."""

    name: str
    options: Mapping[str, object] = field(factory=dict, hash=False, repr=False)
    where: str = ""


@frozen
class TransformerFile:
    """A Python file with transformers of the user's own; ``options`` are their defaults, ``where`` as above."""

    path: str
    options: Mapping[str, object] = field(factory=dict, hash=False, repr=False)
    where: str = ""


@frozen
class ModelOverride:
    """What the configuration says about a model over what we know of it (tokens); None = not said."""

    context_window: int | None = None
    max_output: int | None = None


@frozen
class ProviderSettings:
    """One provider entry.

    ``url`` is the full endpoint (ancestor's ``api_base_url``), used verbatim. ``dialect`` is None when it is to be
    recognised by host, by the ``use`` list or by the shape of the URL. ``api_keys`` may be empty (no auth header).
    ``models`` empty = any model name is passed on. ``headers`` are added to every request to it. ``key_weights`` are those
    of ``api_keys``, in their order. ``max_in_flight`` None = no limit.
    """

    name: str
    url: str
    api_keys: tuple[Secret, ...] = ()
    models: tuple[str, ...] = ()
    use: tuple[TransformerUse, ...] = ()
    model_use: Mapping[str, tuple[TransformerUse, ...]] = field(factory=dict, hash=False)
    dialect: str | None = None
    headers: Mapping[str, str] = field(factory=dict, hash=False, repr=False)
    overrides: Mapping[str, ModelOverride] = field(factory=dict, hash=False)
    where: str = ""
    key_weights: tuple[float, ...] = ()
    max_in_flight: int | None = None

    def hidden(self) -> tuple[str, ...]:
        """Return the values of headers that may be secret: any may that is not known not to be.

        Of two words (``Bearer x``) the second is one by itself.
        """
        values = (value for name, value in self.headers.items() if name.lower() not in OPEN_HEADERS)
        return tuple(text for value in values for text in (value, value.partition(" ")[2]) if text)
