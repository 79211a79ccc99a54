"""The routes of a ``Router`` block that have several targets."""

from __future__ import annotations

from collections.abc import Mapping

from ccr.adapters.config.schema.keys import Kind, keys_of
from ccr.adapters.config.schema.routing import RouterBlock
from ccr.application.settings.routes import Several
from ccr.application.settings.routing import GroupSettings

__all__ = ["groups_of"]


def groups_of(block: RouterBlock) -> Mapping[str, GroupSettings]:
    """Return them by the words that routing has for them."""
    found: dict[str, GroupSettings] = {}
    for key in keys_of(RouterBlock):
        value = getattr(block, key.attribute)
        if key.kind is Kind.TARGET and isinstance(value, Several):
            found[key.name] = value.settings()
        elif key.kind is Kind.TARGET_MAP:
            for name, route in value.items():
                if isinstance(route, Several):
                    # Agent types are matched whatever their case, and known by their lower-case form.
                    word = name.lower() if key.name == "agents" else name
                    found[f"{key.name}.{word}"] = route.settings()
    return found
