"""Reads the provider files of this package, and those that other packages ship: no list is edited to add one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
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

__all__ = ["PackagedProviders", "load_providers", "provider_files", "read_provider"]

_PACKAGE = "ccr.adapters.providers"
_EVERY_MODEL = "*"
_FAMILY = "family"


@frozen
class _Credential:
    kind: str = "bearer"
    env: str = ""


@frozen
class _File:
    """One file as it stands. Profiles are by model glob; what ``"*"`` says holds for the others too.

    A profile may name a ``family``: models that many providers sell, and that are the same everywhere (``families/``).
    """

    name: str
    label: str = ""
    docs: str = ""
    source: str = ""
    hosts: tuple[str, ...] = ()
    credential: _Credential = _Credential()
    endpoints: tuple[Endpoint, ...] = ()
    profiles: Mapping[str, dict[str, object]] = field(factory=dict)


_CONVERTER = Converter(forbid_extra_keys=True)
_CONVERTER.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)


def read_provider(text: str, origin: str = "ccr") -> ProviderSpec:
    """Read one file. Raises ValueError or an exception group of cattrs that names the field."""
    file = _CONVERTER.structure(tomllib.loads(text), _File)
    profiles = _with_families(file.profiles)
    general = profiles.get(_EVERY_MODEL, {})
    return ProviderSpec(
        name=file.name,
        hosts=file.hosts,
        credential=file.credential.kind,
        credential_env=file.credential.env,
        endpoints=file.endpoints,
        profiles={
            glob: _CONVERTER.structure({**general, **told}, ModelProfile) for glob, told in profiles.items()
        },
        said={glob: frozenset({**general, **told}) for glob, told in profiles.items()},
        label=file.label or file.name,
        docs=file.docs,
        source=file.source,
        origin=origin,
    )


def _with_families(profiles: Mapping[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """Return the profiles with what is known of the families that they name; a file's own word counts more.

    Raises ValueError for a family that nobody knows.
    """
    made: dict[str, dict[str, object]] = {}
    for glob, told in profiles.items():
        own = {name: value for name, value in told.items() if name != _FAMILY}
        if _FAMILY not in told:
            made[glob] = own
            continue
        members = _family(str(told[_FAMILY]))
        general = members.get(_EVERY_MODEL, {})
        made[glob] = {**general, **own}
        for member, special in members.items():
            if member != _EVERY_MODEL:
                made.setdefault(member, {**general, **special, **own})
    return made


@cache
def _family(name: str) -> Mapping[str, dict[str, object]]:
    path = resources.files(_PACKAGE) / "families" / f"{name}.toml"
    if not path.is_file():
        raise ValueError(f"there is no family {name!r} of models")
    return tomllib.loads(path.read_text("utf-8"))


@cache
def load_providers() -> tuple[ProviderSpec, ...]:
    """Read every file of this package, in the order of their names."""
    return tuple(read_provider(path.read_text("utf-8")) for path in provider_files(resources.files(_PACKAGE)))


def provider_files(folder: Traversable) -> Iterable[Traversable]:
    """Return the files of a folder that describe providers, in the order of their names."""
    return sorted(
        (path for path in folder.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name
    )


class PackagedProviders:
    """:class:`ccr.application.ports.provider.ProviderBook` over the files that ship with ccr, or over others.

    ``more`` come from other packages: a name or a host that is known already stays with whom it was, and ``warnings``
    say so.
    """

    def __init__(
        self, specs: Iterable[ProviderSpec] | None = None, more: Iterable[ProviderSpec] = ()
    ) -> None:
        self._by_name: dict[str, ProviderSpec] = {}
        self._by_host: dict[str, ProviderSpec] = {}
        self.warnings: tuple[str, ...] = ()
        for spec in (*(load_providers() if specs is None else specs), *more):
            self._add(spec)
        patterns = [host for host in self._by_host if "*" in host]
        self._patterns = sorted(patterns, key=lambda host: (-len(host), host))

    def _add(self, spec: ProviderSpec) -> None:
        known = self._by_name.setdefault(spec.name.lower(), spec)
        if known is not spec:
            self._warn(
                f"provider {spec.name!r} of {spec.origin} is left out: {known.origin} has one of that name"
            )
            return
        for host in spec.hosts:
            owner = self._by_host.setdefault(host.lower(), spec)
            if owner is not spec:
                self._warn(f"host {host} of provider {spec.name!r} ({spec.origin}) stays with {owner.name!r}")

    def _warn(self, text: str) -> None:
        self.warnings = (*self.warnings, text)

    def by_name(self, name: str) -> ProviderSpec | None:
        """Return the provider of that name (case-insensitive)."""
        return self._by_name.get(name.lower())

    def by_url(self, url: str) -> ProviderSpec | None:
        """Recognise a provider by the host of a URL: with the port where a file names one, else by the host alone.

        A host that is written out goes before a pattern, a longer pattern before a shorter one.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if parts.scheme == "demo":
            return self._by_name.get("demo")
        found = self._by_host.get(f"{host}:{port}") or self._by_host.get(host)
        if found is not None or not host:
            return found
        pattern = next((known for known in self._patterns if fnmatchcase(host, known)), None)
        return None if pattern is None else self._by_host[pattern]

    def names(self) -> tuple[str, ...]:
        """Names of all known providers."""
        return tuple(spec.name for spec in self._by_name.values())
