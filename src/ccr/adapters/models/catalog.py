"""Reads the catalog that ``tools/build_catalog.py`` builds.

Of 2,600 models a process asks for a handful: the file is split into its rows when the first is asked for (11 ms), and a row
is read when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import resources

import msgspec
from msgspec import Raw, Struct

from ccr.application.ports.models import ABILITIES, ModelFacts, ModelPrice, PriceTier, Rates

__all__ = ["CatalogFile", "PackagedModels", "spellings"]

_LETTERS = "tpvdrskj"
"""One letter for each of ABILITIES, in their order; a capital says that the model lacks it."""

_FIELDS = {"w": "context_window", "o": "max_output", "c": "abilities", "d": "deprecated"}

_MOST_REMEMBERED = 4096
"""Names of models may come from callers."""

MAKERS = (
    "anthropic", "openai", "gemini", "deepseek", "moonshot", "zhipu", "dashscope", "xai", "mistral", "minimax",
    "volcengine", "groq", "openrouter",
)  # fmt: skip
"""Whose word counts about a model that a provider itself does not list, in this order."""

_SUFFIX = re.compile(r"(:[a-z][\w.-]*|\[\w+\])$")
_DATE = re.compile(r"[-@](20\d{2}-?\d{2}-?\d{2}|2[0-9]\d{4})$")
_MAKER = re.compile(r"^(?:[a-z]{2,6}\.)?[a-z0-9]+\.(?=[a-z])")
"""Bedrock's ``us.anthropic.`` before a model's own name."""
_VERSION = re.compile(r"-v\d+(:\d+)?$")


class _Row(
    Struct, rename={"window": "w", "output": "o", "able": "c", "gone": "d", "prices": "p", "came": "f"}
):
    window: int | None = None
    output: int | None = None
    able: str = ""
    gone: str = ""
    prices: list[_Price] = []
    came: str | dict[str, str] = ""


class _Price(Struct, array_like=True):
    since: str
    source: str
    rates: list[float | None]
    tiers: list[tuple[int, list[float | None]]] = []


class CatalogFile(Struct):
    """The file: rows undecoded, by provider and model."""

    sources: dict[str, str]
    kinds: list[str]
    models: dict[str, dict[str, Raw]]


_ROW = msgspec.json.Decoder(_Row)


def spellings(model: str) -> Iterator[str]:
    """Yield a model's id in lower case, then with ever less of what providers add to it, most specific first."""
    seen = set()
    name = model.lower()
    for change in (None, _SUFFIX, _DATE, _VERSION, _DATE, _MAKER):
        name = name if change is None else change.sub("", name)
        for made in (name, name.rpartition("/")[2]):
            if made and made not in seen:
                seen.add(made)
                yield made


def _plain(model: str) -> str:
    """Return an id as it is compared when it cannot be found otherwise: ``4.6`` is ``4-6`` elsewhere."""
    return model.lower().rpartition("/")[2].replace(".", "-")


class PackagedModels:
    """:class:`ccr.application.ports.models.ModelBook` over the file that ships with ccr, or over another."""

    def __init__(self, data: bytes | None = None) -> None:
        self._data = data
        self._known: dict[tuple[str, str], ModelFacts | None] = {}

    @cached_property
    def _file(self) -> CatalogFile:
        data = self._data
        if data is None:
            data = resources.files("ccr.adapters.models").joinpath("catalog.json").read_bytes()
        return msgspec.json.decode(data, type=CatalogFile)

    @cached_property
    def _by_spelling(self) -> dict[str, dict[str, str]]:
        """For a provider the listed ids, by how they are compared; what is spelled out goes before what is shortened."""
        found: dict[str, dict[str, str]] = {}
        for provider, rows in self._file.models.items():
            ids = found.setdefault(provider, {})
            for model in rows:
                ids[model.lower()] = model
            for model in rows:
                ids.setdefault(_plain(model), model)
        return found

    def lookup(self, provider: str, model: str) -> ModelFacts | None:
        """Return what is known of a model, None for one that nobody has heard of. Remembered."""
        key = (provider.lower(), model)
        if key not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = self._found(*key)
        return self._known[key]

    def _found(self, provider: str, model: str) -> ModelFacts | None:
        own = self._listed(provider, model)
        if own is not None:
            # What is free of charge now is listed by the price of what is not.
            return self._facts(
                provider, own, priced=not model.lower().endswith(":free") or own.endswith(":free")
            )
        for maker in MAKERS:
            theirs = self._listed(maker, model)
            if theirs is not None:
                return self._facts(maker, theirs, priced=False)
        return None

    def _listed(self, provider: str, model: str) -> str | None:
        ids = self._by_spelling.get(provider)
        if ids is None:
            return None
        names = tuple(spellings(model))
        exact = next((ids[name] for name in names if name in ids), None)
        return exact or next((ids[plain] for name in names if (plain := _plain(name)) in ids), None)

    def of_provider(self, provider: str) -> tuple[ModelFacts, ...]:
        """Return all that are known of a provider, by name."""
        name = provider.lower()
        return tuple(self._facts(name, model) for model in sorted(self._file.models.get(name, {})))

    def providers(self) -> tuple[str, ...]:
        """Names of the providers of which models are known."""
        return tuple(self._file.models)

    def _facts(self, provider: str, model: str, *, priced: bool = True) -> ModelFacts:
        row = _ROW.decode(self._file.models[provider][model])
        able = zip(_LETTERS, ABILITIES, strict=True)
        return ModelFacts(
            provider=provider,
            model=model,
            context_window=row.window,
            max_output=row.output,
            abilities={
                name: letter in row.able
                for letter, name in able
                if letter in row.able or letter.upper() in row.able
            },
            prices=tuple(self._price(price) for price in row.prices) if priced else (),
            deprecated=row.gone,
            sources=self._sources(row),
        )

    def _price(self, price: _Price) -> ModelPrice:
        return ModelPrice(
            price.since,
            self._rates(price.rates),
            tuple(PriceTier(above, self._rates(rates)) for above, rates in price.tiers),
            self._file.sources.get(price.source, price.source),
        )

    def _rates(self, rates: list[float | None]) -> Rates:
        # The list is cut after the last rate that is known.
        return Rates(**dict(zip(self._file.kinds, rates, strict=False)))

    def _sources(self, row: _Row) -> Mapping[str, str]:
        told = {"w": row.window, "o": row.output, "c": row.able, "d": row.gone}
        came = {
            key: row.came if isinstance(row.came, str) else row.came.get(key, "") for key in told if told[key]
        }
        return {_FIELDS[key]: self._named(codes) for key, codes in came.items()}

    def _named(self, codes: str) -> str:
        return "; ".join(self._file.sources.get(code, code) for code in codes)
