"""``ccr models``: what is known of models, and which provider of the configuration has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import asdict, define

from ccr.domain.errors import NoSuchPathError

if TYPE_CHECKING:
    from ccr.application.ports.models import ModelBook, ModelFacts, ModelPrice, Rates
    from ccr.application.ports.provider import ProviderBook
    from ccr.application.settings import ProviderSettings, Settings

__all__ = ["ListKnownModels"]

_CONFIGURATION = "configuration"


@define(eq=False)
class ListKnownModels:
    """``today`` gives the day as ``YYYY-MM-DD``, for the price in force. Answers are plain JSON values.

    Prices are in US dollars for a million tokens; null = not known, which is never free of charge.
    """

    book: ProviderBook
    models: ModelBook
    today: Callable[[], str]

    def list(self, settings: Settings, provider: str = "") -> Sequence[Mapping[str, object]]:
        """List the models of the configuration; with ``provider`` all known ones of it. Raises NoSuchPathError."""
        mine = [one for one in settings.providers if provider.lower() in {"", one.name.lower()}]
        told = [self._configured(one, model) for one in mine for model in one.models]
        if not provider:
            return told
        name = self._name(mine[0]) if mine else provider
        have = {one["listed_as"] for one in told}
        known = self.models.of_provider(name)
        if not mine and not known and self.book.by_name(provider) is None:
            raise NoSuchPathError(f"no provider is called {provider!r}")
        return [*told, *(self._told(facts.model, facts) for facts in known if facts.model not in have)]

    def show(self, model: str, settings: Settings) -> Mapping[str, object]:
        """Tell everything of a model, named as ``provider,model`` or alone. Raises NoSuchPathError."""
        provider, comma, name = model.partition(",")
        provider, name = (provider, name) if comma else ("", model)
        mine = [
            (one, known)
            for one in settings.providers
            if provider.lower() in {"", one.name.lower()}
            for known in one.models
            if known.lower() == name.lower()
        ]
        facts = self._found(provider, name, settings)
        found = [fact for fact in facts if fact is not None]
        if not mine and not found:
            raise NoSuchPathError(f"nothing is known of the model {model!r}")
        return {
            "model": name,
            "configured": [self._configured(one, known) for one, known in mine],
            "known": [{**self._told(name, fact), "sources": self._sources(fact)} for fact in found],
        }

    def _found(self, provider: str, name: str, settings: Settings) -> Sequence[ModelFacts | None]:
        """What its provider says, else everyone who lists it, else its maker."""
        if provider:
            mine = next((one for one in settings.providers if one.name.lower() == provider.lower()), None)
            return [self.models.lookup(self._name(mine) if mine else provider, name)]
        listed = [self.models.lookup(one, name) for one in self.models.providers()]
        own = [
            fact
            for one, fact in zip(self.models.providers(), listed, strict=True)
            if fact and fact.provider == one
        ]
        return own or [self.models.lookup("", name)]

    def _name(self, provider: ProviderSettings) -> str:
        """The provider's own name, whatever the configuration calls it."""
        spec = self.book.by_url(provider.url) or self.book.by_name(provider.name)
        return spec.name if spec is not None else provider.name

    def _configured(self, provider: ProviderSettings, model: str) -> dict[str, object]:
        name = self._name(provider)
        told = self._told(model, self.models.lookup(name, model))
        spec = self.book.by_name(name)
        profile = spec.profile(model) if spec is not None else None
        said = provider.overrides.get(model)
        for key in ("context_window", "max_output"):
            for origin, source in ((_CONFIGURATION, said), (name, profile)):
                value = getattr(source, key, None)
                if value:
                    told[key] = value
                    told["limits_from"] = {**_as_dict(told["limits_from"]), key: origin}
                    break
        return {**told, "provider": provider.name, "configured": True}

    def _told(self, model: str, facts: ModelFacts | None) -> dict[str, object]:
        if facts is None:
            nothing: dict[str, object] = dict.fromkeys(("context_window", "max_output", "price"))
            unknown: dict[str, object] = {
                "abilities": {},
                "deprecated": None,
                "limits_from": {},
                "listed_as": None,
            }
            return {"provider": "", "model": model, **nothing, **unknown, "configured": False}
        limits = {key: facts.sources[key] for key in ("context_window", "max_output") if key in facts.sources}
        price = facts.price(self.today())
        return {
            "provider": facts.provider,
            "model": model,
            "context_window": facts.context_window,
            "max_output": facts.max_output,
            "price": None if price is None else _price(price),
            "abilities": dict(facts.abilities),
            "deprecated": facts.deprecated or None,
            "limits_from": limits,
            "listed_as": facts.model,
            "configured": False,
        }

    def _sources(self, facts: ModelFacts) -> dict[str, object]:
        return {**facts.sources, "prices": [_price(price) for price in facts.prices]}


def _price(price: ModelPrice) -> dict[str, object]:
    tiers = [{"above": tier.above, **_rates(tier.rates)} for tier in price.tiers]
    return {**_rates(price.rates), "tiers": tiers, "since": price.since, "source": price.source}


def _rates(rates: Rates) -> dict[str, float | None]:
    return asdict(rates)


def _as_dict(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}
