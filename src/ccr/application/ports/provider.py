"""Providers as data: who has which endpoints, and what their models can do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Protocol
from urllib.parse import urlsplit

from attrs import define, field

from ccr.domain.models import ModelProfile

__all__ = ["SHAPES", "Endpoint", "ProviderBook", "ProviderSpec"]

SHAPES = (
    ("/messages", "anthropic"),
    ("/chat/completions", "openai_chat"),
    ("/responses", "openai_responses"),
    (":generatecontent", "gemini"),
    (":streamgeneratecontent", "gemini"),
)
"""Endings of an endpoint's path in lower case, and the dialect that they mean."""

_BLANK = re.compile(r"\\\{\w+\\\}")
"""A ``{region}`` of an address that is a pattern, as ``re.escape`` leaves it."""


@define(frozen=True)
class Endpoint:
    """One door of a provider.

    Attributes:
        url: the full address; ``{region}`` and the like stand for what the user's own address says there.
        is_anthropic: it is Anthropic's own API, not merely one that speaks like it.
        credential: kind of login where it is not the provider's; empty = as the provider's.
        label: what it is for, when a provider has several of a dialect.
        docs: address of the vendor's documentation where it is not the provider's.
    """

    dialect: str
    url: str
    hosting: str = "direct"
    is_anthropic: bool = False
    credential: str = ""
    label: str = ""
    docs: str = ""


@define(frozen=True)
class ProviderSpec:
    """What is known of a provider beyond the configuration.

    Attributes:
        hosts: hosts that are its own, with a port for local ones; ``*`` stands for any letters.
        credential: how it logs in: a kind of :class:`ccr.application.ports.hosting.CredentialSource`.
        credential_env: variable in which people keep its key; empty = none is usual.
        profiles: by model glob; the most specific one counts.
        said: by model glob the fields of which the description speaks; the others have their defaults.
        label, docs: its name for people, and the address of the vendor's documentation.
        source: where these facts come from, and of which date they are.
        origin: who ships this description: ``ccr``, or a distribution's name and version.
    """

    name: str
    hosts: tuple[str, ...] = ()
    credential: str = "bearer"
    credential_env: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    profiles: Mapping[str, ModelProfile] = field(factory=dict, hash=False)
    said: Mapping[str, frozenset[str]] = field(factory=dict, hash=False, repr=False)
    label: str = ""
    docs: str = ""
    source: str = ""
    origin: str = "ccr"

    def profile(self, model: str) -> ModelProfile:
        """Return the profile of a model by its most specific glob."""
        glob = self.profile_glob(model)
        return ModelProfile() if glob is None else self.profiles[glob]

    def told(self, model: str) -> frozenset[str]:
        """Return the fields of a model's profile of which the description speaks."""
        return self.said.get(self.profile_glob(model) or "", frozenset())

    def profile_glob(self, model: str) -> str | None:
        """Return the glob whose profile a model has; None if none fits."""
        matching = [glob for glob in self.profiles if fnmatchcase(model.lower(), glob.lower())]
        return max(matching, key=len) if matching else None

    def endpoint_for(self, url: str) -> Endpoint | None:
        """Return the endpoint that an address of this provider means; None if no endpoint has anything of it.

        By its path: the same one, else the longest one that it begins with, else by its shape (``/chat/completions``),
        else the one that is a host and nothing more. Endpoints of the same host go before the others, which count too:
        many providers have a second host with the same paths. A ``url`` that is no address has no endpoint.
        """
        try:
            parts = urlsplit(url)
            host, path = parts.hostname or "", parts.path.rstrip("/")
        except ValueError:
            return None
        here = [end for end in self.endpoints if _fits(urlsplit(end.url).hostname or "", host)]
        return _by_path(here, path) or _by_path(self.endpoints, path)


def _by_path(endpoints: tuple[Endpoint, ...] | list[Endpoint], path: str) -> Endpoint | None:
    paths = [(urlsplit(end.url).path.rstrip("/"), end) for end in endpoints]
    exact = next((end for known, end in paths if _fits(known, path)), None)
    if exact is not None:
        return exact
    begun = [(known, end) for known, end in paths if known and _fits(known, path, begins=True)]
    if begun:
        return max(begun, key=lambda pair: len(pair[0]))[1]
    shape = next((dialect for ending, dialect in SHAPES if path.lower().endswith(ending)), None)
    shaped = next((end for end in endpoints if end.dialect == shape), None)
    return shaped or next((end for known, end in paths if not known), None)


def _fits(known: str, given: str, *, begins: bool = False) -> bool:
    """Whether a text is the known one, or with ``begins`` one that goes on after a ``/`` or ``:``."""
    pattern = _BLANK.sub(r"[^/:]+", re.escape(known))
    return re.fullmatch(pattern + ("[/:].*" if begins else ""), given, re.IGNORECASE) is not None


class ProviderBook(Protocol):
    """All providers known to this installation."""

    def by_name(self, name: str) -> ProviderSpec | None:
        """Return the provider of that name (case-insensitive)."""
        ...

    def by_url(self, url: str) -> ProviderSpec | None:
        """Recognise a provider by the host of a URL."""
        ...

    def names(self) -> tuple[str, ...]:
        """Names of all known providers."""
        ...
