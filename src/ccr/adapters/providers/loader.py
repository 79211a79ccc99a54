"""Reads the provider files of this package: no list is edited to add one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import field, frozen
from cattrs import Converter

from ccr.application.ports.provider import Endpoint, ProviderSpec
from ccr.domain.models import ModelProfile

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["PackagedProviders", "load_providers", "read_provider"]

_PACKAGE = "ccr.adapters.providers"
_EVERY_MODEL = "*"


@frozen
class _Credential:
    kind: str = "bearer"
    env: str = ""


@frozen
class _File:
    """One file as it stands. Profiles are by model glob; what ``"*"`` says holds for the others too."""

    name: str
    hosts: tuple[str, ...] = ()
    credential: _Credential = _Credential()
    endpoints: tuple[Endpoint, ...] = ()
    profiles: Mapping[str, dict[str, object]] = field(factory=dict)


_CONVERTER = Converter(forbid_extra_keys=True)
_CONVERTER.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)


def read_provider(text: str) -> ProviderSpec:
    """Read one file. Raises ValueError or an exception group of cattrs that names the field."""
    file = _CONVERTER.structure(tomllib.loads(text), _File)
    general = file.profiles.get(_EVERY_MODEL, {})
    return ProviderSpec(
        name=file.name,
        hosts=file.hosts,
        credential=file.credential.kind,
        credential_env=file.credential.env,
        endpoints=file.endpoints,
        profiles={
            glob: _CONVERTER.structure({**general, **told}, ModelProfile)
            for glob, told in file.profiles.items()
        },
    )


@cache
def load_providers() -> tuple[ProviderSpec, ...]:
    """Read every file of the package, in the order of their names."""
    return tuple(read_provider(path.read_text("utf-8")) for path in _files())


def _files() -> Iterable[Traversable]:
    folder = resources.files(_PACKAGE)
    return sorted(
        (path for path in folder.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name
    )


class PackagedProviders:
    """:class:`ccr.application.ports.provider.ProviderBook` over the files that ship with ccr, or over others."""

    def __init__(self, specs: Iterable[ProviderSpec] | None = None) -> None:
        known = tuple(load_providers() if specs is None else specs)
        self._by_name = {spec.name.lower(): spec for spec in known}
        self._by_host = {host.lower(): spec for spec in known for host in spec.hosts}

    def by_name(self, name: str) -> ProviderSpec | None:
        """Return the provider of that name (case-insensitive)."""
        return self._by_name.get(name.lower())

    def by_url(self, url: str) -> ProviderSpec | None:
        """Recognise a provider by the host of a URL: with the port where a file names one, else by the host alone."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if parts.scheme == "demo":
            return self._by_name.get("demo")
        return self._by_host.get(f"{host}:{port}") or self._by_host.get(host)

    def names(self) -> tuple[str, ...]:
        """Names of all known providers."""
        return tuple(spec.name for spec in self._by_name.values())
