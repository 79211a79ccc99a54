"""The ``Router`` block compiled: texts become targets, once, with everything that is wrong said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ccr.application.settings import RouterSettings, Settings
from ccr.application.settings.routes import Several, WrongRouteError, first_of, route
from ccr.application.settings.routing import GroupSettings
from ccr.domain.conversation.conversation import Effort
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.models import ModelRef
from ccr.domain.routing.balance import Group, Strategy
from ccr.domain.routing.glob import SUFFIX_1M, Glob
from ccr.domain.routing.policy import KnownProvider, RoutePolicy, Routes, Window
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target

__all__ = ["Complain", "compile_policy", "compile_routes", "named_models", "router_of"]

Complain = Callable[[str, str], None]
"""Takes the JSON path of a route and what is wrong with it."""

_SCENARIOS = (
    ("default", "default"),
    ("background", "background"),
    ("think", "think"),
    ("long_context", "longContext"),
    ("web_search", "webSearch"),
    ("image", "image"),
    ("compaction", "compaction"),
    ("subagent", "subagent"),
)
"""Fields of RouterSettings and Routes, and their keys in the file."""

_DEFAULT_THRESHOLD = 60_000
"""Tokens. The ancestor's, which also takes 0 for unset."""


def compile_policy(
    settings: Settings,
    targets: Mapping[ModelRef, Target],
    open_providers: Mapping[str, Callable[[ModelRef], Target]] | None = None,
    unavailable: Mapping[str, str] | None = None,
    *,
    problems: list[Problem] | None = None,
    warnings: list[Problem] | None = None,
) -> RoutePolicy:
    """Compile what ``decide`` reads.

    A route that leads nowhere is a problem. They are added to ``problems``; without such a list ConfigError is raised.
    """
    found: list[Problem] = []
    providers = _providers(targets, open_providers or {}, unavailable or {})
    policy = RoutePolicy(
        providers={name.lower(): provider for name, provider in providers.items()},
        custom_first=settings.router.custom_first,
        session_routers=settings.router.session_routers,
        describe_images=settings.router.describe_images,
        exact=_scenarios(settings.router, "exact"),
        inexact=_scenarios(settings.router, "best"),
        smallest_window=min(
            (w.context for p in providers.values() for w in p.windows.values() if w.context is not None),
            default=None,
        ),
    )

    def complain(path: str, message: str) -> None:
        found.append(Problem(settings.source, 0, 0, path, message, hint="a target is provider,model"))

    routes = compile_routes(policy, settings.router, complain)
    if routes.default is None and not settings.router.default:
        routes = _first_target(routes, targets, settings, warnings)
    fallbacks = {
        scenario: tuple(_targets(policy, texts, f"fallback.{scenario}", complain))
        for scenario, texts in settings.router.fallback.items()
    }
    if problems is not None:
        problems.extend(found)
    elif found:
        raise ConfigError(found)
    return evolve(policy, table=routes, fallbacks=fallbacks)


def _scenarios(router: RouterSettings, fidelity: str) -> frozenset[str]:
    return frozenset(scenario for scenario, said in router.fidelity.items() if said == fidelity)


def _first_target(
    routes: Routes,
    targets: Mapping[ModelRef, Target],
    settings: Settings,
    warnings: list[Problem] | None,
) -> Routes:
    """Without ``Router.default`` the first model of the first provider answers, rather than nobody."""
    first = next(iter(targets), None)
    if warnings is not None and settings.providers:
        said = (
            f"not set: {first} answers" if first is not None else "not set: only explicit names are answered"
        )
        warnings.append(Problem(settings.source, 0, 0, "Router.default", said, severity="warning"))
    return evolve(routes, default=first)


def compile_routes(policy: RoutePolicy, router: RouterSettings, complain: Complain) -> Routes:
    """Resolve the targets of a router; one that leads nowhere is complained about and left out."""
    single = {}
    for name, key in _SCENARIOS:
        text = getattr(router, name)
        single[name] = _target(policy, text, f"Router.{key}", complain) if text else None
    agents = {}
    for agent, text in router.agents.items():
        ref = _target(policy, text, f"Router.agents.{agent}", complain)
        if ref is not None:
            agents[agent.lower()] = ref
    models = []
    for pattern, text in router.models.items():
        ref = _target(policy, text, f"Router.models.{pattern}", complain)
        if ref is not None:
            models.append((Glob.of(pattern), ref))
    return Routes(
        **single,
        groups=_groups(policy, router, complain),
        threshold=router.long_context_threshold or _DEFAULT_THRESHOLD,
        agents=agents,
        models=tuple(models),
        think_effort=_effort(router.think_effort, complain),
    )


def _groups(policy: RoutePolicy, router: RouterSettings, complain: Complain) -> Mapping[str, Group]:
    found = {}
    for name, group in router.groups.items():
        weights: dict[ModelRef, float] = {}
        for at, text in enumerate(group.targets):
            # Of the first one was already said what there is to say.
            ref = _target(policy, text, f"Router.{name}[{at}]", complain if at else _nothing_said)
            if ref is not None:
                weights[ref] = weights.get(ref, 0.0) + group.weights[at]
        if weights:
            found[name] = Group(tuple(weights), Strategy(group.strategy), weights)
    return found


