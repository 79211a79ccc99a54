"""What is known of models beyond the configuration: limits, abilities, prices."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from attrs import define, field

from ccr.domain.models import ModelProfile
from ccr.domain.value import evolve

__all__ = ["ABILITIES", "ModelBook", "ModelFacts", "ModelPrice", "PriceTier", "Rates", "profile_with"]

ABILITIES = (
    "tools",
    "parallel_tools",
    "vision",
    "pdf",
    "reasoning",
    "web_search",
    "prompt_caching",
    "schema_output",
)
"""Names of abilities that a model may be known to have, or not to have."""


@define(frozen=True)
class Rates:
    """US dollars for a million tokens of a kind; None = not known, which is never free of charge.

    ``input`` is what no cache had. Where ``reasoning`` is None its tokens cost what ``output`` does.
    """

    input: float | None = None
    cache_read: float | None = None
    cache_write_5m: float | None = None
    cache_write_1h: float | None = None
    output: float | None = None
    reasoning: float | None = None


@define(frozen=True)
class PriceTier:
    """What a request costs whose whole input is longer than ``above`` tokens."""

    above: int
    rates: Rates


@define(frozen=True)
class ModelPrice:
    """A price since a day (``YYYY-MM-DD``); ``tiers`` in rising order; ``source`` names where it is from."""

    since: str
    rates: Rates
    tiers: tuple[PriceTier, ...] = ()
    source: str = ""

    def at(self, tokens: int) -> Rates:
        """Return the rates for an input of that many tokens, cached ones included."""
        return next((tier.rates for tier in reversed(self.tiers) if tokens > tier.above), self.rates)


@define(frozen=True)
class ModelFacts:
    """What is known of one model. Tokens where numbers; None = unknown.

    Attributes:
        provider, model: under which it is listed; another provider's where only its maker is known.
        context_window: input and output together, as far as the source tells them apart.
        abilities: of :data:`ABILITIES` those that are known, and whether it has them.
        prices: oldest first; empty = unknown.
        deprecated: day on which it goes or went, ``YYYY-MM-DD``; empty = none is known.
        sources: where a field is from, by ``context_window``, ``max_output``, ``abilities`` and ``deprecated``.
    """

    provider: str
    model: str
    context_window: int | None = None
    max_output: int | None = None
    abilities: Mapping[str, bool] = field(factory=dict, hash=False)
    prices: tuple[ModelPrice, ...] = ()
    deprecated: str = ""
    sources: Mapping[str, str] = field(factory=dict, hash=False)

    def price(self, day: str) -> ModelPrice | None:
        """Return the price in force on a day (``YYYY-MM-DD``); before all of them the oldest; None if none is known."""
        held = [price for price in self.prices if price.since <= day]
        return held[-1] if held else next(iter(self.prices), None)


class ModelBook(Protocol):
    """All models of which something is known."""

    def lookup(self, provider: str, model: str) -> ModelFacts | None:
        """Return what is known of a model, None for one that nobody has heard of.

        By provider and id, then by the id without what providers add to it: a maker before a slash, a suffix such as
        ``:free`` or ``[1m]``, a date. If the provider does not list it, its maker's limits and abilities count, but not its
        prices.
        """
        ...

    def of_provider(self, provider: str) -> tuple[ModelFacts, ...]:
        """Return all that are known of a provider, by name."""
        ...

    def providers(self) -> tuple[str, ...]:
        """Names of the providers of which models are known."""
        ...


def profile_with(
    profile: ModelProfile, facts: ModelFacts | None, told: Collection[str] = frozenset()
) -> ModelProfile:
    """Return the profile, completed with what is known of the model.

    ``told``: fields that the provider's file speaks of (:meth:`ProviderSpec.told`); they stay. Limits stay wherever the
    profile has them.
    """
    if facts is None:
        return profile
    sees, reads = facts.abilities.get("vision"), facts.abilities.get("pdf")
    return evolve(
        profile,
        context_window=profile.context_window or facts.context_window,
        max_output=profile.max_output or facts.max_output,
        images=profile.images if "images" in told or sees is None else sees,
        documents=profile.documents if "documents" in told or reads is None else reads,
    )
