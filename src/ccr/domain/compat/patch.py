"""What was learned, as the profile of a provider file (``adapters/providers/*.toml``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ccr.domain.compat.amendment import EFFORT, Amendment, Change
from ccr.domain.compat.effort import LEVELS
from ccr.domain.compat.learned import Learned

__all__ = ["patch_lines"]

_DROPPED: Mapping[str, str] = {
    "stream_options": "stream_usage = false",
    "parallel_tool_calls": "parallel_tools = false",
    "reasoning": 'reasoning = "none"',
    "reasoning_effort": 'reasoning = "none"',
    "thinking": 'reasoning = "none"',
    "enable_thinking": 'reasoning = "none"',
    "response_format": 'output_format = ""',
    "output_format": 'output_format = ""',
    "text.format": 'output_format = ""',
}
"""Fields that are not understood, and the fact of a profile that says so."""

_NO_EFFORT = ("none", "default")


def patch_lines(learned: Iterable[Learned]) -> list[str]:
    """Return the lines of a TOML text: a profile for every model, with the evidence above each fact.

    What no fact of a profile can say is there as a comment.
    """
    lines: list[str] = []
    for (endpoint, model), found in _by_model(learned).items():
        lines += [*([""] if lines else []), f"# {_one_line(endpoint)}", f"[profiles.{_text(model)}]"]
        keywords = [one.amendment.name for one in found if one.amendment.change is Change.KEYWORD]
        said: set[str] = set()
        for one in found:
            fact = _fact(one.amendment, keywords)
            if fact not in said:
                said.add(fact)
                lines += [f"# {_one_line(one.evidence)}", fact]
    return lines


def _by_model(learned: Iterable[Learned]) -> dict[tuple[str, str], list[Learned]]:
    models: dict[tuple[str, str], list[Learned]] = {}
    for one in learned:
        models.setdefault((one.endpoint, one.model), []).append(one)
    return models


def _fact(amendment: Amendment, keywords: list[str]) -> str:
    match amendment.change:
        case Change.CAP:
            return f"max_output = {amendment.limit}"
        case Change.RENAME if amendment.name == "max_tokens":
            return f"max_tokens_field = {_text(amendment.to)}"
        case Change.AUTO:
            return "tool_choice_required = false"
        case Change.KEYWORD:
            return f"schema_drop = [{', '.join(_text(name) for name in keywords)}]"
        case Change.CLAMP if amendment.name == EFFORT:
            known = [word for word in LEVELS if word in amendment.allowed and word not in _NO_EFFORT]
            return f"efforts = [{', '.join(_text(word) for word in known)}]"
        case Change.DROP if amendment.name in _DROPPED:
            return _DROPPED[amendment.name]
        case _:
            return f"# no fact of a profile says this: {_one_line(str(amendment))}"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _text(text: str) -> str:
    """A basic string of TOML 1.0."""
    escaped = _one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
