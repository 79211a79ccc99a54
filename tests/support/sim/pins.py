"""Who stays where, by the documentation: a session's agent leaves its target and key at safe points only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from ccr.domain.record import RequestRecord
    from tests.support.sim.clients import Ask

__all__ = ["strayed"]

_LONGEST = 60.0
"""Seconds between a request's beginning and its content, after which a home is surely still warm or surely not."""


@define
class _Home:
    """Where it may be at home. A stand-in may have become the home; which of the two, only the gateway knows."""

    places: set[tuple[str, str]] = field(factory=set)
    since: float = 0.0


def strayed(asks: Iterable[Ask], affinity: float) -> list[str]:
    """Return who was first asked elsewhere although nothing spoke against its home."""
    found: list[str] = []
    lines: dict[tuple[str, str, str], list[tuple[Ask, RequestRecord]]] = defaultdict(list)
    for ask in sorted(asks, key=lambda ask: ask.began):
        for record in ask.records:
            if ask.session and record.decision is not None and record.attempts:
                lines[ask.caller, ask.session, ask.agent].append((ask, record))
    for line in lines.values():
        found += _followed(line, affinity)
    return found


def _followed(line: list[tuple[Ask, RequestRecord]], affinity: float) -> list[str]:
    found: list[str] = []
    homes: dict[str, _Home] = defaultdict(_Home)
    for ask, record in line:
        decision = record.decision
        assert decision is not None
        served = not record.attempts[-1].error
        if ask.compaction and served:
            homes.clear()  # its cache is gone, wherever it was
        elif decision.group is not None and len(decision.group.members) > 1:
            home = homes[decision.route or decision.scenario]
            members = {str(member) for member in decision.group.members}
            found += _stayed(home, ask, record, members, affinity)
    return found


def _stayed(home: _Home, ask: Ask, record: RequestRecord, members: set[str], affinity: float) -> list[str]:
    first, last = record.attempts[0], record.attempts[-1]
    place = f"{first.provider},{first.model}"
    fresh = ask.began - home.since < affinity - _LONGEST
    strays = bool(home.places) and fresh and not _is_at_home(home, place, first.key, ask)
    served = f"{last.provider},{last.model}"
    if not last.error and served in members:
        _moves(home, (served, last.key), ask, fresh=fresh, at_once=len(record.attempts) == 1)
        home.since = ask.began
    if not strays:
        return []
    return [
        f"{ask.id} of {ask.session}/{ask.agent} went to {place} {first.key}, not to {sorted(home.places)}"
    ]


def _is_at_home(home: _Home, place: str, key: str, ask: Ask) -> bool:
    if any(one in ask.barred for one, _ in home.places):
        return True
    if place not in dict(home.places):
        return False
    keys = {k for one, k in home.places if one == place}
    return key in keys or any(f"{place} {k}" in ask.barred for k in keys)


def _moves(home: _Home, served: tuple[str, str], ask: Ask, *, fresh: bool, at_once: bool) -> None:
    if not home.places or not fresh:
        home.places = {served}
    elif served not in home.places:
        home.places.add(served)
    elif at_once and not any(_is_away(place, ask) for place in home.places - {served}):
        # The others could have been asked as well: this one is the home.
        home.places = {served}


def _is_away(place: tuple[str, str], ask: Ask) -> bool:
    return place[0] in ask.barred or " ".join(place) in ask.barred
