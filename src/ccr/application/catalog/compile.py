"""Settings in, catalog out: everything that can be decided before a request is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import define, evolve, frozen

from ccr.application.catalog.holder import Catalog
from ccr.application.catalog.pipeline import Pipeline
from ccr.application.catalog.policy import compile_policy, named_models
from ccr.application.catalog.targets import Target
from ccr.application.ports.provider import Endpoint, ProviderSpec
from ccr.application.ports.upstream import Timeouts
from ccr.application.settings import ProviderSettings, Settings, TransformerUse
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.models import Destination, ModelRef

if TYPE_CHECKING:
    from ccr.application.ports.config import Loaded
    from ccr.application.ports.dialect import ClientDialect, ProviderDialect
    from ccr.application.ports.hosting import CredentialSource, Hosting
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

_NATIVE_USE = "anthropic"
"""The ancestor's name for: this provider speaks Anthropic, let the bytes through."""

_SHAPES = (("/messages", "anthropic"), ("/chat/completions", "openai_chat"))
"""Endings of an endpoint's path, and the dialect that they mean."""


@frozen(eq=False)
class _Door:
    """Everything of a target but its model."""

    provider: ProviderSettings
    spec: ProviderSpec
    endpoint: Endpoint
    credential: CredentialSource
    shared: tuple[Transformer, ...]
    by_model: Mapping[str, tuple[Transformer, ...]]
    settings: Settings


@define(eq=False)
class Compiler:
    """Holds what a catalog is compiled from.

    Attributes:
        clients: dialects by name, as seen by callers.
        dialects: dialects by name, as spoken to providers.
        credential: makes a credential source of a kind (``bearer``, ``x-api-key``, ``none``) and keys.
        load_router: loads a custom router by path and time limit. Raises ConfigError.
        read_text: reads a small text file. Raises OSError or ValueError.
    """

    clients: Mapping[str, ClientDialect]
    dialects: Mapping[str, ProviderDialect]
    hostings: Mapping[str, Hosting]
    book: ProviderBook
    transformers: TransformerRegistry
    credential: Callable[[str, Sequence[Secret]], CredentialSource]
    load_router: Callable[[str, float], CustomRouter]
    read_text: Callable[[str], str]

    def __call__(self, loaded: Loaded) -> Catalog:
        """Compile. Raises ConfigError with every problem at once."""
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
        endpoint = self._endpoint(provider, spec)
        if endpoint is None or endpoint.dialect not in self.dialects or endpoint.hosting not in self.hostings:
            what = endpoint.dialect if endpoint is not None else provider.url
            return f"provider {provider.name!r} speaks {what}, which this version does not speak yet"
        shared = self._chain(provider.use, provider, settings, problems)
        by_model = {
            model: self._chain(uses, provider, settings, problems)
            for model, uses in provider.model_use.items()
        }
        credential = self.credential(_credential_kind(provider, spec, endpoint), provider.api_keys)
        door = _Door(provider, spec, endpoint, credential, shared, by_model, settings)
        return partial(self._target, door)

    def _target(self, door: _Door, ref: ModelRef) -> Target:
        provider, spec, endpoint, settings = door.provider, door.spec, door.endpoint, door.settings
        dialect = self.dialects[endpoint.dialect]
        profile = spec.profile(ref.model)
        said = provider.overrides.get(ref.model)
        if said is not None:
            profile = evolve(
                profile,
                context_window=said.context_window or profile.context_window,
                max_output=said.max_output or profile.max_output,
            )
        if profile.max_output is None and not endpoint.is_anthropic:
            profile = evolve(profile, max_output=UNKNOWN_MAX_OUTPUT)
        headers = {"content-type": "application/json", **dict(getattr(dialect, "default_headers", ()))}
        headers.update({name.lower(): value for name, value in provider.headers.items()})
        return Target(
            ref=ref,
            destination=Destination(ref, profile, endpoint.dialect, is_anthropic=endpoint.is_anthropic),
            endpoint=endpoint,
            dialect=dialect,
            hosting=self.hostings[endpoint.hosting],
            credential=door.credential,
            pipeline=Pipeline.of((*door.shared, *door.by_model.get(ref.model, ()))),
            headers=tuple(headers.items()),
            timeouts=_timeouts(settings),
            max_reply=settings.limits.max_reply,
            max_event=settings.limits.max_event,
        )

    def _spec(self, provider: ProviderSettings) -> ProviderSpec:
        return (
            self.book.by_url(provider.url) or self.book.by_name(provider.name) or ProviderSpec(provider.name)
        )

    def _endpoint(self, provider: ProviderSettings, spec: ProviderSpec) -> Endpoint | None:
        """Recognise the dialect: said, by the ``use`` list, by a known endpoint, by the shape of the path."""
        native = any(use.name.lower() == _NATIVE_USE for use in provider.use)
        known = next((end for end in spec.endpoints if _same_door(end.url, provider.url)), None)
        path = urlsplit(provider.url).path.rstrip("/")
        shape = next((dialect for ending, dialect in _SHAPES if path.endswith(ending)), None)
        name = provider.dialect or (_NATIVE_USE if native else None) or (known.dialect if known else shape)
        if name is None:
            return None
        is_anthropic = known.is_anthropic if known is not None else native
        hosting = known.hosting if known is not None else "direct"
        return Endpoint(dialect=name, url=provider.url, hosting=hosting, is_anthropic=is_anthropic)

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


def _credential_kind(provider: ProviderSettings, spec: ProviderSpec, endpoint: Endpoint) -> str:
    """Anthropic's own API takes ``x-api-key``; ``UseBearer`` of the ancestor's transformer says otherwise."""
    for use in provider.use:
        if use.name.lower() == _NATIVE_USE and use.options.get("UseBearer"):
            return "bearer"
    if endpoint.dialect == _NATIVE_USE and (endpoint.is_anthropic or spec.credential == "x-api-key"):
        return "x-api-key"
    return spec.credential if spec.endpoints else "bearer"


def _same_door(known: str, url: str) -> bool:
    mine, theirs = urlsplit(known), urlsplit(url)
    return (mine.scheme, mine.hostname, mine.path.rstrip("/")) == (
        theirs.scheme,
        theirs.hostname,
        theirs.path.rstrip("/"),
    )


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
