"""``ccr providers``: which are known, what is known of one, and how one gets into the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import asdict, define, frozen

from ccr.application.ports.config import Change
from ccr.application.ports.provider import SHAPES
from ccr.domain.errors import InvalidRequestError, NoSuchPathError

if TYPE_CHECKING:
    from ccr.application.ports.config import ConfigStore, Loaded
    from ccr.application.ports.provider import Endpoint, ProviderBook, ProviderSpec
    from ccr.application.settings import ProviderSettings, Settings

__all__ = ["ManageProviders", "NewProvider"]

_KEYLESS = frozenset({"none", "aws", "google"})
"""Kinds of login that may do without a key of ours."""
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "host.docker.internal"})


@frozen
class NewProvider:
    """What somebody wants added. ``key`` is a key itself and goes into the file as it is; ``key_env`` names a variable."""

    name: str
    url: str = ""
    dialect: str = ""
    key_env: str = ""
    key: str = ""
    models: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"NewProvider({self.name!r})"


@define(eq=False)
class ManageProviders:
    """``is_set`` says whether a variable of the environment has a value. Answers are plain JSON values without secrets."""

    book: ProviderBook
    is_set: Callable[[str], bool]

    def list(self, settings: Settings) -> Sequence[Mapping[str, object]]:
        """List all known providers by name, and those of the configuration of which nothing is known."""
        known = [spec for name in sorted(self.book.names()) if (spec := self.book.by_name(name)) is not None]
        told = [self._brief(spec, settings) for spec in known]
        return [*told, *(_stranger(one) for one in settings.providers if self._spec(one) is None)]

    def show(self, name: str, settings: Settings) -> Mapping[str, object]:
        """Tell everything of one provider, by its own name or that in the configuration. Raises NoSuchPathError."""
        spec = self._named(name, settings)
        if spec is None:
            mine = [one for one in settings.providers if one.name.lower() == name.lower()]
            if not mine:
                raise NoSuchPathError(f"no provider is called {name!r}")
            return {**_stranger(mine[0]), "endpoints": [], "profiles": {}, "hosts": []}
        return {
            **self._brief(spec, settings),
            "docs": spec.docs,
            "source": spec.source,
            "hosts": list(spec.hosts),
            "endpoints": [_door(end, spec) for end in spec.endpoints],
            "profiles": {glob: _said(spec, glob) for glob in spec.profiles},
        }

    def _named(self, name: str, settings: Settings) -> ProviderSpec | None:
        mine = (one for one in settings.providers if one.name.lower() == name.lower())
        return self.book.by_name(name) or next(
            (spec for one in mine if (spec := self._spec(one)) is not None), None
        )

    def _spec(self, provider: ProviderSettings) -> ProviderSpec | None:
        return self.book.by_url(provider.url) or self.book.by_name(provider.name)

    def _brief(self, spec: ProviderSpec, settings: Settings) -> dict[str, object]:
        mine = [one for one in settings.providers if self._spec(one) is spec]
        return {
            "name": spec.name,
            "label": spec.label,
            "dialects": list(dict.fromkeys(end.dialect for end in spec.endpoints)),
            "credential": spec.credential,
            "key_env": spec.credential_env,
            "key_set": bool(spec.credential_env) and self.is_set(spec.credential_env),
            "configured": [_mine(one) for one in mine],
            "origin": spec.origin,
        }

    async def add(self, wish: NewProvider, settings: Settings, store: ConfigStore) -> Loaded:
        """Write it into the configuration. Raises InvalidRequestError and ConfigError, and then nothing is changed."""
        return await store.edit(self.changes(wish, settings))

    def changes(self, wish: NewProvider, settings: Settings) -> tuple[Change, ...]:
        """Return what has to change in the configuration. Raises InvalidRequestError with a sentence that says what to do."""
        if not wish.name.strip() or "," in wish.name:
            raise InvalidRequestError("a provider needs a name without a comma", param="name")
        if any(one.name.lower() == wish.name.lower() for one in settings.providers):
            raise InvalidRequestError(f"provider {wish.name!r} is in the configuration already", param="name")
        spec = self.book.by_name(wish.name) or (self.book.by_url(wish.url) if wish.url else None)
        url = wish.url or self._address(wish, spec)
        entry: dict[str, object] = {"name": wish.name, "api_base_url": url}
        if key := self._key(wish, spec, url):
            entry["api_key"] = key
        entry["models"] = list(wish.models)
        known = spec.endpoint_for(url) if spec is not None else None
        if wish.dialect and (known is None or known.dialect != wish.dialect):
            entry["dialect"] = wish.dialect
        elif known is None and not wish.dialect and _shape(url) is None:
            text = f"{url} is no known endpoint: say its dialect too, or an address that ends in /chat/completions or /messages"
            raise InvalidRequestError(text, param="url")
        return (Change((_key_of(settings), len(settings.providers)), entry),)

    def _address(self, wish: NewProvider, spec: ProviderSpec | None) -> str:
        if spec is None:
            raise InvalidRequestError(f"nothing is known of {wish.name!r}: say its url", param="url")
        ends = [end for end in spec.endpoints if wish.dialect in {"", end.dialect}]
        if not ends:
            spoken = ", ".join(dict.fromkeys(end.dialect for end in spec.endpoints))
            raise InvalidRequestError(
                f"{spec.name} does not speak {wish.dialect!r} but {spoken}", param="dialect"
            )
        if "{" in ends[0].url:
            text = f"{spec.name} has an address for each customer: say your url, of the form {ends[0].url}"
            raise InvalidRequestError(text, param="url")
        return ends[0].url

    def _key(self, wish: NewProvider, spec: ProviderSpec | None, url: str) -> str:
        if wish.key:
            return wish.key
        if wish.key_env:
            return f"${wish.key_env.removeprefix('$')}"
        name = spec.credential_env if spec is not None else ""
        needless = spec is not None and (spec.credential in _KEYLESS or urlsplit(url).hostname in _LOCAL)
        return f"${name}" if name and (not needless or self.is_set(name)) else ""


def _key_of(settings: Settings) -> str:
    """The key under which the file has its providers: the ancestor knows two spellings."""
    where = next((one.where for one in settings.providers if one.where), "Providers")
    return where.partition("[")[0].partition(".")[0]


def _shape(url: str) -> str | None:
    path = urlsplit(url).path.rstrip("/").lower()
    return next((dialect for ending, dialect in SHAPES if path.endswith(ending)), None)


def _mine(provider: ProviderSettings) -> dict[str, object]:
    return {"name": provider.name, "models": list(provider.models), "has_key": bool(provider.api_keys)}


def _stranger(provider: ProviderSettings) -> dict[str, object]:
    dialect = provider.dialect or _shape(provider.url)
    return {
        "name": provider.name,
        "label": "",
        "dialects": [dialect] if dialect else [],
        "credential": "bearer",
        "key_env": "",
        "key_set": False,
        "configured": [_mine(provider)],
        "origin": "configuration",
    }


def _door(end: Endpoint, spec: ProviderSpec) -> dict[str, object]:
    told = asdict(end)
    return {**told, "credential": end.credential or spec.credential, "docs": end.docs or spec.docs}


def _said(spec: ProviderSpec, glob: str) -> dict[str, object]:
    """The fields of a profile of which the file speaks, but for what it says of every model."""
    profile, general = spec.profiles[glob], spec.profiles.get("*")
    told = {name: getattr(profile, name) for name in sorted(spec.said.get(glob, ()))}
    if glob != "*" and general is not None:
        told = {name: value for name, value in told.items() if value != getattr(general, name)}
    return {name: _plain(value) for name, value in told.items()}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.value if isinstance(value, Enum) else value
