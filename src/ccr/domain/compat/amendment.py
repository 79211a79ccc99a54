"""One thing that is changed in every request for a model, and how.

An amendment works on the provider's own JSON, as plain values. Whatever it is made of, it never touches what was said,
the model, or a tool's name, words, properties and results: ``apply`` itself checks that, so a file of amendments that
somebody wrote cannot do more than one that was learned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TypeAlias, cast

from ccr.domain.compat.effort import clamped_efforts, clamped_thinking
from ccr.domain.compat.names import find, is_protected, paired_field, steps_of
from ccr.domain.compat.tools import without_flag, without_keyword, without_mark
from ccr.domain.value import value

__all__ = ["EFFORT", "LIMIT", "THINKING_TYPE", "Amendment", "Change"]

Fields: TypeAlias = Mapping[str, object]

EFFORT, LIMIT, THINKING_TYPE, TOOL_CHOICE = "effort", "max_tokens", "thinking.type", "tool_choice"
"""Names of what dialects keep in places of their own."""

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_MIN_BUDGET = 1024


class Change(Enum):
    """What is done. DROP and RENAME work on a field by its path, the others on what they are named after."""

    DROP = "drop"
    RENAME = "rename"
    AUTO = "auto"
    """The choice among tools is the model's."""
    CAP = "cap"
    """The output limit is at most so many tokens."""
    CLAMP = "clamp"
    """An effort, or the kind of thinking, is one of those that are allowed."""
    KEYWORD = "keyword"
    """A keyword is left out of the tools' schemas."""
    FLAG = "flag"
    """A field is left out of the tools."""
    MARK = "mark"
    """Cache marks, or a field of theirs, are left out of tools and system prompt."""
    BETA = "beta"
    """A beta is not asked for, and its field not sent."""


