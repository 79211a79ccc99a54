"""A route as people write it: one target, a list of them, or a list with a strategy. Plain values in, ours out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from attrs import frozen

from ccr.application.settings.routing import GroupSettings

__all__ = ["MOST_WEIGHT", "STRATEGIES", "Choice", "Several", "WrongRouteError", "first_of", "route"]

Path: TypeAlias = tuple[str | int, ...]
"""Steps into plain JSON."""

STRATEGIES = ("order", "weighted", "leastInFlight", "latency")
"""How the first of several targets is chosen."""

MOST_WEIGHT = 1_000_000

_FORMS = 'should be "provider,model", a list of them, or {"targets": [...], "strategy": "..."}'
_ENTRY = 'should be "provider,model" or {"target": "provider,model", "weight": 1}'


@frozen
class Choice:
    """One of a route's targets. ``step``: its place within the route, as a path."""

    target: str
    weight: float = 1.0
    step: Path = ()


@frozen
class Several:
    """A route with several targets, at least one."""

    choices: tuple[Choice, ...]
    strategy: str = "order"

    def settings(self) -> GroupSettings:
        """Return it as a setting."""
        return GroupSettings(
            tuple(choice.target for choice in self.choices),
            tuple(choice.weight for choice in self.choices),
            self.strategy,
        )


class WrongRouteError(ValueError):
    """Sub-path, message and hint of everything that is wrong in a route."""

    def __init__(self, parts: Iterable[tuple[Path, str, str]]) -> None:
        super().__init__(_FORMS)
        self.parts = list(parts)


def route(value: object) -> str | Several:
    """Read a route. A single target stays a text; weights without a strategy mean ``weighted``.

    Raises WrongRouteError.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return _several(value, (), "")
    if isinstance(value, dict) and isinstance(value.get("targets"), list):
        unknown = [name for name in value if name not in ("targets", "strategy")]
        if unknown:
            raise WrongRouteError([((unknown[0],), "is not known here", "known: targets, strategy")])
        strategy = value.get("strategy") or ""
        if strategy and strategy not in STRATEGIES:
            raise WrongRouteError([(("strategy",), f"should be one of {', '.join(STRATEGIES)}", "")])
        return _several(value["targets"], ("targets",), strategy)
    if isinstance(value, dict) and "target" in value:
        return _several([value], None, "")
    raise WrongRouteError([((), _FORMS, "")])


def _several(items: Sequence[object], path: Path | None, strategy: str) -> str | Several:
    choices: list[Choice] = []
    wrong: list[tuple[Path, str, str]] = []
    weighted = False
    for at, item in enumerate(items):
        step: Path = () if path is None else (*path, at)
        if item is None or item == "":
            continue
        target, weight = item, 1.0
        if isinstance(item, dict):
            target, given = item.get("target"), item.get("weight", 1)
            weighted = weighted or "weight" in item
            if [name for name in item if name not in ("target", "weight")] or not isinstance(target, str):
                wrong.append((step, _ENTRY, ""))
                continue
            if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= MOST_WEIGHT:
                wrong.append(((*step, "weight"), f"should be a number above 0 and at most {MOST_WEIGHT}", ""))
                continue
            weight = float(given)
            step = (*step, "target")
        if not isinstance(target, str):
            wrong.append((step, _ENTRY, ""))
            continue
        choices.append(Choice(target, weight, step))
    if wrong:
        raise WrongRouteError(wrong)
    if not choices:
        return ""
    if len(choices) == 1:
        return choices[0].target
    return Several(tuple(choices), strategy or ("weighted" if weighted else "order"))


def first_of(route: str | Several) -> str:
    """Return the target that stands first."""
    return route.choices[0].target if isinstance(route, Several) else route
