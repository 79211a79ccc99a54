"""One request, judged at its end by what its client and its providers saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ccr.domain.record import Outcome, RequestRecord
from tests.support.sim.weather import Sky

if TYPE_CHECKING:
    from tests.support.sim.clients import Ask
    from tests.support.sim.config import Limits
    from tests.support.sim.upstream import Exchange

__all__ = ["judged"]

_SLACK = 5.0
"""Seconds: a second for a provider's last word, one for a slow client's, the body."""
_GONE = 1.0 + 1e-6
_RANKS: Mapping[str, int] = {
    "upstream_limited": 6,
    "invalid_request": 5,
    "context_overflow": 5,
    "upstream_rejected": 5,
    "upstream_auth": 4,
}
"""A limit before a failure, a failure before a broken connection."""
_UNANSWERED = 1
_ANSWERED = 3


def judged(ask: Ask, exchanges: Sequence[Exchange], limits: Limits) -> list[str]:
    """Return what is wrong with one request."""
    found = [*ask.seen.problems]
    if ask.fault:
        found.append(f"an exception escaped: {ask.fault}")
    if ask.ended is None:
        return [*found, "it never ended"]
    found += _in_time(ask, limits)
    found += _sent(exchanges)
    if not ask.embedded:
        if len(ask.records) != 1:
            return [*found, f"{len(ask.records)} records"]
        found += _recorded(ask, ask.records[0], exchanges)
    elif ask.seen.ended == "stop":
        found += _same_text(ask, exchanges)
    return found


def _in_time(ask: Ask, limits: Limits) -> list[str]:
    assert ask.ended is not None
    if ask.left is not None and ask.ended > max(ask.left, ask.began + ask.body_after) + _GONE:
        return [f"its client left, and it ended {ask.ended - ask.left:.1f} s later"]
    waits = (limits.retries + 1) * (limits.provider_queue + limits.longest_wait)
    most = limits.queue + limits.total + waits + ask.reads_slowly + ask.body_after + _SLACK
    if ask.ended - ask.began > most:
        return [f"it took {ask.ended - ask.began:.0f} s, {most:.0f} allowed"]
    return []


def _sent(exchanges: Sequence[Exchange]) -> list[str]:
    """What may have been billed is sent again to the same target once at most, but with another key."""
    taken: dict[str, int] = {}
    for exchange in exchanges:
        if exchange.status == 200 or exchange.sky in (Sky.RESET, Sky.SILENT):
            taken[exchange.place] = taken.get(exchange.place, 0) + 1
    return [f"{place} took it {count} times" for place, count in taken.items() if count > 2]


def _recorded(ask: Ask, record: RequestRecord, exchanges: Sequence[Exchange]) -> list[str]:
    outcome = record.outcome
    found: list[str] = []
    if outcome is Outcome.INTERNAL:
        found.append(f"a fault of ours: {record.message}")
    if ask.cut and outcome is not Outcome.OK and ask.seen.status == 200 and ask.seen.ended != "error":
        found.append(f"it was cut, and its client saw {ask.seen.ended or 'no end'}")
    if ask.left is None and not ask.cut:
        found += _told(ask, record, exchanges)
    if outcome is Outcome.CLIENT_CLOSED and ask.left is None:
        found.append("it is on record as left by its client, who stayed")
    if ask.drained and outcome not in (Outcome.DRAINED, Outcome.CLIENT_CLOSED):
        found.append(f"it came while the gateway drained, and ended as {outcome.value}")
    if ask.drained and exchanges:
        found.append("it came while the gateway drained, and was sent to a provider")
    return found


def _told(ask: Ask, record: RequestRecord, exchanges: Sequence[Exchange]) -> list[str]:
    seen, outcome = ask.seen, record.outcome
    if outcome is Outcome.OK:
        if not seen.is_ok:
            return [f"it is on record as well, and its client saw {seen.status} {seen.ended}"]
        return _same_text(ask, exchanges)
    if seen.ended != "error":
        return [
            f"it is on record as {outcome.value}, and its client saw {seen.status} {seen.ended or 'nothing'}"
        ]
    if record.attempts and record.attempts[-1].error:
        return _meaningful(record)
    return []


def _same_text(ask: Ask, exchanges: Sequence[Exchange]) -> list[str]:
    if not exchanges:
        return ["it was answered without asking anybody"]
    last = exchanges[-1]
    if last.sky not in (Sky.FINE, Sky.SLOW) and last.text != ask.seen.text:
        return [f"{last.place} was {last.sky.value}, and the client was told that all is well"]
    return [] if ask.seen.text == last.text else [f"the client read {ask.seen.text[:60]!r}"]


def _meaningful(record: RequestRecord) -> list[str]:
    """What no target could do fails as the one that says most, or as the last one that leaves no doubt."""
    last = record.attempts[-1].error
    if record.error == last:
        return []
    said = {attempt.error: _rank(attempt.error, attempt.status) for attempt in record.attempts}
    if record.error not in said:
        return [f"it failed as {record.error}, and none of its attempts did"]
    most = max(said, key=said.__getitem__)
    return [] if said[record.error] == said[most] else [f"it failed as {record.error}, but {most} says more"]


def _rank(error: str, status: int) -> int:
    return _RANKS.get(error, _ANSWERED if status else _UNANSWERED)
