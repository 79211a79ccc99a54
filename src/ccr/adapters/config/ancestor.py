"""Old forms of the file: other spellings of a key, and the flat form of the ancestor's GitHub Action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field

from ccr.adapters.config.problems import Path
from ccr.adapters.config.schema import Root, keys_of

__all__ = ["ALIASES", "FLAT_KEYS", "FLAT_PROVIDER", "Normalised", "canonical", "endpoint", "normalise"]

ALIASES: Mapping[str, str] = {alias: key.name for key in keys_of(Root) for alias in key.aliases}
"""Other spelling -> key."""
FLAT_KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL")
FLAT_PROVIDER = "openai"
"""Name of the provider that the flat keys stand for."""


@define
class Normalised:
    """Today's form. ``moved``: where a value really stands; ``notes``: path, message and hint of each warning."""

    value: dict[str, Any]
    moved: dict[Path, Path] = field(factory=dict)
    notes: list[tuple[Path, str, str]] = field(factory=list)
    missing_model: bool = False


def canonical(path: Path) -> Path:
    """The path in today's form of a path in the file."""
    return (ALIASES.get(path[0], path[0]), *path[1:]) if path and isinstance(path[0], str) else path


def normalise(value: Mapping[str, Any]) -> Normalised:
    """Bring aliases and the flat form into today's form. Pure; ``value`` is not changed."""
    result = Normalised(dict(value))
    for alias, name in ALIASES.items():
        if alias not in result.value:
            continue
        given = result.value.pop(alias)
        if name in result.value:
            result.notes.append(
                ((alias,), f"{alias} is another spelling of {name}, which is given too and wins", "")
            )
        else:
            result.value[name] = given
            result.moved[name,] = (alias,)
    _flat(result)
    return result


def _flat(result: Normalised) -> None:
    flat = {name: result.value.pop(name) for name in FLAT_KEYS if name in result.value}
    if not flat:
        return
    if result.value.get("Providers"):
        first = next(iter(flat))
        result.notes.append(((first,), f"{first} has no effect beside Providers", "remove it"))
        return
    model = str(flat.get("OPENAI_MODEL") or "")
    result.missing_model = not model
    provider: dict[str, Any] = {
        "name": FLAT_PROVIDER,
        "api_base_url": endpoint(str(flat.get("OPENAI_BASE_URL") or "https://api.openai.com/v1")),
        "api_key": flat.get("OPENAI_API_KEY") or "",
        "models": [model] if model else [],
    }
    result.value["Providers"] = [provider]
    places = {"api_base_url": "OPENAI_BASE_URL", "api_key": "OPENAI_API_KEY", "models": "OPENAI_MODEL"}
    result.moved["Providers", 0] = (next(iter(flat)),)
    for name, flat_name in places.items():
        result.moved["Providers", 0, name] = (flat_name,)
    result.moved["Providers", 0, "models", 0] = ("OPENAI_MODEL",)
    router = result.value.get("Router")
    if router is None or (isinstance(router, dict) and not router.get("default")):
        result.value["Router"] = {**(router or {}), "default": f"{FLAT_PROVIDER},{model}" if model else ""}
        result.moved["Router", "default"] = ("OPENAI_MODEL",)


def endpoint(base: str) -> str:
    """The chat completions endpoint under an OpenAI base URL, as the official SDKs build it."""
    base = base.rstrip("/")
    if base.endswith("/chat/completions"):
        return base
    parts = urlsplit(base) if "://" in base else None
    if parts is not None and parts.netloc == "api.openai.com" and not parts.path:
        base += "/v1"
    return base + "/chat/completions"
