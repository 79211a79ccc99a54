"""Several targets for one route: which is asked first, and which after it. Pure but for the chance it is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from attrs import field

from ccr.domain.models import ModelRef
from ccr.domain.value import value

__all__ = ["Group", "Standing", "Strategy", "lot", "ordered"]


_UNKNOWN = 1e-6
"""Seconds that stand for a latency of which nothing is known: less than any that was measured."""


class Strategy(Enum):
    """How the first of several is chosen."""

    ORDER = "order"
    """The first that works."""
    WEIGHTED = "weighted"
    """By chance, in the proportion of the weights."""
    LEAST_IN_FLIGHT = "leastInFlight"
    """The one with the fewest requests under way, for its weight."""
    LATENCY = "latency"
    """The one that begins its replies soonest (a running mean), busy ones counted as slower."""


@value
class Group:
    """The targets of one route, at least one. ``weights``: by target where it is not 1."""

    members: tuple[ModelRef, ...]
    strategy: Strategy = Strategy.ORDER
    weights: Mapping[ModelRef, float] = field(factory=dict, hash=False)

    def weight(self, ref: ModelRef) -> float:
        """Return the weight of a member."""
        return self.weights.get(ref, 1.0)


@value
class Standing:
    """How a target does at the moment. ``latency``: seconds to the first content, None = not known yet."""

    barred: bool = False
    full: bool = False
    in_flight: int = 0
    latency: float | None = None


def ordered(
    group: Group,
    standing: Callable[[ModelRef], Standing],
    random: Callable[[], float],
    pinned: ModelRef | None = None,
) -> tuple[ModelRef, ...]:
    """Return the members in the order in which they are to be tried.

    A pinned member that can be asked comes first. Full members come after those with room, barred ones last: when
    nobody else is left, even they are tried, or say why not.
    """
    if len(group.members) == 1:
        return group.members
    stand = {ref: standing(ref) for ref in group.members}
    worth = _WORTH[group.strategy]
    place = {
        ref: (_grade(stand[ref]), ref != pinned, worth(group, ref, stand[ref], random), at)
        for at, ref in enumerate(group.members)
    }
    return tuple(sorted(group.members, key=place.__getitem__))


def _grade(standing: Standing) -> int:
    return 2 if standing.barred else 1 if standing.full else 0


def _in_order(_group: Group, _ref: ModelRef, _standing: Standing, _random: Callable[[], float]) -> float:
    return 0.0


def lot(weight: float, random: Callable[[], float]) -> float:
    """Draw a lot: whoever has the largest is chosen, in the proportion of the weights; without weight only if nobody has any.

    Efraimidis and Spirakis 2006: sorting by u**(1/w), largest first, samples without replacement by weight.
    """
    return random() ** (1.0 / weight) if weight > 0 else -1.0


def _by_weight(group: Group, ref: ModelRef, _standing: Standing, random: Callable[[], float]) -> float:
    return -lot(group.weight(ref), random)


def _by_load(group: Group, ref: ModelRef, standing: Standing, random: Callable[[], float]) -> float:
    weight = group.weight(ref)
    # Chance breaks ties: restarted workers would otherwise all begin with the first.
    return (standing.in_flight + random() * 0.5) / weight if weight > 0 else float("inf")


def _by_latency(group: Group, ref: ModelRef, standing: Standing, random: Callable[[], float]) -> float:
    weight = group.weight(ref)
    if weight <= 0:
        return float("inf")
    # One of which nothing is known is asked next, by one request: while that runs, it counts as busy.
    latency = standing.latency if standing.latency is not None else _UNKNOWN * (1 + random())
    return latency * (1 + standing.in_flight) / weight


_WORTH: Mapping[Strategy, Callable[[Group, ModelRef, Standing, Callable[[], float]], float]] = {
    Strategy.ORDER: _in_order,
    Strategy.WEIGHTED: _by_weight,
    Strategy.LEAST_IN_FLIGHT: _by_load,
    Strategy.LATENCY: _by_latency,
}