@value
class Amendment:
    """``name`` is a path (``output_config.effort``), a keyword, a field or a beta, by what ``change`` it is.

    ``to`` goes with RENAME, ``limit`` (tokens) with CAP, ``allowed`` with CLAMP.
    """

    change: Change
    name: str
    to: str = ""
    limit: int = 0
    allowed: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = {
            Change.RENAME: f" to {self.to}",
            Change.CAP: f" at {self.limit}",
            Change.CLAMP: f" to {', '.join(self.allowed)}",
        }
        return f"{self.change.value} {self.name}{more.get(self.change, '')}"

    @property
    def key(self) -> tuple[str, str]:
        """Amendments with the same key replace each other."""
        return self.change.value, self.name

    def reads(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of a request's top-level fields that :meth:`apply` must see."""
        found = (find(names, wanted) for wanted in dict.fromkeys(_WANTED[self.change](self)))
        return tuple(name for name in found if name is not None)

    def apply(self, fields: Fields) -> Fields:
        """Return the fields amended; the same object if there is nothing to amend. Applying it again changes nothing.

        ``fields`` are plain JSON values, of which those that :meth:`reads` names count; they are not changed in place.
        """
        made = _APPLY[self.change](self, fields)
        return fields if made == fields else made

    def betas(self, value: str) -> str:
        """Return the value of an ``anthropic-beta`` header without what is not to be asked for."""
        if self.change is not Change.BETA:
            return value
        kept = [beta for part in value.split(",") if (beta := part.strip()) and beta != self.name]
        return ",".join(kept) if len(kept) != len(value.split(",")) else value


def _drop(path: str, fields: Fields) -> Fields:
    if is_protected(path):
        return fields
    return cast("Fields", _without(fields, steps_of(path)))


def _without(outer: object, steps: tuple[str, ...]) -> object:
    """Return a copy without the field at the end of the path; an object that has nothing else goes too."""
    if not isinstance(outer, Mapping):
        return outer
    name = find(outer, steps[0])
    if name is None:
        return outer
    rest = {key: inner for key, inner in outer.items() if key != name}
    if len(steps) == 1:
        return rest
    inner = _without(outer[name], steps[1:])
    if inner is outer[name]:
        return outer
    return {**rest, name: inner} if inner else rest


def _dropped(amendment: Amendment, fields: Fields) -> Fields:
    return _drop(amendment.name, fields)


def _renamed(amendment: Amendment, fields: Fields) -> Fields:
    old, new = amendment.name, amendment.to
    if is_protected(old) or is_protected(new) or old not in fields or old == new:
        return fields
    rest = {name: inner for name, inner in fields.items() if name != old}
    return rest if new in rest else {**rest, new: fields[old]}


def _auto(_: Amendment, fields: Fields) -> Fields:
    """OpenAI's words are texts, Anthropic's and Gemini's are objects."""
    choice, config = fields.get(TOOL_CHOICE), fields.get("toolConfig")
    made: dict[str, object] = dict(fields)
    if isinstance(choice, str):
        made[TOOL_CHOICE] = "auto"
    elif isinstance(choice, Mapping) and choice.get("type") in ("any", "tool"):
        kept = {name: inner for name, inner in choice.items() if name != "name"}
        made[TOOL_CHOICE] = {**kept, "type": "auto"}
    elif isinstance(choice, Mapping) and choice.get("type") != "auto":
        made[TOOL_CHOICE] = "auto"
    if isinstance(config, Mapping) and "functionCallingConfig" in config:
        made["toolConfig"] = {**config, "functionCallingConfig": {"mode": "AUTO"}}
    return made


def _capped(amendment: Amendment, fields: Fields) -> Fields:
    limit = amendment.limit
    if limit < 1:
        return fields
    made: dict[str, object] = dict(fields)
    for name in _LIMITS:
        asked = made.get(name)
        if isinstance(asked, int) and asked > limit:
            made[name] = limit
    config = made.get("generationConfig")
    if isinstance(config, Mapping):
        asked = config.get("maxOutputTokens")
        if isinstance(asked, int) and asked > limit:
            made["generationConfig"] = {**config, "maxOutputTokens": limit}
    return _roomy(made, limit)


def _roomy(made: dict[str, object], limit: int) -> Fields:
    """A budget of Anthropic's is below the limit, and at least 1024 (claude-code-contract.md)."""
    thinking = made.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
    if not isinstance(thinking, Mapping) or not isinstance(budget, int) or budget < limit:
        return made
    if limit <= _MIN_BUDGET:
        return {name: inner for name, inner in made.items() if name != "thinking"}
    made["thinking"] = {**thinking, "budget_tokens": limit - 1}
    return made


def _clamped(amendment: Amendment, fields: Fields) -> Fields:
    if amendment.name == THINKING_TYPE:
        return clamped_thinking(fields, amendment.allowed)
    return clamped_efforts(fields, amendment.allowed)


def _without_beta(amendment: Amendment, fields: Fields) -> Fields:
    made: dict[str, object] = dict(fields)
    asked = made.get("anthropic_beta")
    if isinstance(asked, list):
        kept = [beta for beta in asked if beta != amendment.name]
        made["anthropic_beta"] = kept
        if not kept and asked:
            del made["anthropic_beta"]
    paired = paired_field(amendment.name)
    return _drop(paired, made) if paired else made


_APPLY: Mapping[Change, Callable[[Amendment, Fields], Fields]] = {
    Change.DROP: _dropped,
    Change.RENAME: _renamed,
    Change.AUTO: _auto,
    Change.CAP: _capped,
    Change.CLAMP: _clamped,
    Change.KEYWORD: lambda amendment, fields: without_keyword(fields, amendment.name),
    Change.FLAG: lambda amendment, fields: without_flag(fields, amendment.name),
    Change.MARK: lambda amendment, fields: without_mark(fields, amendment.name),
    Change.BETA: _without_beta,
}

_WANTED: Mapping[Change, Callable[[Amendment], tuple[str, ...]]] = {
    Change.DROP: lambda amendment: steps_of(amendment.name)[:1],
    Change.RENAME: lambda amendment: (amendment.name, amendment.to),
    Change.AUTO: lambda _: (TOOL_CHOICE, "toolConfig"),
    Change.CAP: lambda _: (*_LIMITS, "generationConfig", "thinking"),
    Change.CLAMP: lambda _: (
        "reasoning_effort",
        "reasoning",
        "output_config",
        "generationConfig",
        "thinking",
        *_LIMITS,
    ),
    Change.KEYWORD: lambda _: ("tools",),
    Change.FLAG: lambda _: ("tools",),
    Change.MARK: lambda _: ("tools", "system"),
    Change.BETA: lambda amendment: ("anthropic_beta", *steps_of(paired_field(amendment.name))[:1]),
}
