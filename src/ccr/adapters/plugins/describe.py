"""Says in words what a transformer is and takes: for ``ccr transformers``, ``ccr plugins`` and the reference page."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import attrs

from ccr.adapters.plugins.found import option_names
from ccr.adapters.wire import json
from ccr.application.ports.transformer import Door, OptionInfo, TransformerInfo

if TYPE_CHECKING:
    from ccr.adapters.plugins.found import Found
    from ccr.adapters.plugins.guard import Health

__all__ = ["described", "markdown"]

_KINDS = {"int": "whole number", "float": "number", "str": "text", "bool": "true or false"}
_REQUIRED = "required"

_HEAD = """# Transformers

Generated from `src/ccr/adapters/transformers/`; do not edit. `ccr transformers list` and `ccr transformers show NAME` say the
same of an installation, with its plugins.

A provider names its transformers in `use`, in an object `transformer`: those of the provider first, then those of the model.
An entry is a name, or a name with options: `["maxtoken", { max_tokens: 65536 }]`. Requests go through them in this order,
replies in the opposite one. Names are matched whatever their case; an option that is misspelt stops the start.

Where a transformer has nothing to do at a provider, the bytes of a client that speaks the provider's own API pass as they
came. Names that say *needless* never keep them from that.
"""


def described(found: Found, health: Health | None = None) -> TransformerInfo:
    """Return what there is to say about a class, and how it does."""
    kind = found.kind
    return TransformerInfo(
        name=found.name,
        summary=_summary(kind),
        options=_options(kind, found.defaults),
        open_options=option_names(kind) is None,
        needless=getattr(kind, "needless", ""),
        door=getattr(kind, "door", None),
        origin=found.origin,
        replaces=found.replaces,
        off=health is not None and health.off,
        failures=health.failures if health is not None else 0,
        overruns=health.overruns if health is not None else 0,
        last=health.last if health is not None else "",
    )


def _summary(kind: type[Any]) -> str:
    text = " ".join((inspect.cleandoc(kind.__doc__ or "")).split("\n\n")[0].split())
    # attrs and dataclasses write a signature where there is no docstring.
    return "" if text.startswith(f"{kind.__name__}(") else re.sub(r"``(.+?)``", r"`\1`", text)


def _options(kind: type[Any], defaults: Any) -> tuple[OptionInfo, ...]:
    if option_names(kind) is None:
        return ()
    if hasattr(kind, "__attrs_attrs__"):
        return tuple(_option(one, defaults) for one in attrs.fields(kind))
    parameters = inspect.signature(kind).parameters
    return tuple(
        OptionInfo(name, "any value", _default(defaults.get(name, one.default), one.empty))
        for name, one in parameters.items()
    )


def _option(one: attrs.Attribute[Any], defaults: Any) -> OptionInfo:
    name = str(one.alias)
    kind_of: object = one.type
    is_class = isinstance(kind_of, type) and not hasattr(kind_of, "__args__")
    written = getattr(kind_of, "__name__", "") if is_class else str(kind_of)
    kind = written.removesuffix(" | None")
    default = getattr(one.default, "factory", None)
    default = one.default if default is None else default()
    return OptionInfo(
        name,
        _KINDS.get(kind, kind),
        _default(defaults.get(name, default), attrs.NOTHING),
        one.metadata.get("doc", ""),
    )


def _default(value: object, nothing: object) -> str:
    if value is nothing:
        return _REQUIRED
    try:
        return json.encode(value).decode()
    except TypeError:
        return repr(value)


def door_words(door: Door) -> str:
    """Say which way a door leads."""
    parts = (("dialect", door.dialect), ("hosting", door.hosting), ("login", door.credential))
    return ", ".join(f"{name} `{value}`" for name, value in parts if value)


def markdown(infos: tuple[TransformerInfo, ...]) -> str:
    """The reference page."""
    return "\n".join([_HEAD, *(_section(info) for info in infos)])


def _section(info: TransformerInfo) -> str:
    lines = [f"## `{info.name}`", "", info.summary, ""]
    if info.needless:
        lines += [f"*Needless:* {info.needless}.", ""]
    if info.door is not None:
        lines += [f"*Chooses the way:* {door_words(info.door)}.", ""]
    if info.open_options:
        lines += ["Options: any; each is a field of the provider's request.", ""]
    elif info.options:
        lines += ["| Option | What | Default | Meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{one.name}` | {one.kind} | {_shown(one.default)} | {one.doc} |" for one in info.options
        ]
        lines.append("")
    return "\n".join(lines)


def _shown(default: str) -> str:
    return default if default == _REQUIRED else "" if default == "null" else f"`{default}`"
