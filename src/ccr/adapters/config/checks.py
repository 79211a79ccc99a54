"""What a configuration must make sense of beyond its shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from ccr.adapters.config.problems import Path, Problems, nearest
from ccr.adapters.config.schema.keys import Kind, keys_of
from ccr.adapters.config.schema.providers import ProviderEntry
from ccr.adapters.config.schema.root import Root
from ccr.adapters.config.schema.routing import SCENARIOS, RouterBlock
from ccr.adapters.config.urls import check_provider_url, check_url, is_loopback
from ccr.application.settings.routes import Several

__all__ = [
    "DEMO",
    "PORTING_PAGE",
    "TRANSFORMER_PAGE",
    "check",
    "check_router",
    "provider_of",
    "targets",
]

DEMO = "demo"
"""The built-in provider, which needs no entry."""
PORTING_PAGE = "docs/how-to/port-a-custom-router.md"
TRANSFORMER_PAGE = "docs/how-to/port-a-transformer.md"

_BUILT_IN_PLUGINS = {f"{name}.js": name for name in ("gemini-cli", "qwen-cli", "rovo-cli", "chutes-glm")}
_SCRIPTS = frozenset({".js", ".cjs", ".mjs", ".ts"})
_WINDOW_HINT = re.compile(r"\[1m\]$", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def check(root: Root, problems: Problems) -> None:
    """Say everything that does not make sense."""
    _check_host(root, problems)
    if root.proxy_url:
        check_url(root.proxy_url, ("PROXY_URL",), problems)
    _check_scripts(root, problems)
    _check_search(root, problems)
    if root.force_image_agent and not root.router.image:
        message = "forceUseImageAgent does nothing without Router.image, whose model describes"
        problems.warn(("forceUseImageAgent",), message, key=True)
    _check_providers(root.providers, problems, shared=bool(root.host) and not is_loopback(root.host))
    check_router(root.router, root.providers, problems)
    for scenario in root.router.fidelity:
        if scenario not in ("*", *SCENARIOS):
            near = nearest(scenario, SCENARIOS)
            problems.error(
                ("Router", "fidelity", scenario),
                f"no scenario is called {scenario!r}",
                f"did you mean {near}?" if near else "",
            )
    for scenario, fallbacks in root.fallback.items():
        if scenario not in SCENARIOS:
            near = nearest(scenario, SCENARIOS)
            problems.warn(
                ("fallback", scenario), f"no scenario is called {scenario!r}", f"did you mean {near}?" if near else "",
                key=True,
            )  # fmt: skip
        for index, target in enumerate(fallbacks):
            _check_target(target, ("fallback", scenario, index), root.providers, problems)


def _check_host(root: Root, problems: Problems) -> None:
    if not root.host:
        problems.error(("HOST",), "HOST is empty", 'the default is "127.0.0.1"')
    elif not is_loopback(root.host) and root.api_key is None:
        problems.error(
            ("HOST",),
            f"HOST {root.host} is reachable from other machines, but there is no APIKEY: anybody could spend your "
            "providers' money",
            'set APIKEY, or HOST to "127.0.0.1"',
        )
    if root.api_key is not None and not root.api_key.reveal().isascii():
        problems.error(("APIKEY",), "APIKEY has characters that no header can carry", "use ASCII")
    elif root.api_key is not None and root.api_key.reveal() != root.api_key.reveal().strip():
        problems.error(("APIKEY",), "APIKEY begins or ends with a blank, which no header can carry")


def _check_scripts(root: Root, problems: Problems) -> None:
    if PurePath(root.custom_router).suffix in _SCRIPTS:
        problems.error(
            ("CUSTOM_ROUTER_PATH",),
            "a JavaScript router cannot run here; a custom router is a Python file",
            f"port it as shown in {PORTING_PAGE}, or remove the key",
        )
    for index, entry in enumerate(root.transformers):
        path = PurePath(entry.path)
        if path.suffix not in _SCRIPTS:
            continue
        built_in = _BUILT_IN_PLUGINS.get(path.name)
        message = (
            f"{path.name} is not loaded: its transformer is built in as {built_in!r}"
            if built_in
            else "a JavaScript transformer cannot run here; a transformer is a Python file"
        )
        hint = (
            f'remove this entry and keep "{built_in}" in `use`; see {TRANSFORMER_PAGE}'
            if built_in
            else f"port it as shown in {TRANSFORMER_PAGE}, or remove the entry"
        )
        problems.error(("transformers", index, "path"), message, hint)


def _check_search(root: Root, problems: Problems) -> None:
    search = root.search
    if search is None:
        return
    if search.url:
        check_url(search.url, ("Search", "url"), problems)
    if search.engine == "searxng":
        if not search.url:
            hint = 'for example "http://127.0.0.1:8080"'
            problems.warn(("Search",), "searxng has no url: there is no web search of our own", hint)
    elif not search.api_key:
        problems.warn(("Search",), f"{search.engine} has no apiKey: there is no web search of our own")


def _check_providers(providers: Sequence[ProviderEntry], problems: Problems, *, shared: bool) -> None:
    seen: dict[str, int] = {}
    for index, provider in enumerate(providers):
        path: Path = ("Providers", index)
        _check_name(provider.name, (*path, "name"), seen, index, problems)
        check_provider_url(provider.api_base_url, (*path, "api_base_url"), problems, shared=shared)
        _check_keys(provider, (*path, "api_key"), problems)
        for name, text in provider.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not text.isprintable():
                problems.error((*path, "headers", name), "is not a header", key=True)
        for place, names in (
            ("transformer", provider.transformer.models),
            ("modelLimits", provider.model_limits),
        ):
            for model in names:
                if provider.models and model not in provider.models:
                    problems.warn(
                        (*path, place, model), f"{provider.name} has no model {model!r}",
                        _near(model, provider.models), key=True,
                    )  # fmt: skip


def _check_keys(provider: ProviderEntry, path: Path, problems: Problems) -> None:
    texts = [key.secret.reveal() for key in provider.api_key]
    if not texts:
        problems.warn(path, f"{provider.name} has no api_key: no auth header is sent to it")
    if not all(text.isascii() and text.isprintable() for text in texts):
        problems.error(path, "the key has characters that no header can carry")
    if len(set(texts)) < len(texts):
        problems.warn(
            path, f"{provider.name} has the same key twice", 'one of more weight: {"key": "...", "weight": 2}'
        )


def _check_name(name: str, path: Path, seen: dict[str, int], index: int, problems: Problems) -> None:
    if not name.strip() or name != name.strip():
        problems.error(path, "a provider needs a name without blanks around it")
    elif "," in name:
        problems.error(
            path, "a comma cannot stand in a provider's name", "it separates provider and model in a route"
        )
    elif name.casefold() in seen:
        problems.error(path, f"the name {name!r} is already used by Providers[{seen[name.casefold()]}]")
    seen.setdefault(name.casefold(), index)


def targets(router: RouterBlock) -> Iterator[tuple[Path, str]]:
    """Every target of the routes that is set, with its path."""
    for key in keys_of(RouterBlock):
        value = getattr(router, key.attribute)
        if key.kind is Kind.TARGET and value:
            yield from _each_target(("Router", key.name), value)
        elif key.kind is Kind.TARGET_MAP:
            for name, route in value.items():
                yield from _each_target(("Router", key.name, name), route)


def _each_target(path: Path, route: str | Several) -> Iterator[tuple[Path, str]]:
    if isinstance(route, Several):
        yield from (((*path, *choice.step), choice.target) for choice in route.choices)
    elif route:
        yield path, route


def check_router(router: RouterBlock, providers: Sequence[ProviderEntry], problems: Problems) -> None:
    """Every route must lead to a provider that exists; a model that it does not list is worth a warning."""
    for path, target in targets(router):
        _check_target(target, path, providers, problems)
    if not router.default:
        problems.warn(
            ("Router",), "Router.default is not set: only requests that name provider,model are answered",
            'for example "default": "demo,demo"',
        )  # fmt: skip


def provider_of(target: str) -> str:
    """The provider's name in ``provider,model`` or ``provider/model``."""
    return target.split("," if "," in target else "/", 1)[0].strip()