def _nothing_said(path: str, message: str) -> None:
    del path, message


def _effort(text: str, complain: Complain) -> Effort:
    try:
        return Effort(text.strip().lower())
    except ValueError:
        levels = ", ".join(effort.value for effort in Effort)
        complain("Router.thinkEffort", f"{text!r} is no effort; known: {levels}")
        return Effort.HIGH


def _target(policy: RoutePolicy, text: str, path: str, complain: Complain) -> ModelRef | None:
    hit = policy.look_up(text)
    if hit.ref is None:
        complain(path, f"{text!r}: {hit.because}")
    return hit.ref


def _targets(policy: RoutePolicy, texts: Iterable[str], path: str, complain: Complain) -> Iterable[ModelRef]:
    for at, text in enumerate(texts):
        ref = _target(policy, text, f"{path}[{at}]", complain)
        if ref is not None:
            yield ref


def _providers(
    targets: Mapping[ModelRef, Target],
    open_providers: Mapping[str, Callable[[ModelRef], Target]],
    unavailable: Mapping[str, str],
) -> dict[str, KnownProvider]:
    """Describe every provider; one that cannot be called yet is known too, so that its name gives its own error."""
    listed: dict[str, dict[str, Window]] = {}
    for ref, target in targets.items():
        listed.setdefault(ref.provider, {})[ref.model] = _window(target)
    found = {}
    for name in dict.fromkeys((*listed, *open_providers, *unavailable)):
        models = listed.get(name, {})
        maker = open_providers.get(name)
        found[name] = KnownProvider(
            name=name,
            models={model.lower(): model for model in models} | {model: model for model in models},
            is_open=maker is not None or name in unavailable,
            windows={model.lower(): window for model, window in models.items()},
            measure=_Measure(name, maker) if maker is not None else None,
        )
    return found


@frozen
class _Measure:
    """Says the window of a model that is in no list."""

    provider: str
    make: Callable[[ModelRef], Target]

    def __call__(self, model: str) -> Window:
        return _window(self.make(ModelRef(self.provider, model)))


def _window(target: Target) -> Window:
    profile = target.destination.profile
    return Window(profile.context_window, profile.max_output)


def named_models(router: RouterSettings, provider: str, listed: Sequence[str]) -> tuple[str, ...]:
    """Return the models of a provider that routes name although its list does not.

    The ancestor does not enforce the list on its routes, and a variant such as ``:online`` is seldom listed. Whoever
    makes targets adds these.
    """
    texts = [getattr(router, name) for name, _ in _SCENARIOS]
    texts += [*router.agents.values(), *router.models.values()]
    texts += [text for some in router.fallback.values() for text in some]
    texts += [text for group in router.groups.values() for text in group.targets]
    known = {model.lower() for model in listed}
    found: dict[str, str] = {}
    for text in texts:
        head, _, model = text.partition("," if "," in text else "/")
        model = model.strip()
        if model.lower() not in known and model.lower().endswith(SUFFIX_1M):
            model = model[: -len(SUFFIX_1M)].rstrip()
        if model and head.strip().lower() == provider.lower() and model.lower() not in known:
            found.setdefault(model.lower(), model)
    return tuple(found.values())


def router_of(raw: Mapping[str, object], complain: Complain) -> RouterSettings:
    """Read the ``Router`` object of a session's or project's file: plain JSON in the ancestor's keys."""
    groups: dict[str, GroupSettings] = {}
    texts: dict[str, Any] = {
        name: _route(raw.get(key), f"Router.{key}", complain, groups, key) for name, key in _SCENARIOS
    }
    threshold = raw.get("longContextThreshold")
    if not isinstance(threshold, int) or threshold <= 0:
        threshold = 0
    return RouterSettings(
        **texts,
        long_context_threshold=threshold,
        agents=_table(raw, "agents", complain, groups),
        models=_table(raw, "models", complain, groups),
        groups=groups,
        think_effort=_text(raw, "thinkEffort", complain) or RouterSettings().think_effort,
    )


def _text(raw: Mapping[str, object], key: str, complain: Complain) -> str:
    found = raw.get(key)
    if found is None or isinstance(found, str):
        return found or ""
    complain(f"Router.{key}", "is not a text")
    return ""


def _route(value: object, path: str, complain: Complain, groups: dict[str, GroupSettings], word: str) -> str:
    if value is None:
        return ""
    try:
        found = route(value)
    except WrongRouteError as error:
        for step, message, _ in error.parts:
            complain(".".join((path, *map(str, step))), message)
        return ""
    if isinstance(found, Several):
        groups[word] = found.settings()
    return first_of(found)


def _table(
    raw: Mapping[str, object], key: str, complain: Complain, groups: dict[str, GroupSettings]
) -> Mapping[str, str]:
    found = raw.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        complain(f"Router.{key}", "is not an object")
        return {}
    table = {}
    for name, value in found.items():
        word = f"{key}.{str(name).lower() if key == 'agents' else name}"
        target = _route(value, f"Router.{key}.{name}", complain, groups, word)
        if target:
            table[str(name)] = target
    return table
