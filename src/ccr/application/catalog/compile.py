"""Settings in, catalog out: everything that can be decided before a request is decided here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from attrs import define, frozen

from ccr.application.catalog.doors import combined, credential_kind, endpoint_of
from ccr.application.catalog.holder import Catalog
from ccr.application.catalog.pipeline import Pipeline
from ccr.application.catalog.policy import compile_policy, named_models
from ccr.application.catalog.targets import Target, TargetKey
from ccr.application.ports.models import profile_with
from ccr.application.ports.provider import Endpoint, ProviderSpec
from ccr.application.ports.upstream import Timeouts
from ccr.application.settings import ProviderSettings, Settings, TransformerUse
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.models import Destination, ModelProfile, ModelRef
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.ports.config import Loaded
    from ccr.application.ports.dialect import ClientDialect, ProviderDialect
    from ccr.application.ports.hosting import CredentialSource, Hosting
    from ccr.application.ports.models import ModelBook
    from ccr.application.ports.provider import ProviderBook
    from ccr.application.ports.routing import CustomRouter
    from ccr.application.ports.transformer import Transformer, TransformerRegistry
    from ccr.domain.secret import Secret

__all__ = ["Compiler"]

DEMO = "demo"
"""The built-in provider, there without being configured."""

UNKNOWN_MAX_OUTPUT = 16_384
"""Tokens of output asked of a model whose limit nobody told us. Claude Code asks for 128000 of any name it does not know,
which most providers refuse with a 400 (claude-code-client.md 3); this much nearly all of them take."""


@frozen(eq=False)
class _Way:
    """Everything of a target but its model: the door, and who opens it."""

    endpoint: Endpoint
    keys: tuple[TargetKey, ...]
    chain: tuple[Transformer, ...]


@frozen(eq=False)
class _Provider:
    """A provider that can be called. ``by_model`` holds the ways of models that have transformers of their own."""

    provider: ProviderSettings
    spec: ProviderSpec
    way: _Way
    by_model: Mapping[str, _Way]
    settings: Settings


@define(eq=False)
class Compiler:
    """Holds what a catalog is compiled from.

    Attributes:
        clients: dialects by name, as seen by callers.
        dialects: dialects by name, as spoken to providers.
        credential: makes a credential source of a kind (``bearer``, ``x-api-key``, ``aws``, ...), keys and an address.
            Raises ValueError if it cannot.
        load_router: loads a custom router by path and time limit. Raises ConfigError.
        read_text: reads a small text file. Raises OSError or ValueError.
    """

    clients: Mapping[str, ClientDialect]
    dialects: Mapping[str, ProviderDialect]
    hostings: Mapping[str, Hosting]
    book: ProviderBook
    models: ModelBook
    transformers: TransformerRegistry
    credential: Callable[[str, Sequence[Secret], str], CredentialSource]
    load_router: Callable[[str, float], CustomRouter]
    read_text: Callable[[str], str]

    def __call__(self, loaded: Loaded) -> Catalog:
        """Compile, the configuration's own transformers included. Raises ConfigError with every problem at once."""
        return evolve(self, transformers=self.transformers.configured(loaded.settings)).compiled(loaded)

    def compiled(self, loaded: Loaded) -> Catalog:
        """Compile with the transformers that there are. Raises ConfigError."""
        settings = loaded.settings
        problems: list[Problem] = []
        warnings: list[Problem] = list(loaded.warnings)
        targets: dict[ModelRef, Target] = {}
        open_providers: dict[str, Callable[[ModelRef], Target]] = {}
        unavailable: dict[str, str] = {}
        for provider in self._providers(settings):
            made = self._provider(provider, settings, problems)
            if isinstance(made, str):
                unavailable[provider.name] = made
                warnings.append(_warning(settings, provider, made))
                continue
            if not provider.models:
                open_providers[provider.name] = made
            # The ancestor passes a routed model on although the provider does not list it; so do we.
            extra = named_models(settings.router, provider.name, provider.models) if provider.models else ()
            for model in dict.fromkeys((*provider.models, *extra)):
                ref = ModelRef(provider.name, model)
                targets[ref] = made(ref)
        router = self._router(settings, problems)
        prompt = self._prompt(settings, problems)
        policy = compile_policy(
            settings, targets, open_providers, unavailable, problems=problems, warnings=warnings
        )
        if problems:
            raise ConfigError(problems)
        return Catalog(
            revision=loaded.revision,
            settings=settings,
            policy=policy,
            targets=targets,
            clients=self.clients,
            open_providers=open_providers,
            unavailable=unavailable,
            warnings=tuple(warnings),
            custom_router=router,
            system_prompt=prompt,
            transformers=self.transformers,
        )

    def _providers(self, settings: Settings) -> tuple[ProviderSettings, ...]:
        if any(provider.name.lower() == DEMO for provider in settings.providers):
            return settings.providers
        spec = self.book.by_name(DEMO)
        if spec is None or not spec.endpoints:
            return settings.providers
        return (*settings.providers, ProviderSettings(DEMO, spec.endpoints[0].url, models=(DEMO,)))

    def _router(self, settings: Settings, problems: list[Problem]) -> CustomRouter | None:
        path = settings.router.custom_router
        if not path:
            return None
        try:
            return self.load_router(path, settings.router.custom_timeout)
        except ConfigError as error:
            problems.extend(error.problems)
            return None

    def _prompt(self, settings: Settings, problems: list[Problem]) -> str:
        path = settings.rewrite_system_prompt
        if not path:
            return ""
        try:
            return self.read_text(path)
        except (OSError, ValueError) as error:
            text = f"cannot be read: {getattr(error, 'strerror', None) or error}"
            problems.append(Problem(settings.source, 0, 0, "REWRITE_SYSTEM_PROMPT", text))
            return ""

    def _provider(
        self, provider: ProviderSettings, settings: Settings, problems: list[Problem]
    ) -> Callable[[ModelRef], Target] | str:
        """Return a maker of targets, or why there is none."""
        spec = self._spec(provider)
        shared = self._chain(provider.use, provider, settings, problems)
        way = self._way(provider, spec, shared)
        if isinstance(way, str):
            return way
        by_model = {}
        for model, uses in provider.model_use.items():
            chain = (*shared, *self._chain(uses, provider, settings, problems))
            own = self._way(provider, spec, chain)
            if isinstance(own, str):
                return own
            by_model[model] = own
        return partial(self._target, _Provider(provider, spec, way, by_model, settings))

    def _way(
        self, provider: ProviderSettings, spec: ProviderSpec, chain: tuple[Transformer, ...]
    ) -> _Way | str:
        """Find the door; a transformer's word counts most, the last one's above the others'. Or say why there is none."""
        door = combined(transformer.opens() for transformer in chain)
        endpoint = endpoint_of(provider, spec, door)
        if endpoint is None or endpoint.dialect not in self.dialects or endpoint.hosting not in self.hostings:
            what = provider.url if endpoint is None else f"{endpoint.dialect} through {endpoint.hosting}"
            return f"provider {provider.name!r} speaks {what}, which this version does not speak"
        kind = credential_kind(spec, endpoint, door)
        try:
            keys = self._keys(kind, provider, endpoint.url)
        except (LookupError, ValueError) as error:
            return f"provider {provider.name!r} cannot log in: {error.args[0] if error.args else error}"
        return _Way(endpoint, keys, chain)

    def _keys(self, kind: str, provider: ProviderSettings, url: str) -> tuple[TargetKey, ...]:
        """Make a credential of each key. Raises LookupError or ValueError."""
        if len(provider.api_keys) <= 1:
            return (TargetKey("", self.credential(kind, provider.api_keys, url)),)
        weights = provider.key_weights or (1.0,) * len(provider.api_keys)
        keys = {
            _key_id(secret): TargetKey(_key_id(secret), self.credential(kind, [secret], url), weight)
            for secret, weight in zip(provider.api_keys, weights, strict=True)
        }
        return tuple(keys.values())

    def _target(self, made: _Provider, ref: ModelRef) -> Target:
        settings, way = made.settings, made.by_model.get(ref.model, made.way)
        endpoint = way.endpoint
        dialect = self.dialects[endpoint.dialect]
        profile = self._profile(made, way, ref)
        hosting = self.hostings[endpoint.hosting]
        # Doors that say it in the body take it off the request; it must not come back here.
        usual = dict(getattr(dialect, "default_headers", ())) if hosting.verbatim else {}
        headers = {"content-type": "application/json", **usual}
        headers.update({name.lower(): value for name, value in made.provider.headers.items()})
        destination = Destination(ref, profile, endpoint.dialect, is_anthropic=endpoint.is_anthropic)
        return Target(
            ref=ref,
            destination=destination,
            endpoint=endpoint,
            dialect=dialect,
            hosting=hosting,
            credential=way.keys[0].credential,
            keys=way.keys,
            pipeline=Pipeline.of(way.chain, destination),
            headers=tuple(headers.items()),
            hidden=made.provider.hidden(),
            timeouts=_timeouts(settings),
            max_reply=settings.limits.max_reply,
            max_event=settings.limits.max_event,
        )

    def _profile(self, made: _Provider, way: _Way, ref: ModelRef) -> ModelProfile:
        """What the configuration says counts most, then transformers, the provider's file, what is known of models."""
        spec = made.spec
        if way.endpoint.is_anthropic and not spec.profiles:  # a proxy before it
            spec = self.book.by_name("anthropic") or spec
        facts = self.models.lookup(spec.name, ref.model)
        profile = profile_with(spec.profile(ref.model), facts, spec.told(ref.model))
        for transformer in way.chain:
            profile = transformer.profile(profile)
        said = made.provider.overrides.get(ref.model)
        if said is not None:
            profile = evolve(
                profile,
                context_window=said.context_window or profile.context_window,
                max_output=said.max_output or profile.max_output,
            )
        if profile.max_output is None and not way.endpoint.is_anthropic:
            profile = evolve(profile, max_output=UNKNOWN_MAX_OUTPUT)
        return profile

    def _spec(self, provider: ProviderSettings) -> ProviderSpec:
        return (
            self.book.by_url(provider.url) or self.book.by_name(provider.name) or ProviderSpec(provider.name)
        )

    def _chain(
        self,
        uses: Sequence[TransformerUse],
        provider: ProviderSettings,
        settings: Settings,
        problems: list[Problem],
    ) -> tuple[Transformer, ...]:
        chain = []
        for use in uses:
            try:
                chain.append(self.transformers.build(use.name, dict(use.options)))
            except (LookupError, ValueError) as error:
                text = str(error.args[0]) if error.args else str(error)
                problems.append(Problem(settings.source, 0, 0, use.where or provider.where, text))
        return tuple(chain)


def _key_id(secret: Secret) -> str:
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:8]


def _timeouts(settings: Settings) -> Timeouts:
    """``API_TIMEOUT_MS`` caps each single wait; there is no total limit unless one is set (decision 14)."""
    given = settings.timeouts

    def capped(limit: float | None) -> float | None:
        if given.api is None:
            return limit
        return given.api if limit is None else min(limit, given.api)

    return Timeouts(
        connect=capped(given.connect),
        first_byte=capped(given.first_byte),
        idle=capped(given.idle),
        total=given.total,
    )


def _warning(settings: Settings, provider: ProviderSettings, message: str) -> Problem:
    return Problem(settings.source, 0, 0, provider.where, message, severity="warning")