def _check_target(target: str, path: Path, providers: Sequence[ProviderEntry], problems: Problems) -> None:
    separator = "," if "," in target else "/"
    name, found, model = (part.strip() for part in target.partition(separator))
    model = _WINDOW_HINT.sub("", model).strip()
    if not found or not name or not model:
        owners = [p.name for p in providers if target.strip() in p.models]
        hint = f'write "{owners[0]},{target.strip()}"' if owners else 'for example "deepseek,deepseek-chat"'
        problems.error(path, f"{target!r} is not provider,model", hint)
        return
    provider = next((p for p in providers if p.name.casefold() == name.casefold()), None)
    if provider is None:
        if name.casefold() == DEMO:
            if model.casefold() != DEMO:
                problems.error(
                    path, f"the built-in provider {DEMO} has no model {model!r}", f'write "{DEMO},{DEMO}"'
                )
            return
        names = [p.name for p in providers]
        known = f"configured: {', '.join(names)}" if names else "no providers are configured"
        problems.error(path, f"there is no provider {name!r}", _near(name, names) or known)
    elif provider.models and not _offers(provider, model):
        hint = _near(model, provider.models) or f"it offers: {', '.join(provider.models[:8])}"
        # The ancestor passes it on all the same, and configurations live off that.
        problems.warn(path, f"{provider.name} has no model {model!r} in its models; it is passed on", hint)


def _offers(provider: ProviderEntry, model: str) -> bool:
    """``model`` as listed, whatever its case; a variant such as ``:online`` needs no line of its own."""
    listed = {name.casefold() for name in provider.models}
    return model.casefold() in listed or model.rpartition(":")[0].casefold() in listed


def _near(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    return f"did you mean {near}?" if near else ""
