"""How a key of the file is declared: one attrs field that carries name, kind, bounds and description.

From this one declaration come the checks, the JSON schema, the reference page and the hints for unknown keys.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs
from attrs import NOTHING, field, frozen

__all__ = ["REQUIRED", "Key", "Kind", "key", "keys_of"]

REQUIRED = NOTHING


class Kind(Enum):
    """What a value may be. ``MILLIS`` is a whole number of milliseconds; 0 means no limit."""

    TEXT = "text"
    PATH = "path"
    URL = "URL"
    TARGET = "provider,model, or several"
    SECRET = "a secret"  # noqa: S105  # names a kind of value
    SECRETS = "secret or list of secrets"
    BOOLEAN = "true or false"
    INTEGER = "whole number"
    MILLIS = "milliseconds"
    TEXTS = "list of texts"
    NAMES = "list of texts, or one text with commas"
    TEXT_MAP = "object of texts"
    TARGET_MAP = "object of provider,model, or several"
    TARGETS_MAP = "object of lists of provider,model"
    OBJECT = "object"
    LIST = "list of objects"
    MAP = "object of objects"
    FIDELITY = "best, exact, or an object of them by scenario"
    USE = "transformer block"
    FREE = "any value"
    FREE_OBJECT = "free object"


@frozen
class Key:
    """A declared key. ``later``: parsed and checked, but not yet in effect. ``of``: class of the object(s) inside."""

    name: str
    kind: Kind
    doc: str
    attribute: str = ""
    default: object = None
    later: bool = False
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    pattern: str = ""
    of: type | None = None
    aliases: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


def key(
    name: str,
    kind: Kind,
    doc: str,
    *,
    default: object = None,
    later: bool = False,
    choices: tuple[str, ...] = (),
    least: int | None = None,
    most: int | None = None,
    pattern: str = "",
    of: type | None = None,
    aliases: tuple[str, ...] = (),
) -> Any:
    """Declare the key ``name``; ``default`` REQUIRED = must be given, a class = made anew."""
    declared = Key(
        name, kind, doc, default=default, later=later, choices=choices,
        least=least, most=most, pattern=pattern, of=of, aliases=aliases,
    )  # fmt: skip
    if isinstance(default, type):
        return field(factory=default, metadata={"key": declared}, kw_only=True)
    return field(default=default, metadata={"key": declared}, kw_only=True)


def keys_of(cls: type) -> tuple[Key, ...]:
    """The declared keys of a schema class, in their order."""
    return tuple(
        attrs.evolve(attribute.metadata["key"], attribute=attribute.name)
        for attribute in attrs.fields(cls)
        if "key" in attribute.metadata
    )
